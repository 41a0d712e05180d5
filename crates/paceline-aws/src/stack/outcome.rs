//! The ends of deployments, with their messages.

use std::collections::BTreeMap;

use paceline_assembly::{ResourceStatus, Stack, sub_variables};
use paceline_engine::event::Cause;
use paceline_engine::known_bugs::{KnownBug, is_on};
use paceline_engine::{Ended, Outcome};
use paceline_text::secrets;
use serde_json::Value;

use super::GOES_ON;
use super::events::{Change, EventLog};
use super::failure::{Failure, first_cause};
use super::operation_events::somebody;
use super::state::OperationResult;
use crate::environment::Environment;
use crate::environment::StackView;
use crate::error::AwsError;

/// The advice about a rollback that is stuck.
pub(super) const STUCK: &str =
    "mend what stops its rollback, or continue the rollback without that resource, then run it again";
/// The advice about a stack whose creation failed, and which somebody has protected.
pub(super) const PROTECTED: &str = "its creation failed, and only deleting it makes room for another try, but termination protection is on, \
     which the app does not ask for: turn it off, then run it again";
const WHO_DELETED: &str = "find out who (DeleteStack in CloudTrail), then run it again";

fn failed_as(stack: &Stack, message: impl Into<String>, hint: Option<&str>) -> Ended {
    Ended::failed(Cause {
        at: Some(stack.name.clone()),
        message: message.into(),
        hint: hint.map(str::to_owned),
        ..Cause::default()
    })
}

pub(super) fn unchanged(stack: &Stack, view: &StackView) -> Ended {
    Ended { outputs: outputs(stack, view), ..Ended::new(Outcome::Unchanged) }
}

/// The outputs of a stack. An output may show a secret parameter. This process may not know the value, such as when the
/// stack keeps an earlier one, so the value is hidden as it is seen here.
pub(super) fn outputs(stack: &Stack, view: &StackView) -> BTreeMap<String, String> {
    if !stack.template.may_have_secrets() {
        return view.outputs.clone();
    }
    let shown = |(name, value): (&String, &String)| {
        let of_template = &stack.template.value()["Outputs"][name]["Value"];
        let is_secret = references(of_template).any(|parameter| stack.template.is_secret(parameter));
        if is_secret {
            secrets::hide(value);
        }
        (name.clone(), if is_secret { "***".to_owned() } else { value.clone() })
    };
    view.outputs.iter().map(shown).collect()
}

/// The names that a value refers to.
fn references(value: &Value) -> Box<dyn Iterator<Item = &str> + '_> {
    match value {
        Value::Object(fields) => Box::new(fields.iter().flat_map(|(key, value)| {
            let name = value.as_str().filter(|_| key == "Ref");
            let text = value.as_str().or_else(|| value[0].as_str()).filter(|_| key == "Fn::Sub");
            let of_text = text.into_iter().flat_map(sub_variables);
            name.into_iter().chain(of_text).chain(references(value))
        })),
        Value::Array(items) => Box::new(items.iter().flat_map(references)),
        _ => Box::new(std::iter::empty()),
    }
}

pub(super) fn without_resources(stack: &Stack, view: Option<&StackView>) -> Ended {
    if view.is_none() {
        return Ended::new(Outcome::Unchanged).with_detail("it has no resources: nothing to deploy");
    }
    let hint = "delete the stack if it is not needed; this is not done by deploying";
    failed_as(stack, "its template has no resources any more, but the stack is there", Some(hint))
}

/// The end of a step whose stack is the same as another stack of the app.
pub(super) fn two_of_one(stack: &Stack, view: &StackView) -> Ended {
    let (alias, own) = (&stack.name, &view.name);
    let message = format!("{alias} is an alias of the stack {own}, which this app deploys too");
    let hint = format!("remove the alias {alias} from {own}, or give one of the two another name");
    failed_as(stack, message, Some(&hint))
}

/// The end of a step during which AWS became unreachable.
pub(super) fn lost(error: AwsError) -> Ended {
    let failed = Ended::failed(error.into_cause());
    if is_on(KnownBug::PollFailureAsVerdict) {
        return failed;
    }
    Ended { outcome: Outcome::Interrupted, ..failed }.with_detail(GOES_ON)
}

pub(super) fn failed(
    stack: &Stack,
    verdict: OperationResult,
    view: StackView,
    failure: Option<Failure>,
) -> Ended {
    let outcome = if verdict == OperationResult::RolledBack { Outcome::RolledBack } else { Outcome::Failed };
    let own_words = || Failure::of_stack(&stack.name, view.reason.unwrap_or_else(|| view.status.to_string()));
    Ended { outcome, ..Ended::failed(failure.unwrap_or_else(own_words).cause) }
}

/// The end of a step whose stack needs a person. `cause` is the cause of the failure of its last operation.
pub(super) fn refused(stack: &Stack, view: &StackView, why: &str, cause: Option<Cause>) -> Ended {
    let state = format!("the stack is in {}", view.status);
    match cause {
        None => failed_as(stack, state, Some(why)),
        Some(cause) => {
            let message = match cause.at {
                Some(at) => format!("{state}: {at}: {}", cause.message),
                None => format!("{state}: {}", cause.message),
            };
            failed_as(stack, message, Some(why))
        }
    }
}

/// The cause of the failure of a stack's last operation, if its events can be read and show one.
pub(super) async fn first_cause_of(environment: &Environment, stack: &Stack, id: &str) -> Option<Cause> {
    let changes = EventLog::default().read(environment, id).await.ok()?;
    let failure = first_cause(environment, &changes, Some(stack), Vec::new()).await?;
    Some(failure.cause)
}

/// The end of a step whose operation was ended by an operation of somebody else.
pub(super) fn overtaken(stack: &Stack, by: &Change) -> Ended {
    let who = somebody(by);
    if by.status == ResourceStatus::DeleteInProgress {
        return failed_as(stack, format!("{who} deleted it while it was being created"), Some(WHO_DELETED));
    }
    let message = format!("{who} began another operation on it ({}) before ours had ended", by.status);
    failed_as(stack, message, Some("find out who (CloudTrail), then run it again"))
}

/// The warning that somebody else's operation followed ours.
pub(super) fn followed(by: &Change) -> String {
    format!("{} has begun another operation on it since: {}", somebody(by), by.status)
}

pub(super) fn deleted_since(stack: &Stack, by: &Change) -> Ended {
    let message = format!("it was deployed, and {} deleted it right after that", somebody(by));
    failed_as(stack, message, Some(WHO_DELETED))
}

/// The end of a step whose stack somebody deleted before it could be tried again.
pub(super) fn deleted_before_retry(stack: &Stack, by: &Change) -> Ended {
    failed_as(stack, format!("{} deleted it after its failure", somebody(by)), Some(WHO_DELETED))
}

/// The warning that somebody else changed a failed stack before it was tried again.
pub(super) fn changed_before_retry(by: &Change) -> String {
    let (who, status) = (somebody(by), by.status.of_stack());
    let what = if status.is_rollback() { "has rolled it back" } else { "has begun another operation on it" };
    format!("{who} {what} since it failed ({status}): it is tried again from the beginning")
}

/// The end of a step whose stack was deployed, but whose termination protection could not be set.
pub(super) fn unprotected(stack: &Stack, error: AwsError) -> Ended {
    let cause = error.into_cause();
    let message = format!(
        "the stack is deployed, but its termination protection could not be changed: {}",
        cause.message
    );
    failed_as(stack, message, cause.hint.as_deref())
}

/// Keeps the cause of the first failure, even if the attempt to repair it failed too.
pub(super) fn keep_first(first: Cause, ended: Ended) -> Ended {
    let Some(then) = ended.cause.as_ref().filter(|_| !ended.outcome.is_success()) else { return ended };
    if ended.outcome == Outcome::Interrupted {
        return ended;
    }
    let hint = match &then.hint {
        Some(hint) => format!("it could not be tried again: {}; {hint}", then.message),
        None => format!("it could not be tried again: {}", then.message),
    };
    Ended { cause: Some(Cause { hint: Some(hint), ..first }), ..ended }
}
