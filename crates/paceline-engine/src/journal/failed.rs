//! Finds the run that failed in an earlier build, and decides whether another build may continue it.
//!
//! CodeBuild can start a failed build again by itself. Nobody has looked at the failure then, so a cause that stays would
//! only fail again. The rule is in `docs/failures.md`.

use std::fs::File;

use camino::Utf8Path;
use paceline_assembly::{is_in_use, is_transient};
use paceline_plan::Plan;

use super::order::Order;
use super::read::has_failed;
use super::same_plan::{is_about, is_of, last_start};
use super::{FILE, JournalError, is_absent, read_events};
use crate::event::{Cause, Event, Fact, Outcome, StepFinished, StepKind};

/// A run that failed in a build.
#[derive(Debug)]
pub struct FailedInBuild {
    /// Its name.
    pub run: String,
    /// The build in which it failed.
    pub build: String,
    /// All events of the run.
    pub events: Vec<Event>,
}

impl FailedInBuild {
    /// The newest run of this plan, if its last part failed in one of these builds. An interrupted run has not failed.
    pub fn find(runs: &Utf8Path, plan: &Plan, builds: &[String]) -> Result<Option<Self>, JournalError> {
        let order = Order::read(runs).map_err(|source| JournalError::Io { path: runs.to_owned(), source })?;
        for run in order.latest_first() {
            let path = runs.join(run).join(FILE);
            let io = |source| JournalError::Io { path: path.clone(), source };
            let first_look = match File::open(&path) {
                Err(error) if is_absent(&error) => continue,
                opened => opened.map_err(io)?,
            };
            if !is_about(first_look, order.may_be_resumed(run), plan).map_err(io)? {
                continue;
            }
            let events = read_events(&path)?;
            if !last_start(&events).is_some_and(|started| is_of(started, plan)) {
                continue;
            }
            let has_failed = has_failed(&events);
            let build = build_of(&events).filter(|build| has_failed && builds.iter().any(|it| it == build));
            let Some(build) = build.map(ToOwned::to_owned) else { return Ok(None) };
            return Ok(Some(Self { run: run.to_owned(), build, events }));
        }
        Ok(None)
    }

    /// The first failure whose cause does not disappear by itself. `None` if every cause may.
    pub fn lasting(&self) -> Option<&StepFinished> {
        let mut failures = last_part(&self.events).iter().filter_map(failure);
        failures.find(|finished| stays(finished))
    }

    /// The first failure of the run's last part.
    pub fn first(&self) -> Option<&StepFinished> {
        last_part(&self.events).iter().find_map(failure)
    }
}

/// The events since the last start of the run.
fn last_part(events: &[Event]) -> &[Event] {
    let start = events.iter().rposition(|event| matches!(event.fact, Fact::RunStarted(_)));
    &events[start.unwrap_or_default()..]
}

/// The build of the run's last part, if it was in one.
fn build_of(events: &[Event]) -> Option<&str> {
    last_part(events).iter().find_map(|event| match &event.fact {
        Fact::BuildPhases(build) => Some(build.build.as_str()),
        _ => None,
    })
}

fn failure(event: &Event) -> Option<&StepFinished> {
    match &event.fact {
        Fact::StepFinished(finished) => {
            matches!(finished.outcome, Outcome::Failed | Outcome::RolledBack).then_some(finished)
        }
        _ => None,
    }
}

/// Whether the cause of a failure stays until a person removes it.
///
/// AWS has words for what disappears by itself, so every other answer of AWS stays. What a command, an image build, a
/// synthesis or a gate failed of is unknown: it may disappear. An alarm that went off stays: a person
/// decides about the other regions.
fn stays(finished: &StepFinished) -> bool {
    let Some(cause) = &finished.cause else { return false };
    let may_disappear = match finished.step.kind {
        StepKind::Deploy | StepKind::Prewarm => is_transient(own(cause)),
        StepKind::Delete => is_transient(own(cause)) || is_in_use(own(cause)),
        _ => true,
    };
    cause.preflight || cause.alarm(&finished.step).is_some() || !may_disappear
}

/// What CloudFormation said, without what the service of the resource says.
fn own(cause: &Cause) -> &str {
    let service = cause.service.as_ref().map(|service| format!("; {} ", service.name));
    let parts = service.and_then(|said| cause.message.split_once(said.as_str()));
    parts.map_or(cause.message.as_str(), |(own, _)| own)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn finished(step: &str, kind: &str, cause: &Value) -> StepFinished {
        let of_step = json!({
            "step": step, "kind": kind, "title": step, "outcome": "failed", "cause": cause, "duration_s": 1.0, "queued_s": 0.0,
        });
        serde_json::from_value(of_step).unwrap()
    }

    #[test]
    fn an_alarm_that_went_off_stays_and_alarms_that_cannot_be_read_may_be_readable_later() {
        let alarm = json!({ "at": "prod-5xx (AWS::CloudWatch::Alarm)", "message": "in ALARM" });
        assert!(stays(&finished("gate:bake:us-east-1", "gate", &alarm)));
        let unread = json!({ "message": "no answer" });
        assert!(!stays(&finished("gate:bake:us-east-1", "gate", &unread)));
    }

    #[test]
    fn what_the_service_of_a_resource_says_does_not_make_its_cause_disappear() {
        let transient = "Rate exceeded";
        let service = json!({ "name": "Amazon ECS", "reasons": [{ "reason": transient, "count": 1 }] });
        let message = format!("Resource handler returned message: wrong; Amazon ECS says: {transient}");
        assert!(stays(&finished("deploy:A", "deploy", &json!({ "message": message, "service": service }))));
        assert!(!stays(&finished("deploy:A", "deploy", &json!({ "message": transient }))));
    }
}
