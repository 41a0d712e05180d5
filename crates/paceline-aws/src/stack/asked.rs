//! What the services of an operation's failed resources say.
//!
//! A service is asked as soon as its resource has failed: after the rollback, the resource may be gone.

use jiff::Timestamp;
use paceline_plan::history::History;

use super::events::Change;
use super::failure::{FailedResource, Failure};
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
        for change in failed {
            if self.reports.contains_key(&change.physical_id) {
                continue;
            }
            let subject = Subject {
                resource_type: &change.resource_type,
                physical_id: &change.physical_id,
                since: self.began(&change.logical_id),
            };
            let report = knowledge.questions.ask(subject).await;
            self.reports.insert(change.physical_id, report);
        }
    }

    /// Adds what the service of the failed resource says. A resource of a nested stack is asked about now.
    pub(super) async fn explained(&self, failure: Failure) -> Failure {
        let (Some(knowledge), Some(resource)) = (self.knowledge, &failure.resource) else { return failure };
        let FailedResource { resource_type, physical_id } = resource;
        let report = match self.reports.get(physical_id) {
            Some(report) => report.clone(),
            None => knowledge.questions.ask(Subject { resource_type, physical_id, since: None }).await,
        };
        let Some(report) = report else { return failure };
        let mut failure = failure;
        if let Some(said) = sentence(&report) {
            failure.cause.message = format!("{}; {said}", failure.cause.message.trim_end_matches(['.', ' ']));
        }
        failure.cause.service = Some(Box::new(report));
        failure
    }

    /// When the operation on a resource began.
    fn began(&self, logical_id: &str) -> Option<Timestamp> {
        let mut own = self.events.own().iter().filter(|change| !change.of_stack);
        own.find(|change| change.logical_id == logical_id).map(|change| change.at)
    }
}
