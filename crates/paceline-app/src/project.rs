//! `paceline project`: compares the generated CodeBuild project with the live one, creates or updates it, starts builds.

use std::time::Duration;

use clap::Subcommand;
use paceline_aws::{Applied, BuildRequest, PreflightError, Projects};
use paceline_buildspec::generate;
use paceline_buildspec::project::Project;
use paceline_engine::ExitCode;

use crate::app::configured;
use crate::build::follow;
use crate::failure::Failure;
use crate::generation::{Extras, generation, refused};
use crate::settings::{GeneratedFiles, StartSettings};
use crate::{interrupt, terminal};

/// The subcommands of `paceline project`.
#[derive(Debug, Clone, Subcommand)]
pub enum ProjectCommand {
    /// Show every field in which the live project differs, and exit with 5 if there is one
    Diff {
        #[command(flatten)]
        generated: GeneratedFiles,
    },
    /// Create or update the live project
    Apply {
        #[command(flatten)]
        generated: GeneratedFiles,
        /// The role of the builds, if the configuration names none
        #[arg(long, value_name = "ARN")]
        service_role: Option<String>,
    },
    /// Start a build, show its phases and its log, and exit with its result
    Start(Box<StartSettings>),
}

/// Compares the project, writes it, or starts a build of it.
pub fn project(command: &ProjectCommand) -> Result<ExitCode, Failure> {
    match command {
        ProjectCommand::Diff { generated } => {
            let (wanted, region) = wanted(generated)?;
            interrupt::until_stopped("projects were being compared", diff(&wanted, &region))?
        }
        ProjectCommand::Apply { generated, service_role } => {
            let (wanted, region) = wanted(generated)?;
            let applied = apply(&wanted, service_role.as_deref(), &region);
            interrupt::until_stopped("the project was being written", applied)?
        }
        ProjectCommand::Start(args) => start(args),
    }
}

/// The generated project, and the region to use if the environment names none.
fn wanted(generated: &GeneratedFiles) -> Result<(Project, String), Failure> {
    let app = configured(&generated.app)?.app(&generated.app)?;
    let plan = app.plan(&app.options_for_all_regions())?;
    let generation = generation(&app, &plan, &generated.out, generated.name.as_deref(), Extras::default())?;
    let wanted = generate::project(&generation).map_err(|error| refused(&app, error))?;
    let region = generation.regions.into_iter().next();
    Ok((wanted, region.unwrap_or_else(|| "us-east-1".to_owned())))
}

/// What to do about a project that is not as generated.
const APPLY: &str = "run: paceline project apply";

async fn diff(wanted: &Project, region: &str) -> Result<ExitCode, Failure> {
    let projects = Projects::connect(&terminal::wire(), region).await.map_err(PreflightError::from)?;
    let name = &wanted.name;
    let Some(differences) = projects.diff(wanted).await.map_err(PreflightError::from)? else {
        terminal::say_with_hint(&format!("the project {name} is not there"), APPLY);
        return Ok(ExitCode::Stale);
    };
    for difference in &differences {
        let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "not set".to_owned());
        let (live, wanted) = (shown(&difference.live), shown(&difference.wanted));
        terminal::print(&format!("{}: {live} -> {wanted}\n", difference.field));
    }
    if differences.is_empty() {
        terminal::say(&format!("the project {name} is as generated"));
        return Ok(ExitCode::Done);
    }
    terminal::say_with_hint(&format!("the project {name} differs in {} fields", differences.len()), APPLY);
    Ok(ExitCode::Stale)
}

async fn apply(wanted: &Project, service_role: Option<&str>, region: &str) -> Result<ExitCode, Failure> {
    let projects = Projects::connect(&terminal::wire(), region).await.map_err(PreflightError::from)?;
    let applied = Box::pin(projects.apply(wanted, service_role)).await.map_err(PreflightError::from)?;
    let name = &wanted.name;
    terminal::say(&match applied {
        Applied::Created => format!("created the project {name}"),
        Applied::Updated => format!("updated the project {name}"),
        Applied::Unchanged => format!("the project {name} is as generated"),
    });
    Ok(ExitCode::Done)
}

fn start(args: &StartSettings) -> Result<ExitCode, Failure> {
    let (name, region) = match (wanted(&args.generated), &args.generated.name) {
        (Ok((project, region)), _) => (project.name, region),
        // With the name of the project, no app is needed.
        (Err(_), Some(name)) => (name.clone(), "us-east-1".to_owned()),
        (Err(failure), None) => return Err(failure),
    };
    let minutes = |timeout: Duration| u32::try_from(timeout.as_secs().div_ceil(60)).unwrap_or(u32::MAX);
    let request = BuildRequest {
        project: name,
        environment: args.env.clone(),
        source_version: args.source_version.clone(),
        image: args.image.as_ref().map(ToString::to_string),
        compute: args.compute.map(|compute| compute.api_name().to_owned()),
        timeout_minutes: args.timeout.map(minutes),
        token: args.idempotency_token.clone(),
    };
    follow(&request, &region, args.stop_on_interrupt)
}
