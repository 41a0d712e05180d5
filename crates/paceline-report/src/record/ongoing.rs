//! The operations that are running in AWS, even if the run has ended.

use paceline_engine::StackStatus;
use paceline_engine::event::{Outcome, StackAccepted, StackCall, StackSubmitted, StepFinished};
use paceline_text::one_line;

use super::{Record, Status, StepRecord};

/// An operation on a stack that had not ended when it was last heard of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OngoingOperation {
    /// The last status that CloudFormation reported; before that, the status that the sent operation leads to. `None` for
    /// a change set that was executed, and for an operation that was already running.
    pub status: Option<StackStatus>,
    /// Whether AWS has accepted it. Otherwise the run stopped just before or after the call was sent.
    pub accepted: bool,
    /// Whether CloudFormation reported the status.
    seen: bool,
}

/// Operations that still run in AWS, as sentences for a report.
#[derive(Debug)]
pub(crate) struct LeftRunning {
    /// A sentence that names the stacks.
    pub(crate) sentence: String,
    /// The resource that each stack waits for, if it is known.
    pub(crate) waits: Vec<String>,
    /// For each stack, the command that shows its status.
    pub(crate) commands: Vec<String>,
}

impl StepRecord {
    pub(super) fn submitted(&mut self, submitted: &StackSubmitted) {
        self.operation = Some(submitted.operation.clone());
        let status = match submitted.operation {
            // Creating a change set changes no resource.
            StackCall::CreateChangeSet => return,
            StackCall::Create => Some(StackStatus::CreateInProgress),
            StackCall::Update => Some(StackStatus::UpdateInProgress),
            StackCall::Delete => Some(StackStatus::DeleteInProgress),
            StackCall::ContinueRollback | StackCall::CancelUpdate => {
                Some(StackStatus::UpdateRollbackInProgress)
            }
            StackCall::ExecuteChangeSet | StackCall::Rollback | StackCall::Other(_) => None,
        };
        // The operation that it cancels is running, and AWS has accepted it.
        let cancels = submitted.operation == StackCall::CancelUpdate;
        let accepted = cancels && self.in_aws.as_ref().is_some_and(|before| before.accepted);
        self.in_aws = Some(OngoingOperation { status, accepted, seen: false });
    }

    pub(super) fn accepted(&mut self, accepted: &StackAccepted) {
        self.unanswered = None;
        self.stack_arn = Some(accepted.stack_id.clone());
        let before = self.in_aws.take();
        let status = before.as_ref().and_then(|before| before.status.clone());
        self.in_aws =
            Some(OngoingOperation { status, accepted: true, seen: before.is_some_and(|before| before.seen) });
    }

    /// Applies a new status of the stack.
    pub(super) fn turned(&mut self, status: StackStatus) {
        let goes_on = status.is_in_progress();
        if !goes_on {
            self.in_progress.clear();
        }
        self.in_aws =
            goes_on.then_some(OngoingOperation { status: Some(status), accepted: true, seen: true });
    }

    pub(super) fn leaves(&mut self, finished: &StepFinished) {
        let is_left = match finished.outcome {
            Outcome::Interrupted => true,
            // AWS refused the operation, unless CloudFormation has reported its status.
            Outcome::Failed | Outcome::RolledBack => self.in_aws.as_ref().is_some_and(|it| it.seen),
            Outcome::Deployed
            | Outcome::Deleted
            | Outcome::Unchanged
            | Outcome::Prepared
            | Outcome::Skipped => false,
        };
        if !is_left {
            self.in_aws = None;
        }
    }
}

impl Record {
    /// The stacks whose operation still runs in AWS, or may run, although the run has ended.
    pub fn left_in_aws(&self) -> impl Iterator<Item = (&StepRecord, &OngoingOperation)> {
        let left = self.steps.iter().filter(|_| !self.simulated && self.status() != Status::Done);
        left.filter_map(|step| Some((step, step.in_aws.as_ref()?)))
    }

    /// The operations that still run in AWS, as sentences without a full stop.
    pub(crate) fn left_running(&self) -> Vec<LeftRunning> {
        let is_over = self.status() != Status::Unfinished;
        let sentence = |accepted: bool| {
            let left: Vec<_> = self.left_in_aws().filter(|(_, it)| it.accepted == accepted).collect();
            let said: Vec<String> = left.iter().map(|(step, it)| self.operation_label(step, it)).collect();
            let what = match (accepted, is_over) {
                (true, true) => "Still going on in AWS",
                (true, false) => "Going on in AWS when this was last heard of",
                (false, _) => "Sent to AWS and not answered yet, may be going on there",
            };
            let waits = left.iter().filter_map(|(step, _)| {
                Some(format!("{} {}", one_line(&step.step.title), self.waited_for(step)?.shown()))
            });
            (!said.is_empty()).then(|| LeftRunning {
                sentence: format!("{what}: {}", said.join(", ")),
                waits: waits.collect(),
                commands: left.iter().map(|(step, _)| how_to_look(step)).collect(),
            })
        };
        [true, false].into_iter().filter_map(sentence).collect()
    }

    /// A stack and the status of its operation: `Network (CREATE_IN_PROGRESS, eu-west-1)`.
    pub(crate) fn operation_label(&self, step: &StepRecord, it: &OngoingOperation) -> String {
        let title = one_line(&step.step.title);
        // If AWS has not answered, only the call is known.
        let sent = step.operation.as_ref().filter(|_| !it.accepted).map(StackCall::as_str);
        let known = sent.or_else(|| it.status.as_ref().map(StackStatus::as_str)).map(one_line);
        let known = known.into_iter().chain(self.place(&step.step));
        match known.collect::<Vec<_>>().join(", ") {
            known if known.is_empty() => title,
            known => format!("{title} ({known})"),
        }
    }
}

/// The command that shows the status of a stack.
pub(crate) fn how_to_look(step: &StepRecord) -> String {
    let name = step.step.stack_name.as_deref().unwrap_or(&step.step.title);
    let region = step.step.region.as_deref();
    let region = region.map(|region| format!(" --region {}", one_line(region))).unwrap_or_default();
    format!("aws cloudformation describe-stacks{region} --stack-name {}", one_line(name))
}
