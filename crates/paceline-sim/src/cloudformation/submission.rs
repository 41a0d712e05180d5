//! What a request wants a stack to look like.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::answer::Fault;
use crate::request::{Form, Request, percent_decode};
use crate::stack::{Desired, OnFailure, Stack};
use crate::template::{
    Given, Parameter, Scope, bind, capabilities, check, check_rules, conditions, has_transform, parse,
    transform,
};
use crate::world::{Place, StackKey, World};

/// CloudFormation User Guide, "Understand CloudFormation quotas": in a request, and in S3.
const MOST_IN_BODY: usize = 51_200;
const MOST_IN_S3: usize = 1_000_000;

/// A stack as a caller wants it, before anything is looked up.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) body: Arc<str>,
    pub(crate) given: BTreeMap<String, Given>,
    pub(crate) previous: Vec<Parameter>,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) notification_arns: Vec<String>,
    pub(crate) role_arn: Option<String>,
    pub(crate) capabilities: Vec<String>,
}

/// The key of a new stack: its ARN ends with an id that no other stack of its name had.
pub(crate) fn new_key(world: &World, place: &Place, name: &str) -> StackKey {
    let before = world
        .region(place)
        .map_or(0, |region| region.stacks.values().filter(|stack| stack.name == name).count());
    let id = world.draws(&["stack", &place.account, &place.region, name, &before.to_string()]).uuid();
    StackKey { place: place.clone(), arn: place.arn("cloudformation", &format!("stack/{name}/{id}")).into() }
}

/// Reads a request to create a stack, or to change the one there is.
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
        // What an update does not mention stays as it is.
        tags: tags.or_else(|| old.map(|old| old.tags.clone())).unwrap_or_default(),
        notification_arns: form
            .list("NotificationARNs")
            .or_else(|| old.map(|old| old.notification_arns.clone()))
            .unwrap_or_default(),
        role_arn: form
            .text("RoleARN")
            .map(str::to_owned)
            .or_else(|| old.and_then(|old| old.role_arn.clone())),
        capabilities: form.list("Capabilities").unwrap_or_default(),
    })
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

/// The template that a request carries or names.
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

/// Reads a template from S3.
pub(crate) fn fetch(world: &mut World, place: &Place, url: &str) -> Result<Arc<str>, Fault> {
    let unsupported = || Fault::validation("TemplateURL must be a supported URL.");
    let (_, rest) = url
        .split_once("://")
        .filter(|(scheme, _)| matches!(*scheme, "https" | "http"))
        .ok_or_else(unsupported)?;
    let (host, path) = rest.split_once('/').ok_or_else(unsupported)?;
    let path = percent_decode(path.split(['?', '#']).next().unwrap_or_default(), false);
    let name = host.split(':').next().unwrap_or(host);
    let amazon = paceline_assembly::is_host_of_aws(name);
    let (bucket, key) = match name.split_once(".s3.").or_else(|| name.split_once(".s3-")) {
        Some((bucket, _)) if amazon => (bucket.to_owned(), path),
        // Path style: S3's own name, or the address at which the simulator listens.
        _ if !amazon || name.starts_with("s3") => {
            let (bucket, key) = path.split_once('/').ok_or_else(unsupported)?;
            (bucket.to_owned(), key.to_owned())
        }
        _ => return Err(unsupported()),
    };
    let more =
        "For more information check http://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html";
    let owner = world.bucket_owner(&bucket);
    if owner.as_ref().is_none_or(|owner| owner.account != place.account) {
        return Err(Fault::validation(format!("S3 error: Access Denied\n{more}")));
    }
    let object = world
        .object(&bucket, &key)
        .ok_or_else(|| Fault::validation(format!("S3 error: The specified key does not exist.\n{more}")))?;
    if object.len() > MOST_IN_S3 {
        return Err(Fault::validation(format!("Template may not exceed {MOST_IN_S3} bytes in size.")));
    }
    Ok(String::from_utf8_lossy(&object).into())
}

/// Checks what is wanted and looks up what it refers to.
pub(crate) fn desired(world: &World, key: &StackKey, name: &str, wanted: Wanted) -> Result<Desired, Fault> {
    let written = parse(&wanted.body)?;
    let parameters = bind(world, &key.place, &written, &wanted.given, &wanted.previous)?;
    let (resources, none) = (BTreeMap::new(), BTreeMap::new());
    let scope = Scope {
        world,
        place: &key.place,
        stack_name: name,
        stack_id: &key.arn,
        notification_arns: &wanted.notification_arns,
        template: &written,
        parameters: &parameters,
        conditions: &none,
        resources: &resources,
        lenient: false,
    };
    let template = if written.has_loops() {
        let template = transform(&scope)?;
        check(&template)?;
        template
    } else {
        written.clone()
    };
    let scope = Scope { template: &template, ..scope };
    let conditions = conditions(&scope).map_err(Fault::validation)?;
    check_rules(&Scope { conditions: &conditions, ..scope })?;
    capabilities(&template, has_transform(&written), &wanted.capabilities)?;
    Ok(Desired {
        body: wanted.body,
        template,
        parameters,
        conditions,
        tags: wanted.tags,
        notification_arns: wanted.notification_arns,
        role_arn: wanted.role_arn,
        capabilities: wanted.capabilities,
    })
}

/// What a request wants to happen when a resource fails.
pub(super) fn on_failure(form: &Form) -> Result<OnFailure, Fault> {
    // An express operation does not roll back unless it is told to (CloudFormation User Guide,
    // "Express mode").
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
