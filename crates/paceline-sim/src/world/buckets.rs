//! The buckets of S3 and their objects.

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::Timestamp;
use paceline_text::hex;
use sha2::{Digest as _, Sha256};

use super::{AccountRegion, World};

/// Every bucket of the partition: their names are global.
#[derive(Debug, Clone, Default)]
pub(crate) struct Buckets {
    /// By name.
    pub(crate) buckets: BTreeMap<String, Bucket>,
    /// The parts of unfinished uploads, by the id of the upload.
    pub(crate) uploads: BTreeMap<String, BTreeMap<u32, Bytes>>,
}

/// A bucket.
#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    pub(crate) place: AccountRegion,
    pub(crate) objects: BTreeMap<String, Object>,
}

/// An object.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    pub(crate) size: usize,
    pub(crate) etag: String,
    pub(crate) modified: Timestamp,
    pub(crate) content_type: Option<String>,
    /// None for large objects, of which only the size is kept.
    pub(crate) body: Option<Bytes>,
}

impl World {
    /// Whose bootstrap bucket a name would be, if that environment is bootstrapped.
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

    /// The content of an object that the simulator can read: none if it is absent or too large.
    pub(crate) fn object(&mut self, bucket: &str, key: &str) -> Option<Bytes> {
        self.buckets.object(bucket, key)?.body.clone()
    }

    /// Whose bucket this is, and where.
    pub(crate) fn bucket_owner(&mut self, bucket: &str) -> Option<AccountRegion> {
        self.buckets.find(self.bootstrap_bucket(bucket), bucket)
    }

    /// Whether an object is there. Buckets that nobody simulates are given the benefit of the doubt.
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

    /// Creates a bucket; false if its name is taken.
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

/// Real `ETag`s are MD5 of the content; any tag that follows from the content serves.
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
