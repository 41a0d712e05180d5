//! Deletes one stack, and waits until the deletion has ended.
//!
//! The deletion does not empty any resource. A resource that cannot be deleted is reported, with advice.

use std::time::Duration;

use aws_sdk_cloudformation::types::ResourceStatus;
use paceline_assembly::{Stack, StackStatus, is_in_use, is_transient};
use paceline_engine::event::{Cause, RetryClass};
use paceline_engine::{Ended, Outcome, StepContext};
use paceline_text::{first_few, hex};
use sha2::{Digest, Sha256};

use super::MOST_READS;
use super::events::Change;
use super::failure::Failure;
use super::importers::Importers;
use super::outcome;
use super::remove::Removal;
use super::review::Review;
use super::watch::{OperationEnd, RunningOperation, wait_for_end};
use crate::environment::Environment;
use crate::environment::{StackView, find};
use crate::error::AwsError;

/// The number of tries of a deletion that was stopped by a failure which disappears by itself.
const ATTEMPTS: u32 = 2;
/// The pause before another try. CloudFormation itself has already tried for longer.
const PAUSE: Duration = Duration::from_mins(2);
/// The time for which the remaining resources are read.
const LIST_PATIENCE: Duration = Duration::from_secs(10);
/// The greatest number of resources in a message.
const LISTED: usize = 8;

/// Deletes one stack.
#[derive(Debug)]
pub(crate) struct Deletion<'a> {
    pub(crate) environment: &'a Environment,
    pub(crate) context: &'a StepContext,
    pub(crate) stack: &'a Stack,
}

impl Deletion<'_> {
    /// Deletes the stack. When the run stops, this future is dropped, and operations in AWS continue.
    pub(crate) async fn run(&self) -> Ended {
        self.delete().await.unwrap_or_else(|error| {
            let hint = hint(&error.to_string()).map(str::to_owned);
            let ended = error.into_ended();
            let cause = ended.cause.map(|cause| Cause { hint: hint.or(cause.hint), ..cause });
            Ended { cause, ..ended }
        })
    }

    async fn delete(&self) -> Result<Ended, AwsError> {
        let mut known = self.environment.poller.glance(&self.stack.name).await?;
        // The id of the stack to delete. A new stack that somebody creates under the same name is another
        // one.
        let mut id = None::<String>;
        let (mut attempt, mut importers) = (1, Importers::default());
        for _ in 0..MOST_READS {
            // A stack may exist although a list does not show it. Lists are late, and do not show aliases.
            let view = match known.take() {
                Some(view) => Some(view),
                None => find(self.environment, &self.stack.name).await?,
            };
            let Some(view) = view else {
                let outcome = if id.is_some() { Outcome::Deleted } else { Outcome::Unchanged };
                return Ok(Ended::new(outcome));
            };
            if view.name != self.stack.name {
                return Ok(self.found_by_alias(&view));
            }
            if id.get_or_insert_with(|| view.id.clone()) != &view.id {
                return Ok(self.made_anew());
            }
            if is_protected(&view) {
                return Ok(self.protected());
            }
            let settled = match &view.status {
                StackStatus::DeleteInProgress => {
                    self.wait_for_end(RunningOperation::someone_elses(&view)).await
                }
                // The stack was created for a change set.
                StackStatus::ReviewInProgress if !self.review(&view).wait().await? => continue,
                StackStatus::ReviewInProgress => self.send(&view, attempt).await?,
                status if status.is_in_progress() => {
                    self.context.warn(format!("it is in {status}: waiting for that to end"));
                    match self.wait_for_end(RunningOperation::someone_elses(&view)).await {
                        lost @ OperationEnd::Lost(_) => lost,
                        _ => continue,
                    }
                }
                _ => self.send(&view, attempt).await?,
            };
            #[expect(
                clippy::match_same_arms,
                reason = "a stack that is gone comes before one that others went on with"
            )]
            match settled {
                // The stack has changed since it was read.
                OperationEnd::NoChanges | OperationEnd::Overtaken(_) => {}
                OperationEnd::Lost(error) => return Ok(outcome::lost(error)),
                OperationEnd::Ended { view, left, .. } if view.status == StackStatus::DeleteComplete => {
                    return Ok(deleted(&left));
                }
                // Somebody else has changed the stack since.
                OperationEnd::Ended { followed: Some(_), .. } => {}
                // If somebody else's deletion failed, the run tries once more with the execution role.
                OperationEnd::Ended { .. } if view.status == StackStatus::DeleteInProgress => {}
                OperationEnd::Ended { view, failure, left, .. } => {
                    let mut failure = failure.unwrap_or_else(|| self.own_words(&view));
                    if importers.wait(self.environment, self.context, &mut failure, attempt + 1).await {
                        continue;
                    }
                    if attempt >= ATTEMPTS || !goes_away(&failure) {
                        return Ok(self.failed(&view, failure, &left).await);
                    }
                    attempt += 1;
                    let at = failure.cause.at.unwrap_or_default();
                    let class = RetryClass::of_failure(&failure.cause.message);
                    let reason = format!("{at}: {}", failure.cause.message);
                    self.context.retried(class, reason, attempt, PAUSE);
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
        let message = format!("{} does not stop changing: something else works on it too", self.stack.name);
        Err(AwsError::setup(message).hint("stop what else changes it, then run it again"))
    }

    fn review<'a>(&'a self, view: &'a StackView) -> Review<'a> {
        let (environment, context) = (self.environment, self.context);
        Review { environment, context, stack: view, name: None, ours: None, spares_prepared: false }
    }

    /// Sends the deletion and waits for its end. Returns no changes if the stack has changed since it was
    /// read.
    async fn send(&self, view: &StackView, attempt: u32) -> Result<OperationEnd, AwsError> {
        let role = self.stack.execution_role_arn.as_ref();
        let role = role.map(|arn| self.environment.target.resolve(arn));
        let place = format!("{} {}", self.environment.target, self.stack.name);
        let removal = Removal {
            environment: self.environment,
            context: self.context,
            stack: self.stack,
            role: role.as_ref(),
            digest: &hex(&Sha256::digest(place))[..24],
            spares_prepared: false,
        };
        removal.send(view, attempt).await
    }

    async fn wait_for_end(&self, operation: RunningOperation) -> OperationEnd {
        // A failed read says nothing about the stack.
        let ended = wait_for_end(self.environment, self.context, self.stack, operation, None).await;
        ended.unwrap_or_else(OperationEnd::Lost)
    }

    fn protected(&self) -> Ended {
        self.left_alone("termination protection is on", UNPROTECT)
    }

    fn found_by_alias(&self, view: &StackView) -> Ended {
        let (alias, own) = (&self.stack.name, &view.name);
        self.left_alone(
            format!("{alias} is an alias of the stack {own}, and nothing is deleted by an alias"),
            format!("delete {own} itself if it is to go, or remove the alias from it"),
        )
    }

    fn made_anew(&self) -> Ended {
        self.left_alone(
            "it is deleted, but somebody has made another stack of its name meanwhile, which is left alone",
            "run it again if that one is to go too",
        )
    }

    fn left_alone(&self, why: impl Into<String>, hint: impl Into<String>) -> Ended {
        Ended::failed(Failure::of_stack(&self.stack.name, why).hint(hint).cause)
    }

    fn own_words(&self, view: &StackView) -> Failure {
        let message = view.reason.clone();
        let message = message.unwrap_or_else(|| format!("it is in {}, and nothing says why", view.status));
        Failure::of_stack(&self.stack.name, message)
    }

    async fn failed(&self, view: &StackView, failure: Failure, left: &[Change]) -> Ended {
        let mut cause = failure.cause;
        if let Some(hint) = hint(&cause.message) {
            cause.hint = Some(hint.to_owned());
        }
        if view.status == StackStatus::DeleteFailed {
            let all = match self.remaining(&view.id).await {
                Some(all) => all,
                None => left.iter().map(shown).collect(),
            };
            if !all.is_empty() {
                cause.message = format!("{}; still in the stack: {}", cause.message, first_few(&all, LISTED));
            }
        }
        Ended::failed(cause)
    }

    /// The resources that remain in the stack. `None` if they cannot be read: old versions of the bootstrap
    /// template do not allow that.
    async fn remaining(&self, id: &str) -> Option<Vec<String>> {
        let send = || self.environment.client.list_stack_resources().stack_name(id).send();
        let answer =
            self.environment.call_within(LIST_PATIENCE, None, "ListStackResources", send).await.ok()?;
        let is_there = |status: &ResourceStatus| {
            !matches!(status, ResourceStatus::DeleteComplete | ResourceStatus::DeleteSkipped)
        };
        let resources = answer.stack_resource_summaries().iter();
        let there = resources.filter(|resource| resource.resource_status().is_some_and(is_there));
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        Some(
            there
                .map(|resource| {
                    let (id, kind) = (text(resource.logical_resource_id()), text(resource.resource_type()));
                    named(&id, &kind, &text(resource.physical_resource_id()))
                })
                .collect(),
        )
    }
}

/// The advice about termination protection.
const UNPROTECT: &str =
    "if it is to go, turn termination protection off in the app and deploy it, or in CloudFormation";

fn deleted(left: &[Change]) -> Ended {
    let ended = Ended::new(Outcome::Deleted);
    if left.is_empty() {
        return ended;
    }
    let left: Vec<String> = left.iter().map(shown).collect();
    ended.with_detail(format!("kept: {}", first_few(&left, LISTED)))
}

fn shown(change: &Change) -> String {
    named(&change.logical_id, &change.resource_type, &change.physical_id)
}

fn named(logical_id: &str, resource_type: &str, physical_id: &str) -> String {
    let physical = if physical_id.is_empty() { String::new() } else { format!(" {physical_id}") };
    format!("{logical_id} ({resource_type}{physical})")
}

/// Returns whether the deletion may succeed later.
fn goes_away(failure: &Failure) -> bool {
    failure.transient || is_transient(&failure.cause.message) || is_in_use(&failure.cause.message)
}

/// The advice for a failed deletion. The wordings are those of the services, from public reports.
fn hint(message: &str) -> Option<&'static str> {
    let hints = [
        (
            "bucket you tried to delete is not empty",
            "its objects are not deleted for you: empty the bucket, or give it `autoDeleteObjects` and deploy, \
             then run it again",
        ),
        (
            "still contains images",
            "its images are not deleted for you: delete them, or give the repository `emptyOnDelete` and deploy, \
             then run it again",
        ),
        (
            "as it is in use by",
            "delete the stacks that import it first; what is not in this app is not deleted by it",
        ),
        (
            "is invalid or cannot be assumed",
            "the role that CloudFormation deletes it with is gone: bootstrap the environment again (cdk bootstrap), \
             then run it again",
        ),
        ("TerminationProtection is enabled", UNPROTECT),
        ("deletion protection", "turn deletion protection of that resource off, then run it again"),
        ("DeletionProtection", "turn deletion protection of that resource off, then run it again"),
        (
            "is not authorized to perform",
            "give the CloudFormation execution role this permission, or delete the resource yourself",
        ),
    ];
    let known = hints.iter().find(|(known, _)| message.contains(known)).map(|(_, hint)| *hint);
    known.or_else(|| {
        is_in_use(message)
            .then_some("find what is still attached to it (network interfaces, in the VPC) and delete that, then run it again")
    })
}

/// Returns whether termination protection prevents the deletion of a stack.
pub(crate) fn is_protected(view: &StackView) -> bool {
    view.termination_protection && view.status != StackStatus::DeleteInProgress
}

/// The error for a stack with termination protection, before any deletion.
pub(crate) fn protection(stack: &str) -> AwsError {
    AwsError::setup(format!("{stack}: termination protection is on")).hint(UNPROTECT)
}
