//! The buckets of S3 and their objects.

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::Timestamp;
use paceline_text::hex;
use sha2::{Digest as _, Sha256};

use super::{AccountRegion, World};

/// Every bucket of the partition. Names of buckets are unique in the partition.
#[derive(Debug, Clone, Default)]
pub(crate) struct Buckets {
    /// The buckets by name.
    pub(crate) buckets: BTreeMap<String, Bucket>,
    /// The parts of unfinished uploads, by the id of the upload.
    pub(crate) uploads: BTreeMap<String, BTreeMap<u32, Bytes>>,
}

#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    pub(crate) place: AccountRegion,
    pub(crate) objects: BTreeMap<String, Object>,
}

#[derive(Debug, Clone)]
pub(crate) struct Object {
    pub(crate) size: usize,
    pub(crate) etag: String,
    pub(crate) modified: Timestamp,
    pub(crate) content_type: Option<String>,
    /// The content. `None` for a large object, of which only the size is kept.
    pub(crate) body: Option<Bytes>,
}

impl World {
    /// The environment whose bootstrap bucket would have this name. `None` if that environment is not
    /// bootstrapped.
    fn bootstrap_bucket(&self, name: &str) -> Option<AccountRegion> {
        let rest = name.strip_prefix("cdk-")?;
        let (at, account) = rest
            .split('-')
            .scan(0, |at, word| {
                let start = *at;
                *at += word.len() + 1;
                Some((start, word))
            })
            .find(|(_, word)| self.is_account(word))?;
        let region = rest.get(at + account.len() + 1..)?;
        let place = AccountRegion::new(account, region);
        (!region.is_empty() && self.is_bootstrapped(&place)).then_some(place)
    }

    /// The content of an object. `None` if the object does not exist, or is too large to be kept.
    pub(crate) fn object(&mut self, bucket: &str, key: &str) -> Option<Bytes> {
        self.buckets.object(bucket, key)?.body.clone()
    }

    /// The account and region of a bucket.
    pub(crate) fn bucket_owner(&mut self, bucket: &str) -> Option<AccountRegion> {
        self.buckets.find(self.bootstrap_bucket(bucket), bucket)
    }

    /// Whether an object exists. A bucket that is not simulated is assumed to have every object.
    pub(crate) fn has_object(&self, bucket: &str, key: &str) -> bool {
        if self.bootstrap_bucket(bucket).is_none() && !self.buckets.buckets.contains_key(bucket) {
            return true;
        }
        self.buckets.object(bucket, key).is_some()
    }
}

impl Buckets {
    fn find(&mut self, bootstrap: Option<AccountRegion>, name: &str) -> Option<AccountRegion> {
        if let Some(bucket) = self.buckets.get(name) {
            return Some(bucket.place.clone());
        }
        let place = bootstrap?;
        self.create(name, place.clone());
        Some(place)
    }

    /// Creates a bucket. Returns false if its name is taken.
    pub(crate) fn create(&mut self, name: &str, place: AccountRegion) -> bool {
        if self.buckets.contains_key(name) {
            return false;
        }
        self.buckets.insert(name.to_owned(), Bucket { place, objects: BTreeMap::new() });
        true
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.buckets.contains_key(name)
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.buckets.remove(name);
    }

    pub(crate) fn object(&self, bucket: &str, key: &str) -> Option<&Object> {
        self.buckets.get(bucket)?.objects.get(key)
    }

    pub(crate) fn put(
        &mut self,
        bucket: &str,
        key: &str,
        body: &[u8],
        kind: Option<String>,
        now: Timestamp,
        keep: usize,
    ) -> String {
        let etag = etag(body);
        let object = Object {
            size: body.len(),
            etag: etag.clone(),
            modified: now,
            content_type: kind,
            // A copy, because the request's buffer may be larger than the object.
            body: (body.len() <= keep).then(|| Bytes::copy_from_slice(body)),
        };
        if let Some(bucket) = self.buckets.get_mut(bucket) {
            bucket.objects.insert(key.to_owned(), object);
        }
        etag
    }
}

/// The `ETag` of an object. Real ones are the MD5 of the content, but any tag that follows from the content
/// will do.
pub(crate) fn etag(body: &[u8]) -> String {
    format!("\"{}\"", hex(&Sha256::digest(body)[..16]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bootstrap_buckets_name_their_environment() {
        let world = World::new(crate::SimOptions::default());
        let found = world.bootstrap_bucket("cdk-hnb659fds-assets-222222222222-eu-west-1");
        assert_eq!(found, Some(AccountRegion::new("222222222222", "eu-west-1")));
        assert_eq!(world.bootstrap_bucket("cdk-hnb659fds-assets-2-eu-west-1"), None);
        assert_eq!(world.bootstrap_bucket("my-222222222222-eu-west-1"), None);
    }
}
