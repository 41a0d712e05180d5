//! Finds the first cause of a failed stack operation, and whether another try may help.

use std::future::Future;
use std::pin::Pin;

use jiff::Timestamp;
use paceline_assembly::{Stack, is_transient};
use paceline_engine::event::Cause;

use super::events::{Change, EventLog};
use super::long_nested::Level;
use crate::environment::Environment;

/// The greatest depth of nested stacks that is searched. CloudFormation documents no limit.
pub(super) const DEEPEST: usize = 10;

/// A failure, and whether the same operation may succeed later.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    pub(super) cause: Cause,
    pub(super) transient: bool,
    /// The resource that failed. `None` if the stack failed as a whole.
    pub(super) resource: Option<Box<FailedResource>>,
}

/// A resource that failed.
#[derive(Debug, Clone)]
pub(super) struct FailedResource {
    pub(super) level: Level,
    pub(super) change: Change,
    /// When its operation began.
    pub(super) since: Option<Timestamp>,
}

impl Failure {
    /// The failure of a stack as a whole.
    pub(super) fn of_stack(name: &str, message: impl Into<String>) -> Self {
        let cause =
            Cause { at: Some(name.to_owned()), message: message.into(), hint: None, ..Cause::default() };
        Self { cause, transient: false, resource: None }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.cause.hint = Some(hint.into());
        self
    }
}

/// Finds the first cause among the changes of an operation, also inside nested stacks. `within` are the logical ids that
/// lead to the nested stack of these changes.
///
/// Later failures are symptoms, because CloudFormation cancels everything in progress when a resource fails. If
/// rollback is disabled, it cancels nothing, and each failure stands for itself. Then one that does not disappear by
/// itself is more important than an earlier one that does.
pub(super) fn first_cause<'a>(
    environment: &'a Environment,
    changes: &'a [Change],
    stack: Option<&'a Stack>,
    within: Vec<String>,
) -> Pin<Box<dyn Future<Output = Option<Failure>> + Send + 'a>> {
    Box::pin(async move {
        let mut failed: Vec<&Change> = changes.iter().filter(|c| !c.of_stack && is_failure(c)).collect();
        failed.sort_by_key(|change| change.at);
        let goes_back = changes.iter().any(|c| c.of_stack && c.status.of_stack().rolling_back());
        let stays = |c: &&&Change| !goes_back && !c.reason.as_deref().is_some_and(is_transient);
        let Some(failed) = failed.iter().find(stays).or(failed.first()).copied() else {
            return changes
                .iter()
                .find(|c| c.of_stack && is_failure(c) && c.reason.is_some())
                .map(|change| failure(change.logical_id.clone(), change.reason.clone().unwrap_or_default()));
        };
        let is_nested =
            failed.resource_type == "AWS::CloudFormation::Stack" && !failed.physical_id.is_empty();
        if is_nested && within.len() < DEEPEST {
            // If the events of the nested stack cannot be read, the failure has the reason that its parent
            // shows.
            let inner = EventLog::default().read_past_deletion(environment, &failed.physical_id).await;
            let inner = inner.unwrap_or_default();
            let deeper = within.iter().chain([&failed.logical_id]).cloned().collect();
            if let Some(mut inner) = first_cause(environment, &inner, stack, deeper).await {
                inner.cause.at = inner.cause.at.map(|at| format!("{} / {at}", failed.logical_id));
                return Some(inner);
            }
        }
        let path = stack.and_then(|stack| construct_path(stack, &within, &failed.logical_id));
        let at = format!("{} ({})", path.unwrap_or(&failed.logical_id), failed.resource_type);
        let mut found = failure(at, failed.reason.clone().unwrap_or_else(|| failed.status.to_string()));
        let own = stack.filter(|_| within.is_empty());
        let id = changes.iter().find(|change| change.of_stack).map(|change| change.physical_id.clone());
        found.resource = Some(Box::new(FailedResource {
            level: Level { stack: id.unwrap_or_default(), within: within.clone() },
            change: failed.clone(),
            since: began(changes, &failed.logical_id),
        }));
        found.cause.source = own.and_then(|stack| stack.sources.get(&failed.logical_id).cloned());
        Some(found)
    })
}

/// When the operation on a resource began.
pub(super) fn began(changes: &[Change], logical_id: &str) -> Option<Timestamp> {
    let mut of_resources = changes.iter().filter(|change| !change.of_stack);
    of_resources.find(|change| change.logical_id == logical_id).map(|change| change.at)
}

/// The construct path of a resource. `within` are the logical ids that lead to its nested stack, if it is in one: the
/// template of a nested stack has the paths of its resources.
pub(super) fn construct_path<'a>(stack: &'a Stack, within: &[String], logical_id: &str) -> Option<&'a str> {
    if within.is_empty() {
        return stack.construct_paths.get(logical_id).map(String::as_str);
    }
    let resource = stack.template_at(within)?.resource(logical_id)?;
    resource.body.get("Metadata")?.get("aws:cdk:path")?.as_str()
}

/// The first cause of an operation that failed, from its events.
pub(crate) async fn cause_of(environment: &Environment, changes: &[Change]) -> Option<Cause> {
    first_cause(environment, changes, None, Vec::new()).await.map(|failure| failure.cause)
}

/// Returns whether a resource failed by itself, and not because the operation was cancelled.
pub(super) fn failed_resource(changes: &[Change]) -> bool {
    changes.iter().any(|change| !change.of_stack && is_failure(change))
}

fn is_failure(change: &Change) -> bool {
    change.status.failed_by_itself(change.reason.as_deref())
        || change.of_stack && change.status.of_stack().rolling_back()
}

fn failure(at: String, message: String) -> Failure {
    let transient = is_transient(&message);
    let hint = hint(&message).map(str::to_owned);
    Failure { cause: Cause { at: Some(at), message, hint, ..Cause::default() }, transient, resource: None }
}

fn hint(message: &str) -> Option<&'static str> {
    let hints = [
        ("No export named", "deploy the stack that exports it first; `paceline plan` shows what is external"),
        ("already exists", "something outside this stack has that name: rename it, delete it, or import it"),
        ("LimitExceeded", "ask for a higher quota, or delete what is not needed"),
        ("is not authorized to perform", "give the CloudFormation execution role this permission"),
        (
            "from parameter store",
            "deploy what writes the parameter first; `paceline plan` shows what is external",
        ),
        (
            "ParameterNotFound",
            "deploy what writes the parameter first; `paceline plan` shows what is external",
        ),
        (
            "Replacement type updates not supported",
            "CloudFormation replaces nothing while rollback is disabled: deploy it with `on-failure: { rollback: stack }`",
        ),
        ("as it is in use by", "deploy the stacks that import it without it first"),
        (
            "denied by stack policy",
            "if the change is wanted, let the stack policy allow it: aws cloudformation set-stack-policy",
        ),
    ];
    hints.iter().find(|(known, _)| message.contains(known)).map(|(_, hint)| *hint)
}
