//! Names a resource that takes much longer than usual, while it does.
//!
//! CloudFormation waits for some resources for hours, such as for an ECS service whose tasks do not start. Its events
//! say nothing in that time. So the service itself is asked.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use paceline_assembly::{STACK_TYPE, StackOperation, StackStatus};
use paceline_engine::event::{Cause, ServiceReport, StuckResource, UsualSource};
use paceline_plan::durations::ResourceOperation;
use paceline_plan::history::{History, ResourceOf, Site, Usual, UsualBasis};
use paceline_text::{count, duration, to_the_millisecond};

use super::events::Change;
use super::failure::{Failure, failed_resource};
use super::watch::Watch;
use crate::environment::StackView;
use crate::error::{AwsError, ErrorKind};
use crate::service_report::{Subject, sentence};

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
        let Some(stuck) = self.next_stuck(knowledge.history) else { return Ok(()) };
        let change = &stuck.change;
        let subject = Subject {
            resource_type: &change.resource_type,
            physical_id: &change.physical_id,
            since: Some(stuck.since),
        };
        let report = knowledge.questions.ask(subject).await;
        let (place, message) = (self.place(change), stuck.message());
        let hint = where_to_look(&change.resource_type);
        let why = match report.as_ref().and_then(|report| Some((report, sentence(report)?))) {
            Some((report, said)) if report.not_asked.is_none() => said,
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

    /// A stuck resource that was not named before.
    fn next_stuck(&mut self, history: &History) -> Option<Stuck> {
        let now = self.context.now();
        let plan = self.context.plan();
        let planned = plan.stack_of(self.context.step());
        let found = in_progress(self.events.own()).into_values().find_map(|(since, change)| {
            let taken = Duration::try_from(now.duration_since(since)).ok()?;
            let operation = operation_of(change)?;
            let resource = ResourceOf {
                stack: &planned.id,
                site: Site::from(planned),
                logical_id: &change.logical_id,
                resource_type: &change.resource_type,
            };
            if self.reported_stuck.contains(&(change.logical_id.clone(), since)) {
                return None;
            }
            let usual = history.exceeded(resource, operation, taken)?;
            Some(Stuck { since, taken, usual, operation, change: change.clone() })
        })?;
        self.reported_stuck.insert((found.change.logical_id.clone(), found.since));
        Some(found)
    }

    /// How a message names a resource.
    fn place(&self, change: &Change) -> String {
        let path = self.stack.construct_paths.get(&change.logical_id);
        let place = format!("{} ({})", path.unwrap_or(&change.logical_id), change.resource_type);
        if change.physical_id.is_empty() { place } else { format!("{place}, {},", change.physical_id) }
    }
}

impl Stuck {
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
    for change in changes.iter().filter(|change| !change.of_stack && change.resource_type != STACK_TYPE) {
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
        "AWS::CloudFormation::CustomResource" => CUSTOM,
        custom if custom.starts_with("Custom::") => CUSTOM,
        _ => "look at the resource in the console of its service",
    }
}

const CUSTOM: &str = "look at the log of the function behind it; a function that never answers is waited for up to its timeout";
