//! Prepares a stack: makes its change set and leaves it, so that people can read it before a later run executes it.
//!
//! A stack that reads what only the deployment creates cannot be prepared. Then it is kept why, and the later run makes its
//! change set when its time has come.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use paceline_assembly::StackStatus;
use paceline_engine::{
    Ended, Finding, Outcome, Preparation, PreparedChangeSet, PreparedFiles, PreparedStack,
};
use paceline_plan::{PlannedStack, Reason};

use super::{Deployment, Next, Progress};
use crate::environment::{StackView, find};
use crate::error::AwsError;
use crate::stack::change_set::{ChangeSets, Made, failed};
use crate::stack::outcome;
use crate::stack::review::PREPARED;
use crate::stack::state::is_usable;

/// Where a run keeps what it prepares.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Preparing<'a> {
    /// The files. `None` keeps nothing on the disk.
    pub(crate) files: Option<&'a PreparedFiles>,
    /// Whether each change set is deleted as soon as it has been read.
    pub(crate) discards: bool,
    /// What CloudFormation found, by stack.
    pub(crate) findings: &'a Mutex<BTreeMap<String, Vec<Finding>>>,
    /// All that was prepared, by stack.
    pub(crate) kept: &'a Mutex<BTreeMap<String, PreparedStack>>,
}

impl Deployment<'_> {
    /// Makes the change set of the operation with this token, and keeps it. `before` is a stack that can be updated, and
    /// `was_there` says whether there is one, even if it is empty.
    pub(super) async fn prepare(
        &self,
        progress: &Progress,
        before: Option<&StackView>,
        was_there: bool,
        token: &str,
    ) -> Result<Next, AwsError> {
        if let Some(because) = self.waits_for(progress).await? {
            return self.later(&because).await;
        }
        let (environment, context, request) = (self.environment, self.context, &self.request);
        let sets = ChangeSets { environment, context, request, before };
        let description = format!("{PREPARED}: {}", context.run());
        // One that was prepared for a run must stay.
        let discards = self.preparing.is_some_and(|preparing| preparing.discards);
        let name = if discards { format!("{token}-diff") } else { token.to_owned() };
        let made = sets.make(token, name, Some(&description)).await;
        if discards && !matches!(made, Ok(Made::Ready(_))) {
            self.remove_empty(before, was_there).await?;
        }
        let set = match made? {
            Made::Ready(set) => set,
            Made::Empty => {
                return Ok(Next::End(match before {
                    Some(view) => outcome::unchanged(self.stack, view),
                    None => Ended::new(Outcome::Unchanged),
                }));
            }
            // What another stack of the run will create may be what is missing.
            Made::Failed(reason, findings)
                if findings.is_empty() && self.planned().depends_on.iter().any(is_by_content) =>
            {
                return self.later(&format!("it could not be made before: {reason}")).await;
            }
            Made::Failed(reason, findings) => {
                self.found(&findings);
                return Err(failed(&reason, &findings));
            }
        };
        self.found(&sets.findings(&set.id).await);
        let changes = sets.changes(&set).await;
        if discards {
            sets.delete(&set.stack, &set.id).await?;
            self.remove_empty(before, was_there).await?;
        }
        let changes = changes?;
        let prepared = PreparedChangeSet {
            name: set.name,
            id: set.id,
            request: request.own_digest().to_owned(),
            creates: before.is_none(),
            changes,
        };
        let detail = prepared.counts();
        self.keep(Preparation::Ready(prepared)).await?;
        Ok(Next::End(Ended::new(Outcome::Prepared).with_detail(detail)))
    }

    /// Keeps that the change set is made during the run, and why.
    pub(super) async fn later(&self, because: &str) -> Result<Next, AwsError> {
        self.keep(Preparation::Later { because: because.to_owned() }).await?;
        let detail = format!("made during the run, because {because}");
        Ok(Next::End(Ended::new(Outcome::Prepared).with_detail(detail)))
    }

    /// Keeps what CloudFormation found wrong with the change set.
    fn found(&self, findings: &[Finding]) {
        if let Some(preparing) = self.preparing
            && !findings.is_empty()
        {
            let mut all = preparing.findings.lock().unwrap_or_else(PoisonError::into_inner);
            all.insert(self.stack.id.clone(), findings.to_vec());
        }
    }

    /// Deletes the empty stack that was created for a change set.
    async fn remove_empty(&self, before: Option<&StackView>, was_there: bool) -> Result<(), AwsError> {
        if before.is_some() || was_there {
            return Ok(());
        }
        let view = find(self.environment, &self.request.name).await?;
        let Some(view) = view.filter(|view| view.status == StackStatus::ReviewInProgress) else {
            return Ok(());
        };
        self.delete_empty(&view, true).await.map(drop)
    }

    async fn keep(&self, preparation: Preparation) -> Result<(), AwsError> {
        let Some(Preparing { files, kept, .. }) = self.preparing else { return Ok(()) };
        let target = &self.environment.target;
        let stack = PreparedStack {
            schema: PreparedStack::SCHEMA,
            stack: self.stack.id.clone(),
            name: self.request.name.clone(),
            account: target.account.clone(),
            region: target.region.clone(),
            preparation,
        };
        if let Some(files) = files {
            let file = files.keep(&stack).map_err(|error| {
                let message = format!("cannot keep what was prepared of {}: {error}", self.stack.name);
                AwsError::setup(message).hint("free some disk space, then run it again")
            })?;
            if let Some(copy) = &self.copy {
                Box::pin(copy.keep_prepared(&file)).await;
            }
        }
        kept.lock().unwrap_or_else(PoisonError::into_inner).insert(stack.stack.clone(), stack);
        Ok(())
    }

    fn planned(&self) -> &PlannedStack {
        self.context.plan().stack_of(self.context.step())
    }

    /// What only the deployment creates, if the change set needs it.
    async fn waits_for(&self, progress: &Progress) -> Result<Option<String>, AwsError> {
        for edge in &self.planned().depends_on {
            let to = &edge.to;
            match edge.reason {
                Reason::Synth => {
                    return Ok(Some(format!("the app is synthesized again after {to}")));
                }
                Reason::Asset => return Ok(Some(format!("its assets go to what {to} creates"))),
                // An export that is in use keeps its value, so that of a stack that is there can be used.
                Reason::Import if !self.is_deployed(to).await? => {
                    return Ok(Some(format!("it imports from {to}, which was not deployed")));
                }
                _ => {}
            }
        }
        match &progress.read {
            Some(read) => Ok(read.missing().map(|name| format!("it reads {name}, which was not there"))),
            None => Ok(Some("it could not be looked at what it reads from elsewhere".to_owned())),
        }
    }

    /// Whether a stack of the run is deployed already.
    async fn is_deployed(&self, id: &str) -> Result<bool, AwsError> {
        let Some(other) = self.inputs.stacks.iter().find(|stack| stack.id == id) else { return Ok(true) };
        let view = self.environment.poller.glance(&other.name).await?;
        Ok(view.as_ref().is_some_and(is_usable))
    }
}

/// Whether the order of two stacks comes from what one of them creates.
fn is_by_content(edge: &paceline_plan::Edge) -> bool {
    !matches!(edge.reason, Reason::Phase | Reason::Rollout)
}
