//! A plan as it is shown, and how long it takes.

use std::time::Duration;

use clap::ValueEnum;
use paceline_engine::{one_after_another, schedule};
use paceline_host::{source_problems, unpublishable};
use paceline_plan::advice::advise;
use paceline_plan::forecast::{Forecast, MadeBy, lower_bound};
use paceline_plan::price::Price;
use paceline_plan::render::{self, TextOptions};
use paceline_plan::what_if::{Change, Completion, WhatIf};
use paceline_plan::{Plan, PlanOptions, Present, Strategy};

use crate::app::App;
use crate::failure::Failure;
use crate::{simulation, terminal};

const WIDTH: usize = 80;

/// How a plan is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PlanFormat {
    Text,
    Json,
    Mermaid,
    Dot,
}

/// What is shown in addition to the plan.
#[derive(Debug, Default)]
pub struct Asked<'a> {
    /// Changes to compare with.
    pub what_if: &'a [String],
    /// What would shorten the run most.
    pub advice: bool,
    /// Take the time from a simulated deployment.
    pub simulate: bool,
}

/// Warns of what cannot be published from this machine. Whether it is there already is only known in AWS.
pub fn warn_of_sources(app: &App, plan: &Plan) {
    for problem in source_problems(&unpublishable(&app.assembly, plan)) {
        terminal::say(&format!(
            "warning: {}\n hint: a deployment needs it, unless it is published already",
            problem.message
        ));
    }
}

/// A plan in one of its forms.
pub fn show(
    app: &App,
    plan: &Plan,
    options: &PlanOptions,
    format: PlanFormat,
    asked: &Asked<'_>,
) -> Result<String, Failure> {
    Ok(match format {
        PlanFormat::Mermaid => render::mermaid(plan),
        PlanFormat::Dot => render::dot(plan),
        PlanFormat::Json => render::json(plan, &forecast(app, plan, options, asked)?),
        PlanFormat::Text => {
            let style = terminal::stdout_style();
            let width = style.width.map_or(WIDTH, usize::from);
            let options_of_text = TextOptions { color: style.color, width };
            render::text(plan, &forecast(app, plan, options, asked)?, &options_of_text)
        }
    })
}

/// How long the plan takes in each way of working, by the scheduler that would run it.
fn forecast(app: &App, plan: &Plan, options: &PlanOptions, asked: &Asked<'_>) -> Result<Forecast, Failure> {
    let this = if asked.simulate { simulation::deploy(app, plan, options)? } else { finish(plan)? };
    let (mut phased, mut graph, mut bound) = (this, this, lower_bound(plan));
    // Without phases there is nothing that the strategy could change.
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

/// When everything would be done on a redeployment that needs some orders no more.
fn redeployed(app: &App, plan: &Plan, options: &PlanOptions) -> Result<Option<Duration>, Failure> {
    let eased = plan.relaxed.iter().filter(|it| !(it.without_effect || it.forced));
    let present: Present = eased.map(|it| (it.from.clone(), it.to.clone())).collect();
    if present.is_empty() {
        return Ok(None);
    }
    finish(&app.plan(&PlanOptions { present, ..options.clone() })?).map(Some)
}

/// When everything would be done, were the whole of every stack waited for.
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

/// When everything would be done.
pub(crate) fn finish(plan: &Plan) -> Result<Duration, Failure> {
    schedule(plan).map(|schedule| schedule.total).map_err(no_forecast)
}

#[expect(clippy::needless_pass_by_value, reason = "it maps errors")]
fn no_forecast(error: std::io::Error) -> Failure {
    Failure::usage(format!("the forecast could not be made: {error}"), "free some memory or threads")
}

/// What the changes that were asked for come to. Another number of stacks at once than is configured is one.
fn what_if(
    app: &App,
    plan: &Plan,
    options: &PlanOptions,
    asked: &Asked<'_>,
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
