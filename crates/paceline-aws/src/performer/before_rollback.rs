//! Checks before a rollback that the stacks are as the run left them. What somebody else has done since must not be
//! undone by accident.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use paceline_assembly::Stack;
use paceline_engine::rollback::LeftByRun;
use paceline_plan::{Plan, Work};

use super::Aws;
use crate::environment::{Environment, StackView, find};
use crate::error::{AwsError, PreflightError};
use crate::stack::{EventLog, is_protected, protection};

/// What the user can do about a stack that somebody else has changed.
const FORCE: &str = "look at what was changed; --force undoes that too";
/// What the user can do about a stack that somebody else has created. Nothing that the run did not create is deleted.
const DELETE: &str = "delete that one yourself if it is to go";

impl Aws {
    /// Refuses the rollback of stacks that somebody else has changed since the run, and the deletion of protected
    /// stacks. `left` says how the run left its stacks. `own` are the tokens of earlier tries of this rollback.
    /// With `force`, only what cannot succeed is refused.
    pub async fn survey_rollback(
        &self,
        plan: &Plan,
        left: &BTreeMap<String, LeftByRun>,
        own: &BTreeSet<String>,
        force: bool,
    ) -> Result<(), PreflightError> {
        let looked = plan.steps.iter().filter_map(|step| {
            let deletes = matches!(step.work, Work::Delete { .. });
            let stack = self.assembly.stack(&plan.stacks[step.work.changes()?].id)?;
            Some((stack, left.get(&stack.id)?, deletes))
        });
        let looked = looked.map(|(stack, left, deletes)| async move {
            let environment = self.environment(stack).await?;
            let view = find(environment, &stack.name).await?;
            Check { environment, stack, left, own, deletes, force }.obstacle(view.as_ref()).await
        });
        let mut errors = Vec::new();
        for obstacle in join_all(looked).await {
            errors.extend(obstacle?);
        }
        if errors.is_empty() { Ok(()) } else { Err(PreflightError(errors)) }
    }
}

/// A stack that is to be restored or deleted.
struct Check<'a> {
    environment: &'a Environment,
    stack: &'a Stack,
    left: &'a LeftByRun,
    own: &'a BTreeSet<String>,
    deletes: bool,
    force: bool,
}

impl Check<'_> {
    async fn obstacle(&self, view: Option<&StackView>) -> Result<Option<AwsError>, AwsError> {
        let id = &self.stack.id;
        let Some(view) = view else {
            let gone = format!("{id} does not exist any more, and a rollback creates no stack");
            let hint = "deploy the version of the app that you want";
            return Ok((!self.deletes).then(|| AwsError::setup(gone).hint(hint)));
        };
        if self.deletes && is_protected(view) {
            return Ok(Some(protection(id)));
        }
        let is_untouched = self.left.stamp_before.as_ref() == Some(&view.stamp);
        if is_untouched {
            return Ok(None);
        }
        if self.left.stack_id.as_ref().is_some_and(|left| *left != view.id) {
            let message = format!("{id}: somebody has deleted it since the run, and created it again");
            let hint = if self.deletes { DELETE } else { FORCE };
            return Ok((self.deletes || !self.force).then(|| AwsError::setup(message).hint(hint)));
        }
        // AWS may never have accepted the creation of the run. Then somebody else has created the stack.
        let may_be_theirs = self.deletes && self.left.stack_id.is_none();
        if self.force && !may_be_theirs {
            return Ok(None);
        }
        let changes = EventLog::default().read(self.environment, &view.id).await?;
        let mut tokens = changes.iter().filter_map(|change| change.token.as_ref());
        let is_ours = tokens.any(|token| self.left.tokens.contains(token) || self.own.contains(token));
        if is_ours {
            return Ok(None);
        }
        if may_be_theirs {
            let message = format!("{id}: it is not known whether the run created it, or somebody else");
            return Ok(Some(AwsError::setup(message).hint(DELETE)));
        }
        let when = changes.first().map(|change| format!(", at {}", change.at)).unwrap_or_default();
        let message = format!("{id}: somebody else has changed it since the run{when}");
        Ok(Some(AwsError::setup(message).hint(FORCE)))
    }
}
