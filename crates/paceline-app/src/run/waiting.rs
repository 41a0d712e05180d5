//! The signal at the end of a deployment, for an outer stack that waits for it.

use camino::Utf8Path;
use paceline_aws::{AwsError, Signalled, Verdict, WaitHandle};
use paceline_config::{Signal, SignalId};
use paceline_engine::ExitCode;
use paceline_engine::event::Outcome;
use paceline_report::Record;

use super::execution::Finished;
use crate::app::configured;
use crate::build::BUILD_ID;
use crate::failure::Failure;
use crate::settings::AppPaths;
use crate::{interrupt, terminal};

/// What was signalled from the folder that `paceline` is called in, beside the journals of its runs.
const MARKS: &str = ".paceline/signals";

/// Someone who waits for a deployment to end.
#[derive(Debug)]
pub struct Waiting {
    handle: WaitHandle,
    when_interrupted: bool,
}

impl Waiting {
    /// Whoever waits for a deployment with these arguments. What is wrong with the configuration is said by the
    /// deployment, and whoever the environment names is told of it.
    pub(crate) fn for_deployment(paths: &AppPaths) -> Result<Option<Self>, Failure> {
        let settings = configured(paths).map(|configured| configured.config.signal).unwrap_or_default();
        Self::named_by(&settings)
    }

    /// Whoever the environment names, in the variable that the settings name.
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
        // A build that is interrupted takes all that it has kept with it: nobody goes on with it.
        let when_interrupted = settings.when_interrupted.unwrap_or_else(|| this_build().is_some());
        Ok(Some(Self { handle, when_interrupted }))
    }

    /// Tells how a deployment ended. It is as good as that only when this could be told too: the outer stack would
    /// wait in vain, and roll back what is deployed.
    pub(crate) fn after(&self, ended: Result<Finished, Failure>) -> Result<ExitCode, Failure> {
        let verdict = match &ended {
            Ok(finished) => verdict(finished),
            Err(failure) => {
                // It had begun, and what became of it is in its journal.
                let was_going_on = failure.exit_code == ExitCode::Interrupted;
                let data = if was_going_on { "see the journal of the run" } else { "nothing was deployed" };
                Verdict { success: false, reason: failure.first(), data: data.to_owned() }
            }
        };
        let exit_code =
            ended.as_ref().map_or_else(|failure| failure.exit_code, |finished| finished.exit_code);
        if ended.as_ref().is_err_and(|failure| failure.is_busy) {
            // Whoever is deploying tells how that ends.
        } else if exit_code == ExitCode::Interrupted && !self.when_interrupted {
            terminal::say("the wait condition is not signalled: the same command goes on with the run");
        } else if let Err(failure) = self.tell(&verdict) {
            if exit_code == ExitCode::Done {
                return Err(failure);
            }
            terminal::say(&failure.to_string());
        }
        ended.map(|finished| finished.exit_code)
    }

    /// Tells a verdict, once: what was signalled before is not signalled again.
    pub fn tell(&self, verdict: &Verdict) -> Result<(), Failure> {
        let wire = terminal::wire();
        let signal = self.handle.signal(&wire, Utf8Path::new(MARKS), verdict);
        let in_time = async {
            tokio::select! {
                signalled = signal => Some(signalled),
                () = interrupt::time_is_up() => None,
            }
        };
        let what = "the wait condition was being signalled";
        let signalled = interrupt::as_long_as_there_is_time(what, in_time)?.ok_or_else(unheard)?;
        let signalled = signalled.map_err(|error| unsignalled(&error))?;
        let word = |success| if success { "success" } else { "failure" };
        terminal::say(&match signalled {
            Signalled::Now => format!("the wait condition was signalled: {}", word(verdict.success)),
            Signalled::Before { success, reason } => format!(
                "the wait condition was signalled before, and is not again: {} ({reason})",
                word(success)
            ),
            Signalled::Expired => {
                "note: the wait condition is not signalled: its URL has expired, so nobody waits any more"
                    .to_owned()
            }
        });
        Ok(())
    }
}

fn unsignalled(error: &AwsError) -> Failure {
    let hint = error.what_to_do().unwrap_or_default();
    let hint = format!("{hint}; the outer stack waits until its timeout, `paceline signal` tries again");
    let message = format!("the wait condition could not be signalled: {error}");
    Failure::usage(message, hint.trim_start_matches("; ")).with_exit_code(ExitCode::Failed)
}

/// The process was interrupted, and there was no answer in time.
fn unheard() -> Failure {
    Failure::usage(
        "the wait condition may not have been signalled: the command was interrupted before there was an answer",
        "the outer stack waits until its timeout; the same command, or `paceline signal`, tries again",
    )
    .with_exit_code(ExitCode::Interrupted)
}

fn verdict(finished: &Finished) -> Verdict {
    let Finished { exit_code, record } = finished;
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

/// The id of the build that this process is a part of.
pub fn this_build() -> Option<String> {
    std::env::var(BUILD_ID).ok().filter(|id| !id.is_empty())
}
