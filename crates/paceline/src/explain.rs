//! `paceline explain`.

use paceline_engine::exit;
use paceline_plan::{PlanOptions, render};

use crate::cli::ExplainArgs;
use crate::failure::Failure;
use crate::terminal;
use crate::{freshness, history, load};

pub(crate) fn run(args: &ExplainArgs) -> Result<u8, Failure> {
    let app = load::app(&args.app)?;
    freshness::warn(&app, &[]);
    let plan = app.plan(&PlanOptions { history: history::read(), ..app.options(None, false) })?;
    terminal::print(&render::explain(&plan, &args.stack, args.on.as_deref())?);
    Ok(exit::DONE)
}
