//! `paceline publish`: builds and publishes the assets of the chosen stacks, and changes no stack.

use std::sync::Arc;

use clap::Args;
use paceline_aws::{Aws, AwsOptions};
use paceline_engine::ExitCode;
use paceline_plan::{Plan, Work};
use paceline_text::count;

use super::copies::Copies;
use super::execution::Execution;
use super::figures::Audience;
use super::history;
use crate::app::{configured, synth};
use crate::failure::Failure;
use crate::runtime::{SIMULATED_START, virtual_runtime};
use crate::settings::{AppPaths, LockSetting, RunSettings, Selection};
use crate::simulation::{self, Simulation};
use crate::{interrupt, terminal};

/// The arguments of `paceline publish`.
#[derive(Debug, Clone, Args)]
#[command(mut_arg("lock", |arg| arg.hide(true)), mut_arg("strategy", |arg| arg.hide(true)))]
pub struct Publishing {
    #[command(flatten)]
    pub paths: AppPaths,
    #[command(flatten)]
    pub selection: Selection,
    #[command(flatten)]
    pub run: RunSettings,
}

/// Publishes the assets, or shows which ones it would publish.
pub fn publish(args: &Publishing) -> Result<ExitCode, Failure> {
    interrupt::effect("Nothing was published.");
    let app = synth::before(configured(&args.paths)?, &args.run, &args.paths)?.app(&args.paths)?;
    app.warn_of_newer_sources(&[]);
    if app.synthesized.is_empty() {
        synth::ensure_no_context(&args.run)?;
    }
    let mut options = app.selected(&args.selection, args.run.fail_fast)?;
    if !args.run.simulate {
        options.history = history::of(&app);
    }
    let plan = app.plan(&options)?.publishing();
    if plan.steps.is_empty() {
        terminal::say("the stacks have no assets: nothing to publish");
        return Ok(ExitCode::Done);
    }
    if args.run.dry_run {
        terminal::data(&shown(&plan));
        return Ok(ExitCode::Done);
    }
    if args.run.simulate {
        for assumption in simulation::assumptions(&app, &plan) {
            terminal::warn(&assumption);
        }
    }
    // No stack is changed, so no lease is needed.
    let settings = RunSettings { lock: LockSetting::None, ..args.run.clone() };
    let execution = Execution {
        settings: &settings,
        outputs: None,
        dir: &app.dir,
        lock: plan.resume_key.clone(),
        audience: Audience::of(&app),
        copies: Copies::default(),
        is_approved: false,
        executes: None,
        sleep: None,
        undoes_failed: false,
        policy: None,
        phased: None,
        plan: Arc::new(plan),
    };
    let connect = async |aws| {
        let aws = Box::pin(Aws::connect(Arc::clone(&app.assembly), &execution.plan, aws)).await?;
        Ok(aws)
    };
    let ended = if args.run.simulate {
        let simulated = async {
            let simulation = Simulation::new(&app.assembly, &execution.plan, SIMULATED_START);
            let start = simulation.now();
            Box::pin(execution.simulate(start, connect(simulation.options(AwsOptions::default())))).await
        };
        interrupt::doing("the publishing was being simulated");
        virtual_runtime()?.block_on(Box::pin(simulated))
    } else {
        let aws = AwsOptions { wire: terminal::wire(), ..AwsOptions::default() };
        let before = "roles and the sources of assets were being checked";
        interrupt::to_its_end(before, execution.perform(|| connect(aws.clone())))?
    };
    ended.map(|finished| finished.exit_code)
}

/// The assets, one a line, each with the stack whose manifest has it.
fn shown(plan: &Plan) -> String {
    let assets = plan.steps.iter().filter_map(|step| match &step.work {
        Work::Publish(publish) => Some(format!("{} (of {})\n", publish.named(), publish.manifest)),
        _ => None,
    });
    let mut shown: Vec<String> = assets.collect();
    let assets = count(shown.len(), "asset");
    shown.push(format!("{assets} to publish\n"));
    shown.concat()
}
