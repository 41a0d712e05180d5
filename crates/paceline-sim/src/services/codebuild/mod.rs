//! CodeBuild: projects and builds.
//!
//! Its service model lists CBOR and JSON. Clients that send CBOR get an error that says that it is not
//! simulated.

mod builds;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::services::service::{Answer, Service, unknown_operation};
use crate::wire::{Fault, Outcome, Protocol, Request, strings, text};
use crate::world::{AccountRegion, World, epoch};

pub(super) struct CodeBuild;

impl Service for CodeBuild {
    fn name(&self) -> &'static str {
        "codebuild"
    }

    fn protocol(&self) -> Protocol {
        Protocol::Json
    }

    fn answer(&self, world: &mut World, request: &Request) -> Result<Answer, Fault> {
        perform(world, request).map(Answer::Result)
    }
}

/// Starts a build for a target of a rule: its input is that of `StartBuild`, without the project. A target that is no project
/// starts nothing.
pub(super) fn start_for_rule(world: &mut World, place: &AccountRegion, target: &Value, at: Timestamp) {
    let name =
        target["Arn"].as_str().and_then(|arn| arn.split_once(":project/")).map(|(_, name)| name.to_owned());
    let input = target["Input"].as_str().and_then(|input| serde_json::from_str::<Value>(input).ok());
    let (Some(name), Some(mut input)) = (name, input.filter(Value::is_object)) else { return };
    input["projectName"] = json!(name);
    // EventBridge gives up a target that refuses.
    let _ = builds::start_at(world, place, &input, at);
}

fn perform(world: &mut World, request: &Request) -> Outcome {
    builds::repeat_failed(world, &request.place);
    match request.operation.as_str() {
        "BatchGetProjects" => {
            let (mut found, mut missing) = (Vec::new(), Vec::new());
            let projects = world.region(&request.place).map(|region| &region.projects);
            for name in strings(&request.json, "names") {
                match projects.and_then(|projects| projects.get(name)) {
                    Some(project) => found.push(project.clone()),
                    None => missing.push(name),
                }
            }
            Ok(json!({"projects": found, "projectsNotFound": missing}))
        }
        "CreateProject" => {
            let name = text(&request.json, "name")?;
            for required in ["source", "artifacts", "environment", "serviceRole"] {
                if request.json.get(required).is_none() {
                    return Err(invalid(format!("Project {required} is required")));
                }
            }
            if world.region(&request.place).is_some_and(|region| region.projects.contains_key(name)) {
                let arn = arn(request, name);
                return Err(Fault::bad(
                    "ResourceAlreadyExistsException",
                    format!("Project already exists: {arn}"),
                ));
            }
            store(world, request, name, json!({}))
        }
        "UpdateProject" => {
            let name = text(&request.json, "name")?;
            let before = world.region(&request.place).and_then(|region| region.projects.get(name)).cloned();
            let missing = || {
                Fault::bad(
                    "ResourceNotFoundException",
                    format!("Project cannot be found: {}", arn(request, name)),
                )
            };
            store(world, request, name, before.ok_or_else(missing)?)
        }
        "StartBuild" => builds::start(world, request),
        "BatchGetBuilds" => Ok(builds::get(world, request)),
        "RetryBuild" => builds::retry(world, request),
        "StopBuild" => builds::stop(world, request),
        "ListBuildsForProject" => builds::list(world, request),
        _ => Err(unknown_operation(request)),
    }
}

/// Stores a project. The settings in the request replace the earlier ones.
fn store(world: &mut World, request: &Request, name: &str, mut project: Value) -> Outcome {
    check(&request.json)?;
    let now = json!(epoch(world.now));
    if project.get("arn").is_none() {
        project["arn"] = json!(arn(request, name));
        project["created"] = now.clone();
        // The defaults of CodeBuild (API reference, "CreateProject").
        project["timeoutInMinutes"] = json!(60);
        project["queuedTimeoutInMinutes"] = json!(480);
    }
    project["lastModified"] = now;
    for (field, value) in request.json.as_object().into_iter().flatten() {
        project[field] = value.clone();
    }
    world.region_mut(&request.place).projects.insert(name.to_owned(), project.clone());
    Ok(json!({"project": project}))
}

/// Refuses settings that CodeBuild refuses (User Guide, "Build caching" and "Quotas for AWS CodeBuild").
fn check(project: &Value) -> Result<(), Fault> {
    if let Some(minutes) = project["timeoutInMinutes"].as_i64()
        && !(5..=2160).contains(&minutes)
    {
        return Err(invalid("Invalid timeout: must be between 5 and 2160 minutes".to_owned()));
    }
    let modes = strings(&project["cache"], "modes");
    let privileged = project["environment"]["privilegedMode"].as_bool().unwrap_or_default();
    if modes.contains(&"LOCAL_DOCKER_LAYER_CACHE") && !privileged {
        return Err(invalid("Docker layer cache mode requires privileged mode".to_owned()));
    }
    Ok(())
}

fn invalid(message: String) -> Fault {
    Fault::bad("InvalidInputException", message)
}

fn arn(request: &Request, name: &str) -> String {
    request.place.arn("codebuild", &format!("project/{name}"))
}
