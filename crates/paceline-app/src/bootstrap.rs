//! Bootstraps the environments of a plan with the CDK CLI, if its stacks need it.

use camino::Utf8PathBuf;
use clap::Args;
use paceline_aws::{AwsError, Bootstrapper, Bootstrapping, PreflightError};
use paceline_engine::ExitCode;
use paceline_host::BootstrapCli;
use tokio::task::JoinSet;

use crate::app::{App, configured};
use crate::failure::Failure;
use crate::settings::AppPaths;
use crate::{interrupt, terminal};

/// The arguments of `paceline bootstrap`.
#[derive(Debug, Clone, Args)]
pub struct BootstrapSettings {
    #[command(flatten)]
    pub paths: AppPaths,
    /// Only the environments of these stacks: an id, a name, or a pattern with * and ?
    #[arg(long, value_name = "GLOB")]
    pub only: Vec<String>,
    /// Not the environments of these stacks
    #[arg(long, value_name = "GLOB")]
    pub exclude: Vec<String>,
    /// Print which environments need it and why, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// The command of the CDK CLI. One that is installed in the app's folder is preferred to the one on the PATH
    #[arg(long, value_name = "COMMAND", default_value = "cdk")]
    pub cdk: String,
    /// More options for `cdk bootstrap`, such as --trust or --cloudformation-execution-policies
    #[arg(last = true, value_name = "OPTIONS")]
    pub more: Vec<String>,
}

/// Bootstraps the environments that need it, in parallel.
pub fn bootstrap(settings: &BootstrapSettings) -> Result<ExitCode, Failure> {
    let app = configured(&settings.paths)?.app(&settings.paths)?;
    let mut options = app.options(None, false);
    options.only.clone_from(&settings.only);
    options.exclude.clone_from(&settings.exclude);
    let plan = app.plan(&options)?;
    interrupt::effect("Run `paceline bootstrap` again for the rest.");
    interrupt::until_stopped(
        "environments were being bootstrapped",
        Box::pin(async {
            let bootstrapper = Box::pin(Bootstrapper::connect(&terminal::wire(), &plan)).await?;
            let looked = bootstrapper.look(&app.assembly, &plan).await?;
            if looked.is_empty() {
                terminal::say("no stack needs a bootstrap");
            }
            let (lacking, enough): (Vec<_>, Vec<_>) = looked.into_iter().partition(|it| it.lacks.is_some());
            for environment in &enough {
                terminal::say(&format!(
                    "aws://{} is bootstrapped as its stacks need it",
                    environment.place()
                ));
            }
            let cli = |environment: &Bootstrapping| {
                let (dir, assembly) = place(&app, environment);
                BootstrapCli { command: settings.cdk.clone(), dir, assembly, more: settings.more.clone() }
            };
            if settings.dry_run {
                for environment in &lacking {
                    let lacks = environment.lacks.as_deref().unwrap_or_default();
                    terminal::print(&format!("{lacks}\n  {}\n", cli(environment).line(&environment.stack())));
                }
                return Ok(ExitCode::Done);
            }
            let all = lacking.into_iter().map(|environment| (cli(&environment), environment)).collect();
            all_at_once(bootstrapper, all).await
        }),
    )?
}

/// The folder of the app, and the assembly relative to it. The CDK CLI of that folder runs there and reads its cdk.json.
fn place(app: &App, environment: &Bootstrapping) -> (Utf8PathBuf, Utf8PathBuf) {
    let of_several = environment.app.as_ref().and_then(|name| app.config.apps.get(name));
    match (of_several, app.dir.parent(), app.dir.file_name()) {
        (Some(config), ..) => (app.dir.join(&config.dir), config.assembly.clone()),
        (None, Some(dir), Some(name)) => (dir.to_owned(), name.into()),
        _ => (Utf8PathBuf::new(), app.dir.clone()),
    }
}

/// Bootstraps environments in parallel. The error has the failures of all of them.
async fn all_at_once(
    bootstrapper: Bootstrapper,
    all: Vec<(BootstrapCli, Bootstrapping)>,
) -> Result<ExitCode, Failure> {
    let bootstrapper = std::sync::Arc::new(bootstrapper);
    let mut tasks = JoinSet::new();
    for (cli, environment) in all {
        let bootstrapper = std::sync::Arc::clone(&bootstrapper);
        tasks.spawn(async move { one(&bootstrapper, &cli, &environment).await });
    }
    let mut errors: Vec<AwsError> = tasks.join_all().await.into_iter().filter_map(Result::err).collect();
    errors.sort_by_key(ToString::to_string);
    if errors.is_empty() {
        return Ok(ExitCode::Done);
    }
    Err(Failure::from(PreflightError(errors)).with_exit_code(ExitCode::Failed))
}

async fn one(
    bootstrapper: &Bootstrapper,
    cli: &BootstrapCli,
    environment: &Bootstrapping,
) -> Result<(), AwsError> {
    let say = |line: &str| terminal::say(&format!("[bootstrap {}] {line}", environment.place()));
    say(environment.lacks.as_deref().unwrap_or_default());
    bootstrapper.perform(cli, environment, |line| say(&line)).await?;
    say("done");
    Ok(())
}
