//! `paceline explain`.

use paceline_engine::exit;
use paceline_plan::render;

use crate::cli::ExplainArgs;
use crate::failure::Failure;
use crate::load;
use crate::terminal;

pub(crate) fn run(args: &ExplainArgs) -> Result<u8, Failure> {
    let app = load::app(&args.app)?;
    let plan = app.plan(&app.options(None, false))?;
    terminal::print(&render::explain(&plan, &args.stack, args.on.as_deref())?);
    Ok(exit::DONE)
}
