//! Runs against the embedded AWS. It takes the place of the HTTP client of the AWS SDK, and all other code stays the same.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use paceline_assembly::{Assembly, FileSource};
use paceline_aws::{Aws, AwsOptions, Images, LateSynthesis, MissingFiles, TokenKey, Wire};
use paceline_engine::{Event, ExitCode, Fact, RunOptions};
use paceline_host::{Commands, unpublishable};
use paceline_plan::forecast::{FILE_TIME, IMAGE_TIME, PUSH_TIME};
use paceline_plan::{Plan, PlanOptions, Reason, Work};
use paceline_sim::{Accounts, SimAlarm, SimHttpClient, SimOptions, Simulator, VirtualClock};
use tokio::time::Instant;

use crate::app::{App, late};
use crate::failure::Failure;
use crate::runtime::{SIMULATED_START, virtual_runtime};

const SECRET: &str = "AWS::SecretsManager::Secret";
const PARAMETER: &str = "AWS::SSM::Parameter";
/// The version of the simulator's bootstrap stacks.
const BOOTSTRAP_VERSION: &str = "30";

/// A simulated AWS with its clock.
#[derive(Debug)]
pub(crate) struct Simulation {
    wire: Wire,
    clock: VirtualClock,
}

impl Simulation {
    /// An AWS without stacks. The credentials belong to the account of the app's first stack. The parameters and secrets
    /// exist that stacks of the plan read and none of them creates. Must be called on the runtime that uses it.
    pub(crate) fn new(assembly: &Assembly, plan: &Plan, start: Timestamp) -> Self {
        let foreign = foreign_parameters(plan).into_iter().chain(earlier_parameters(plan));
        let foreign = foreign.map(|name| (name.to_owned(), None));
        let mut options = SimOptions {
            images: paceline_sim::Images::Absent,
            foreign_parameters: versions(assembly, plan).chain(foreign).collect(),
            missing_secrets: named(assembly, plan, SECRET).collect(),
            alarms: alarms(plan).collect(),
            accounts: Accounts::OfAnyLength,
            ..SimOptions::default()
        };
        if let Some(account) = assembly.stacks.iter().find_map(|stack| stack.environment.account.clone()) {
            options.account = account;
        }
        let clock = VirtualClock::starting_at(start);
        let http = SimHttpClient::new(Simulator::new(options), clock).with_upload(FILE_TIME);
        Self { wire: Wire::simulated(http, move || clock.system_time()), clock }
    }

    /// The options that connect a run to this AWS.
    pub(crate) fn options(&self, options: AwsOptions) -> AwsOptions {
        AwsOptions {
            wire: self.wire.clone(),
            images: Images::Pretended { build: IMAGE_TIME.saturating_sub(PUSH_TIME), push: PUSH_TIME },
            missing_files: MissingFiles::Pretended,
            commands: Commands::Pretend,
            token_key: TokenKey::Simulated,
            ..options
        }
    }

    /// The simulated time.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// What a simulation of the plan assumes, unlike a deployment to AWS. Each text is a warning.
pub(crate) fn assumptions(app: &App, plan: &Plan) -> Vec<String> {
    let assembly = &app.assembly;
    let mut assumptions = Vec::new();
    let missing = unpublishable(assembly, plan).len();
    if missing > 0 {
        let files = match missing {
            1 => "the source of 1 file to publish is not on this machine, and its upload is".to_owned(),
            _ => format!(
                "the sources of {missing} files to publish are not on this machine, and their uploads are"
            ),
        };
        assumptions.push(format!("{files} pretended; a deployment to AWS needs them"));
    }
    match plan.steps.iter().filter(|step| is_made_by_command(assembly, &step.work)).count() {
        0 => {}
        1 => assumptions
            .push("the command that makes 1 asset is not run, and its upload is pretended".to_owned()),
        made => assumptions.push(format!(
            "the commands that make {made} assets are not run, and their uploads are pretended"
        )),
    }
    assumptions.extend(late::assumptions(app, plan));
    let accounts: BTreeSet<&str> = plan.stacks.iter().filter_map(|stack| stack.account.as_deref()).collect();
    let odd: Vec<&str> = accounts.into_iter().filter(|account| !is_account(account)).collect();
    if !odd.is_empty() {
        assumptions.push(format!(
            "AWS gives account ids of 12 digits: simulated as if the account {} were there",
            odd.join(", ")
        ));
    }
    let names = foreign_parameters(plan);
    if !names.is_empty() {
        let (parameters, them) = if names.len() == 1 { ("parameter", "it") } else { ("parameters", "them") };
        let names = names.into_iter().collect::<Vec<_>>().join(", ");
        assumptions.push(format!(
            "no stack of the plan creates the {parameters} {names}: simulated as if another app had created {them}"
        ));
    }
    if let Some(bake) = plan.bake() {
        assumptions.push(format!(
            "simulated as if the alarms {} of {} were there and did not go off",
            bake.alarms_shown(),
            bake.region
        ));
    }
    let names = earlier_parameters(plan);
    if !names.is_empty() {
        let parameters = if names.len() == 1 { "parameter" } else { "parameters" };
        let names = names.into_iter().collect::<Vec<_>>().join(", ");
        assumptions.push(format!("simulated as if an earlier release had created the {parameters} {names}"));
    }
    assumptions
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_made_by_command(assembly: &Assembly, work: &Work) -> bool {
    let Work::Publish(publish) = work else { return false };
    let Some(assets) = assembly.stack(&publish.manifest).map(|stack| &stack.assets) else { return false };
    if publish.image {
        let source = assets.images.get(&publish.asset).map(|asset| &asset.source);
        return source.is_some_and(|source| source.directory.is_none());
    }
    let source = assets.files.get(&publish.asset).map(|asset| &asset.source);
    matches!(source, Some(FileSource::Executable(_)))
}

/// The parameters that stacks of the plan read and no stack of the app creates.
fn foreign_parameters(plan: &Plan) -> BTreeSet<&str> {
    let foreign = plan.external.iter().filter(|it| it.reason == Reason::Ssm && !it.unresolved);
    // AWS publishes parameters below /aws/ in every account.
    foreign.map(|it| it.name.as_str()).filter(|name| !name.starts_with("/aws/")).collect()
}

/// An alarm for each name that the rollout watches.
fn alarms(plan: &Plan) -> impl Iterator<Item = SimAlarm> {
    let patterns = plan.bake().into_iter().flat_map(|bake| &bake.alarms);
    patterns.map(|pattern| SimAlarm::named(&pattern.0.replace(['*', '?'], "x")))
}

/// The parameters that must exist before the run, because a stack reads them that deploys before the stack that creates
/// them.
fn earlier_parameters(plan: &Plan) -> BTreeSet<&str> {
    let forced = plan.relaxed.iter().filter(|it| it.forced);
    forced.flat_map(|it| &it.parameters).map(|stored| stored.name.as_str()).collect()
}

/// The parameters with bootstrap versions that have names of the team, unless a stack of the plan creates them.
fn versions(assembly: &Assembly, plan: &Plan) -> impl Iterator<Item = (String, Option<String>)> {
    let made: BTreeSet<String> = named(assembly, plan, PARAMETER).collect();
    let stacks = plan.stacks.iter().filter_map(|planned| assembly.stack(&planned.id));
    let names = stacks.filter_map(|stack| stack.bootstrap.as_ref()?.ssm_parameter.clone());
    names.filter(move |name| !made.contains(name)).map(|name| (name, Some(BOOTSTRAP_VERSION.to_owned())))
}

/// The names of the resources of one type in the stacks of the plan.
fn named(assembly: &Assembly, plan: &Plan, kind: &str) -> impl Iterator<Item = String> {
    let stacks = plan.stacks.iter().filter_map(|planned| assembly.stack(&planned.id));
    let names = stacks.flat_map(|stack| {
        let templates =
            std::iter::once(&stack.template).chain(stack.nested.iter().map(|nested| &nested.template));
        let names = templates.flat_map(|template| {
            let resolver = template.resolver();
            let resources = template.resources().filter(|(_, it)| it.resource_type == kind);
            let names = resources.filter_map(|(_, it)| it.properties?.get("Name"));
            names.filter_map(|name| resolver.resolve(name).known()).collect::<Vec<_>>()
        });
        names.collect::<Vec<_>>()
    });
    names.collect::<Vec<_>>().into_iter()
}

/// Deploys a plan to a new simulated AWS, without reports, and gives the duration.
pub(crate) fn deploy(app: &App, plan: &Plan, options: &PlanOptions) -> Result<Duration, Failure> {
    late::ensure_deployable(app, plan)?;
    let late = late::pretended(app, plan, options);
    virtual_runtime()?.block_on(Box::pin(simulate(app, plan, late)))
}

async fn simulate(app: &App, plan: &Plan, late: Option<Arc<LateSynthesis>>) -> Result<Duration, Failure> {
    let simulation = Simulation::new(&app.assembly, plan, SIMULATED_START);
    let started = Instant::now();
    let Some(why) = simulation.deploy(app, plan, late).await? else {
        return Ok(started.elapsed());
    };
    let message = format!("the simulated deployment fails: {why}");
    let hint = "run `paceline deploy --simulate` to see the whole run, or leave --simulate out for a forecast without it";
    Err(Failure::usage(message, hint).with_exit_code(ExitCode::Failed))
}

impl Simulation {
    /// Deploys a plan to this AWS, without reports. Gives the reason if the deployment fails.
    pub(crate) async fn deploy(
        &self,
        app: &App,
        plan: &Plan,
        late: Option<Arc<LateSynthesis>>,
    ) -> Result<Option<String>, Failure> {
        let parameters = app.parameters.clone();
        let options = self.options(AwsOptions { late, parameters, ..AwsOptions::default() });
        let aws = Box::pin(Aws::connect(Arc::clone(&app.assembly), plan, options)).await?;
        let run = RunOptions {
            id: "simulated".to_owned(),
            app: app.dir.to_string(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ..RunOptions::simulated(self.now())
        };
        let mut cause = None;
        let mut record = |event: &Event| {
            if let Fact::StepFinished(finished) = &event.fact
                && cause.is_none()
            {
                cause = finished.cause.as_ref().map(|it| format!("{}: {}", finished.step.title, it.message));
            }
            Ok(())
        };
        let run = paceline_engine::run(Arc::new(plan.clone()), Arc::new(aws), run, &mut record);
        Ok(match (Box::pin(run).await, cause) {
            (Ok(ended), None) if ended.exit_code == ExitCode::Done => None,
            (ended, cause) => Some(cause.or_else(|| Some(ended.err()?.to_string())).unwrap_or_default()),
        })
    }
}
