//! Reads the wanted state of a stack from a request.

use std::sync::Arc;

use paceline_assembly::RollbackTriggers;

use crate::stack::{Wanted, fetch};
use crate::template::Given;
use crate::wire::{Fault, Form, Request};
use crate::world::{OnFailure, Stack, World};

/// The largest template in a request, in bytes. CloudFormation User Guide, "Understand CloudFormation
/// quotas".
const MOST_IN_BODY: usize = 51_200;
/// Reads a request to create a stack, or to change the existing one.
pub(super) fn read(world: &mut World, request: &Request, existing: Option<&Stack>) -> Result<Wanted, Fault> {
    let form = &request.form;
    let old = existing.map(|stack| &stack.desired);
    let given =
        form.structures("Parameters").unwrap_or_default().iter().map(parameter).collect::<Result<_, _>>()?;
    let tags = form.structures("Tags").map(|tags| {
        tags.iter()
            .map(|tag| {
                (
                    tag.raw("Key").unwrap_or_default().to_owned(),
                    tag.raw("Value").unwrap_or_default().to_owned(),
                )
            })
            .collect()
    });
    Ok(Wanted {
        body: body(world, request, old.map(|old| &old.body))?,
        given,
        previous: old.map(|old| old.parameters.clone()).unwrap_or_default(),
        // Settings that an update does not mention stay the same.
        tags: tags.or_else(|| old.map(|old| old.tags.clone())).unwrap_or_default(),
        notification_arns: form
            .list("NotificationARNs")
            .or_else(|| old.map(|old| old.notification_arns.clone()))
            .unwrap_or_default(),
        role_arn: form
            .text("RoleARN")
            .map(str::to_owned)
            .or_else(|| old.and_then(|old| old.role_arn.clone())),
        triggers: triggers(form, old.map(|old| &old.triggers)),
        capabilities: form.list("Capabilities").unwrap_or_default(),
    })
}

/// The rollback triggers. What a request does not mention stays the same (CloudFormation API Reference,
/// `RollbackConfiguration`).
fn triggers(form: &Form, old: Option<&RollbackTriggers>) -> RollbackTriggers {
    let old = old.cloned().unwrap_or_default();
    let given = form.structures("RollbackConfiguration.RollbackTriggers");
    let arn = |trigger: &Form| trigger.raw("Arn").unwrap_or_default().to_owned();
    let minutes = form.text("RollbackConfiguration.MonitoringTimeInMinutes");
    RollbackTriggers {
        alarms: given.map(|given| given.iter().map(arn).collect()).or(old.alarms),
        minutes: minutes.and_then(|minutes| minutes.parse().ok()).or(old.minutes),
    }
}

fn parameter(form: &Form) -> Result<(String, Given), Fault> {
    let key = form.required("ParameterKey")?.to_owned();
    let given = match form.raw("ParameterValue") {
        _ if form.flag("UsePreviousValue") => Given::Previous,
        Some(value) => Given::Value(value.to_owned()),
        None => return Err(Fault::validation(format!("Parameter '{key}' must have a value"))),
    };
    Ok((key, given))
}

/// The template that a request contains, or the one at the URL that it names.
pub(super) fn body(
    world: &mut World,
    request: &Request,
    previous: Option<&Arc<str>>,
) -> Result<Arc<str>, Fault> {
    let form = &request.form;
    if form.flag("UsePreviousTemplate") {
        return previous.cloned().ok_or_else(|| Fault::validation("No template to use"));
    }
    match (form.text("TemplateBody"), form.text("TemplateURL")) {
        (Some(_), Some(_)) => {
            Err(Fault::validation("Specify either a template URL or a template body, but not both."))
        }
        (Some(body), None) if body.len() > MOST_IN_BODY => Err(Fault::validation(format!(
            "1 validation error detected: Value '{}' at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to {MOST_IN_BODY}",
            body.chars().take(64).collect::<String>()
        ))),
        (Some(body), None) => Ok(body.into()),
        (None, Some(url)) => fetch(world, &request.place, url),
        (None, None) => Err(Fault::validation("Either Template URL or Template Body must be specified.")),
    }
}

/// The action that a request wants when a resource fails.
pub(super) fn on_failure(form: &Form) -> Result<OnFailure, Fault> {
    // An express operation rolls back only on request (CloudFormation User Guide, "Express mode").
    let express = form.text("DeploymentConfig.Mode") == Some("EXPRESS");
    let disable = form.text("DisableRollback").or_else(|| form.text("DeploymentConfig.DisableRollback"));
    Ok(match (form.text("OnFailure").or_else(|| form.text("OnStackFailure")), disable) {
        (Some(_), Some(_)) if form.has("OnFailure") => {
            return Err(Fault::validation(
                "You can specify either OnFailure or DisableRollback, but not both.",
            ));
        }
        (Some("DO_NOTHING"), _) => OnFailure::Nothing,
        (Some("DELETE"), _) => OnFailure::Delete,
        (Some("ROLLBACK"), _) => OnFailure::RollBack,
        (Some(other), _) => {
            return Err(Fault::validation(format!(
                "1 validation error detected: Value '{other}' at 'onFailure' failed to satisfy constraint: Member must satisfy enum value set: [ROLLBACK, DELETE, DO_NOTHING]"
            )));
        }
        (None, Some(disable)) if disable.eq_ignore_ascii_case("true") => OnFailure::Nothing,
        (None, None) if express => OnFailure::Nothing,
        (None, _) => OnFailure::RollBack,
    })
}
