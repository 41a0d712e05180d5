//! What the services of an operation's failed resources say.
//!
//! A service is asked as soon as its resource has failed: after the rollback, the resource may be gone.

use jiff::Timestamp;
use paceline_assembly::Stack;
use paceline_plan::history::History;

use super::events::Change;
use super::failure::{FailedResource, Failure, began};
use super::long_nested::Level;
use super::watch::Watch;
use crate::service_report::{Questions, Subject, sentence};

/// What a deployment knows about resources, and whom it asks about them. A deletion has none of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Knowledge<'a> {
    /// The durations of earlier runs.
    pub(super) history: &'a History,
    pub(super) questions: Questions<'a>,
}

impl Watch<'_> {
    /// Asks the services of resources that have failed since the last call.
    pub(super) async fn ask_about_failed(&mut self) {
        let Some(knowledge) = self.knowledge else { return };
        let has_failed =
            |change: &&Change| !change.of_stack && change.status.failed_by_itself(change.reason.as_deref());
        let failed: Vec<Change> = self.events.own().iter().filter(has_failed).cloned().collect();
        let whole = Level { stack: self.operation.id.clone(), within: Vec::new() };
        for change in failed {
            let key = (change.logical_id.clone(), change.physical_id.clone());
            if self.reports.contains_key(&key) {
                continue;
            }
            let since = began(self.events.own(), &change.logical_id);
            let report = knowledge.questions.ask(subject(self.stack, &whole, &change, since)).await;
            self.reports.insert(key, report);
        }
    }

    /// Adds what the service of the failed resource says. A resource of a nested stack is asked about now.
    pub(super) async fn explained(&self, failure: Failure) -> Failure {
        let (Some(knowledge), Some(resource)) = (self.knowledge, &failure.resource) else { return failure };
        let FailedResource { level, change, since } = &**resource;
        let key = (change.logical_id.clone(), change.physical_id.clone());
        let known = self.reports.get(&key).filter(|_| level.within.is_empty());
        let report = match known {
            Some(report) => report.clone(),
            None => knowledge.questions.ask(subject(self.stack, level, change, *since)).await,
        };
        let Some(report) = report else { return failure };
        let mut failure = failure;
        if let Some(said) = sentence(&report) {
            failure.cause.message = format!("{}; {said}", failure.cause.message.trim_end_matches(['.', ' ']));
        }
        failure.cause.service = Some(Box::new(report));
        failure
    }
}

/// A changed resource, as its service is asked about it.
pub(super) fn subject<'a>(
    stack: &'a Stack,
    level: &'a Level,
    change: &'a Change,
    since: Option<Timestamp>,
) -> Subject<'a> {
    Subject {
        stack: &level.stack,
        template: stack.template_at(&level.within),
        logical_id: &change.logical_id,
        resource_type: &change.resource_type,
        physical_id: &change.physical_id,
        since,
        is_waited_for: change.status.is_in_progress(),
    }
}
