//! Runs the commands that the team declares.

use std::time::Duration;

use paceline_engine::event::{Cause, RetryClass};
use paceline_engine::{Ended, Outcome, StepContext};
use paceline_plan::Command;

use crate::process::Script;

/// The pause before a command runs again.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Decides whether the team's commands run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Commands {
    /// The shell runs them.
    #[default]
    Run,
    /// For a simulation: nothing runs, but the commands take their expected time.
    Pretend,
}

/// Runs a command with the shell. Each printed line becomes an event. If the command fails, its last line is
/// the cause.
pub async fn run_command(context: &StepContext, command: &Command, commands: Commands) -> Ended {
    if context.was_done_earlier() {
        return Ended::new(Outcome::Unchanged).with_detail("ran before the interruption");
    }
    if commands == Commands::Pretend {
        tokio::time::sleep(context.step().expected).await;
        return Ended::new(Outcome::Deployed).with_detail("pretended: nothing was run");
    }
    let script = Script {
        run: command.run.clone(),
        shell: command.shell.clone(),
        dir: command.dir.clone(),
        env: command.env.clone(),
        timeout: command.timeout,
    };
    let mut attempt = 1;
    loop {
        let Err(error) = script.perform(|line| context.output(line)).await else {
            return Ended::new(Outcome::Deployed);
        };
        let message = error.with_source();
        if attempt > command.retries {
            return Ended::failed(Cause {
                at: Some(command.name.clone()),
                message,
                hint: Some(
                    "its output is above and in the journal: fix it, then run the same command again"
                        .to_owned(),
                ),
                ..Cause::default()
            });
        }
        attempt += 1;
        context.retried(RetryClass::Command, message, attempt, RETRY_AFTER);
        tokio::time::sleep(RETRY_AFTER).await;
    }
}
