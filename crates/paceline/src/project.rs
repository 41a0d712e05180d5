//! `paceline project`: the generated CodeBuild project and the live one.

use paceline_aws::{Applied, PreflightError, Projects};
use paceline_buildspec::generate;
use paceline_buildspec::project::Project;
use paceline_engine::exit;

use crate::cli::{GeneratedArgs, ProjectArgs, ProjectCommand};
use crate::failure::Failure;
use crate::generation::{generation, refused};
use crate::{build, interrupt, load, terminal};

pub(crate) fn run(args: &ProjectArgs) -> Result<u8, Failure> {
    match &args.command {
        ProjectCommand::Diff { generated } => {
            let (wanted, region) = wanted(generated)?;
            interrupt::until_stopped("projects were being compared", diff(&wanted, &region))?
        }
        ProjectCommand::Apply { generated, service_role } => {
            let (wanted, region) = wanted(generated)?;
            let applied = apply(&wanted, service_role.as_deref(), &region);
            interrupt::until_stopped("the project was being written", applied)?
        }
        ProjectCommand::Start(args) => build::run(args),
    }
}

/// The generated project, and the region it belongs in if nothing else says so.
fn wanted(generated: &GeneratedArgs) -> Result<(Project, String), Failure> {
    let app = load::app(&generated.app)?;
    let plan = app.plan(&app.options_for_all_regions())?;
    let generation = generation(&app, &plan, generated)?;
    let wanted = generate::project(&generation).map_err(|error| refused(&app, &error))?;
    let region = generation.regions.into_iter().next();
    Ok((wanted, region.unwrap_or_else(|| "us-east-1".to_owned())))
}

async fn diff(wanted: &Project, region: &str) -> Result<u8, Failure> {
    let projects = Projects::connect(&terminal::wire(), region).await.map_err(PreflightError::from)?;
    let name = &wanted.name;
    let Some(differences) = projects.diff(wanted).await.map_err(PreflightError::from)? else {
        terminal::say(&format!("the project {name} is not there\n hint: run: paceline project apply"));
        return Ok(exit::STALE);
    };
    for difference in &differences {
        let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "not set".to_owned());
        let (live, wanted) = (shown(&difference.live), shown(&difference.wanted));
        terminal::print(&format!("{}: {live} -> {wanted}\n", difference.field));
    }
    if differences.is_empty() {
        terminal::say(&format!("the project {name} is as generated"));
        return Ok(exit::DONE);
    }
    terminal::say(&format!(
        "the project {name} differs in {} fields\n hint: run: paceline project apply",
        differences.len()
    ));
    Ok(exit::STALE)
}

async fn apply(wanted: &Project, service_role: Option<&str>, region: &str) -> Result<u8, Failure> {
    let projects = Projects::connect(&terminal::wire(), region).await.map_err(PreflightError::from)?;
    let applied = Box::pin(projects.apply(wanted, service_role)).await.map_err(PreflightError::from)?;
    let name = &wanted.name;
    terminal::say(&match applied {
        Applied::Created => format!("created the project {name}"),
        Applied::Updated => format!("updated the project {name}"),
        Applied::Unchanged => format!("the project {name} is as generated"),
    });
    Ok(exit::DONE)
}
