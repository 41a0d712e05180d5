//! A performer whose steps send reports while they run.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use paceline_engine::{Ended, Perform, ResourceProgress, StepContext};

use crate::script::Script;

/// A report of a step.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Say {
    /// A resource of the operation reaches a status.
    Resource(&'static str, &'static str),
    /// Like `Resource`, without proof that the resource belongs to the operation.
    Unconfirmed(&'static str, &'static str),
    /// The stack reaches a status.
    Stack(&'static str),
    /// An operation is about to be sent.
    Submits(&'static str),
}

/// A performer whose steps send reports at given times. All reports of one time are sent together. The steps
/// end as the script says.
#[derive(Debug)]
pub(crate) struct Talk {
    script: Script,
    says: HashMap<String, Vec<(u64, Vec<Say>)>>,
}

impl Talk {
    /// A performer in which only `step` sends reports.
    pub(crate) fn of(script: Script, step: &str, says: &[(u64, &[Say])]) -> Self {
        let says = says.iter().map(|(at, says)| (*at, says.to_vec())).collect();
        Self::new(script, [(step.to_owned(), says)].into())
    }

    pub(crate) fn new(script: Script, says: HashMap<String, Vec<(u64, Vec<Say>)>>) -> Self {
        Self { script, says }
    }

    async fn talk(&self, context: &StepContext) {
        let start = tokio::time::Instant::now();
        for (at, says) in self.says.get(&context.step().id).into_iter().flatten() {
            tokio::time::sleep_until(start + Duration::from_secs(*at)).await;
            for part in says.chunk_by(|a, b| !a.is_submission() && !b.is_submission()) {
                if let [Say::Submits(operation)] = part {
                    context.submitting(*operation, "token").await;
                } else {
                    context.progress_of(part.iter().map(|say| say.progress(context)));
                }
            }
        }
        std::future::pending::<()>().await;
    }
}

impl Perform for Talk {
    async fn perform(&self, context: StepContext) -> Ended {
        tokio::select! {
            biased;
            () = self.talk(&context) => unreachable!("talking has no end"),
            ended = self.script.perform(context.clone()) => ended,
        }
    }
}

impl Say {
    fn is_submission(self) -> bool {
        matches!(self, Self::Submits(_))
    }

    fn progress(self, context: &StepContext) -> ResourceProgress {
        let of_stack = "AWS::CloudFormation::Stack";
        let stack = context.plan().stack_of(context.step()).name.clone();
        let (logical_id, resource_type, status, unconfirmed) = match self {
            Self::Resource(id, status) => (id.to_owned(), "T", status, false),
            Self::Unconfirmed(id, status) => (id.to_owned(), "T", status, true),
            Self::Stack(status) => (stack, of_stack, status, false),
            Self::Submits(operation) => unreachable!("{operation} is no progress"),
        };
        ResourceProgress {
            logical_id,
            resource_type: resource_type.to_owned(),
            status: status.into(),
            reason: None,
            done: 0,
            total: 2,
            unconfirmed,
            happened_at: Timestamp::UNIX_EPOCH,
        }
    }
}
