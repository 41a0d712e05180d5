//! Decides whether a prepared change set is still what a deployment wants.

use aws_sdk_cloudformation::types::{ChangeSetStatus, ExecutionStatus};
use paceline_assembly::Stack;
use paceline_engine::{Preparation, PreparedChangeSet, PreparedRun};

use super::{AGAIN, ChangeGuard, ChangeSets, ReadyChangeSet};
use crate::error::{AwsError, code};

/// What was reviewed of a deployment before it began.
#[derive(Debug, Clone, Copy)]
pub(in crate::stack) struct Reviewed<'a> {
    /// The stack in the app.
    pub(in crate::stack) stack: &'a Stack,
    /// The prepared run that is executed. `None` if nothing was prepared, or if what was prepared is used up.
    pub(in crate::stack) prepared: Option<&'a PreparedRun>,
    /// Checks change sets that were not prepared.
    pub(in crate::stack) guard: Option<&'a ChangeGuard>,
}

/// The change set to begin with.
pub(super) enum Begin {
    /// The prepared one, as it is.
    Prepared(Box<ReadyChangeSet>),
    /// One of this name, which has to be made.
    Make(String),
}

impl ChangeSets<'_> {
    /// Takes the prepared change set if it is still what the operation with this token wants. Otherwise says why not.
    pub(super) async fn begin(&self, reviewed: &Reviewed<'_>, token: &str) -> Result<Begin, AwsError> {
        let Some(run) = reviewed.prepared else { return Ok(Begin::Make(token.to_owned())) };
        let set = match run.stacks.get(&reviewed.stack.id).map(|stack| &stack.preparation) {
            None => {
                let run = &run.run;
                self.context.warn(format!(
                    "its change set is made in this run, because it had nothing to change when {run} was prepared"
                ));
                return Ok(Begin::Make(token.to_owned()));
            }
            Some(Preparation::Later { because }) => {
                self.context.warn(format!("its change set is made in this run, because {because}"));
                return Ok(Begin::Make(token.to_owned()));
            }
            Some(Preparation::Ready(set)) => set,
        };
        let is_named = set.name.strip_prefix(token).is_some_and(|rest| rest.is_empty() || rest == AGAIN);
        let (why, name) = if is_named {
            match self.look(set).await? {
                Ok(ready) => return Ok(Begin::Prepared(Box::new(ready))),
                // The token of a change set is used up, even if the change set is deleted.
                Err(why) => (why, format!("{token}{AGAIN}")),
            }
        } else {
            (self.difference(set), token.to_owned())
        };
        self.context.warn(format!("its prepared change set is made again: {why}"));
        Ok(Begin::Make(name))
    }

    /// Reads a prepared change set. Gives the reason if it cannot be executed any more.
    async fn look(&self, set: &PreparedChangeSet) -> Result<Result<ReadyChangeSet, String>, AwsError> {
        let page = match self.describe(None, &set.id).await {
            Err(error) if error.is(code::CHANGE_SET_NOT_FOUND) || error.says_no_such_stack() => {
                return Ok(Err("somebody has deleted it".to_owned()));
            }
            page => page?,
        };
        let can_be = |status: &ExecutionStatus| {
            // An earlier part of the run may have executed it. CloudFormation says so when it is executed again.
            matches!(
                status,
                ExecutionStatus::Available
                    | ExecutionStatus::ExecuteInProgress
                    | ExecutionStatus::ExecuteComplete
                    | ExecutionStatus::ExecuteFailed
            )
        };
        Ok(match (page.status(), page.execution_status()) {
            (Some(ChangeSetStatus::CreateComplete), Some(status)) if can_be(status) => {
                Ok(ReadyChangeSet::new(&set.name, self.stack(), page))
            }
            (_, Some(ExecutionStatus::Obsolete)) => {
                Err("it is obsolete, because the stack has been changed since".to_owned())
            }
            (status, _) => {
                Err(format!("it is in {}", status.map_or("an unknown status", ChangeSetStatus::as_str)))
            }
        })
    }

    /// Why a prepared change set has another name than the one that is wanted.
    fn difference(&self, set: &PreparedChangeSet) -> String {
        if set.request != self.request.own_digest() {
            let secret = self.request.parameters.keys().any(|name| self.request.template.is_secret(name));
            let other = if secret {
                ", or its secret parameters were given on another machine, so that they cannot be compared"
            } else {
                ""
            };
            return format!("the app has changed since it was prepared{other}");
        }
        if !set.name.starts_with(&self.request.token_prefix()) {
            return "what the stack reads from elsewhere has changed since it was prepared".to_owned();
        }
        "the stack has been changed since it was prepared".to_owned()
    }
}
