//! `paceline explain --why-waiting`: the limits that a stack waited for in a run.

use paceline_engine::ExitCode;
use paceline_report::{UnknownStack, WhyWaiting};

use crate::failure::Failure;
use crate::report::events;
use crate::settings::Format;

/// Shows the limits that a stack waited for. `run` is the name of a run, `last`, or a file of events.
pub fn why_waiting(stack: &str, run: &str, format: Format) -> Result<ExitCode, Failure> {
    let waiting = WhyWaiting::of(&events(run)?, stack).map_err(|UnknownStack { meant }| {
        let meant = meant.map(|meant| format!("did you mean {meant}? ")).unwrap_or_default();
        let hint = format!("{meant}`paceline report {run}` shows the stacks of the run");
        Failure::usage(format!("the run {run} has no stack {stack}"), hint)
    })?;
    format.print(|| Ok(waiting.text()), || Ok(waiting.json()))?;
    Ok(ExitCode::Done)
}
