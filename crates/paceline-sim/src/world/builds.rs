//! Builds: their phases take time and their logs show it, but no command runs.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{AccountRegion, add, epoch};

/// The durations of the phases in seconds, apart from the one that runs the commands. These are estimates:
/// CodeBuild documents none.
const PHASES: [(&str, u64); 9] = [
    ("SUBMITTED", 0),
    ("QUEUED", 2),
    ("PROVISIONING", 14),
    ("DOWNLOAD_SOURCE", 4),
    ("INSTALL", 30),
    ("PRE_BUILD", 6),
    ("BUILD", 0),
    ("POST_BUILD", 3),
    ("FINALIZING", 2),
];
#[derive(Debug, Clone)]
pub(crate) struct Build {
    pub(crate) id: String,
    pub(crate) number: usize,
    pub(crate) project: Value,
    pub(crate) request: Value,
    pub(crate) started: Timestamp,
    pub(crate) stopped: Option<Timestamp>,
    pub(crate) timeout: Duration,
    /// The time that the commands take, and whether they fail at the end.
    pub(crate) commands: Duration,
    pub(crate) fails: bool,
    pub(crate) repetition: Repetition,
}

/// The place of a build among those that CodeBuild starts by itself after a failure.
#[derive(Debug, Clone, Default)]
pub(crate) struct Repetition {
    /// How many times the first of them may be repeated.
    pub(crate) limit: u64,
    /// How many builds came before.
    pub(crate) number: u64,
    /// The id of the build that this one repeats.
    pub(crate) previous: Option<String>,
    /// The id of the build that repeats this one.
    pub(crate) next: Option<String>,
}

/// A phase of a build. It has no status until it ends.
struct Phase {
    name: &'static str,
    began: Timestamp,
    ended: Option<Timestamp>,
    status: Option<&'static str>,
}

/// A line of a build's log.
pub(crate) struct Line {
    pub(crate) at: Timestamp,
    pub(crate) text: String,
}

impl Build {
    /// The phases that have begun by `now`, and the status of the build if it has ended.
    fn phases(&self, now: Timestamp) -> (Vec<Phase>, Option<&'static str>) {
        let mut at = self.started;
        // The timeout counts from the end of the queue.
        let mut deadline = None;
        let (mut phases, mut end) = (Vec::new(), None);
        for (name, seconds) in PHASES {
            if end.is_some() && name != "FINALIZING" {
                continue;
            }
            let took = if name == "BUILD" { self.commands } else { Duration::from_secs(seconds) };
            let mut until = add(at, took);
            let mut status = if name == "BUILD" && self.fails { "FAILED" } else { "SUCCEEDED" };
            let cut = [self.stopped.map(|stop| (stop, "STOPPED")), deadline.map(|late| (late, "TIMED_OUT"))];
            for (cut, why) in cut.into_iter().flatten().filter(|_| end.is_none()) {
                if cut < until {
                    (until, status) = (cut.max(at), why);
                }
            }
            let is_over = until <= now;
            phases.push(Phase {
                name,
                began: at,
                ended: is_over.then_some(until),
                status: is_over.then_some(status),
            });
            if !is_over {
                return (phases, None);
            }
            if status != "SUCCEEDED" {
                end = end.or(Some(status));
            }
            if name == "QUEUED" {
                deadline = Some(add(until, self.timeout));
            }
            at = until;
        }
        phases.push(Phase { name: "COMPLETED", began: at, ended: None, status: None });
        (phases, end.or(Some("SUCCEEDED")))
    }

    /// When the build failed, if it has failed by `now`.
    pub(crate) fn failed_at(&self, now: Timestamp) -> Option<Timestamp> {
        let (phases, end) = self.phases(now);
        phases.last().filter(|_| end == Some("FAILED")).map(|phase| phase.began)
    }

    /// The build in the form of `BatchGetBuilds`.
    pub(crate) fn written(&self, place: &AccountRegion, now: Timestamp) -> Value {
        let (phases, end) = self.phases(now);
        let current = phases.last().map_or("SUBMITTED", |phase| phase.name);
        let has_log = phases.iter().any(|phase| phase.name == "DOWNLOAD_SOURCE");
        let finished = phases.last().filter(|_| end.is_some()).map(|phase| epoch(phase.began));
        let shown: Vec<Value> = phases
            .iter()
            .map(|phase| {
                let took = phase.ended.map(|ended| ended.duration_since(phase.began).as_secs());
                let failed = phase.status.is_some_and(|status| status == "FAILED");
                let message = "Error while executing command: make deploy. Reason: exit status 2";
                json!({
                    "phaseType": phase.name,
                    "phaseStatus": phase.status,
                    "startTime": epoch(phase.began),
                    "endTime": phase.ended.map(epoch),
                    "durationInSeconds": took,
                    "contexts": if failed { json!([{"statusCode": "COMMAND_EXECUTION_ERROR", "message": message}]) } else { json!([]) },
                })
            })
            .collect();
        let (group, stream) = self.log();
        let arn = |id: &String| place.arn("codebuild", &format!("build/{id}"));
        let Repetition { limit, number, previous, next } = &self.repetition;
        json!({
            "id": self.id,
            "arn": arn(&self.id),
            "autoRetryConfig": {
                "autoRetryLimit": limit,
                "autoRetryNumber": number,
                "previousAutoRetry": previous.as_ref().map(arn),
                "nextAutoRetry": next.as_ref().map(arn),
            },
            "buildNumber": self.number,
            "startTime": epoch(self.started),
            "endTime": finished,
            "currentPhase": current,
            "buildStatus": end.unwrap_or("IN_PROGRESS"),
            "buildComplete": end.is_some(),
            "projectName": self.project["name"],
            "sourceVersion": self.request["sourceVersion"],
            "phases": shown,
            "source": self.project["source"],
            "environment": self.environment(),
            "timeoutInMinutes": self.timeout.as_secs() / 60,
            "logs": {
                "groupName": has_log.then_some(group),
                "streamName": has_log.then_some(stream),
                "deepLink": format!("https://console.aws.amazon.com/cloudwatch/home?region={}", place.region),
            },
        })
    }

    /// The project's environment, with the overrides of the request.
    fn environment(&self) -> Value {
        let mut environment = self.project["environment"].clone();
        for (field, wanted) in [("image", "imageOverride"), ("computeType", "computeTypeOverride")] {
            if let Some(value) = self.request.get(wanted) {
                environment[field] = value.clone();
            }
        }
        let mut variables = environment["environmentVariables"].as_array().cloned().unwrap_or_default();
        for variable in self.request["environmentVariablesOverride"].as_array().into_iter().flatten() {
            variables.retain(|other| other["name"] != variable["name"]);
            variables.push(variable.clone());
        }
        environment["environmentVariables"] = json!(variables);
        environment
    }

    /// The names of the build's log group and log stream.
    pub(crate) fn log(&self) -> (String, String) {
        let (project, stream) = self.id.split_once(':').unwrap_or((&self.id, ""));
        let group = self.project["logsConfig"]["cloudWatchLogs"]["groupName"].as_str();
        (group.map_or_else(|| format!("/aws/codebuild/{project}"), str::to_owned), stream.to_owned())
    }

    /// The lines that the build has logged by `now`.
    pub(crate) fn lines(&self, now: Timestamp) -> Vec<Line> {
        let (phases, _) = self.phases(now);
        let mut lines = Vec::new();
        let of_container = phases.into_iter().skip_while(|phase| phase.name != "DOWNLOAD_SOURCE");
        for phase in of_container.filter(|phase| phase.name != "COMPLETED") {
            lines
                .push(Line { at: phase.began, text: format!("[Container] Entering phase {}\n", phase.name) });
            if let (Some(at), Some(status)) = (phase.ended, phase.status) {
                let text = format!("[Container] Phase complete: {} State: {status}\n", phase.name);
                lines.push(Line { at, text });
            }
        }
        lines
    }
}
