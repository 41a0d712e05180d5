//! A build that CodeBuild has started by itself because the build before it failed (`codebuild.auto-retry-limit`).
//!
//! Nobody has looked at the failure. If its cause stays, the build says it again and does nothing. Otherwise the run goes on.
//! A build that a person, a webhook or a schedule starts is a new attempt, and does not come here.

use std::sync::Arc;

use camino::Utf8Path;
use paceline_engine::event::StepFinished;
use paceline_engine::{ExitCode, FailedInBuild, Journal, Unfinished};
use paceline_plan::Plan;

use super::RUNS;
use super::execution::Execution;
use super::finished::Finished;
use super::listeners::Listeners;
use super::resume;
use crate::failure::Failure;
use crate::terminal;

/// What a build does that CodeBuild has started by itself.
pub(super) enum Repetition {
    /// Every other build: it continues an interrupted run of the same plan, or begins a new one.
    None,
    /// It has ended: the run failed because of a cause that stays.
    Stopped(Box<Finished>),
    /// It continues the run that failed.
    Continues(Unfinished),
}

impl Execution<'_> {
    /// Decides what to do after the failed builds that this build repeats, the last one first.
    pub(super) fn after_failed_builds(
        &self,
        plan: &Arc<Plan>,
        builds: &[String],
    ) -> Result<Repetition, Failure> {
        let runs = Utf8Path::new(RUNS);
        if builds.is_empty() {
            return Ok(Repetition::None);
        }
        let Some(failed) = FailedInBuild::find(runs, plan, builds)? else { return Ok(Repetition::None) };
        let FailedInBuild { run, build, .. } = &failed;
        if let Some(lasting) = failed.lasting() {
            terminal::say(&format!(
                "CodeBuild has repeated the failed build {build}. Nothing is done: the run {run} of that build failed because of \
                 {}, and this cause does not disappear by itself. When it is removed, start a new build",
                named(lasting)
            ));
            return Ok(Repetition::Stopped(Box::new(self.say_again(plan, &failed)?)));
        }
        let cause = failed.first().map_or_else(|| "an unknown cause".to_owned(), named);
        if self.undoes_failed {
            terminal::mention(&format!(
                "CodeBuild has repeated the failed build {build}. A new run begins: the run {run} of that build failed because \
                 of {cause}, and it is rolled back (`on-failure.run`)"
            ));
            return Ok(Repetition::None);
        }
        let Some(unfinished) = Journal::continue_failed(runs, run, plan)? else {
            return Ok(Repetition::None);
        };
        let lead = format!(
            "CodeBuild has repeated the failed build {build}. Continuing its run {run}, which failed because of {cause}: this \
             may disappear by itself"
        );
        resume::announce(lead, &unfinished, self.executes.as_deref());
        Ok(Repetition::Continues(unfinished))
    }

    /// Writes the reports of a failed run again, and gives its end.
    fn say_again(&self, plan: &Plan, failed: &FailedInBuild) -> Result<Finished, Failure> {
        let listeners = Listeners::open(self.settings, self.outputs, plan, None, &failed.events)?;
        let record = listeners.finish(None);
        let exit_code = record.exit_code.unwrap_or(ExitCode::Failed);
        Ok(Finished { exit_code, record, is_said_again: true, ..Finished::nothing() })
    }
}

/// A failed step and its cause.
fn named(finished: &StepFinished) -> String {
    let title = &finished.step.title;
    finished.cause.as_ref().map_or_else(
        || title.clone(),
        |cause| match cause.at.as_deref().filter(|at| at != title) {
            Some(at) => format!("{title}: {at}: {}", cause.message),
            None => format!("{title}: {}", cause.message),
        },
    )
}
