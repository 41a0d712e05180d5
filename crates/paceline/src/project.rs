//! `paceline project`: the generated CodeBuild project and the live one.

use paceline_aws::{Applied, PreflightError, Projects, Wire};
use paceline_buildspec::generate;
use paceline_buildspec::project::Project;
use paceline_engine::exit;

use crate::cli::{ProjectArgs, ProjectCommand};
use crate::failure::Failure;
use crate::generate::generation;
use crate::load;
use crate::run::runtime;
use crate::terminal;

pub(crate) fn run(args: &ProjectArgs) -> Result<u8, Failure> {
    let (ProjectCommand::Diff { generated } | ProjectCommand::Apply { generated, .. }) = &args.command;
    let app = load::app(&generated.app)?;
    let plan = app.plan(&app.options_for_all_regions())?;
    let generation = generation(&app, &plan, generated)?;
    let files = generate(&generation).map_err(|error| Failure::with_own_hint(&error))?;
    let wanted: Project = files
        .iter()
        .find(|file| file.path.ends_with(".project.json"))
        .and_then(|file| serde_json::from_str(&file.contents).ok())
        .ok_or_else(|| {
            Failure::usage("no project was generated", "this is a bug in paceline, please report it")
        })?;
    let region = generation.regions.first().map_or("us-east-1", String::as_str);
    runtime()?.block_on(perform(&args.command, &wanted, region))
}

async fn perform(command: &ProjectCommand, wanted: &Project, region: &str) -> Result<u8, Failure> {
    let projects = Projects::connect(&Wire::default(), region).await.map_err(PreflightError::from)?;
    let name = &wanted.name;
    match command {
        ProjectCommand::Diff { .. } => {
            let Some(differences) = projects.diff(wanted).await.map_err(PreflightError::from)? else {
                terminal::say(&format!(
                    "the project {name} is not there\n hint: run: paceline project apply"
                ));
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
        ProjectCommand::Apply { service_role, .. } => {
            let applied = Box::pin(projects.apply(wanted, service_role.as_deref())).await;
            let applied = applied.map_err(PreflightError::from)?;
            terminal::say(&match applied {
                Applied::Created => format!("created the project {name}"),
                Applied::Updated => format!("updated the project {name}"),
                Applied::Unchanged => format!("the project {name} is as generated"),
            });
            Ok(exit::DONE)
        }
    }
}
