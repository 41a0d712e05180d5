//! Shows a plan, with a forecast of its duration.

use std::time::Duration;

use clap::ValueEnum;
use paceline_config::Strategy;
use paceline_engine::{one_after_another, schedule};
use paceline_host::{source_problems, unpublishable};
use paceline_plan::advice::advise;
use paceline_plan::forecast::{Forecast, MadeBy, lower_bound};
use paceline_plan::price::Price;
use paceline_plan::show::{self, TextOptions};
use paceline_plan::what_if::{Change, Completion, WhatIf};
use paceline_plan::{Plan, PlanOptions, Present};

use crate::app::App;
use crate::failure::Failure;
use crate::{simulation, terminal};

/// The format in which a plan is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PlanFormat {
    Text,
    Json,
    Mermaid,
    Dot,
}

/// The forecasts that the arguments of `paceline plan` ask for.
#[derive(Debug, Default)]
pub struct ForecastRequest<'a> {
    /// Changes whose forecast is compared with that of the plan.
    pub what_if: &'a [String],
    /// Whether to show the changes that would shorten the run most.
    pub advice: bool,
    /// Whether the durations come from a simulated deployment.
    pub simulate: bool,
}

/// Warns of assets whose sources are not on this machine. Whether they are published already is known only in AWS.
pub fn warn_of_sources(app: &App, plan: &Plan) {
    for problem in source_problems(&unpublishable(&app.assembly, plan)) {
        terminal::say_with_hint(
            &format!("warning: {}", problem.message),
            "what is not published already is needed for a deployment",
        );
    }
}

/// The text of a plan in one format.
pub fn show(
    app: &App,
    plan: &Plan,
    options: &PlanOptions,
    format: PlanFormat,
    asked: &ForecastRequest<'_>,
) -> Result<String, Failure> {
    Ok(match format {
        PlanFormat::Mermaid => show::mermaid(plan),
        PlanFormat::Dot => show::dot(plan),
        PlanFormat::Json => show::json(plan, &forecast(app, plan, options, asked)?),
        PlanFormat::Text => {
            let width = usize::from(terminal::page_width());
            let options_of_text = TextOptions { color: terminal::stdout_style().color, width };
            show::text(plan, &forecast(app, plan, options, asked)?, &options_of_text)
        }
    })
}

/// The durations of the plan with different strategies. The scheduler of the engine computes them.
fn forecast(
    app: &App,
    plan: &Plan,
    options: &PlanOptions,
    asked: &ForecastRequest<'_>,
) -> Result<Forecast, Failure> {
    let this = if asked.simulate { simulation::deploy(app, plan, options)? } else { finish(plan)? };
    let (mut phased, mut graph, mut bound) = (this, this, lower_bound(plan));
    // Without phases, both strategies give the same plan.
    if !app.config.phases.is_empty() {
        let other = match plan.strategy {
            Strategy::Graph => Strategy::Phases,
            Strategy::Phases => Strategy::Graph,
        };
        let plan = app.plan(&PlanOptions { strategy: Some(other), ..options.clone() })?;
        match other {
            Strategy::Phases => phased = finish(&plan)?,
            Strategy::Graph => (graph, bound) = (finish(&plan)?, lower_bound(&plan)),
        }
    }
    let codebuild = &app.config.codebuild;
    Ok(Forecast {
        sequential: one_after_another(plan).map_err(no_forecast)?,
        phased,
        graph,
        lower_bound: bound,
        redeployed: redeployed(app, plan, options)?,
        whole_stacks: whole_stacks(plan)?,
        made_by: if asked.simulate { MadeBy::Simulator } else { MadeBy::Rehearsal },
        price: Price::of(codebuild.compute.as_str(), codebuild.price_per_minute),
        what_if: what_if(app, plan, options, asked)?,
        advice: if asked.advice { Some(advise(plan, &app.assembly, &finish)?) } else { None },
    })
}

/// How long the stacks take one after another, and by the plan.
pub(crate) fn with_and_without(plan: &Plan) -> Result<(Duration, Duration), Failure> {
    Ok((one_after_another(plan).map_err(no_forecast)?, finish(plan)?))
}

/// The duration on an account where everything exists, so that `relax: when-present` drops edges. None if it drops none.
fn redeployed(app: &App, plan: &Plan, options: &PlanOptions) -> Result<Option<Duration>, Failure> {
    let eased = plan.relaxed.iter().filter(|it| !(it.without_effect || it.forced));
    let present: Present = eased.map(|it| (it.from.clone(), it.to.clone())).collect();
    if present.is_empty() {
        return Ok(None);
    }
    finish(&app.plan(&PlanOptions { present, ..options.clone() })?).map(Some)
}

/// The duration without early starts: each stack waits until its needs are complete. None if the plan has no early starts.
fn whole_stacks(plan: &Plan) -> Result<Option<Duration>, Failure> {
    if plan.steps.iter().all(|step| step.early_needs.is_empty()) {
        return Ok(None);
    }
    let mut whole = plan.clone();
    for step in &mut whole.steps {
        step.early_needs.clear();
    }
    finish(&whole).map(Some)
}

/// The duration of the whole plan.
pub(crate) fn finish(plan: &Plan) -> Result<Duration, Failure> {
    schedule(plan).map(|schedule| schedule.total).map_err(no_forecast)
}

#[expect(clippy::needless_pass_by_value, reason = "it maps errors")]
fn no_forecast(error: std::io::Error) -> Failure {
    Failure::usage(format!("the forecast could not be made: {error}"), "free some memory or threads")
}

/// Compares the forecasts before and after the changes of `--what-if`. A `--concurrency` that differs from the
/// configuration counts as a change.
fn what_if(
    app: &App,
    plan: &Plan,
    options: &PlanOptions,
    asked: &ForecastRequest<'_>,
) -> Result<Option<WhatIf>, Failure> {
    let configured = app.config.concurrency.stacks;
    let mut changes = Vec::new();
    changes.extend(options.stacks_at_once.filter(|n| *n != configured).map(Change::Concurrency));
    for text in asked.what_if {
        changes.push(Change::parse(text)?);
    }
    if changes.is_empty() {
        return Ok(None);
    }
    let before = Change::Concurrency(configured).apply(plan)?;
    let mut after = before.clone();
    for change in &changes {
        after = change.apply(&after)?;
    }
    let outlook =
        |plan: Plan| finish(&plan).map(|finish| Completion { finish, critical_path: plan.critical_path });
    Ok(Some(WhatIf { changes, before: outlook(before)?, after: outlook(after)? }))
}
