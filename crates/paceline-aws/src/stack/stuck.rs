//! Names a resource that takes much longer than usual, while it does.
//!
//! CloudFormation waits for some resources for hours, such as for an ECS service whose tasks do not start. Its events
//! say nothing in that time.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use paceline_assembly::{STACK_TYPE, StackOperation, StackStatus};
use paceline_engine::event::Cause;
use paceline_plan::durations::{Durations, ResourceOperation};
use paceline_text::duration;

use super::events::Change;
use super::failure::{Failure, failed_resource};
use super::watch::Watch;
use crate::environment::StackView;
use crate::error::{AwsError, ErrorKind};

/// The setting for stuck resources.
const SETTING: &str = "on-failure.stuck";
/// A resource is stuck when it takes this many times its usual time.
const TIMES: u32 = 3;
/// A resource that has taken less than this is not stuck. The usual times of fast resources say little.
const AT_LEAST: Duration = Duration::from_mins(5);

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
    place: String,
    message: String,
    hint: String,
}

impl Watch<'_> {
    /// Names each stuck resource once, and does what the setting says. The error ends the wait.
    pub(super) async fn report_stuck(&mut self, view: &StackView) -> Result<(), AwsError> {
        if !matches!(view.status, StackStatus::CreateInProgress | StackStatus::UpdateInProgress) {
            return Ok(());
        }
        let Some(stuck) = self.next_stuck() else { return Ok(()) };
        let Stuck { place, message, hint } = stuck;
        let when = self.operation.when_stuck;
        let then = match when {
            WhenStuck::Wait => "",
            WhenStuck::CancelUpdate => "; cancelling the update",
            WhenStuck::Leave => "; it is not waited for",
        };
        self.context.warn(format!("{place} {message}: {hint}{then}"));
        match when {
            WhenStuck::Wait => {}
            WhenStuck::Leave => {
                let message = format!("{place} {message}, so the stack is not waited for ({SETTING})");
                let error = AwsError { kind: ErrorKind::Unreachable, ..AwsError::setup(message) };
                return Err(error.hint(hint));
            }
            WhenStuck::CancelUpdate => {
                // A cancellation names the stack and not the operation. So the newest known operation must be ours.
                self.read_events().await?;
                if self.is_our_update() && !self.is_over {
                    self.is_over = true;
                    self.cancel(view).await;
                    let message = format!("its update was cancelled ({SETTING}): it {message}");
                    let cause = Cause { at: Some(place), message, hint: Some(hint), ..Cause::default() };
                    self.stuck = Some(cause);
                }
            }
        }
        Ok(())
    }

    /// The failure because of a stuck resource, if the update was cancelled for that reason.
    pub(super) fn stuck_failure(&self) -> Option<Failure> {
        let cause =
            self.stuck.clone().filter(|_| self.is_cancelled && !failed_resource(self.events.own()))?;
        Some(Failure { cause, transient: false })
    }

    /// A stuck resource that was not named before.
    fn next_stuck(&mut self) -> Option<Stuck> {
        let now = self.context.now();
        let found = in_progress(self.events.own()).into_values().find_map(|(since, change)| {
            let for_how_long = Duration::try_from(now.duration_since(since)).ok()?;
            let usual = usual(change)?;
            let is_stuck = for_how_long >= (usual * TIMES).max(AT_LEAST);
            let key = (change.logical_id.clone(), since);
            (is_stuck && !self.reported_stuck.contains(&key))
                .then(|| (key, for_how_long, usual, change.clone()))
        });
        let (key, for_how_long, usual, change) = found?;
        self.reported_stuck.insert(key);
        let path = self.stack.construct_paths.get(&change.logical_id);
        let mut place = format!("{} ({})", path.unwrap_or(&change.logical_id), change.resource_type);
        if !change.physical_id.is_empty() {
            place = format!("{place}, {},", change.physical_id);
        }
        let (so_long, usual) = (duration(for_how_long), duration(usual));
        let message = format!("has been in {} for {so_long}, and usually takes {usual}", change.status);
        Some(Stuck { place, message, hint: where_to_look(&change.resource_type).to_owned() })
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

/// How long the operation usually takes. Only figures of the embedded table exist for resources.
fn usual(change: &Change) -> Option<Duration> {
    let operation = match change.status.operation()? {
        StackOperation::Create => ResourceOperation::Create,
        StackOperation::Update => ResourceOperation::Update,
        StackOperation::Delete => ResourceOperation::Delete,
        StackOperation::Import => return None,
    };
    Some(Durations::typical().of(&change.resource_type, operation))
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
