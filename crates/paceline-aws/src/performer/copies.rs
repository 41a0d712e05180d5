//! The copy of a run, in the staging bucket of one of its environments.

use std::sync::Arc;

use paceline_engine::Event;
use paceline_plan::Plan;

use super::Aws;
use crate::error::AwsError;
use crate::run_copy::{RunCopy, share_history};
use crate::staging::{self, StagingBucket};

impl Aws {
    /// Begins the copy of a run. It is in the staging bucket of the first environment of the plan, by account and region,
    /// whose role can be assumed. `part` counts the processes of the run, from 1. `earlier` are the events of the processes
    /// before. `tell` gets sentences for a person. Gives `None` if no stack of the plan names a staging bucket.
    pub async fn copy_run(
        &self,
        plan: &Plan,
        run: &str,
        part: usize,
        earlier: &[Event],
        tell: impl Fn(String) + Send + Sync + 'static,
    ) -> Option<Arc<RunCopy>> {
        let bucket = self.first_bucket(plan).await?;
        let copy = RunCopy::begin(&bucket, run, part, earlier, tell);
        // A performer has one run.
        let _ = self.copy.set(Arc::clone(&copy));
        Some(copy)
    }

    /// Puts the durations of a run where others find them: one object, which replaces that of an earlier part of the run.
    pub async fn share_history(&self, plan: &Plan, run: &str, lines: String) -> Result<(), AwsError> {
        match self.first_bucket(plan).await {
            Some(bucket) => Box::pin(share_history(&bucket, run, lines)).await,
            None => Ok(()),
        }
    }

    /// The staging bucket of the plan's first environment that has one.
    async fn first_bucket(&self, plan: &Plan) -> Option<Arc<StagingBucket>> {
        let mut candidates = Vec::new();
        for stack in plan.stacks.iter().filter_map(|planned| self.assembly.stack(&planned.id)) {
            if let Some(to) = staging::destination(stack)
                && let Ok(home) = self.target(stack).await
            {
                let bucket = home.resolve(&to.bucket);
                candidates.push((home, bucket, stack));
            }
        }
        candidates.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
        candidates.dedup_by(|a, b| a.1 == b.1);
        for (_, _, stack) in candidates {
            if let Some(bucket) = self.staging_bucket(stack).await {
                return Some(bucket);
            }
        }
        None
    }
}
