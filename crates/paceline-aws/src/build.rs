//! Starts, follows and stops builds of a CodeBuild project, and reads their logs.
//!
//! The models of these services speak CBOR and JSON, but the SDK still sends `application/x-amz-json-1.1`
//! to both: `aws-sdk-codebuild` 1.145 by its default protocol, `aws-sdk-cloudwatchlogs` 1.162 by the only one
//! that it has. The simulator reads nothing else.

use std::time::{Duration, UNIX_EPOCH};

use aws_sdk_codebuild::types::{
    Build, BuildPhase as Phase, ComputeType, EnvironmentVariable, EnvironmentVariableType,
    ProjectEnvironment, StatusType,
};
use aws_smithy_async::time::{SharedTimeSource, SystemTimeSource};
use paceline_engine::event::BuildPhase;
use paceline_text::to_the_millisecond;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::call::Caller;
use crate::error::{AwsError, ErrorKind, code};
use crate::sdk::Wire;
use crate::session::Sessions;

/// The shortest and the longest pause between two reads of a build. The pause is short soon after something
/// has happened.
const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);
const LONGEST_INTERVAL: Duration = Duration::from_secs(6);
/// The pause is the time without news, divided by this.
const QUIET_PARTS: u32 = 10;
/// The time for which the log of an ended build is still read. The last lines may reach the log late.
const LAST_WORDS: Duration = Duration::from_secs(4);
/// The greatest number of pages of a log that are read in one round. The next round reads the rest.
const PAGES_AT_ONCE: usize = 20;
/// The time for which a build that cannot be read is read again.
const HOPE: Duration = Duration::from_mins(15);
/// The most times that CodeBuild repeats a build (API reference, `autoRetryLimit`).
const MOST_REPETITIONS: usize = 10;
/// The time limit for reading the build that this is a part of. It must not delay a deployment.
const PATIENCE: Duration = Duration::from_secs(10);

/// Starts and reads builds.
#[derive(Debug)]
pub struct Builds {
    client: aws_sdk_codebuild::Client,
    logs: aws_sdk_cloudwatchlogs::Client,
    caller: Caller,
    region: String,
    time: SharedTimeSource,
}

/// A build to start. Values that are not set are those of the project.
#[derive(Debug, Clone, Default)]
pub struct BuildRequest {
    /// The name of the project.
    pub project: String,
    /// Variables that are added to those of the project or replace them.
    pub environment: Vec<(String, String)>,
    /// A branch, a commit, a tag, or a version of the source's object.
    pub source_version: Option<String>,
    /// The build image.
    pub image: Option<String>,
    /// The compute type, as the API calls it.
    pub compute: Option<String>,
    pub timeout_minutes: Option<u32>,
    /// Two starts with the same token within minutes start one build.
    pub token: Option<String>,
}

/// Something that happened in a build.
#[derive(Debug, Clone, PartialEq)]
pub enum BuildNews {
    /// A phase has begun.
    Began(String),
    /// A phase has ended. The texts are the messages of its contexts.
    Ended(BuildPhase, Vec<String>),
    /// A line of the log.
    Line(String),
    /// The build cannot be read now, or its log cannot be read.
    Problem(String),
}

/// The end of a build.
#[derive(Debug, Clone, PartialEq)]
pub struct BuildEnd {
    /// The status, as CodeBuild calls it: `SUCCEEDED`, `FAILED`, `FAULT`, `TIMED_OUT`, `STOPPED`.
    pub status: String,
    /// The phases of the build.
    pub phases: Vec<BuildPhase>,
}

/// A build that is in progress.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CurrentBuild {
    /// Its phases so far.
    pub phases: Vec<BuildPhase>,
    /// The id of the failed build that CodeBuild repeats with this one by itself.
    pub repeats: Option<String>,
    /// Its account and region.
    pub place: Option<(String, String)>,
    /// The fields of `StartBuild` that start a build of the same source, with the same buildspec and variables.
    pub again: Value,
}

impl Builds {
    /// `region` is used if neither the environment nor the profile names one.
    pub async fn connect(wire: &Wire, region: &str) -> Result<Self, AwsError> {
        let sessions = Sessions::open(wire, region).await?;
        let (config, caller) = (sessions.base(), sessions.caller(&sessions.here()));
        let time = config.time_source().unwrap_or_else(|| SharedTimeSource::new(SystemTimeSource::new()));
        let client = aws_sdk_codebuild::Client::new(config);
        let logs = aws_sdk_cloudwatchlogs::Client::new(config);
        Ok(Self { client, logs, caller, region: sessions.region(), time })
    }

    /// The region of the builds.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Starts a build and returns its id.
    pub async fn start(&self, request: &BuildRequest) -> Result<String, AwsError> {
        let incomplete = |error| AwsError::setup(format!("a variable is incomplete: {error}"));
        let mut call = self
            .client
            .start_build()
            .project_name(&request.project)
            .set_source_version(request.source_version.clone())
            .set_image_override(request.image.clone())
            .set_compute_type_override(request.compute.as_deref().map(ComputeType::from))
            .set_timeout_in_minutes_override(
                request.timeout_minutes.map(|m| i32::try_from(m).unwrap_or(i32::MAX)),
            )
            // A call without an answer is sent again. The token prevents that this starts a second build.
            .idempotency_token(request.token.clone().unwrap_or_else(|| self.fresh_token()));
        for (name, value) in &request.environment {
            let variable = EnvironmentVariable::builder().name(name).value(value);
            let variable = variable.r#type(EnvironmentVariableType::Plaintext).build().map_err(incomplete)?;
            call = call.environment_variables_override(variable);
        }
        let started = self.caller.at_first().call("StartBuild", || call.clone().send()).await;
        let answer = started.map_err(|error| {
            if error.is(code::RESOURCE_NOT_FOUND) {
                return error.hint("create the project first: paceline project apply");
            }
            error
        })?;
        let id = answer.build_value().and_then(Build::id).map(str::to_owned);
        id.ok_or_else(|| AwsError::setup("StartBuild answered without a build").during("StartBuild"))
    }

    /// Asks for a build to be stopped.
    pub async fn stop(&self, id: &str) -> Result<(), AwsError> {
        self.caller.call("StopBuild", || self.client.stop_build().id(id).send()).await.map(drop)
    }

    /// A build that is in progress. `id` may be the id of the build that this process is a part of.
    pub async fn current(&self, id: &str) -> Result<CurrentBuild, AwsError> {
        let asked = tokio::time::timeout(PATIENCE, self.get(id)).await;
        let build = asked.map_err(|_| no_answer())??;
        let (phases, repeats) = (self.phases_of(&build), repeats(&build));
        Ok(CurrentBuild { phases, repeats, place: place_of(&build), again: again(&build) })
    }

    /// A build that CodeBuild has repeated, and those that it repeats itself, the last one first.
    pub async fn repeated(&self, id: &str) -> Result<Vec<String>, AwsError> {
        let asked = async {
            let mut builds = vec![id.to_owned()];
            while let (Some(last), ..=MOST_REPETITIONS) = (builds.last(), builds.len()) {
                let Some(earlier) = repeats(&self.get(last).await?) else { break };
                builds.push(earlier);
            }
            Ok(builds)
        };
        tokio::time::timeout(PATIENCE, asked).await.map_err(|_| no_answer())?
    }

    /// Follows a build to its end. A failed read says nothing about the build, so the build is read again for
    /// some minutes.
    pub async fn follow(&self, id: &str, mut hear: impl FnMut(BuildNews)) -> Result<BuildEnd, AwsError> {
        let mut log = Log { client: &self.logs, next: None, is_readable: true };
        let mut seen = Vec::new();
        let (mut news_at, mut failing) = (Instant::now(), None::<Instant>);
        loop {
            let build = match self.get(id).await {
                Ok(build) => build,
                Err(error) if error.is_transient() && failing.is_none_or(|since| since.elapsed() < HOPE) => {
                    if failing.is_none() {
                        failing = Some(Instant::now());
                        hear(BuildNews::Problem(format!("{error}; looking again")));
                    }
                    tokio::time::sleep(LONGEST_INTERVAL).await;
                    continue;
                }
                Err(error) => return Err(error),
            };
            failing = None;
            let is_complete = build.build_complete();
            let mut heard = self.changes(&build, &mut seen, &mut hear);
            heard |= log.read(&build, &mut hear).await;
            if is_complete {
                tokio::time::sleep(LAST_WORDS).await;
                log.read(&build, &mut hear).await;
                let status = build.build_status().map_or("FAULT", StatusType::as_str).to_owned();
                return Ok(BuildEnd { status, phases: self.phases_of(&build) });
            }
            if heard {
                news_at = Instant::now();
            }
            let interval = news_at.elapsed() / QUIET_PARTS;
            tokio::time::sleep(interval.clamp(SHORTEST_INTERVAL, LONGEST_INTERVAL)).await;
        }
    }

    /// Reports the changes of the phases of a build. Returns whether there were any.
    fn changes(
        &self,
        build: &Build,
        seen: &mut Vec<(String, bool)>,
        hear: &mut impl FnMut(BuildNews),
    ) -> bool {
        let mut heard = false;
        let phases = build.phases().iter().filter(|phase| !is_end(phase));
        for (number, (phase, news)) in phases.zip(self.phases_of(build)).enumerate() {
            let has_ended = news.status.is_some();
            match seen.get_mut(number) {
                Some((_, ended)) if *ended || !has_ended => continue,
                Some((_, ended)) => *ended = true,
                None => {
                    seen.push((news.name.clone(), has_ended));
                    if !has_ended {
                        hear(BuildNews::Began(news.name.clone()));
                    }
                }
            }
            heard = true;
            if has_ended {
                let said = phase.contexts().iter().filter_map(|context| context.message());
                let said = said.filter(|message| !message.is_empty()).map(str::to_owned).collect();
                hear(BuildNews::Ended(news, said));
            }
        }
        heard
    }

    fn phases_of(&self, build: &Build) -> Vec<BuildPhase> {
        let now = self.time.now().duration_since(UNIX_EPOCH).map_or(0.0, |now| now.as_secs_f64());
        build.phases().iter().filter(|phase| !is_end(phase)).map(|phase| phase_at(phase, now)).collect()
    }

    /// A token that no other call has.
    fn fresh_token(&self) -> String {
        let now = self.time.now().duration_since(UNIX_EPOCH).unwrap_or_default();
        format!("paceline-{}-{}", now.as_nanos(), std::process::id())
    }

    async fn get(&self, id: &str) -> Result<Build, AwsError> {
        let send = || self.client.batch_get_builds().ids(id).send();
        // The caller that follows a build reads it again, and reports the error.
        let answer = self.caller.within(Duration::ZERO).call("BatchGetBuilds", send).await?;
        let missing =
            || AwsError { kind: ErrorKind::Refused, ..AwsError::setup(format!("there is no build {id}")) };
        answer.builds().first().cloned().ok_or_else(|| missing().during("BatchGetBuilds"))
    }
}

fn no_answer() -> AwsError {
    AwsError::setup("no answer in time").during("BatchGetBuilds")
}

/// The account and region of a build.
fn place_of(build: &Build) -> Option<(String, String)> {
    // arn:aws:codebuild:us-east-1:111111111111:build/shop:1f2e…
    let mut parts = build.arn()?.split(':').skip(3).map(str::to_owned);
    let (region, account) = (parts.next()?, parts.next()?);
    Some((account, region))
}

/// The fields of `StartBuild` that start the same build again.
fn again(build: &Build) -> Value {
    let mut again = json!({});
    if let Some(version) = build.resolved_source_version().or_else(|| build.source_version()) {
        again["sourceVersion"] = json!(version);
    }
    if let Some(buildspec) = build.source().and_then(|source| source.buildspec()) {
        again["buildspecOverride"] = json!(buildspec);
    }
    let variables = build.environment().map(ProjectEnvironment::environment_variables).unwrap_or_default();
    let variables = variables.iter().map(|variable| {
        let kind = variable.r#type().map_or("PLAINTEXT", EnvironmentVariableType::as_str);
        json!({ "name": variable.name(), "value": variable.value(), "type": kind })
    });
    again["environmentVariablesOverride"] = variables.collect();
    again
}

/// The id of the failed build that CodeBuild repeats with this one by itself. `None` for a build that a person, a webhook
/// or a schedule has started.
fn repeats(build: &Build) -> Option<String> {
    let arn = build.auto_retry_config()?.previous_auto_retry()?;
    // arn:aws:codebuild:us-east-1:111111111111:build/shop:1f2e…
    arn.split_once(":build/").map(|(_, id)| id.to_owned())
}

/// Returns whether this is the last entry of the phases. It is no phase, but says that the build is over.
fn is_end(phase: &Phase) -> bool {
    phase.phase_type().is_some_and(|name| name.as_str() == "COMPLETED")
}

fn phase_at(phase: &Phase, now: f64) -> BuildPhase {
    let seconds = |at: Option<&aws_smithy_types::DateTime>| at.map(aws_smithy_types::DateTime::as_secs_f64);
    let since = seconds(phase.start_time());
    let until = seconds(phase.end_time()).unwrap_or(now);
    #[expect(clippy::cast_precision_loss, reason = "a build takes hours at most")]
    let ended = phase.duration_in_seconds().map(|whole| whole as f64);
    let took = ended.or_else(|| Some(until - since?)).unwrap_or_default().max(0.0);
    BuildPhase {
        name: phase.phase_type().map_or_else(String::new, |name| name.as_str().to_owned()),
        status: phase
            .phase_status()
            .filter(|it| **it != StatusType::InProgress)
            .map(|it| it.as_str().to_owned()),
        duration_s: to_the_millisecond(took),
    }
}

/// The log of a build. Each read continues where the previous one stopped.
struct Log<'a> {
    client: &'a aws_sdk_cloudwatchlogs::Client,
    next: Option<String>,
    is_readable: bool,
}

impl Log<'_> {
    /// Reads new lines. Returns whether there were any.
    async fn read(&mut self, build: &Build, hear: &mut impl FnMut(BuildNews)) -> bool {
        let place = build.logs().and_then(|logs| Some((logs.group_name()?, logs.stream_name()?)));
        let Some((group, stream)) = place.filter(|_| self.is_readable) else { return false };
        let mut heard = false;
        for _ in 0..PAGES_AT_ONCE {
            let call = self.client.get_log_events().log_group_name(group).log_stream_name(stream);
            let answer = call.start_from_head(true).set_next_token(self.next.clone()).send().await;
            let answer = match answer.map_err(|error| AwsError::of("GetLogEvents", &error)) {
                Ok(answer) => answer,
                Err(error) => {
                    // The stream may be created soon, or the next call may succeed.
                    let may_come = error.is(code::RESOURCE_NOT_FOUND);
                    if !(may_come || error.is_transient()) {
                        self.is_readable = false;
                        let link = build.logs().and_then(|logs| logs.deep_link()).unwrap_or(group);
                        let what = format!("the log cannot be read ({error}): {link}");
                        hear(BuildNews::Problem(what));
                    }
                    return heard;
                }
            };
            for event in answer.events() {
                heard = true;
                hear(BuildNews::Line(event.message().unwrap_or_default().to_owned()));
            }
            // If the token is the same again, there is nothing more for now.
            let next = answer.next_forward_token().map(str::to_owned);
            if next.is_none() || next == self.next {
                break;
            }
            self.next = next;
        }
        heard
    }
}
