//! Ends a stack operation that takes too long, as far as CloudFormation allows.
//!
//! `CreateStack` gets the limit and ends a creation itself. A change set has no such parameter, so a long
//! creation with one is only reported. A long update is cancelled once, and its rollback is waited for like
//! any other. A wrong clock loses nothing, because a cancelled update restores the previous state.

use std::time::Duration;

use paceline_assembly::{ResourceStatus, StackStatus};
use paceline_engine::event::Cause;
use tokio::time::Instant;

use super::failure::{Failure, failed_resource};
use super::remove::still;
use super::watch::Watch;
use crate::environment::{StackView, find};
use crate::error::{AwsError, ErrorKind};
use crate::refusal::is_update_rollback;

/// The setting for limits.
const SETTING: &str = "codebuild.timeouts.stack";
/// The time for which cancelling is tried. The operation continues meanwhile.
const PATIENCE: Duration = Duration::from_mins(1);
/// CloudFormation's words for a creation that exceeded its limit, from public reports. If CloudFormation uses
/// other words, those are shown.
const TIMED_OUT: &str = "exceeded the specified timeout";

/// The time limit of an operation of ours.
#[derive(Debug, Clone)]
pub(super) struct Limit {
    pub(super) after: Duration,
    /// The time when the operation was sent. `None` if an earlier part of the run sent it. Then its events
    /// show the time.
    pub(super) sent: Option<Instant>,
    /// True if CloudFormation itself ends a creation.
    pub(super) ends_creation: bool,
    /// True if a failed update must stay as it is. Cancelling would roll it back.
    pub(super) keeps_failed: bool,
}

impl Limit {
    /// The limit for `CreateStack`: whole minutes, at least one.
    pub(super) fn minutes(after: Duration) -> i32 {
        i32::try_from(after.as_secs().div_ceil(60).max(1)).unwrap_or(i32::MAX)
    }

    fn text(&self) -> String {
        format!("{}m", Self::minutes(self.after))
    }
}

impl Watch<'_> {
    /// Acts if an operation takes longer than its limit.
    pub(super) async fn keep_limit(&mut self, view: &StackView) -> Result<(), AwsError> {
        let Some(limit) = self.operation.limit.clone().filter(|_| !self.is_over) else { return Ok(()) };
        if self.taken(&limit).is_none_or(|taken| taken < limit.after) {
            return Ok(());
        }
        match &view.status {
            StackStatus::UpdateInProgress if limit.keeps_failed => {
                self.is_over = true;
                self.say(&limit, "it is not cancelled, because that would roll it back: waiting on");
            }
            StackStatus::UpdateInProgress => {
                // A cancellation names the stack and not the operation. So the newest known operation must be
                // ours.
                self.read_events().await?;
                if self.is_our_update() {
                    self.is_over = true;
                    self.say(&limit, "cancelling the update");
                    self.cancel(view).await;
                }
            }
            StackStatus::CreateInProgress if limit.ends_creation => {}
            StackStatus::CreateInProgress => {
                self.is_over = true;
                self.say(&limit, "a creation by change set cannot be limited: waiting on");
            }
            // An earlier part of the run may have cancelled the update.
            status if is_update_rollback(status) && limit.sent.is_none() => {
                (self.is_over, self.is_cancelled) = (true, true);
            }
            _ => {}
        }
        Ok(())
    }

    fn taken(&self, limit: &Limit) -> Option<Duration> {
        if let Some(sent) = limit.sent {
            return Some(sent.elapsed());
        }
        let token = self.operation.token.as_deref();
        let first =
            self.events.all().iter().find(|change| change.of_stack && change.token.as_deref() == token)?;
        Duration::try_from(self.context.now().duration_since(first.at)).ok()
    }

    /// Returns whether the newest known operation on the stack is this update.
    pub(super) fn is_our_update(&self) -> bool {
        let last = self.events.all().iter().rev().find(|change| change.of_stack);
        last.is_some_and(|last| {
            last.status == ResourceStatus::UpdateInProgress && last.token == self.operation.token
        })
    }

    fn say(&self, limit: &Limit, what: &str) {
        self.context.warn(format!("it takes longer than {} ({SETTING}): {what}", limit.text()));
    }

    /// Cancels the update, so that CloudFormation rolls it back.
    pub(super) async fn cancel(&mut self, view: &StackView) {
        let token = self.operation.token.as_deref().unwrap_or_default().replace("-update-", "-cancel-");
        self.context.submitting("cancel-update", &token).await;
        let mut is_sent = false;
        let send = || {
            is_sent = true;
            let call = self.environment.client.cancel_update_stack().stack_name(&self.operation.id);
            call.client_request_token(&token).send()
        };
        let caller = self.environment.caller(Some(self.context)).within(PATIENCE);
        let holds = || still(self.environment, view);
        match caller.call_while("CancelUpdateStack", holds, send).await {
            Ok(Some(_)) => self.is_cancelled = true,
            // Either the update has just ended, and another operation may have begun, which is not ours. Or
            // the cancellation was sent and its answer was lost.
            Ok(None) => self.is_cancelled = is_sent && self.is_rolled_back(view).await,
            // The update has just ended by itself, or the answer to the first try was lost.
            Err(error) if error.says_no_update_to_cancel() => {
                self.is_cancelled = error.says_update_is_rolled_back();
            }
            Err(error) => {
                // The deploy role of a bootstrap does not have this permission.
                let hint = match error.kind {
                    ErrorKind::Denied => "; give the deploy role cloudformation:CancelUpdateStack",
                    _ => "",
                };
                let why = error;
                self.context.warn(format!("the update could not be cancelled, waiting on: {why}{hint}"));
            }
        }
        self.environment.poller.expect_change();
    }

    async fn is_rolled_back(&self, view: &StackView) -> bool {
        let now = find(self.environment, &view.id).await.ok().flatten();
        now.is_some_and(|now| now.stamp == view.stamp && is_update_rollback(&now.status))
    }

    /// The failure because of the limit, if the operation ended for that reason.
    pub(super) fn limit_failure(&self) -> Option<Failure> {
        let limit = self.operation.limit.as_ref()?;
        let timed_out = |reason: &String| reason.contains(TIMED_OUT);
        let message =
            if self.events.own().iter().any(|c| c.of_stack && c.reason.as_ref().is_some_and(timed_out)) {
                "its creation took longer than"
            } else if self.is_cancelled && !failed_resource(self.events.own()) {
                "its update was cancelled: it took longer than"
            } else {
                return None;
            };
        Some(Failure {
            cause: Cause {
                at: Some(self.name.to_owned()),
                message: format!("{message} the {} of {SETTING}", limit.text()),
                hint: Some(format!("find out what takes so long in it, or raise {SETTING}")),
                ..Cause::default()
            },
            transient: false,
            resource: None,
        })
    }
}
