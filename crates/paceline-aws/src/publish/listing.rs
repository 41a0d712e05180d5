//! What is in a bucket, from one listing instead of a call for each file.

use std::collections::BTreeMap;

use tokio::sync::OnceCell;

use super::bucket::Bucket;

/// With fewer files for a bucket, each is searched for by itself.
const FEW: usize = 5;
/// A page of a listing, with up to 1,000 objects, is worth the calls for so many files.
const FILES_A_PAGE: usize = 20;

/// The files of one bucket at the start of a run.
///
/// A large bucket is not listed to its end. A file that the listing does not show is searched for by itself, so the listing
/// only saves calls.
#[derive(Debug)]
pub(crate) struct BucketListing {
    /// The number of files that the run publishes to the bucket.
    files: usize,
    /// The sizes in bytes, by key.
    found: OnceCell<BTreeMap<String, i64>>,
}

impl BucketListing {
    pub(crate) fn for_files(files: usize) -> Self {
        Self { files, found: OnceCell::new() }
    }

    /// Returns whether the listing shows the object, with at least `least` bytes. The first call makes the listing.
    pub(super) async fn shows(&self, bucket: &Bucket<'_>, key: &str, least: i64) -> bool {
        if self.files < FEW {
            return false;
        }
        // An error of the listing comes again when the object is searched for.
        let list = async {
            let pages = self.files.div_ceil(FILES_A_PAGE);
            let found = Box::pin(bucket.list_pages("", None, pages)).await;
            found.unwrap_or_default().into_iter().map(|object| (object.key, object.size)).collect()
        };
        self.found.get_or_init(|| list).await.get(key).is_some_and(|size| *size >= least)
    }
}
