//! Deletes the stacks of an app, in the reverse of their deployment order.

use std::sync::Arc;

use clap::Args;
use paceline_aws::{Aws, AwsOptions};
use paceline_engine::ExitCode;
use paceline_plan::{PlanOptions, show};

use super::copies::Copies;
use super::execution::{Execution, PREFLIGHT};
use super::figures::Audience;
use crate::app::{configured, late, synth};
use crate::failure::Failure;
use crate::forecast::finish;
use crate::runtime::{SIMULATED_START, virtual_runtime};
use crate::settings::{AppPaths, ParameterValues, RunSettings, Selection};
use crate::simulation::Simulation;
use crate::{interrupt, terminal};

/// The arguments of `paceline destroy`.
#[derive(Debug, Clone, Args)]
pub struct Deletion {
    #[command(flatten)]
    pub paths: AppPaths,
    #[command(flatten)]
    pub selection: Selection,
    /// Delete the stacks. Without this flag, the command only shows which ones
    #[arg(long, short, alias = "force", short_alias = 'f')]
    pub yes: bool,
    #[command(flatten)]
    pub parameters: ParameterValues,
    #[command(flatten)]
    pub run: RunSettings,
}

/// Deletes the stacks, or shows which ones it would delete.
pub fn destroy(args: &Deletion) -> Result<ExitCode, Failure> {
    interrupt::effect("Nothing was deleted.");
    let mut configured = configured(&args.paths)?;
    if args.yes && !args.run.no_synth {
        configured = synth::before(configured, &args.run, &args.paths)?;
    }
    if configured.synthesized.is_empty() {
        synth::ensure_no_context(&args.run)?;
    }
    let mut app = configured.app(&args.paths)?;
    app.give(&args.parameters.parameters)?;
    app.warn_of_newer_sources(&[]);
    let options = app.selected(&args.selection, args.run.fail_fast)?;
    let destruction = app.destruction(&options)?;
    if args.run.dry_run || !(args.yes || args.run.simulate) {
        let total = finish(&destruction.plan)?;
        let width = usize::from(terminal::page_width());
        args.run.format.print(
            || Ok(show::destruction(&destruction, &app.assembly, total, width)),
            || Ok(show::destruction_json(&destruction, &app.assembly, total)),
        )?;
        if args.run.dry_run {
            return Ok(ExitCode::Done);
        }
        return Err(Failure::usage("nothing was deleted", "run it with --yes to delete these stacks"));
    }
    let execution = Execution {
        settings: &args.run,
        outputs: None,
        dir: &app.dir,
        lock: destruction.deploys.clone(),
        audience: Audience::of(&app),
        copies: Copies::of(&app),
        is_approved: false,
        executes: None,
        sleep: None,
        undoes_failed: false,
        policy: None,
        phased: app.phased_destruction(&options).ok().map(|destruction| destruction.plan),
        plan: Arc::new(destruction.plan.clone()),
    };
    let connect = async |options| {
        let aws = Box::pin(Aws::connect(Arc::clone(&app.assembly), &destruction.plan, options)).await?;
        for warning in aws.survey(&destruction).await? {
            terminal::warn(&warning);
        }
        Ok(aws)
    };
    let ended = if args.run.simulate {
        // The embedded AWS is empty at first, so the stacks are deployed there before the run deletes them.
        let everything = PlanOptions {
            stacks: Vec::new(),
            only: Vec::new(),
            exclude: Vec::new(),
            affected: None,
            ..options.clone()
        };
        let everything = app.plan(&everything)?;
        let simulated = async {
            let simulation = Simulation::new(&app.assembly, &everything, SIMULATED_START);
            let late = late::pretended(&app, &everything, &options);
            if Box::pin(simulation.deploy(&app, &everything, late)).await?.is_some() {
                return Err(Failure::usage(
                    "the app could not be deployed into the embedded AWS, so there is nothing to delete there",
                    "`paceline deploy --simulate` with the same arguments says why",
                ));
            }
            let start = simulation.now();
            Box::pin(execution.simulate(start, connect(simulation.options(AwsOptions::default())))).await
        };
        interrupt::doing("the deletion was being simulated");
        virtual_runtime()?.block_on(Box::pin(simulated))
    } else {
        let aws = AwsOptions {
            wire: terminal::wire(),
            records: app.config.unchanged.records,
            ..AwsOptions::default()
        };
        interrupt::to_its_end(PREFLIGHT, execution.perform(|| connect(aws.clone())))?
    };
    ended.map(|finished| finished.exit_code)
}
