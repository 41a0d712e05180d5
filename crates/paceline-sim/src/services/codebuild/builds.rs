//! Starts, stops and lists builds.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::invalid;
use crate::wire::{Fault, Outcome, Request, strings, text};
use crate::world::{AccountRegion, Build, Repetition, World, add};

/// For this long, a token stands for the build that was started with it (API reference, `StartBuild`).
const TOKEN_LIVES: Duration = Duration::from_mins(5);

pub(super) fn start(world: &mut World, request: &Request) -> Outcome {
    let now = world.now;
    start_at(world, &request.place, &request.json, now)
}

/// Starts a build with the fields of `StartBuild`.
pub(super) fn start_at(world: &mut World, place: &AccountRegion, request: &Value, now: Timestamp) -> Outcome {
    let name = text(request, "projectName")?;
    let place = place.clone();
    let project = world.region(&place).and_then(|region| region.projects.get(name)).cloned();
    let project = project.ok_or_else(|| {
        let arn = place.arn("codebuild", &format!("project/{name}"));
        Fault::bad("ResourceNotFoundException", format!("Project cannot be found: {arn}"))
    })?;
    let minutes = request.get("timeoutInMinutesOverride").unwrap_or(&project["timeoutInMinutes"]);
    let minutes = minutes.as_u64().unwrap_or(60);
    if !(5..=2160).contains(&minutes) {
        return Err(invalid("Invalid timeout: must be between 5 and 2160 minutes".to_owned()));
    }
    if let Some(token) = request["idempotencyToken"].as_str() {
        let builds = world.region(&place).map(|region| &region.builds);
        let same = builds.into_iter().flat_map(|builds| builds.values()).find(|build| {
            build.request["idempotencyToken"] == token && now <= add(build.started, TOKEN_LIVES)
        });
        if let Some(build) = same {
            if build.request != *request {
                let message = "Parameter mismatch: the idempotency token was used with other parameters";
                return Err(invalid(message.to_owned()));
            }
            return Ok(json!({"build": build.written(&place, now)}));
        }
    }
    let limit = request.get("autoRetryLimitOverride").unwrap_or(&project["autoRetryLimit"]);
    let build = Build {
        id: new_id(world, name),
        number: 0,
        repetition: Repetition { limit: limit.as_u64().unwrap_or_default(), ..Repetition::default() },
        project,
        request: request.clone(),
        started: now,
        stopped: None,
        timeout: Duration::from_mins(minutes),
        commands: world.options.build,
        fails: world.options.faults.builds_fail,
    };
    Ok(json!({"build": add_build(world, &place, build)}))
}

fn new_id(world: &mut World, project: &str) -> String {
    let number = world.number();
    format!("{project}:{}", world.draws(&["build", project, &number.to_string()]).uuid())
}

fn add_build(world: &mut World, place: &AccountRegion, build: Build) -> Value {
    let number = world.region(place).map_or(0, |region| region.builds.len()) + 1;
    let build = Build { number, ..build };
    let written = build.written(place, world.now);
    world.region_mut(place).builds.insert(build.id.clone(), build);
    written
}

/// Starts the builds that repeat failed ones (User Guide, "Retry builds automatically"). Whether a build that timed out or
/// was stopped counts as failed is not documented. Here it does not.
pub(super) fn repeat_failed(world: &mut World, place: &AccountRegion) {
    loop {
        let now = world.now;
        let builds = world.region(place).into_iter().flat_map(|region| region.builds.values());
        let failed = builds.filter(|build| {
            build.repetition.next.is_none() && build.repetition.number < build.repetition.limit
        });
        let failed = failed.filter_map(|build| Some((build.failed_at(now)?, build))).min_by_key(|it| it.0);
        let Some((at, failed)) = failed.map(|(at, build)| (at, build.clone())) else { return };
        let project = failed.project["name"].as_str().unwrap_or_default().to_owned();
        let id = new_id(world, &project);
        if let Some(before) = world.region_mut(place).builds.get_mut(&failed.id) {
            before.repetition.next = Some(id.clone());
        }
        let Repetition { limit, number, .. } = failed.repetition;
        let repetition =
            Repetition { limit, number: number + 1, previous: Some(failed.id.clone()), next: None };
        add_build(world, place, Build { id, started: at, stopped: None, repetition, ..failed });
    }
}

/// A person starts a build again. It is not one of those that CodeBuild starts by itself.
pub(super) fn retry(world: &mut World, request: &Request) -> Outcome {
    let id = text(&request.json, "id")?;
    let place = request.place.clone();
    let build = world.region(&place).and_then(|region| region.builds.get(id)).cloned();
    let build = build.ok_or_else(|| missing(&place, id))?;
    let project = build.project["name"].as_str().unwrap_or_default().to_owned();
    let (id, started) = (new_id(world, &project), world.now);
    let repetition = Repetition { limit: build.repetition.limit, ..Repetition::default() };
    let again = Build { id, started, stopped: None, repetition, ..build };
    Ok(json!({"build": add_build(world, &place, again)}))
}

fn missing(place: &AccountRegion, id: &str) -> Fault {
    let arn = place.arn("codebuild", &format!("build/{id}"));
    Fault::bad("ResourceNotFoundException", format!("Build cannot be found: {arn}"))
}

pub(super) fn get(world: &World, request: &Request) -> Value {
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    let builds = world.region(&request.place).map(|region| &region.builds);
    for id in strings(&request.json, "ids") {
        match builds.and_then(|builds| builds.get(id)) {
            Some(build) => found.push(build.written(&request.place, world.now)),
            None => missing.push(id),
        }
    }
    json!({"builds": found, "buildsNotFound": missing})
}

pub(super) fn stop(world: &mut World, request: &Request) -> Outcome {
    let id = text(&request.json, "id")?;
    let now = world.now;
    let build = world.region_mut(&request.place).builds.get_mut(id);
    let build = build.ok_or_else(|| missing(&request.place, id))?;
    build.stopped.get_or_insert(now);
    Ok(json!({"build": build.written(&request.place, now)}))
}

pub(super) fn list(world: &World, request: &Request) -> Outcome {
    let name = text(&request.json, "projectName")?;
    let builds = world.region(&request.place).map(|region| &region.builds);
    let of_project = builds.into_iter().flat_map(|builds| builds.values());
    let mut builds: Vec<&Build> = of_project.filter(|build| build.project["name"] == name).collect();
    builds.sort_by_key(|build| std::cmp::Reverse(build.number));
    Ok(json!({"ids": builds.iter().map(|build| &build.id).collect::<Vec<_>>()}))
}
