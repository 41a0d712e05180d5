//! `paceline plan`, `paceline explain` and `paceline synth`: read the arguments and call the library.

use paceline_app::{
    Failure, ForecastRequest, LAST, PlanFormat, check_stack_limit, configured, history, show, terminal,
};
use paceline_app::{save_plan, synthesize_apps, warn_of_sources, why_waiting};
use paceline_engine::ExitCode;
use paceline_plan::{PlanOptions, show};

use crate::cli::{ExplainArgs, PlanArgs, SynthArgs};

pub(crate) fn run(args: &PlanArgs) -> Result<ExitCode, Failure> {
    let mut app = configured(&args.app)?.app(&args.app)?;
    app.give(&args.parameters.parameters)?;
    args.stack.give(&mut app)?;
    check_stack_limit(&app)?;
    app.warn_of_newer_sources(&[]);
    let mut options = args.stack.of_plan(app.selected(&args.selection, false)?);
    // Simulated resources take the durations of the table, so the forecast uses no history.
    if !args.simulate {
        options.history = history::of(&app);
    }
    let plan = app.plan(&options)?;
    if let Some(file) = &args.save {
        save_plan(&plan, &options, file)?;
        terminal::note(&format!(
            "the plan is saved in {file}: `paceline deploy --plan {file}` deploys exactly this plan"
        ));
    }
    warn_of_sources(&app, &plan);
    let asked = ForecastRequest { what_if: &args.what_if, advice: args.advice, simulate: args.simulate };
    let shown = show(&app, &plan, &options, args.format, &asked)?;
    if args.format == PlanFormat::Text {
        terminal::print(&shown);
    } else {
        terminal::data(&shown);
    }
    Ok(ExitCode::Done)
}

pub(crate) fn explain(args: &ExplainArgs) -> Result<ExitCode, Failure> {
    if args.why_waiting {
        return why_waiting(&args.stack, args.on.as_deref().unwrap_or(LAST), args.format);
    }
    let app = configured(&args.app)?.app(&args.app)?;
    app.warn_of_newer_sources(&[]);
    let plan = app.plan(&PlanOptions { history: history::read(), ..app.options(None, false) })?;
    let on = args.on.as_deref();
    args.format.print(
        || Ok(show::explain(&plan, &args.stack, on)?),
        || Ok(show::explain_json(&plan, &args.stack, on)?),
    )?;
    Ok(ExitCode::Done)
}

pub(crate) fn synth(args: &SynthArgs) -> Result<ExitCode, Failure> {
    synthesize_apps(configured(&args.app)?, &args.app, &args.apps, &args.lookups)?;
    Ok(ExitCode::Done)
}
