//! Takes secrets out of an event before anybody hears of it.
//!
//! Texts from outside may hold secrets: messages of AWS, output of commands, outputs of stacks. Names, ids, states and
//! tokens of the run do not: other events and other runs refer to them, so they must not change.

use paceline_text::secrets::redacted;

use super::{Cause, Fact, ServiceReport};

impl Fact {
    /// The fact without secrets in its texts.
    pub(crate) fn redact(&mut self) {
        match self {
            Self::StepHeld(held) => hide(&mut held.reason),
            Self::StackProgress(progress) => progress.reason.iter_mut().for_each(hide),
            Self::StepRetried(retried) => hide(&mut retried.reason),
            Self::StepWarned(warned) => {
                hide(&mut warned.message);
                let service = warned.stuck.as_mut().and_then(|stuck| stuck.service.as_mut());
                service.into_iter().for_each(hide_in_report);
            }
            Self::CommandOutput(output) => hide(&mut output.line),
            Self::RunStopping { reason } => hide(reason),
            Self::StepFinished(finished) => {
                finished.cause.iter_mut().for_each(hide_in_cause);
                finished.detail.iter_mut().for_each(hide);
                finished.outputs.values_mut().for_each(hide);
            }
            Self::RunApproved(approved) => {
                approved.reason.iter_mut().chain(&mut approved.what).for_each(hide);
            }
            Self::RunStarted(started) => started.endpoint.iter_mut().for_each(hide),
            Self::BuildPhases(_)
            | Self::StepReady(_)
            | Self::StepStarted(_)
            | Self::StackSubmitted(_)
            | Self::StackAccepted(_)
            | Self::RunWaiting { .. }
            | Self::CallsThrottled { .. }
            | Self::RunFinished(_) => {}
        }
    }
}

fn hide_in_cause(cause: &mut Cause) {
    let Cause { at, message, hint, preflight: _, source: _, service } = cause;
    hide(message);
    service.as_deref_mut().into_iter().for_each(hide_in_report);
    at.iter_mut().chain(hint).for_each(hide);
}

fn hide_in_report(report: &mut ServiceReport) {
    let ServiceReport { name: _, state, reasons, not_asked } = report;
    let reasons = reasons.iter_mut().map(|reason| &mut reason.reason);
    state.iter_mut().chain(not_asked).chain(reasons).for_each(hide);
}

fn hide(text: &mut String) {
    let without = redacted(text);
    if without != *text {
        *text = without.into_owned();
    }
}
