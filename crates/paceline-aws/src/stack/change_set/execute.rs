//! Changes a stack with a change set: makes it or takes the prepared one, and executes it.

use paceline_assembly::{StackStatus, Template};
use paceline_engine::Finding;

use super::reuse::Begin;
use super::{ChangeSets, Made, ReadyChangeSet, Reviewed, Unreviewed};
use crate::environment::{StackView, find};
use crate::error::{AwsError, ErrorKind};
use crate::stack::review::Review;
use crate::stack::sent::Sent;
use crate::stack::unchanged::deployed_template;

/// Changes a stack with a change set.
pub(in crate::stack) struct ByChangeSet<'a> {
    pub(in crate::stack) sets: ChangeSets<'a>,
    pub(in crate::stack) token: &'a str,
    /// True if a failure may leave the stack as it is, unless the change set replaces a resource.
    pub(in crate::stack) keeps: bool,
    pub(in crate::stack) reviewed: Reviewed<'a>,
}

impl ByChangeSet<'_> {
    pub(in crate::stack) async fn send(&self) -> Result<Sent, AwsError> {
        let ChangeSets { environment, context, before, .. } = self.sets;
        let (set, is_prepared) = match self.sets.begin(&self.reviewed, self.token).await? {
            Begin::Prepared(set) => (set, true),
            Begin::Make(name) => match self.sets.make(self.token, name, None).await? {
                Made::Ready(set) => (set, false),
                Made::Empty => return Ok(Sent::NoChanges),
                Made::Failed(reason, findings) => return Err(failed(&reason, &findings)),
            },
        };
        if !is_prepared && let Err(refused) = self.ensure_allowed(&set).await {
            self.throw_away(&set).await;
            return Err(refused);
        }
        // A creation replaces nothing.
        let asks = self.keeps && before.is_some();
        let may_replace = asks && self.sets.may_replace(&set).await?;
        if !self.is_alone(&set, is_prepared).await? {
            return Ok(Sent::OutOfDate("it is not what it was when the change set was made".to_owned()));
        }
        let disables_rollback = self.disables_rollback(may_replace);
        context.submitting("execute-change-set", self.token).await;
        let send = || {
            let call = environment.client.execute_change_set().stack_name(&set.stack);
            let call = call.change_set_name(&set.id).client_request_token(self.token);
            // The API Reference contradicts itself about the default.
            call.disable_rollback(disables_rollback).send()
        };
        match environment.call(Some(context), "ExecuteChangeSet", send).await {
            // The change set was executed earlier. The stack's events show how that ended.
            Err(error) if error.says_change_set_is_executed() => Ok(Sent::Known),
            answer => answer.map(|_| Sent::Accepted { id: set.stack }),
        }
    }

    /// Holds the policy against a change set that was not prepared.
    async fn ensure_allowed(&self, set: &ReadyChangeSet) -> Result<(), AwsError> {
        let Some(guard) = self.reviewed.guard else { return Ok(()) };
        let stack = self.reviewed.stack;
        let changes = self.sets.changes(set).await?;
        let body = match self.sets.before {
            Some(before) => deployed_template(self.sets.environment, &before.id).await?,
            None => None,
        };
        let deployed = body.map(|body| Template::parse(&body)).transpose().map_err(|error| {
            AwsError::setup(format!("the deployed template of {} cannot be read: {error}", stack.id))
        })?;
        let deployed = deployed.map(|template| template.knowing(stack.template.known().clone()));
        guard.check(&Unreviewed { stack, deployed, changes: &changes }).map_err(|refusal| {
            let error = AwsError { kind: ErrorKind::Refused, ..AwsError::setup(refusal.message) };
            error.during(stack.id.clone()).hint(refusal.hint)
        })
    }

    /// Waits until executing our change set deletes no change set of somebody else. Returns whether the stack
    /// is still unchanged then. Otherwise our change set is deleted, unless it was prepared.
    async fn is_alone(&self, set: &ReadyChangeSet, is_prepared: bool) -> Result<bool, AwsError> {
        let ChangeSets { environment, context, request, before } = self.sets;
        let now = match before {
            Some(before) => before.clone(),
            None => match find(environment, &set.stack).await? {
                Some(now) if now.status == StackStatus::ReviewInProgress => now,
                _ => return Ok(false),
            },
        };
        let (name, ours) = (Some(set.name.as_str()), request.token_prefix());
        let ours = Some(ours.as_str());
        let review = Review { environment, context, stack: &now, name, ours, spares_prepared: false };
        let alone = review.wait().await;
        if !matches!(alone, Ok(true)) && !is_prepared {
            self.throw_away(set).await;
        }
        alone
    }

    /// Deletes our change set. If it cannot be deleted, it stays: it does nothing by itself.
    async fn throw_away(&self, set: &ReadyChangeSet) {
        let _ = self.sets.delete(&set.stack, &set.id).await;
    }

    /// Returns true also for a stack in a failed state. Such a stack can only be updated without rollback.
    fn disables_rollback(&self, may_replace: bool) -> bool {
        let is_failed = |view: &StackView| view.status.failed();
        self.sets.request.disable_rollback
            || self.sets.before.is_some_and(is_failed)
            || self.keeps && !may_replace
    }
}

/// The error for a change set that CloudFormation could not make.
pub(in crate::stack) fn failed(reason: &str, findings: &[Finding]) -> AwsError {
    let refused = findings.iter().filter(|finding| finding.refuses).map(|it| format!("; {}", it.sentence()));
    let message = format!("the change set could not be made: {reason}{}", refused.collect::<String>());
    AwsError { kind: ErrorKind::Refused, ..AwsError::setup(message) }.during("CreateChangeSet")
}
