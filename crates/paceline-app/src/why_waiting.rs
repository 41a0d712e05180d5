//! `paceline explain --why-waiting`: the limits that a stack waited for in a run.

use clap::ValueEnum;
use paceline_engine::ExitCode;
use paceline_report::{UnknownStack, WhyWaiting};

use crate::failure::Failure;
use crate::report::events;
use crate::terminal;

/// The format in which waits are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum WaitsFormat {
    Text,
    Json,
}

/// Shows the limits that a stack waited for. `run` is the name of a run, `last`, or a file of events.
pub fn why_waiting(stack: &str, run: &str, format: WaitsFormat) -> Result<ExitCode, Failure> {
    let waiting = WhyWaiting::of(&events(run)?, stack).map_err(|UnknownStack { meant }| {
        let meant = meant.map(|meant| format!("did you mean {meant}? ")).unwrap_or_default();
        let hint = format!("{meant}`paceline report {run}` shows the stacks of the run");
        Failure::usage(format!("the run {run} has no stack {stack}"), hint)
    })?;
    match format {
        WaitsFormat::Text => terminal::print(&waiting.text()),
        WaitsFormat::Json => terminal::data(&waiting.json()),
    }
    Ok(ExitCode::Done)
}
