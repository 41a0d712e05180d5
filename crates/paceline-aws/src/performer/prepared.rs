//! What a run prepares.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use paceline_engine::{Finding, PreparedFiles, PreparedStack, StepContext};

use super::Aws;
use crate::stack::Preparing;

impl Aws {
    /// What the run has prepared so far, by the ids of the stacks.
    pub fn prepared(&self) -> BTreeMap<String, PreparedStack> {
        self.prepared.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What CloudFormation found wrong with the change sets that the run has prepared, by the ids of the stacks.
    pub fn findings(&self) -> BTreeMap<String, Vec<Finding>> {
        self.findings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The ARN of the caller, if AWS tells it.
    pub async fn caller_arn(&self) -> Option<String> {
        let arn = self.sessions.caller_arn().await.ok()?;
        Some(arn.to_owned()).filter(|arn| !arn.is_empty())
    }

    /// The files in which a run keeps what it prepares, if it does.
    pub(super) fn prepared_files(&self, context: &StepContext) -> Option<PreparedFiles> {
        let runs = self.options.captures.as_ref().filter(|_| context.plan().prepares);
        runs.map(|runs| PreparedFiles::of(runs, context.run()))
    }

    /// Where a run keeps what it prepares, if that is all it does.
    pub(super) fn preparing<'a>(
        &'a self,
        context: &StepContext,
        files: Option<&'a PreparedFiles>,
    ) -> Option<Preparing<'a>> {
        context.plan().prepares.then_some(Preparing {
            files,
            kept: &self.prepared,
            findings: &self.findings,
            discards: self.options.discards_change_sets,
        })
    }
}
