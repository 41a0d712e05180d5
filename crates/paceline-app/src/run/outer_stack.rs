//! The signal to an outer stack that waits for the end of a deployment.

use camino::Utf8Path;
use paceline_aws::{AwsError, Signalled, Verdict, WaitHandle};
use paceline_config::{Signal, SignalId};
use paceline_engine::ExitCode;
use paceline_engine::event::Outcome;
use paceline_report::Record;

use super::finished::Finished;
use crate::app::configured;
use crate::build::BUILD_ID;
use crate::failure::Failure;
use crate::settings::AppPaths;
use crate::{interrupt, terminal};

/// The folder that records which wait conditions were signalled. It is in the current folder, like the journals of runs.
const MARKS: &str = ".paceline/signals";

/// An outer stack that waits for the deployment to end.
#[derive(Debug)]
pub struct OuterStack {
    handle: WaitHandle,
    when_interrupted: bool,
}

impl OuterStack {
    /// The outer stack that waits for a deployment with these arguments. If the configuration cannot be read, the default
    /// settings apply here: the deployment then fails with that error, and the outer stack gets it as the reason.
    pub(crate) fn for_deployment(paths: &AppPaths) -> Result<Option<Self>, Failure> {
        let settings = configured(paths).map(|configured| configured.config.signal).unwrap_or_default();
        Self::named_by(&settings)
    }

    /// The outer stack whose URL is in the environment variable that the settings name.
    pub fn named_by(settings: &Signal) -> Result<Option<Self>, Failure> {
        let variable = settings.wait_handle.as_str();
        let Some(url) = std::env::var(variable).ok().filter(|url| !url.trim().is_empty()) else {
            return Ok(None);
        };
        let handle = WaitHandle::new(&url, settings.id.as_ref().map(SignalId::as_str)).ok_or_else(|| {
            Failure::usage(
                format!("{variable} is not the URL of a wait condition handle"),
                "set it to what `Ref` gives of an AWS::CloudFormation::WaitConditionHandle, or unset it",
            )
        })?;
        // Often nobody starts an interrupted build again.
        let when_interrupted = settings.when_interrupted.unwrap_or_else(|| this_build().is_some());
        Ok(Some(Self { handle, when_interrupted }))
    }

    /// Signals the result of a deployment. If a success cannot be signalled, this is a failure: the outer stack would wait
    /// until its timeout and roll the deployment back.
    pub(crate) fn signal_end(&self, ended: Result<Finished, Failure>) -> Result<ExitCode, Failure> {
        let verdict = match &ended {
            Ok(finished) => verdict(finished),
            Err(failure) => {
                // An interrupted run had begun, so its journal has the state of its stacks.
                let had_begun = failure.exit_code == ExitCode::Interrupted;
                let data = if had_begun { "see the journal of the run" } else { "nothing was deployed" };
                Verdict { success: false, reason: failure.first(), data: data.to_owned() }
            }
        };
        let exit_code =
            ended.as_ref().map_or_else(|failure| failure.exit_code, |finished| finished.exit_code);
        if ended.as_ref().is_ok_and(|finished| finished.is_left_to_others) {
            terminal::say(
                "the wait condition is not signalled: another build continues the run, or has ended it",
            );
        } else if ended.as_ref().is_err_and(|failure| failure.is_busy) {
            // Another process is deploying. That process signals the result.
        } else if exit_code == ExitCode::Interrupted && !self.when_interrupted {
            terminal::say("the wait condition is not signalled: the same command continues the run");
        } else if let Err(failure) = self.signal(&verdict) {
            if exit_code == ExitCode::Done {
                return Err(failure);
            }
            terminal::say(&failure.to_string());
        }
        ended.map(|finished| finished.exit_code)
    }

    /// Signals a verdict, unless this handle was signalled before.
    pub fn signal(&self, verdict: &Verdict) -> Result<(), Failure> {
        let wire = terminal::wire();
        let signal = self.handle.signal(&wire, Utf8Path::new(MARKS), verdict);
        let in_time = async {
            tokio::select! {
                signalled = signal => Some(signalled),
                () = interrupt::time_is_up() => None,
            }
        };
        let what = "the wait condition was being signalled";
        let signalled = interrupt::within_time_left(what, in_time)?.ok_or_else(unanswered)?;
        let signalled = signalled.map_err(|error| not_signalled(&error))?;
        let word = |success| if success { "success" } else { "failure" };
        terminal::say(&match signalled {
            Signalled::Now => format!("the wait condition was signalled: {}", word(verdict.success)),
            Signalled::Before { success, reason } => format!(
                "the wait condition was signalled before, so it is not signalled again: {} ({reason})",
                word(success)
            ),
            Signalled::Expired => {
                "note: the wait condition is not signalled: its URL has expired, so no stack waits for it any more"
                    .to_owned()
            }
        });
        Ok(())
    }
}

fn not_signalled(error: &AwsError) -> Failure {
    let hint = error.what_to_do().unwrap_or_default();
    let hint = format!("{hint}; the outer stack waits until its timeout, `paceline signal` tries again");
    let message = format!("the wait condition could not be signalled: {error}");
    Failure::usage(message, hint.trim_start_matches("; ")).with_exit_code(ExitCode::Failed)
}

/// The failure if the process is interrupted and AWS has not answered in time.
fn unanswered() -> Failure {
    Failure::usage(
        "the wait condition may not have been signalled: the command was interrupted before there was an answer",
        "the outer stack waits until its timeout; the same command, or `paceline signal`, tries again",
    )
    .with_exit_code(ExitCode::Interrupted)
}

fn verdict(finished: &Finished) -> Verdict {
    let Finished { exit_code, record, .. } = finished;
    let success = *exit_code == ExitCode::Done;
    let reason = match (record.first_failure(), &record.stopping) {
        _ if success => "the deployment is done".to_owned(),
        (Some(failure), _) => failure,
        (None, Some(reason)) => format!("the deployment was stopped: {reason}"),
        (None, None) => "the deployment was interrupted".to_owned(),
    };
    Verdict { success, reason, data: counts(record) }
}

fn counts(record: &Record) -> String {
    let outcomes = record.outcomes();
    let count = |of: &[Outcome]| of.iter().filter_map(|outcome| outcomes.get(outcome)).sum::<usize>();
    let (deployed, unchanged) = (count(&[Outcome::Deployed]), count(&[Outcome::Unchanged]));
    let failed = count(&[Outcome::Failed, Outcome::RolledBack]);
    format!("{deployed} deployed, {unchanged} unchanged, {failed} failed")
}

/// The id of the CodeBuild build that runs this process.
pub fn this_build() -> Option<String> {
    std::env::var(BUILD_ID).ok().filter(|id| !id.is_empty())
}
