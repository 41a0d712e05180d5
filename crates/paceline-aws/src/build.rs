//! A build of a CodeBuild project: started, followed with its log, stopped.
//!
//! The models of these services speak CBOR and JSON, but the SDK still sends `application/x-amz-json-1.1`
//! to both: `aws-sdk-codebuild` 1.145 by its default protocol, `aws-sdk-cloudwatchlogs` 1.162 by the only one
//! that it has. The simulator reads nothing else.

use std::time::{Duration, UNIX_EPOCH};

use aws_sdk_codebuild::types::{
    Build, BuildPhase as Phase, ComputeType, EnvironmentVariable, EnvironmentVariableType, StatusType,
};
use aws_smithy_async::time::{SharedTimeSource, SystemTimeSource};
use paceline_engine::event::BuildPhase;
use tokio::time::Instant;

use crate::call::Caller;
use crate::error::{AwsError, ErrorKind, code};
use crate::sdk::Wire;
use crate::session::Sessions;

/// From one look at a build to the next, soon after something has happened in it; and when nothing has for long.
const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);
const LONGEST_INTERVAL: Duration = Duration::from_secs(6);
/// The interval is one part in so many of the time without news.
const QUIET_PARTS: u32 = 10;
/// What a build wrote last may reach its log a little later than its end is known.
const LAST_WORDS: Duration = Duration::from_secs(4);
/// A log that fills faster than it is read is read on in the next round.
const PAGES_AT_ONCE: usize = 20;
/// For how long a build that cannot be looked at is looked at again.
const HOPE: Duration = Duration::from_mins(15);
/// Asking for the own build must not hold up a deployment.
const PATIENCE: Duration = Duration::from_secs(10);

/// Starts builds and looks at them.
#[derive(Debug)]
pub struct Builds {
    client: aws_sdk_codebuild::Client,
    logs: aws_sdk_cloudwatchlogs::Client,
    caller: Caller,
    region: String,
    time: SharedTimeSource,
}

/// A build to start. What is not given is as the project has it.
#[derive(Debug, Clone, Default)]
pub struct BuildRequest {
    /// The name of the project.
    pub project: String,
    /// Variables on top of the project's.
    pub environment: Vec<(String, String)>,
    /// A branch, a commit, a tag, or a version of the source's object.
    pub source_version: Option<String>,
    /// The build image.
    pub image: Option<String>,
    /// The compute type, in the API's words.
    pub compute: Option<String>,
    /// The timeout.
    pub timeout_minutes: Option<u32>,
    /// Starting a build twice with one token, within minutes, starts one build.
    pub token: Option<String>,
}

/// Something that happened in a build.
#[derive(Debug, Clone, PartialEq)]
pub enum BuildNews {
    /// A phase has begun.
    Began(String),
    /// A phase has ended, with what was said of it.
    Ended(BuildPhase, Vec<String>),
    /// A line of its log.
    Line(String),
    /// It cannot be looked at, or its log cannot be read, for now or for good.
    Problem(String),
}

/// How a build ended.
#[derive(Debug, Clone, PartialEq)]
pub struct BuildEnd {
    /// In CodeBuild's words: `SUCCEEDED`, `FAILED`, `FAULT`, `TIMED_OUT`, `STOPPED`.
    pub status: String,
    /// Its phases.
    pub phases: Vec<BuildPhase>,
}

impl Builds {
    /// `region` is used where neither the environment nor the profile names one.
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

    /// Starts a build and gives its id.
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
            // What got no answer is sent again: that must not start a second build.
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

    /// The phases of a build so far; those of the build that this is a part of, with its own id.
    pub async fn phases(&self, id: &str) -> Result<Vec<BuildPhase>, AwsError> {
        let asked = tokio::time::timeout(PATIENCE, self.get(id)).await;
        let build = asked.map_err(|_| AwsError::setup("no answer in time").during("BatchGetBuilds"))??;
        Ok(self.told(&build))
    }

    /// Follows a build to its end. A look that fails says nothing about the build: it is looked at again, for some
    /// minutes.
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
                return Ok(BuildEnd { status, phases: self.told(&build) });
            }
            if heard {
                news_at = Instant::now();
            }
            let interval = news_at.elapsed() / QUIET_PARTS;
            tokio::time::sleep(interval.clamp(SHORTEST_INTERVAL, LONGEST_INTERVAL)).await;
        }
    }

    /// Tells of what is new among a build's phases; whether there was anything.
    fn changes(
        &self,
        build: &Build,
        seen: &mut Vec<(String, bool)>,
        hear: &mut impl FnMut(BuildNews),
    ) -> bool {
        let mut heard = false;
        let phases = build.phases().iter().filter(|phase| !is_end(phase));
        for (number, (phase, told)) in phases.zip(self.told(build)).enumerate() {
            let has_ended = told.status.is_some();
            match seen.get_mut(number) {
                Some((_, ended)) if *ended || !has_ended => continue,
                Some((_, ended)) => *ended = true,
                None => {
                    seen.push((told.name.clone(), has_ended));
                    if !has_ended {
                        hear(BuildNews::Began(told.name.clone()));
                    }
                }
            }
            heard = true;
            if has_ended {
                let said = phase.contexts().iter().filter_map(|context| context.message());
                let said = said.filter(|message| !message.is_empty()).map(str::to_owned).collect();
                hear(BuildNews::Ended(told, said));
            }
        }
        heard
    }

    fn told(&self, build: &Build) -> Vec<BuildPhase> {
        let now = self.time.now().duration_since(UNIX_EPOCH).map_or(0.0, |now| now.as_secs_f64());
        build.phases().iter().filter(|phase| !is_end(phase)).map(|phase| told(phase, now)).collect()
    }

    /// A token that no other call has.
    fn fresh_token(&self) -> String {
        let now = self.time.now().duration_since(UNIX_EPOCH).unwrap_or_default();
        format!("paceline-{}-{}", now.as_nanos(), std::process::id())
    }

    async fn get(&self, id: &str) -> Result<Build, AwsError> {
        let send = || self.client.batch_get_builds().ids(id).send();
        // The caller that follows a build asks again, and reports it.
        let answer = self.caller.within(Duration::ZERO).call("BatchGetBuilds", send).await?;
        let missing =
            || AwsError { kind: ErrorKind::Refused, ..AwsError::setup(format!("there is no build {id}")) };
        answer.builds().first().cloned().ok_or_else(|| missing().during("BatchGetBuilds"))
    }
}

/// The last phase is no phase: it says that the build is over.
fn is_end(phase: &Phase) -> bool {
    phase.phase_type().is_some_and(|name| name.as_str() == "COMPLETED")
}

fn told(phase: &Phase, now: f64) -> BuildPhase {
    let seconds = |at: Option<&aws_smithy_types::DateTime>| at.map(aws_smithy_types::DateTime::as_secs_f64);
    let since = seconds(phase.start_time());
    let until = seconds(phase.end_time()).unwrap_or(now);
    #[expect(clippy::cast_precision_loss, reason = "a build takes hours at most")]
    let told = phase.duration_in_seconds().map(|whole| whole as f64);
    let took = told.or_else(|| Some(until - since?)).unwrap_or_default().max(0.0);
    BuildPhase {
        name: phase.phase_type().map_or_else(String::new, |name| name.as_str().to_owned()),
        status: phase
            .phase_status()
            .filter(|it| **it != StatusType::InProgress)
            .map(|it| it.as_str().to_owned()),
        duration_s: (took * 1000.0).round() / 1000.0,
    }
}

/// The log of a build, read on from where it was left.
struct Log<'a> {
    client: &'a aws_sdk_cloudwatchlogs::Client,
    next: Option<String>,
    is_readable: bool,
}

impl Log<'_> {
    /// Reads what is new; whether there was anything.
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
                    // A stream that is about to be made, or a call that may succeed the next time.
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
            // The same token again means that there is nothing more for now.
            let next = answer.next_forward_token().map(str::to_owned);
            if next.is_none() || next == self.next {
                break;
            }
            self.next = next;
        }
        heard
    }
}
