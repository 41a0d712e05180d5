//! Elastic Container Service: what it says about the services of stacks, and about their stopped tasks.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::services::service::{Answer, Service, unknown_operation};
use crate::wire::{Fault, Outcome, Protocol, Request, strings, text};
use crate::world::{AccountRegion, Attempt, Resource, World, epoch};

/// Elastic Container Service.
pub(super) struct Ecs;

const SERVICE: &str = "AWS::ECS::Service";
/// How long ECS shows a stopped task (API reference, `DescribeTasks`: "at least one hour").
const SHOWN: SignedDuration = SignedDuration::from_hours(1);
/// The reason of a task whose container has ended, and what ECS then says of the container.
const EXITED: &str = "Essential container in task exited";

impl Service for Ecs {
    fn name(&self) -> &'static str {
        "ecs"
    }

    fn protocol(&self) -> Protocol {
        Protocol::Json
    }

    fn answer(&self, world: &mut World, request: &Request) -> Result<Answer, Fault> {
        perform(world, request).map(Answer::Result)
    }
}

fn perform(world: &World, request: &Request) -> Outcome {
    let place = &request.place;
    match request.operation.as_str() {
        "DescribeServices" => {
            let (mut services, mut failures) = (Vec::new(), Vec::new());
            for name in strings(&request.json, "services") {
                match find(world, place, name) {
                    Some(service) => services.push(described(world, place, service)),
                    None => failures.push(json!({"arn": name, "reason": "MISSING"})),
                }
            }
            Ok(json!({"services": services, "failures": failures}))
        }
        "ListTasks" => {
            let name = text(&request.json, "serviceName")?;
            let service = find(world, place, name)
                .ok_or_else(|| Fault::bad("ServiceNotFoundException", "Service not found."))?;
            let stopped = request.json["desiredStatus"] == "STOPPED";
            let tasks = if stopped { stopped_tasks(world, place, service) } else { Vec::new() };
            let arns: Vec<Value> = tasks.iter().map(|task| task["taskArn"].clone()).collect();
            Ok(json!({"taskArns": arns}))
        }
        "DescribeTasks" => {
            let wanted = strings(&request.json, "tasks");
            let tasks: Vec<Value> = services(world, place)
                .flat_map(|service| stopped_tasks(world, place, service))
                .filter(|task| task["taskArn"].as_str().is_some_and(|arn| wanted.contains(&arn)))
                .collect();
            Ok(json!({"tasks": tasks, "failures": []}))
        }
        _ => Err(unknown_operation(request)),
    }
}

fn services<'a>(world: &'a World, place: &AccountRegion) -> impl Iterator<Item = &'a Resource> {
    let stacks = world.region(place).into_iter().flat_map(|region| region.stacks.values());
    stacks.flat_map(|stack| stack.resources.values()).filter(|resource| resource.kind == SERVICE)
}

/// The service with this ARN or name.
fn find<'a>(world: &'a World, place: &AccountRegion, name: &str) -> Option<&'a Resource> {
    let short = |arn: &'a str| arn.rsplit('/').next();
    services(world, place).find(|it| it.physical == name || short(&it.physical) == Some(name))
}

fn described(world: &World, place: &AccountRegion, service: &Resource) -> Value {
    let wanted = service.properties.get("DesiredCount");
    let desired = wanted.and_then(|it| it.as_u64().or_else(|| it.as_str()?.parse().ok())).unwrap_or(1);
    let failed = attempts(world, place, service);
    let hangs = hangs(world, place, service);
    let running = if hangs { 0 } else { desired };
    let deployment = deployment(world, service);
    let name = service.physical.rsplit('/').next().unwrap_or_default();
    let mut events: Vec<Value> = Vec::new();
    for attempt in &failed {
        let task = task_id(world, service, attempt.number);
        events.push(json!({
            "id": format!("{task}-started"),
            "createdAt": epoch(attempt.started),
            "message": format!("(service {name}) has started 1 tasks: (task {task})."),
        }));
    }
    if !hangs {
        let message = format!("(service {name}) has reached a steady state.");
        events.insert(0, json!({"id": "steady", "createdAt": epoch(service.updated), "message": message}));
    }
    let (state, reason) = if hangs {
        ("IN_PROGRESS", format!("ECS deployment {deployment} in progress."))
    } else {
        ("COMPLETED", format!("ECS deployment {deployment} completed."))
    };
    json!({
        "serviceArn": service.physical,
        "serviceName": name,
        "status": if service.is_gone() { "INACTIVE" } else { "ACTIVE" },
        "desiredCount": desired,
        "runningCount": running,
        "pendingCount": desired - running,
        "deployments": [{
            "id": deployment,
            "status": "PRIMARY",
            "desiredCount": desired,
            "runningCount": running,
            "pendingCount": desired - running,
            "failedTasks": failed.len(),
            "rolloutState": state,
            "rolloutStateReason": reason,
        }],
        "events": events,
    })
}

fn hangs(world: &World, place: &AccountRegion, service: &Resource) -> bool {
    let hung = world.region(place).and_then(|region| region.hung.get(&service.physical));
    hung.is_some_and(|hung| hung.until.is_none())
}

fn attempts(world: &World, place: &AccountRegion, service: &Resource) -> Vec<Attempt> {
    let hung = world.region(place).and_then(|region| region.hung.get(&service.physical));
    hung.map(|hung| hung.failed(world.now)).unwrap_or_default()
}

fn deployment(world: &World, service: &Resource) -> String {
    format!("ecs-svc/{}", world.draws(&["deployment", &service.physical]).next() % 10_000_000_000)
}

fn task_id(world: &World, service: &Resource, number: usize) -> String {
    world.draws(&["task", &service.physical, &number.to_string()]).hex(32)
}

/// The tasks that have stopped and are still shown.
fn stopped_tasks(world: &World, place: &AccountRegion, service: &Resource) -> Vec<Value> {
    let is_shown = |ended: Timestamp| world.now.duration_since(ended) <= SHOWN;
    let cluster = service.physical.rsplit('/').nth(1).unwrap_or("default");
    let shown = attempts(world, place, service).into_iter().filter(|attempt| is_shown(attempt.ended));
    let task = |attempt: Attempt| {
        let id = task_id(world, service, attempt.number);
        let exited = attempt.reason == EXITED;
        let container = if exited { json!({"name": "web", "exitCode": 1}) } else { json!({"name": "web"}) };
        json!({
            "taskArn": place.arn("ecs", &format!("task/{cluster}/{id}")),
            "startedBy": deployment(world, service),
            "lastStatus": "STOPPED",
            "desiredStatus": "STOPPED",
            "createdAt": epoch(attempt.started),
            "stoppedAt": epoch(attempt.ended),
            "stopCode": if exited { "EssentialContainerExited" } else { "TaskFailedToStart" },
            "stoppedReason": attempt.reason,
            "containers": [container],
        })
    };
    shown.map(task).collect()
}
