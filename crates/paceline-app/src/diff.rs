//! `paceline diff`: what a deployment would change, over all stacks at once.

use std::collections::BTreeSet;

use camino::Utf8PathBuf;
use clap::{Args, ValueEnum};
use paceline_assembly::{Assembly, Stack};
use paceline_aws::deployed;
use paceline_diff::{
    AppDiff, COMMENT_LIMIT, CompareOptions, Shown, TimeChange, apply_change_sets, compare, edge_changes,
    json, markdown, text,
};
use paceline_engine::{ExitCode, private};
use paceline_plan::price::Price;
use paceline_plan::{Plan, PlanOptions};
use paceline_report::Style;

use crate::app::{App, configured, other_assembly};
use crate::diff_change_sets::real_changes;
use crate::failure::Failure;
use crate::forecast::finish;
use crate::settings::{AppPaths, ParameterValues, Selection};
use crate::{interrupt, terminal};

/// The base, in words, unless an assembly is.
const DEPLOYED: &str = "what is deployed";

/// The arguments of `paceline diff`.
#[derive(Debug, Clone, Args)]
pub struct DiffSettings {
    #[command(flatten)]
    pub app: AppPaths,
    #[command(flatten)]
    pub selection: Selection,
    #[command(flatten)]
    pub parameters: ParameterValues,
    /// Compare with this synthesized app, offline; for several apps, with those in this folder [default: what is deployed]
    #[arg(long, value_name = "DIR")]
    pub base: Option<Utf8PathBuf>,
    /// Ask CloudFormation with change sets, too, which resources it would replace. They are deleted at once
    #[arg(long, conflicts_with = "base")]
    pub change_sets: bool,
    /// Compare what the CDK writes for itself, too: its metadata and the check of the bootstrap version
    #[arg(long)]
    pub strict: bool,
    /// The output format. Markdown fits into one comment on a pull request
    #[arg(long, value_enum, default_value = "text")]
    pub format: DiffFormat,
    /// Write it to this file
    #[arg(long, value_name = "FILE")]
    pub out: Option<Utf8PathBuf>,
    /// Exit with 1 if anything differs
    #[arg(long, alias = "fail")]
    pub exit_code: bool,
}

/// The format in which a difference is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DiffFormat {
    Text,
    Json,
    Markdown,
}

/// Compares the app with what is deployed, or with another assembly.
pub fn diff(settings: &DiffSettings) -> Result<ExitCode, Failure> {
    let mut app = configured(&settings.app)?.app(&settings.app)?;
    app.give(&settings.parameters.parameters)?;
    app.warn_of_newer_sources(&[]);
    // Durations from earlier runs are those of unchanged stacks, too: they do not compare two templates.
    let options = app.selected(&settings.selection, false)?;
    let plan = app.plan(&options)?;
    let (base, words) = match &settings.base {
        Some(dir) => (other_assembly(&app, dir)?, dir.to_string()),
        None => (deployed_assembly(&app, &plan)?, DEPLOYED.to_owned()),
    };
    let selection = &settings.selection;
    let is_all = selection.is_all();
    let how = CompareOptions {
        is_deployed: settings.base.is_none(),
        ignore_times: plan.ignore_times,
        strict: settings.strict,
        only: Some(plan.stacks.iter().map(|stack| stack.id.clone()).collect()),
        without_gone: !is_all,
    };
    let mut diff = compare(&base, &app.assembly, &plan, &how);
    let words = if settings.change_sets {
        let real = real_changes(&app, &plan)?;
        apply_change_sets(&mut diff, &base, &app.assembly, &real);
        format!("{words}, by change sets")
    } else {
        words
    };
    if diff.is_different() && !base.stacks.is_empty() {
        compare_plans(&mut diff, &app, &base, &plan, &options)?;
    }
    show(settings, &Shown { diff: &diff, base: &words })?;
    Ok(if settings.exit_code && diff.is_different() { ExitCode::Failed } else { ExitCode::Done })
}

/// The stacks of the plan as they are deployed.
fn deployed_assembly(app: &App, plan: &Plan) -> Result<Assembly, Failure> {
    let stacks: Vec<&Stack> = plan.stacks.iter().filter_map(|it| app.assembly.stack(&it.id)).collect();
    let wire = terminal::wire();
    let read =
        interrupt::until_stopped("deployed templates were being read", Box::pin(deployed(&wire, &stacks)))??;
    read.warnings.iter().for_each(|warning| terminal::warn(warning));
    let there: BTreeSet<String> = read.stacks.iter().map(|stack| stack.id.clone()).collect();
    let mut stacks = read.stacks;
    for stack in &mut stacks {
        stack.depends_on.retain(|id| there.contains(id));
    }
    Ok(Assembly { stacks, ..Assembly::clone(&app.assembly) })
}

/// Adds the edges and the time of the two plans.
fn compare_plans(
    diff: &mut AppDiff,
    app: &App,
    base: &Assembly,
    plan: &Plan,
    options: &PlanOptions,
) -> Result<(), Failure> {
    let before = match Plan::make(base, &app.config, options) {
        Ok(before) => before,
        // Phases, edges and the selection may name stacks that only the app has.
        Err(error) => {
            let error = Failure::from(error).first();
            terminal::warn(&format!(
                "edges and durations are not compared, as the base has no plan: {error}"
            ));
            return Ok(());
        }
    };
    diff.edges = Some(edge_changes(&before, plan));
    let codebuild = &app.config.codebuild;
    diff.time = Some(TimeChange {
        before: finish(&before)?,
        after: finish(plan)?,
        price: Price::of(codebuild.compute.as_str(), codebuild.price_per_minute),
    });
    Ok(())
}

fn show(settings: &DiffSettings, shown: &Shown<'_>) -> Result<(), Failure> {
    let style = match settings.out {
        Some(_) => Style { color: false, width: Some(terminal::PAGE_WIDTH) },
        None => terminal::page_style(),
    };
    let document = match settings.format {
        DiffFormat::Text => text(shown, style),
        DiffFormat::Json => json(shown),
        DiffFormat::Markdown => markdown(shown, COMMENT_LIMIT),
    };
    match &settings.out {
        Some(out) => {
            private::replace(out.as_std_path(), document.as_bytes()).map_err(|error| {
                let hint = "name a file in a folder that can be written to";
                Failure::usage(format!("cannot write {out}: {error}"), hint)
            })?;
            terminal::say(&format!("{out} is written"));
        }
        None if settings.format == DiffFormat::Text => terminal::print(&document),
        None => terminal::data(&document),
    }
    Ok(())
}
