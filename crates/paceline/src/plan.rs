//! `paceline plan`.

use paceline_engine::{exit, one_after_another, schedule};
use paceline_plan::Plan;
use paceline_plan::render::{self, Forecast, TextOptions};

use crate::cli::{PlanArgs, PlanFormat};
use crate::failure::Failure;
use crate::load::{self, App};
use crate::terminal;

const WIDTH: usize = 80;

pub(crate) fn run(args: &PlanArgs) -> Result<u8, Failure> {
    let app = load::app(&args.select.app)?;
    let options = app.options(Some(&args.select), false);
    let plan = app.plan(&options)?;
    terminal::print(&show(&app, &plan, &options, args.format)?);
    Ok(exit::DONE)
}

/// A plan in one of its forms.
pub(crate) fn show(
    app: &App,
    plan: &Plan,
    options: &paceline_plan::PlanOptions,
    format: PlanFormat,
) -> Result<String, Failure> {
    Ok(match format {
        PlanFormat::Mermaid => render::mermaid(plan),
        PlanFormat::Dot => render::dot(plan),
        PlanFormat::Json => render::json(plan, &forecast(app, plan, options)?),
        PlanFormat::Text => {
            let style = terminal::stdout_style();
            let width = style.width.map_or(WIDTH, usize::from);
            render::text(plan, &forecast(app, plan, options)?, &TextOptions { color: style.color, width })
        }
    })
}

/// How long the plan takes in each way of working, by the scheduler that would run it.
pub(crate) fn forecast(
    app: &App,
    plan: &Plan,
    options: &paceline_plan::PlanOptions,
) -> Result<Forecast, Failure> {
    let total = |plan: &Plan| {
        schedule(plan).map(|schedule| schedule.total).map_err(|error| {
            Failure::usage(format!("the forecast could not be made: {error}"), "free some memory or threads")
        })
    };
    Ok(Forecast {
        sequential: one_after_another(plan),
        phased: total(&app.phased(options)?)?,
        graph: total(plan)?,
    })
}
