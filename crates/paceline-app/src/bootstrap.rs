//! Bootstraps the environments of a plan with the CDK CLI, if its stacks need it.

use camino::Utf8PathBuf;
use clap::Args;
use paceline_aws::{AwsError, Bootstrapper, Bootstrapping, PreflightError};
use paceline_engine::ExitCode;
use paceline_host::BootstrapCli;
use paceline_text::{document_schema, documented, json_document};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::app::{App, configured};
use crate::failure::Failure;
use crate::settings::{AppPaths, Format};
use crate::{interrupt, terminal};

/// The version of the document. New fields do not raise it.
const SCHEMA: u32 = 1;

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
    /// The output format of `--dry-run`
    #[arg(long, value_enum, default_value = "text", requires = "dry_run")]
    pub format: Format,
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
            let cli = |environment: &Bootstrapping| {
                let (dir, assembly) = place(&app, environment);
                BootstrapCli { command: settings.cdk.clone(), dir, assembly, more: settings.more.clone() }
            };
            let document = BootstrapDocument::of(&looked, cli);
            if looked.is_empty() {
                terminal::say("no stack needs a bootstrap");
            }
            for environment in document.environments.iter().filter(|it| it.lacks.is_none()) {
                terminal::say(&format!("{} is bootstrapped as its stacks need it", environment.environment));
            }
            if settings.dry_run {
                settings.format.print(|| Ok(document.text()), || Ok(json_document(&document)))?;
                return Ok(ExitCode::Done);
            }
            let lacking = looked.into_iter().filter(|it| it.lacks.is_some());
            let all = lacking.map(|environment| (cli(&environment), environment)).collect();
            all_at_once(bootstrapper, all).await
        }),
    )?
}

documented! {
    /// What `paceline bootstrap` would do. A newer version may add fields.
    struct BootstrapDocument {
        /// The version of this format.
        schema: u32,
        /// The environments in which stacks need a bootstrap.
        environments: Vec<EnvironmentDocument>,
    }

    /// An environment in which stacks need a bootstrap.
    struct EnvironmentDocument {
        /// Its address, such as aws://111122223333/eu-west-1.
        environment: String,
        /// What it lacks, in one sentence. It is missing if the environment has what its stacks need.
        lacks: Option<String>,
        /// The command line that bootstraps it, if it lacks something.
        command: Option<String>,
    }
}

/// The JSON Schema of what `--dry-run` prints.
pub fn json_schema() -> Value {
    document_schema::<BootstrapDocument>("Environments that paceline bootstrap would bootstrap", SCHEMA)
}

impl BootstrapDocument {
    fn of(looked: &[Bootstrapping], cli: impl Fn(&Bootstrapping) -> BootstrapCli) -> Self {
        let of = |it: &Bootstrapping| EnvironmentDocument {
            environment: format!("aws://{}", it.place()),
            lacks: it.lacks.clone(),
            command: it.lacks.is_some().then(|| cli(it).line(&it.stack())),
        };
        Self { schema: SCHEMA, environments: looked.iter().map(of).collect() }
    }

    /// What lacks something, and the command for it.
    fn text(&self) -> String {
        let shown = |it: &EnvironmentDocument| {
            Some(format!("{}\n  {}\n", it.lacks.as_deref()?, it.command.as_deref()?))
        };
        self.environments.iter().filter_map(shown).collect()
    }
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
