//! What goes on in AWS, whether or not the run watches it.

use paceline_engine::StackStatus;
use paceline_engine::event::{Outcome, StackAccepted, StackCall, StackSubmitted, StepFinished};
use paceline_text::one_line;

use super::{Record, Status, StepRecord};

/// An operation on a stack that had not ended when it was last heard of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InAws {
    /// CloudFormation's status of the stack at the last look; before the first one, that of the operation that was
    /// sent. Nothing is known of a change set that was executed, or an operation that was found going on.
    pub status: Option<StackStatus>,
    /// Whether AWS is known to have accepted it. Otherwise the run stopped after it had been sent, or right before.
    pub accepted: bool,
    /// Whether the status was seen.
    seen: bool,
}

/// What goes on in AWS although the run has ended.
#[derive(Debug)]
pub(crate) struct GoingOn {
    /// Which stacks.
    pub(crate) sentence: String,
    /// What each of them waits for, as far as it is known.
    pub(crate) waits: Vec<String>,
    /// The command that shows how each of them is.
    pub(crate) commands: Vec<String>,
}

impl StepRecord {
    pub(super) fn submitted(&mut self, submitted: &StackSubmitted) {
        self.operation = Some(submitted.operation.clone());
        let status = match submitted.operation {
            // It changes nothing yet.
            StackCall::CreateChangeSet => return,
            StackCall::Create => Some(StackStatus::CreateInProgress),
            StackCall::Update => Some(StackStatus::UpdateInProgress),
            StackCall::Delete => Some(StackStatus::DeleteInProgress),
            StackCall::ContinueRollback | StackCall::CancelUpdate => {
                Some(StackStatus::UpdateRollbackInProgress)
            }
            StackCall::ExecuteChangeSet | StackCall::Other(_) => None,
        };
        // The operation that it cancels is known to go on.
        let cancels = submitted.operation == StackCall::CancelUpdate;
        let accepted = cancels && self.in_aws.as_ref().is_some_and(|before| before.accepted);
        self.in_aws = Some(InAws { status, accepted, seen: false });
    }

    pub(super) fn accepted(&mut self, accepted: &StackAccepted) {
        self.unanswered = None;
        self.stack_arn = Some(accepted.stack_id.clone());
        let before = self.in_aws.take();
        let status = before.as_ref().and_then(|before| before.status.clone());
        self.in_aws = Some(InAws { status, accepted: true, seen: before.is_some_and(|before| before.seen) });
    }

    /// The stack itself has changed state.
    pub(super) fn turned(&mut self, status: StackStatus) {
        let goes_on = status.is_in_progress();
        if !goes_on {
            self.in_progress.clear();
        }
        self.in_aws = goes_on.then_some(InAws { status: Some(status), accepted: true, seen: true });
    }

    pub(super) fn leaves(&mut self, finished: &StepFinished) {
        let is_left = match finished.outcome {
            Outcome::Interrupted => true,
            // It was refused, unless it was seen to go on.
            Outcome::Failed | Outcome::RolledBack => self.in_aws.as_ref().is_some_and(|it| it.seen),
            Outcome::Deployed | Outcome::Deleted | Outcome::Unchanged | Outcome::Skipped => false,
        };
        if !is_left {
            self.in_aws = None;
        }
    }
}

impl Record {
    /// The stacks of which an operation goes on in AWS, or may go on, although the run has ended.
    pub fn left_in_aws(&self) -> impl Iterator<Item = (&StepRecord, &InAws)> {
        let left = self.steps.iter().filter(|_| !self.simulated && self.status() != Status::Done);
        left.filter_map(|step| Some((step, step.in_aws.as_ref()?)))
    }

    /// What goes on in AWS, in sentences without a full stop; each with what it waits for and how to look.
    pub(crate) fn going_on(&self) -> Vec<GoingOn> {
        let is_over = self.status() != Status::Unfinished;
        let sentence = |accepted: bool| {
            let left: Vec<_> = self.left_in_aws().filter(|(_, it)| it.accepted == accepted).collect();
            let said: Vec<String> = left.iter().map(|(step, it)| self.in_aws_shown(step, it)).collect();
            let what = match (accepted, is_over) {
                (true, true) => "Still going on in AWS",
                (true, false) => "Going on in AWS when this was last heard of",
                (false, _) => "Sent to AWS and not answered yet, may be going on there",
            };
            let waits = left.iter().filter_map(|(step, _)| {
                Some(format!("{} {}", one_line(&step.step.title), self.waited_for(step)?.shown()))
            });
            (!said.is_empty()).then(|| GoingOn {
                sentence: format!("{what}: {}", said.join(", ")),
                waits: waits.collect(),
                commands: left.iter().map(|(step, _)| how_to_look(step)).collect(),
            })
        };
        [true, false].into_iter().filter_map(sentence).collect()
    }

    /// A stack on which AWS works: `Network (CREATE_IN_PROGRESS, eu-west-1)`.
    pub(crate) fn in_aws_shown(&self, step: &StepRecord, it: &InAws) -> String {
        let title = one_line(&step.step.title);
        // Of what was not answered, only what was asked for is known.
        let sent = step.operation.as_ref().filter(|_| !it.accepted).map(StackCall::as_str);
        let known = sent.or_else(|| it.status.as_ref().map(StackStatus::as_str)).map(one_line);
        let known = known.into_iter().chain(self.place(&step.step));
        match known.collect::<Vec<_>>().join(", ") {
            known if known.is_empty() => title,
            known => format!("{title} ({known})"),
        }
    }
}

/// The command that shows how a stack is.
pub(crate) fn how_to_look(step: &StepRecord) -> String {
    let name = step.step.stack_name.as_deref().unwrap_or(&step.step.title);
    let region = step.step.region.as_deref();
    let region = region.map(|region| format!(" --region {}", one_line(region))).unwrap_or_default();
    format!("aws cloudformation describe-stacks{region} --stack-name {}", one_line(name))
}
