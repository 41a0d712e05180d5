//! The buckets of a run: those that it publishes files to, and what it keeps in the staging buckets.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use futures_util::future::join_all;
use paceline_assembly::Stack;
use paceline_plan::{Plan, Work};

use super::Aws;
use crate::publish::BucketListing;
use crate::records::Records;
use crate::staging::{self, StagingBucket};

impl Aws {
    /// The listings of the buckets to which the plan publishes files.
    pub(super) async fn listings(&self, plan: &Plan) -> BTreeMap<String, BucketListing> {
        let mut files: BTreeMap<String, usize> = BTreeMap::new();
        for step in &plan.steps {
            let Work::Publish(publish) = &step.work else { continue };
            let Some(stack) = self.assembly.stack(&publish.manifest) else { continue };
            let asset = stack.assets.files.get(&publish.asset).filter(|_| !publish.image);
            let to = asset.and_then(|asset| asset.destinations.get(&publish.destination));
            if let (Some(to), Ok(home)) = (to, self.target(stack).await) {
                *files.entry(home.of_destination(to.region.as_ref()).resolve(&to.bucket)).or_default() += 1;
            }
        }
        files.into_iter().map(|(bucket, files)| (bucket, BucketListing::for_files(files))).collect()
    }

    /// The records of what was deployed in the stack's environment, unless they are off or have no bucket. Records only
    /// save time, so an error means that there are none.
    pub(super) async fn records(&self, stack: &Stack) -> Option<Arc<Records>> {
        if !self.options.records {
            return None;
        }
        let bucket = self.staging_bucket(stack).await?;
        let mut known = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(known.entry(bucket.name.clone()).or_insert_with(|| Records::new(bucket))))
    }

    /// The staging bucket of a stack's environment. `None` if the stack has no assets there, or its role cannot be
    /// assumed.
    pub(crate) async fn staging_bucket(&self, stack: &Stack) -> Option<Arc<StagingBucket>> {
        let to = staging::destination(stack)?;
        let home = self.target(stack).await.ok()?;
        let name = home.resolve(&to.bucket);
        let known = || self.staging.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = known().get(&name) {
            return Some(Arc::clone(bucket));
        }
        let place = self.destination(None, home, to.region.as_ref(), to.role.as_ref()).await.ok()?;
        let bucket = || StagingBucket::new(place, name.clone());
        Some(Arc::clone(known().entry(name.clone()).or_insert_with(bucket)))
    }

    /// Completes the work that no step waits for, within a few seconds. Called after the run.
    pub async fn settle(&self) {
        let records: Vec<_> =
            self.records.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        join_all(records.iter().map(|records| records.settle())).await;
    }
}
