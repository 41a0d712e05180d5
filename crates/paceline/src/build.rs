//! `paceline project start`: a build, from its start to its end; and the build that a run is a part of.

use std::time::Duration;

use paceline_aws::{BuildEnd, BuildNews, BuildRequest, Builds, PreflightError};
use paceline_engine::event::BuildPhases;
use paceline_engine::exit;
use paceline_report::{build_phases, log_line, phase_title};

use crate::cli::StartArgs;
use crate::failure::Failure;
use crate::generation::generation;
use crate::{interrupt, load, terminal};

/// The variable in which CodeBuild tells a build its id.
pub(crate) const BUILD_ID: &str = "CODEBUILD_BUILD_ID";

pub(crate) fn run(args: &StartArgs) -> Result<u8, Failure> {
    let named = |app: load::App| {
        let plan = app.plan(&app.options_for_all_regions())?;
        let generation = generation(&app, &plan, &args.generated)?;
        Ok((generation.name, generation.regions.into_iter().next()))
    };
    let (name, region) = match (load::app(&args.generated.app).and_then(named), &args.generated.name) {
        (Ok(named), _) => named,
        // Who knows the project's name needs no app here.
        (Err(_), Some(name)) => (name.clone(), None),
        (Err(failure), None) => return Err(failure),
    };
    let region = region.as_deref().unwrap_or("us-east-1");
    interrupt::as_long_as_there_is_time("a build was being started", follow(args, &name, region))?
}

async fn follow(args: &StartArgs, project: &str, region: &str) -> Result<u8, Failure> {
    let connected = Box::pin(interrupt::stoppable(Builds::connect(&terminal::wire(), region))).await?;
    let builds = connected.map_err(PreflightError::from)?;
    let minutes = |timeout: Duration| u32::try_from(timeout.as_secs().div_ceil(60)).unwrap_or(u32::MAX);
    let request = BuildRequest {
        project: project.to_owned(),
        environment: args.env.clone(),
        source_version: args.source_version.clone(),
        image: args.image.as_ref().map(ToString::to_string),
        compute: args.compute.map(|compute| compute.as_str().to_owned()),
        timeout_minutes: args.timeout.map(minutes),
        token: args.idempotency_token.clone(),
    };
    let started = Box::pin(interrupt::stoppable(builds.start(&request))).await.map_err(|failure| {
        let message = format!("{} The build may have started.", failure.first());
        Failure::interrupted(message)
    })?;
    let id = started.map_err(PreflightError::from)?;
    terminal::say(&format!("started the build {id} in {}", builds.region()));
    let how_to_stop = format!("stop it: aws codebuild stop-build --region {} --id {id}", builds.region());
    let followed = Box::pin(builds.follow(&id, say));
    tokio::pin!(followed);
    let stop = interrupt::stop();
    let ended = tokio::select! {
        ended = &mut followed => ended,
        () = stop.requested() => {
            if !args.stop_on_interrupt {
                terminal::say(&format!("the build {id} goes on\n hint: {how_to_stop}"));
                return Ok(exit::INTERRUPTED);
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
                    terminal::say(&format!("{message}\n hint: if it goes on, {how_to_stop}"));
                    return Ok(exit::INTERRUPTED);
                }
            }
        }
    };
    match ended {
        Ok(end) => Ok(tell(&id, &end)),
        Err(trouble) => {
            let message =
                format!("the build {id} cannot be followed any more, and goes on: {}", trouble.message);
            Err(Failure::usage(message, how_to_stop).with_exit_code(exit::INTERRUPTED))
        }
    }
}

/// What is new in the build: its log is what was asked for, all else is beside.
fn say(news: BuildNews) {
    match news {
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
        BuildNews::Trouble(what) => terminal::warn(&what),
    }
}

fn tell(id: &str, end: &BuildEnd) -> u8 {
    let table = build_phases(&end.phases, terminal::stderr_style());
    terminal::say_painted(&format!("the build {id}: {}\n{}", phase_title(&end.status), table.trim_end()));
    match end.status.as_str() {
        "SUCCEEDED" => exit::DONE,
        "STOPPED" => exit::INTERRUPTED,
        _ => exit::FAILED,
    }
}

/// The phases so far of the build that this process is a part of, if it is a part of one. They are told in the
/// run's reports; not to know them stops nothing.
pub(crate) async fn own() -> Option<BuildPhases> {
    let id = std::env::var(BUILD_ID).ok().filter(|id| !id.is_empty())?;
    let asked = async { Builds::connect(&terminal::wire(), "us-east-1").await?.phases(&id).await };
    match asked.await {
        Ok(phases) => Some(BuildPhases { build: id, phases }),
        Err(trouble) => {
            let message = trouble.message;
            terminal::note(&format!(
                "the phases of this build are not known, and not in the reports: {message}; its role needs codebuild:BatchGetBuilds"
            ));
            None
        }
    }
}
