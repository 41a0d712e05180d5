//! `paceline doctor`: looks for everything that can stop a run, before it. It changes nothing.

mod clock;
mod document;
mod finding;
mod here;
mod rights;

use std::sync::Arc;

use clap::Args;
use paceline_aws::{Aws, AwsOptions};
use paceline_engine::ExitCode;
use paceline_host::Docker;
use paceline_plan::Plan;
use paceline_text::{Explained as _, Problem};

pub use self::document::json_schema;
use self::finding::{Check, Diagnosis, Finding, Severity};
use crate::app::{App, configured};
use crate::failure::Failure;
use crate::settings::{AppPaths, Format};
use crate::{interrupt, terminal};

/// The arguments of `paceline doctor`.
#[derive(Debug, Clone, Args)]
pub struct DoctorSettings {
    #[command(flatten)]
    pub app: AppPaths,
    /// Only what can be checked on this machine, without AWS
    #[arg(long)]
    pub offline: bool,
    /// The output format
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
}

/// Checks the app, this machine and AWS. The exit code is 3 if a run would be refused.
pub fn doctor(args: &DoctorSettings) -> Result<ExitCode, Failure> {
    let app = configured(&args.app)?.app(&args.app)?;
    let plan = app.plan(&app.options(None, false))?;
    let mut diagnosis = Diagnosis::default();
    let role = rights::BuildRole::of(&app);
    let remote = async {
        let rights = async { Some(Box::pin(role.as_ref()?.lacking()).await) };
        let asked = async { tokio::join!(clock::compared(&plan), Box::pin(aws(&app, &plan)), rights) };
        tokio::join!(docker(&plan), async { if args.offline { None } else { Some(Box::pin(asked).await) } })
    };
    let (docker, remote) = interrupt::until_stopped("the app was being checked", remote)?;
    if let Some((clock, aws, rights)) = remote {
        match clock {
            Ok(clock) => diagnosis.add(clock),
            Err(error) => diagnosis.leave_out(Check::Clock, error.to_string()),
        }
        diagnosis.add(aws);
        match (rights, &role) {
            (Some(Ok(lacking)), _) => diagnosis.add(lacking),
            (Some(Err(error)), Some(role)) => {
                diagnosis.leave_out(Check::Build, format!("the rights of {}: {error}", role.arn));
            }
            _ => {}
        }
    } else {
        diagnosis.leave_out(Check::Clock, "because of --offline");
        diagnosis.leave_out(Check::Aws, "roles, bootstrap and quotas, because of --offline");
    }
    // An asset may be published already. Only AWS knows: if it could be asked, it has the last word.
    if args.offline || diagnosis.number(Severity::Error) > 0 {
        diagnosis.add(here::assets(&app, &plan));
        diagnosis.add(docker);
    }
    diagnosis.add(here::app(&app, &plan));
    diagnosis.add(here::templates(&app, &plan));
    diagnosis.add(here::disk(&plan));
    diagnosis.add(here::plan(&plan));
    diagnosis.add(here::build(&app)?);
    diagnosis.add(here::secrets(&app));
    diagnosis.sort();
    args.format.print(|| Ok(diagnosis.text(terminal::page_style())), || Ok(diagnosis.json()))?;
    Ok(if diagnosis.number(Severity::Error) > 0 { ExitCode::Refused } else { ExitCode::Done })
}

/// Whether docker can build the images of the plan.
async fn docker(plan: &Plan) -> Option<Finding> {
    if plan.images() == 0 {
        return None;
    }
    let error = Docker::new(None).is_missing().await?;
    let problem = Problem {
        place: None,
        message: format!("the app has images to build, and docker cannot build them: {error}"),
        hint: Some("start docker, or name another program with CDK_DOCKER".to_owned()),
    };
    Some(Finding::new(Severity::Warning, Check::Docker, problem))
}

/// What a run checks before it starts: credentials, roles, bootstrap versions, quotas, sources, parameters.
async fn aws(app: &App, plan: &Plan) -> Vec<Finding> {
    let options = AwsOptions { wire: terminal::wire(), ..AwsOptions::default() };
    let of = |severity, problem| Finding::new(severity, Check::Aws, problem);
    match Box::pin(Aws::connect(Arc::clone(&app.assembly), plan, options)).await {
        Ok(aws) => {
            let note = |note: &String| Problem { message: note.clone(), ..Problem::default() };
            let (exceeded, unknown) = Box::pin(aws.account_quotas(plan)).await;
            let (taken, unread) = Box::pin(aws.taken_names(plan)).await;
            let errors = exceeded.iter().chain(&taken).flat_map(paceline_text::Explained::problems);
            let notes = aws.notes().iter().chain(&unknown).chain(&unread);
            let notes = notes.map(|it| of(Severity::Note, note(it)));
            errors.map(|it| of(Severity::Error, it)).chain(notes).collect()
        }
        Err(error) => error.problems().into_iter().map(|it| of(Severity::Error, it)).collect(),
    }
}
