//! Starts a CodeBuild build and follows it. Also reads the phases of the build that runs this process.

use paceline_aws::{AwsError, BuildEnd, BuildNews, BuildRequest, Builds, CurrentBuild, PreflightError};
use paceline_engine::ExitCode;
use paceline_engine::event::BuildPhases;
use paceline_report::{build_phases, log_line, phase_title};
use serde_json::Value;

use crate::failure::Failure;
use crate::settings::Format;
use crate::{interrupt, terminal};

mod line;

use self::line::BuildLine;
pub use self::line::json_schema;

/// The variable that CodeBuild sets to the id of the build.
pub(crate) const BUILD_ID: &str = "CODEBUILD_BUILD_ID";

/// The name of the project of the build that runs this process.
pub(crate) fn own_project() -> Option<String> {
    // The id is the name of the project and the number of the build: `shop:1f2e…`.
    let id = std::env::var(BUILD_ID).ok()?;
    id.split_once(':').map(|(project, _)| project.to_owned()).filter(|project| !project.is_empty())
}

/// Starts a build, follows its phases and its log, and gives the exit code for its result. `region` is used if the
/// environment names none. If this process is interrupted, `stop_on_interrupt` says whether the build stops or continues.
pub(crate) fn follow(
    request: &BuildRequest,
    region: &str,
    stop_on_interrupt: bool,
    format: Format,
) -> Result<ExitCode, Failure> {
    let followed = start_and_follow(request, region, stop_on_interrupt, format);
    interrupt::within_time_left("a build was being started", followed)?
}

async fn start_and_follow(
    request: &BuildRequest,
    region: &str,
    stop_on_interrupt: bool,
    format: Format,
) -> Result<ExitCode, Failure> {
    let connected = Box::pin(interrupt::stoppable(Builds::connect(&terminal::wire(), region))).await?;
    let builds = connected.map_err(PreflightError::from)?;
    let started = Box::pin(interrupt::stoppable(builds.start(request))).await.map_err(|failure| {
        let message = format!("{} The build may have started.", failure.first());
        Failure::interrupted(message)
    })?;
    let id = started.map_err(PreflightError::from)?;
    terminal::say(&format!("started the build {id} in {}", builds.region()));
    let how_to_stop = format!("stop it: aws codebuild stop-build --region {} --id {id}", builds.region());
    let lines = format == Format::Json;
    if lines {
        BuildLine::started(&id, builds.region()).print();
    }
    let hear = |news: BuildNews| {
        if lines {
            BuildLine::of(&id, &news).print();
        }
        say(news, format);
    };
    let followed = Box::pin(builds.follow(&id, hear));
    tokio::pin!(followed);
    let stop = interrupt::stop();
    let ended = tokio::select! {
        ended = &mut followed => ended,
        () = stop.requested() => {
            if !stop_on_interrupt {
                terminal::say_with_hint(&format!("the build {id} continues"), &how_to_stop);
                return Ok(ExitCode::Interrupted);
            }
            let stopped = async {
                builds.stop(&id).await.map_err(PreflightError::from)?;
                terminal::say(&format!("the build {id} is being stopped"));
                Ok::<_, PreflightError>(followed.await)
            };
            tokio::select! {
                ended = stopped => ended?,
                () = interrupt::time_is_up() => {
                    let message = format!("the build {id} has not been stopped yet");
                    terminal::say_with_hint(&message, &format!("if it continues, {how_to_stop}"));
                    return Ok(ExitCode::Interrupted);
                }
            }
        }
    };
    match ended {
        Ok(end) => {
            if lines {
                BuildLine::finished(&id, &end).print();
            }
            Ok(tell(&id, &end))
        }
        Err(error) => {
            let message = format!("cannot follow the build {id} any more, which continues: {error}");
            Err(Failure::usage(message, how_to_stop).with_exit_code(ExitCode::Interrupted))
        }
    }
}

/// Shows news of the build to people. Its log goes to stdout, all else to stderr.
fn say(news: BuildNews, format: Format) {
    match news {
        // The log is among the lines for programs.
        BuildNews::Line(_) if format == Format::Json => {}
        BuildNews::Line(line) => terminal::print(&format!("{}\n", log_line(&line, terminal::stdout_style()))),
        BuildNews::Began(phase) => terminal::say(&format!("phase {}", phase_title(&phase))),
        BuildNews::Ended(phase, said) => {
            let status = phase.status.as_deref().unwrap_or_default();
            if status != "SUCCEEDED" {
                terminal::say(&format!("phase {} {}", phase_title(&phase.name), phase_title(status)));
            }
            for message in said {
                terminal::say_painted(&format!("      {}", log_line(&message, terminal::stderr_style())));
            }
        }
        BuildNews::Problem(what) => terminal::warn(&what),
    }
}

fn tell(id: &str, end: &BuildEnd) -> ExitCode {
    let table = build_phases(&end.phases, terminal::stderr_style());
    terminal::say_painted(&format!("the build {id}: {}\n{}", phase_title(&end.status), table.trim_end()));
    match end.status.as_str() {
        "SUCCEEDED" => ExitCode::Done,
        "STOPPED" => ExitCode::Interrupted,
        _ => ExitCode::Failed,
    }
}

/// The build that runs this process.
#[derive(Debug, Clone)]
pub(crate) struct OwnBuild {
    /// Its phases until now, for the reports.
    pub(crate) phases: BuildPhases,
    /// The failed builds that CodeBuild repeats with this one by itself, the last one first. Empty for every other build.
    pub(crate) repeats: Vec<String>,
    /// Its account and region.
    pub(crate) place: Option<(String, String)>,
    /// The fields of `StartBuild` that start the same build again.
    pub(crate) again: Value,
}

/// What is known of the build that runs this process. If it cannot be read, a note says so and the run continues.
pub(crate) async fn own() -> Option<OwnBuild> {
    let id = std::env::var(BUILD_ID).ok().filter(|id| !id.is_empty())?;
    let asked = async {
        let builds = Builds::connect(&terminal::wire(), "us-east-1").await?;
        let current = builds.current(&id).await?;
        let repeats = match &current.repeats {
            Some(earlier) => builds.repeated(earlier).await?,
            None => Vec::new(),
        };
        let CurrentBuild { phases, place, again, .. } = current;
        Ok::<_, AwsError>(OwnBuild { phases: BuildPhases { build: id, phases }, repeats, place, again })
    };
    match asked.await {
        Ok(own) => Some(own),
        Err(error) => {
            terminal::note(&format!(
                "the phases of this build are not known, so the reports do not have them, a failed build before this one is not looked at, and the run does not sleep: {error}; the build's role needs codebuild:BatchGetBuilds"
            ));
            None
        }
    }
}
