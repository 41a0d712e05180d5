//! Names a resource that takes much longer than usual, while it does.
//!
//! CloudFormation waits for some resources for hours, such as for an ECS service whose tasks do not start. Its events
//! say nothing in that time. So the service itself is asked.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use paceline_assembly::{STACK_TYPE, StackOperation, StackStatus, is_custom};
use paceline_engine::event::{Cause, ServiceReport, StuckResource, UsualSource};
use paceline_plan::durations::ResourceOperation;
use paceline_plan::history::{History, ResourceOf, Site, Usual, UsualBasis};
use paceline_text::{count, duration, to_the_millisecond};

use super::asked::subject;
use super::events::Change;
use super::failure::{DEEPEST, Failure, construct_path, failed_resource};
use super::long_nested::Level;
use super::watch::Watch;
use crate::environment::StackView;
use crate::error::{AwsError, ErrorKind};
use crate::service_report::sentence;

/// The setting for stuck resources.
const SETTING: &str = "on-failure.stuck";

/// What happens to an operation of which a resource is stuck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WhenStuck {
    /// The run names the resource and waits on.
    Wait,
    /// The run cancels the update, which rolls it back.
    CancelUpdate,
    /// The run does not wait any longer. The operation goes on in AWS.
    Leave,
}

/// A resource that takes much longer than usual.
struct Stuck {
    level: Level,
    /// When the operation on it began.
    since: Timestamp,
    taken: Duration,
    usual: Usual,
    operation: ResourceOperation,
    change: Change,
}

impl Watch<'_> {
    /// Names each stuck resource once, and does what the setting says. The error ends the wait.
    pub(super) async fn report_stuck(&mut self, view: &StackView) -> Result<(), AwsError> {
        if !matches!(view.status, StackStatus::CreateInProgress | StackStatus::UpdateInProgress) {
            return Ok(());
        }
        let Some(knowledge) = self.knowledge else { return Ok(()) };
        let Some(stuck) = self.next_stuck(knowledge.history).await else { return Ok(()) };
        let change = &stuck.change;
        let subject = subject(self.stack, &stuck.level, change, Some(stuck.since));
        let report = knowledge.questions.ask(subject).await;
        let (place, message) = (self.place(&stuck), stuck.message());
        let hint = where_to_look(&change.resource_type);
        let why = match report.as_ref().and_then(|report| Some((report, sentence(report)?))) {
            Some((report, said)) if report.state.is_some() || !report.reasons.is_empty() => said,
            Some((_, not_asked)) => format!("{hint} ({not_asked})"),
            None => hint.to_owned(),
        };
        let when = self.operation.when_stuck;
        let then = match when {
            WhenStuck::Wait => "",
            WhenStuck::CancelUpdate => "; cancelling the update",
            WhenStuck::Leave => "; it is not waited for",
        };
        let warning = format!("{place} {message}: {why}{then}");
        self.context.warn_of_stuck(warning, stuck.event(report.clone()));
        let said = report.as_ref().and_then(sentence);
        let said = said.map(|said| format!("; {said}")).unwrap_or_default();
        match when {
            WhenStuck::Wait => {}
            WhenStuck::Leave => {
                let message = format!("{place} {message}, so the stack is not waited for ({SETTING})");
                let error = AwsError { kind: ErrorKind::Unreachable, ..AwsError::setup(message) };
                return Err(error.hint(format!("{hint}{said}")));
            }
            WhenStuck::CancelUpdate => {
                // A cancellation names the stack and not the operation. So the newest known operation must be ours.
                self.read_events().await?;
                if self.is_our_update() && !self.is_over {
                    self.is_over = true;
                    self.cancel(view).await;
                    let message = format!("its update was cancelled ({SETTING}): it {message}{said}");
                    let (at, hint) = (Some(place), Some(hint.to_owned()));
                    let service = report.map(Box::new);
                    self.stuck = Some(Cause { at, message, hint, service, ..Cause::default() });
                }
            }
        }
        Ok(())
    }

    /// The failure because of a stuck resource, if the update was cancelled for that reason.
    pub(super) fn stuck_failure(&self) -> Option<Failure> {
        let cause =
            self.stuck.clone().filter(|_| self.is_cancelled && !failed_resource(self.events.own()))?;
        Some(Failure { cause, transient: false, resource: None })
    }

    /// A stuck resource that was not named before, also one inside nested stacks that take long.
    async fn next_stuck(&mut self, history: &History) -> Option<Stuck> {
        let whole = Level { stack: self.operation.id.clone(), within: Vec::new() };
        let (mut found, mut nested) = self.exceeded(history, &whole, self.events.own());
        let every = self.interval();
        while found.is_none()
            && let Some((level, since)) = nested.pop()
        {
            let read = self.long_nested.read(self.environment, &level.stack, since, every).await;
            if let Err(error) = read {
                let nested = level.within.join(" / ");
                self.context.warn(format!(
                    "the nested stack {nested} takes long, and its events cannot be read: what hangs in it is not known: {error}"
                ));
            }
            let changes = self.long_nested.changes(&level.stack);
            let (inside, deeper) = self.exceeded(history, &level, changes);
            found = inside;
            nested.extend(deeper);
        }
        let stuck = found?;
        self.reported_stuck.insert(stuck.key());
        Some(stuck)
    }

    /// Among the changes of a stack, a resource that was not named before and has taken much longer than usual, and the
    /// nested stacks that have, with the start of their operations.
    fn exceeded(
        &self,
        history: &History,
        level: &Level,
        changes: &[Change],
    ) -> (Option<Stuck>, Vec<(Level, Timestamp)>) {
        let now = self.context.now();
        let planned = self.context.plan().stack_of(self.context.step());
        let mut nested = Vec::new();
        for (since, change) in in_progress(changes).into_values() {
            let (Ok(taken), Some(operation)) =
                (Duration::try_from(now.duration_since(since)), operation_of(change))
            else {
                continue;
            };
            let path = level.path_of(&change.logical_id);
            // The history has only the resources of the outermost stack, and no logical id has a slash.
            let resource = ResourceOf {
                stack: &planned.id,
                site: Site::from(planned),
                logical_id: &path.join("/"),
                resource_type: &change.resource_type,
            };
            if self.reported_stuck.contains(&(path.clone(), since)) {
                continue;
            }
            let Some(usual) = history.exceeded(resource, operation, taken) else { continue };
            if change.resource_type != STACK_TYPE {
                let (level, change) = (level.clone(), change.clone());
                return (Some(Stuck { level, since, taken, usual, operation, change }), nested);
            }
            if !change.physical_id.is_empty() && level.within.len() < DEEPEST {
                nested.push((Level { stack: change.physical_id.clone(), within: path }, since));
            }
        }
        (None, nested)
    }

    /// How a message names a resource.
    fn place(&self, Stuck { level, change, .. }: &Stuck) -> String {
        let path = construct_path(self.stack, &level.within, &change.logical_id);
        let place = format!("{} ({})", path.unwrap_or(&change.logical_id), change.resource_type);
        let place = level.within.iter().rev().fold(place, |place, nested| format!("{nested} / {place}"));
        if change.physical_id.is_empty() { place } else { format!("{place}, {},", change.physical_id) }
    }
}

impl Stuck {
    /// What identifies the operation on it.
    fn key(&self) -> (Vec<String>, Timestamp) {
        (self.level.path_of(&self.change.logical_id), self.since)
    }

    /// How long the resource has taken, and how long it usually takes.
    fn message(&self) -> String {
        let Self { taken, usual, operation, change, .. } = self;
        let operation = match operation {
            ResourceOperation::Create => "creation",
            ResourceOperation::Update => "update",
            ResourceOperation::Delete => "deletion",
        };
        let basis = match usual.basis {
            UsualBasis::Resource(samples) => {
                format!("90th percentile of its last {}", count(samples, operation))
            }
            UsualBasis::Type(samples) => {
                format!("90th percentile of the last {} of its type", count(samples, operation))
            }
            UsualBasis::Table => "typical of its type".to_owned(),
        };
        let (taken, usual) = (duration(*taken), duration(usual.time));
        format!("has been in {} for {taken}, and usually takes {usual} ({basis})", change.status)
    }

    fn event(&self, service: Option<ServiceReport>) -> StuckResource {
        let (usual_from, samples) = match self.usual.basis {
            UsualBasis::Resource(samples) => (UsualSource::Resource, samples),
            UsualBasis::Type(samples) => (UsualSource::Type, samples),
            UsualBasis::Table => (UsualSource::Table, 0),
        };
        let physical_id = Some(self.change.physical_id.clone()).filter(|id| !id.is_empty());
        StuckResource {
            within: self.level.within.clone(),
            logical_id: self.change.logical_id.clone(),
            resource_type: self.change.resource_type.clone(),
            physical_id,
            status: self.change.status.clone(),
            taken_s: to_the_millisecond(self.taken.as_secs_f64()),
            usual_s: to_the_millisecond(self.usual.time.as_secs_f64()),
            usual_from,
            samples,
            service,
        }
    }
}

/// The resources whose operation is in progress, with the time of its start and their last change.
fn in_progress(changes: &[Change]) -> BTreeMap<&str, (Timestamp, &Change)> {
    let mut going: BTreeMap<&str, (Timestamp, &Change)> = BTreeMap::new();
    for change in changes.iter().filter(|change| !change.of_stack) {
        if change.status.is_in_progress() {
            let since = going.get(&*change.logical_id).map_or(change.at, |(since, _)| *since);
            going.insert(&change.logical_id, (since, change));
        } else {
            going.remove(&*change.logical_id);
        }
    }
    going
}

/// The operation on a resource, if resources of earlier runs can be compared with it.
fn operation_of(change: &Change) -> Option<ResourceOperation> {
    match change.status.operation()? {
        StackOperation::Create => Some(ResourceOperation::Create),
        StackOperation::Update => Some(ResourceOperation::Update),
        StackOperation::Delete => Some(ResourceOperation::Delete),
        StackOperation::Import => None,
    }
}

/// The first place to look at, by the type of the resource.
fn where_to_look(resource_type: &str) -> &'static str {
    match resource_type {
        "AWS::ECS::Service" => {
            "look at the service's events and at the reasons of its stopped tasks; an image that cannot be pulled, \
             a container that exits or a failing health check keeps it from becoming steady"
        }
        "AWS::CertificateManager::Certificate" => "look whether its validation records are in the zone",
        "AWS::AutoScaling::AutoScalingGroup" => {
            "look at the group's activities, and whether its instances start and send their signals"
        }
        "AWS::CloudFormation::WaitCondition" => "look whether what is to signal its handle still runs",
        custom if is_custom(custom) => CUSTOM,
        _ => "look at the resource in the console of its service",
    }
}

const CUSTOM: &str =
    "look at the log of the function behind it; a function that never answers is waited for up to an hour";
