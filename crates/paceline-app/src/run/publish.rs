//! `paceline publish`: builds and publishes the assets of the chosen stacks, and changes no stack.

use std::sync::Arc;

use clap::Args;
use paceline_aws::{Aws, AwsOptions};
use paceline_engine::ExitCode;
use paceline_plan::{Plan, Work};
use paceline_text::{count, document_schema, documented, json_document};
use serde_json::Value;

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

/// The version of the document. New fields do not raise it.
const SCHEMA: u32 = 1;

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
    }
    if args.run.dry_run {
        let assets = AssetsDocument::of(&plan);
        args.run.format.print(|| Ok(assets.text()), || Ok(json_document(&assets)))?;
    }
    if plan.steps.is_empty() || args.run.dry_run {
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

documented! {
    /// What `paceline publish` would publish. A newer version may add fields.
    struct AssetsDocument<'a> {
        /// The version of this format.
        schema: u32,
        /// The assets. One that goes to several places is there several times.
        assets: Vec<AssetDocument<'a>>,
    }

    /// An asset.
    struct AssetDocument<'a> {
        /// The id of the step that publishes it.
        step: &'a str,
        /// Its name for people.
        name: String,
        /// file or image.
        kind: &'static str,
        /// The id of the stack whose asset manifest has it.
        stack: &'a str,
    }
}

/// The JSON Schema of what `--dry-run` prints.
pub fn publish_schema() -> Value {
    document_schema::<AssetsDocument<'_>>("Assets that paceline publish would publish", SCHEMA)
}

impl<'a> AssetsDocument<'a> {
    fn of(plan: &'a Plan) -> Self {
        let assets = plan.steps.iter().filter_map(|step| match &step.work {
            Work::Publish(publish) => Some(AssetDocument {
                step: &step.id,
                name: publish.named(),
                kind: if publish.image { "image" } else { "file" },
                stack: &publish.manifest,
            }),
            _ => None,
        });
        Self { schema: SCHEMA, assets: assets.collect() }
    }

    /// The assets, one a line, each with the stack whose manifest has it.
    fn text(&self) -> String {
        let lines = self.assets.iter().map(|asset| format!("{} (of {})\n", asset.name, asset.stack));
        let number = count(self.assets.len(), "asset");
        lines.chain([format!("{number} to publish\n")]).collect()
    }
}
