//! Why an ECS service is not steady: the reasons of its stopped tasks, else its events.

use std::fmt::Write as _;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use paceline_text::count;
use serde_json::{Value, json};

use super::calls::Calls;
use super::{Said, Subject, TellsWhy, distinct_reasons};
use crate::error::{AwsError, ErrorKind};
use crate::signed::{Protocol, Service};

/// Elastic Container Service.
pub(super) struct Ecs;

const ECS: Service = Service { id: "ECS", host: "ecs", signing_name: "ecs", protocol: Protocol::Json };
/// The most tasks that `DescribeTasks` takes (API reference).
const MOST_TASKS: usize = 100;
/// The reason of tasks that the scheduler stops because a newer deployment replaces them. It is no trouble.
const REPLACED: &str = "Scaling activity initiated by";
/// Words of events that tell of trouble.
const TROUBLE: [&str; 6] = ["unable", "fail", "unhealthy", "error", "cannot", "rolling back"];

impl TellsWhy for Ecs {
    fn is_about(&self, resource_type: &str) -> bool {
        resource_type == "AWS::ECS::Service"
    }

    fn name(&self) -> &'static str {
        "Amazon ECS"
    }

    fn ask<'a>(&'a self, calls: Calls, subject: Subject<'a>) -> BoxFuture<'a, Result<Said, AwsError>> {
        Box::pin(async move {
            let arn = subject.physical_id;
            let cluster = cluster(arn);
            let body = json!({"cluster": cluster, "services": [arn]});
            let target = "AmazonEC2ContainerServiceV20141113.DescribeServices";
            let answer = calls.json(&ECS, "DescribeServices", target, &without_null(body)).await?;
            let service = &answer["services"][0];
            if service.is_null() {
                return Ok(Said { state: Some("there is no such service".to_owned()), ..Said::default() });
            }
            let tasks = stopped(&calls, cluster, arn).await?;
            Ok(said(service, tasks, subject.since))
        })
    }
}

/// The cluster of a service. The ARNs of old services do not name it: they are in the cluster `default`.
fn cluster(arn: &str) -> Option<&str> {
    let (_, path) = arn.split_once(":service/")?;
    path.split_once('/').map(|(cluster, _)| cluster)
}

fn without_null(mut body: Value) -> Value {
    if let Some(fields) = body.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    body
}

/// The tasks of the service that have stopped. ECS forgets them after an hour or so.
async fn stopped(calls: &Calls, cluster: Option<&str>, service: &str) -> Result<Vec<Value>, AwsError> {
    let body = json!({"cluster": cluster, "serviceName": service, "desiredStatus": "STOPPED", "maxResults": MOST_TASKS});
    let target = "AmazonEC2ContainerServiceV20141113.ListTasks";
    let listed = match calls.json(&ECS, "ListTasks", target, &without_null(body)).await {
        // A service that was deleted has no list of tasks.
        Err(error) if error.kind == ErrorKind::Refused => return Ok(Vec::new()),
        listed => listed?,
    };
    let arns = listed["taskArns"].as_array().filter(|arns| !arns.is_empty());
    let Some(arns) = arns else { return Ok(Vec::new()) };
    let body = json!({"cluster": cluster, "tasks": arns});
    let target = "AmazonEC2ContainerServiceV20141113.DescribeTasks";
    let mut described = calls.json(&ECS, "DescribeTasks", target, &without_null(body)).await?;
    Ok(described["tasks"].as_array_mut().map(std::mem::take).unwrap_or_default())
}

fn said(service: &Value, mut tasks: Vec<Value>, since: Option<Timestamp>) -> Said {
    tasks.sort_by(|a, b| seconds(&b["stoppedAt"]).total_cmp(&seconds(&a["stoppedAt"])));
    let since = since.map_or(f64::MIN, |since| since.as_duration().as_secs_f64());
    let of_operation = tasks.iter().filter(|task| seconds(&task["stoppedAt"]) >= since);
    let mut reasons = distinct_reasons(of_operation.filter_map(why));
    if reasons.is_empty() {
        let mut events: Vec<&Value> = service["events"].as_array().into_iter().flatten().collect();
        events.sort_by(|a, b| seconds(&b["createdAt"]).total_cmp(&seconds(&a["createdAt"])));
        let new = events.iter().filter(|event| seconds(&event["createdAt"]) >= since);
        let messages: Vec<String> = new.filter_map(|event| event["message"].as_str().map(shown)).collect();
        let is_trouble = |message: &&String| {
            let lower = message.to_lowercase();
            TROUBLE.iter().any(|word| lower.contains(word))
        };
        reasons = distinct_reasons(messages.iter().filter(is_trouble).cloned());
        if reasons.is_empty() {
            let last = messages.first().map(|message| format!("its last event is: {message}"));
            reasons = distinct_reasons(last);
        }
    }
    Said { state: Some(state(service)), reasons, unread: None }
}

/// How many tasks run, and whether ECS has given up.
fn state(service: &Value) -> String {
    if service["status"].as_str().is_some_and(|status| status != "ACTIVE") {
        return "the service is deleted".to_owned();
    }
    let deployments = service["deployments"].as_array().into_iter().flatten();
    let primary = deployments.clone().find(|deployment| deployment["status"] == "PRIMARY");
    let of = primary.unwrap_or(service);
    let number = |field: &str| of[field].as_u64().unwrap_or_default();
    let mut state = format!("{} of {} run", number("runningCount"), tasks(number("desiredCount")));
    // Writing to a string does not fail.
    if number("failedTasks") > 0 {
        let _ = write!(state, ", {} failed", number("failedTasks"));
    }
    let given_up = deployments.clone().find(|deployment| deployment["rolloutState"] == "FAILED");
    if let Some(reason) = given_up.and_then(|it| it["rolloutStateReason"].as_str()) {
        let _ = write!(state, "; {reason}");
    }
    state
}

fn tasks(number: u64) -> String {
    count(usize::try_from(number).unwrap_or(usize::MAX), "task")
}

/// Why a task has stopped, with what its containers say. `None` if that is no trouble.
fn why(task: &Value) -> Option<String> {
    let reason = task["stoppedReason"].as_str().unwrap_or_default();
    if reason.starts_with(REPLACED) {
        return None;
    }
    let of_container = |container: &Value| {
        let name = container["name"].as_str().unwrap_or("a container");
        let code = container["exitCode"].as_i64().filter(|code| *code != 0);
        let own = container["reason"].as_str().filter(|own| !own.is_empty() && !reason.contains(own));
        Some(match (code, own) {
            (Some(code), Some(own)) => format!("{name} exited with code {code} ({own})"),
            (Some(code), None) => format!("{name} exited with code {code}"),
            (None, Some(own)) => format!("{name}: {own}"),
            (None, None) => return None,
        })
    };
    let containers = task["containers"].as_array().into_iter().flatten();
    let containers: Vec<String> = containers.filter_map(of_container).collect();
    match (reason.is_empty(), containers.is_empty()) {
        (true, true) => task["stopCode"].as_str().map(str::to_owned),
        (true, false) => Some(containers.join(", ")),
        (false, true) => Some(reason.to_owned()),
        (false, false) => Some(format!("{reason}: {}", containers.join(", "))),
    }
}

/// The message of an event without the name of the service, and without the ids of tasks, which differ from event to
/// event.
fn shown(message: &str) -> String {
    let named = message.strip_prefix("(service ").and_then(|rest| rest.split_once(") "));
    let message = named.map_or(message, |(_, rest)| rest);
    let mut parts = message.split("(task ");
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        shown += "(a task)";
        shown += part.split_once(')').map_or("", |(_, rest)| rest);
    }
    shown
}

fn seconds(time: &Value) -> f64 {
    time.as_f64().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(events: &[(f64, &str)]) -> Value {
        let event = |(at, message): &(f64, &str)| json!({"createdAt": at, "message": message});
        json!({
            "status": "ACTIVE",
            "desiredCount": 2,
            "runningCount": 2,
            "deployments": [
                {"status": "PRIMARY", "desiredCount": 2, "runningCount": 0, "failedTasks": 4, "rolloutState": "IN_PROGRESS"},
                {"status": "ACTIVE", "desiredCount": 2, "runningCount": 2},
            ],
            "events": events.iter().map(event).collect::<Vec<_>>(),
        })
    }

    fn reasons(service: &Value, tasks: Vec<Value>) -> Vec<(String, usize)> {
        let since = Timestamp::from_second(100).unwrap();
        let said = said(service, tasks, Some(since));
        said.reasons.into_iter().map(|it| (it.reason, it.count)).collect()
    }

    #[test]
    fn the_newest_reasons_of_tasks_come_first_with_what_their_containers_say() {
        let task = |at: u32, reason: &str, container: Value| json!({"stoppedAt": at, "stoppedReason": reason, "containers": [container]});
        let pull = "CannotPullContainerError: pull access denied";
        let tasks = vec![
            task(110, pull, json!({"name": "web", "reason": pull})),
            task(
                130,
                "Essential container in task exited",
                json!({"name": "web", "exitCode": 137, "reason": "OutOfMemoryError"}),
            ),
            task(120, pull, json!({"name": "web"})),
            task(140, "Task failed to start", json!({"name": "side", "reason": "no such image"})),
            // These are no trouble of this operation.
            task(
                150,
                "Scaling activity initiated by (deployment ecs-svc/1)",
                json!({"name": "web", "exitCode": 143}),
            ),
            task(90, "an older one", json!({"name": "web"})),
        ];
        let oom = "Essential container in task exited: web exited with code 137 (OutOfMemoryError)";
        let expected = [("Task failed to start: side: no such image", 1), (oom, 1), (pull, 2)];
        let expected = expected.map(|(reason, count)| (reason.to_owned(), count));
        assert_eq!(reasons(&service(&[(120.0, "it cannot")]), tasks), expected);
    }

    #[test]
    fn events_count_if_no_task_has_stopped() {
        let events = [
            (110.0, "(service web) (task 0a1b) failed container health checks."),
            (120.0, "(service web) (task 0a1c) failed container health checks."),
            (130.0, "(service web) has started 1 tasks: (task 0a1d)."),
            (90.0, "(service web) was unable to place a task."),
        ];
        let expected = [("(a task) failed container health checks.".to_owned(), 2)];
        assert_eq!(reasons(&service(&events), Vec::new()), expected);
        let quiet = [("its last event is: has started 1 tasks: (a task).".to_owned(), 1)];
        assert_eq!(reasons(&service(&events[2..]), Vec::new()), quiet);
    }

    #[test]
    fn the_state_is_that_of_the_newest_deployment() {
        assert_eq!(state(&service(&[])), "0 of 2 tasks run, 4 failed");
        let mut given_up = service(&[]);
        given_up["deployments"][0]["rolloutState"] = json!("FAILED");
        given_up["deployments"][0]["rolloutStateReason"] =
            json!("ECS deployment circuit breaker: tasks failed to start.");
        let expected = "0 of 2 tasks run, 4 failed; ECS deployment circuit breaker: tasks failed to start.";
        assert_eq!(state(&given_up), expected);
        assert_eq!(state(&json!({"status": "INACTIVE"})), "the service is deleted");
        // Nothing of an unexpected shape is a panic.
        assert_eq!(state(&json!(["x"])), "0 of 0 tasks run");
    }

    #[test]
    fn the_cluster_is_in_the_arn_of_a_service() {
        assert_eq!(cluster("arn:aws:ecs:us-east-1:1:service/shop/web"), Some("shop"));
        assert_eq!(cluster("arn:aws:ecs:us-east-1:1:service/web"), None);
    }
}
