//! `paceline deploy`: the runner.

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::Utf8Path;
use jiff::Timestamp;
use paceline_assembly::{Assembly, Stack};
use paceline_aws::{Aws, AwsOptions, Method};
use paceline_engine::{Journal, PlanLock, RunOptions, Stop, Unfinished, exit};
use paceline_plan::{Plan, PlanOptions};
use tokio::runtime::{Builder, Runtime};

use crate::cli::{DeployArgs, MethodArg, PlanFormat};
use crate::failure::Failure;
use crate::listeners::Listeners;
use crate::load::{self, App};
use crate::plan::Asked;
use crate::simulate::Simulation;
use crate::{history, plan, signals, terminal};

/// Where runs keep their journals, in the folder that `paceline` is called in.
pub(crate) const RUNS: &str = ".paceline/runs";
/// The key of the parameters that are for every stack that has them.
const EVERY_STACK: &str = "*";
/// Every simulated run starts at this moment, so that the same app gives the same events.
const SIMULATED_START: &str = "2026-01-01T00:00:00Z";

/// The time that every simulated run starts at.
pub(crate) fn simulated_start() -> Timestamp {
    SIMULATED_START.parse().unwrap_or(Timestamp::UNIX_EPOCH)
}

pub(crate) fn run(args: &DeployArgs) -> Result<u8, Failure> {
    let app = load::app(&args.select.app)?;
    let mut options = app.options(Some(&args.select), args.fail_fast);
    // What is simulated takes as long as the table says.
    if !args.simulate {
        options.history = history::read();
    }
    let plan = app.plan(&options)?;
    app.assembly.ensure_deployable(|stack| plan.stacks.iter().any(|planned| planned.id == stack.id))?;
    let parameters = parameters(&args.parameters, &app.assembly)?;
    if args.dry_run {
        terminal::print(&plan::show(&app, &plan, &options, PlanFormat::Text, &Asked::default())?);
        return Ok(exit::DONE);
    }
    let method = match args.method {
        MethodArg::Direct => Method::Direct,
        MethodArg::ChangeSet => Method::ChangeSet,
    };
    let aws = AwsOptions { method, parameters, ..AwsOptions::default() };
    let deployment = Deployment { args, app, plan: Arc::new(plan), options };
    if args.simulate {
        virtual_runtime()?.block_on(deployment.simulate(aws, simulated_start()))
    } else {
        runtime()?.block_on(deployment.perform(aws))
    }
}

/// Everything is waiting, so one thread is enough; what computes does so on threads of its own.
pub(crate) fn runtime() -> Result<Runtime, Failure> {
    build(Builder::new_current_thread().enable_all())
}

/// A runtime whose clock jumps to the next thing that is waited for.
pub(crate) fn virtual_runtime() -> Result<Runtime, Failure> {
    build(Builder::new_current_thread().enable_all().start_paused(true))
}

fn build(builder: &mut Builder) -> Result<Runtime, Failure> {
    builder.build().map_err(|error| {
        Failure::usage(format!("cannot start: {error}"), "free some memory, threads or open files")
    })
}

struct Deployment<'a> {
    args: &'a DeployArgs,
    app: App,
    plan: Arc<Plan>,
    options: PlanOptions,
}

impl Deployment<'_> {
    async fn simulate(&self, options: AwsOptions, start: Timestamp) -> Result<u8, Failure> {
        let Simulation { wire, images, commands } = Simulation::new(&self.app.assembly, start);
        let listeners = Listeners::open(self.args, None, &[])?;
        let run = RunOptions { simulated: true, ..self.run_options("simulated".to_owned(), start) };
        Box::pin(self.run(AwsOptions { wire, images, commands, ..options }, run, listeners)).await
    }

    async fn perform(&self, options: AwsOptions) -> Result<u8, Failure> {
        let runs = Utf8Path::new(RUNS);
        let _lock = PlanLock::take(runs, &self.plan.digest)?;
        let unfinished = Journal::find_unfinished(runs, &self.plan.digest)?;
        if self.args.resume && unfinished.is_none() {
            let message = "there is no interrupted run of this app as it is now";
            return Err(Failure::usage(message, "run it without --resume to deploy from the start"));
        }
        let now = Timestamp::now();
        let (run, journal, events) = if let Some(unfinished) = unfinished {
            let Unfinished { run, earlier, .. } = &unfinished;
            terminal::say(&format!("going on with the interrupted run {run}"));
            let options = RunOptions { earlier: Some(earlier.clone()), ..self.run_options(run.clone(), now) };
            let (journal, events) = unfinished.into_parts();
            (options, journal, events)
        } else {
            let id = format!("{}-{}", now.strftime("%Y%m%dT%H%M%SZ"), &self.plan.digest[..8]);
            let journal = Journal::create(runs, &id)?;
            (self.run_options(id, now), journal, Vec::new())
        };
        signals::stop_on_signals(run.stop.clone());
        let listeners = Listeners::open(self.args, Some(journal), &events)?;
        Box::pin(self.run(options, run, listeners)).await
    }

    fn run_options(&self, id: String, now: Timestamp) -> RunOptions {
        RunOptions {
            id,
            app: self.app.dir.to_string(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            now,
            simulated: false,
            earlier: None,
            stop: Stop::default(),
            deadline: self.args.deadline,
        }
    }

    async fn run(&self, aws: AwsOptions, run: RunOptions, mut listeners: Listeners) -> Result<u8, Failure> {
        let performer = Aws::connect(Arc::clone(&self.app.assembly), &self.plan, aws).await;
        let performer = match performer {
            Ok(performer) => Arc::new(performer),
            Err(error) => {
                listeners.discard();
                return Err(error.into());
            }
        };
        let plan = Arc::clone(&self.plan);
        let ended = paceline_engine::run(plan, performer, run, &mut |event| listeners.event(event)).await;
        let ended = ended.map_err(|error| {
            let hint = "free some space; the same command goes on with the run";
            Failure::usage(format!("cannot keep the journal: {error}"), hint)
                .with_exit_code(exit::INTERRUPTED)
        })?;
        listeners.finish(&self.app.phased(&self.options)?)?;
        Ok(ended.exit_code)
    }
}

/// `[STACK:]KEY=VALUE`, by stack; `*` is every stack.
fn parameters(
    texts: &[String],
    assembly: &Assembly,
) -> Result<BTreeMap<String, BTreeMap<String, String>>, Failure> {
    let mut parameters: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for text in texts {
        let wrong =
            |what: &str, hint: &str| Err(Failure::usage(format!("--parameters {text}: {what}"), hint));
        let Some((name, value)) = text.split_once('=').filter(|(name, _)| !name.is_empty()) else {
            return wrong("there is no KEY=VALUE", "write it like --parameters MyStack:Size=3");
        };
        // A key has no colon; a stack's id may have several.
        let (stack, key) = name.rsplit_once(':').unwrap_or((EVERY_STACK, name));
        let is_meant = |s: &&Stack| stack == EVERY_STACK || stack == s.id || stack == s.name;
        let meant: Vec<&Stack> = assembly.stacks.iter().filter(is_meant).collect();
        if meant.is_empty() {
            let hint = "`paceline plan` lists the stacks of the assembly";
            return wrong(&format!("no stack is called `{stack}`"), hint);
        }
        if !meant.iter().any(|stack| stack.template.value()["Parameters"].get(key).is_some()) {
            let whose =
                if stack == EVERY_STACK { "no stack has a".to_owned() } else { format!("`{stack}` has no") };
            return wrong(&format!("{whose} parameter `{key}`"), "a template has them under `Parameters`");
        }
        parameters.entry(stack.to_owned()).or_default().insert(key.to_owned(), value.to_owned());
    }
    Ok(parameters)
}
