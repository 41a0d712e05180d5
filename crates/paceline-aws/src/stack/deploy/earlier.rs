//! What an earlier part of the run did to a stack, by the stack's events.

use paceline_engine::ResourceProgress;

use super::{Deployment, Progress};
use crate::environment::StackView;
use crate::error::AwsError;
use crate::stack::events::{Change, EventLog};

/// What an earlier part of the run did to a stack last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EarlierOperation {
    None,
    /// By the stack's events, its operation has not ended, or is being rolled back. If the stack was read at rest, that
    /// state is older than the operation, although the template may be that of the operation already.
    Runs,
    /// By the stack's events, the last operation did not succeed. If the stack was read as deployed, that state is older.
    Failed,
    Ended,
}

/// How often a stack is read again because it may have been read as it was before an operation of this run.
const MOST_DOUBTS: u32 = 3;

impl Deployment<'_> {
    /// What an earlier part of the run did to the stack last. The journal only shows that an operation was about to be
    /// sent. The stack's events show whether it was sent. If it has ended, reports its events with their times, because
    /// nobody has reported its end.
    pub(super) async fn earlier_operation(&self, view: &StackView) -> Result<EarlierOperation, AwsError> {
        if !self.context.was_done_earlier() {
            return Ok(EarlierOperation::None);
        }
        let changes = EventLog::default().read(self.environment, &view.id).await?;
        let is_ours =
            |change: &Change| change.token.as_deref().is_some_and(|token| self.request.is_done_by(token));
        if !changes.iter().any(is_ours) {
            return Ok(EarlierOperation::None);
        }
        if let Some(newest) = changes.iter().rev().find(|change| change.of_stack) {
            let status = newest.status.of_stack();
            if is_ours(newest) && !status.has_ended() {
                return Ok(EarlierOperation::Runs);
            }
            if !status.has_succeeded() {
                return Ok(EarlierOperation::Failed);
            }
        }
        // If the operation has not ended, the code that waits for it reports its events.
        let has_ended = view.status.has_ended() && !view.status.failed();
        let total = self.stack.template.resource_count();
        let of_stack = changes.into_iter().filter(|change| has_ended && change.of_stack);
        self.context.progress_of(of_stack.map(|change| ResourceProgress {
            logical_id: change.logical_id,
            resource_type: change.resource_type,
            status: change.status,
            reason: change.reason,
            done: total,
            total,
            unconfirmed: false,
            happened_at: change.at,
        }));
        Ok(EarlierOperation::Ended)
    }

    /// Why the state of an unchanged stack may be older than an operation of an earlier part of this run, whose template it
    /// already has. If later reads do not show the operation, AWS never got it, and somebody else has given the stack this
    /// template.
    pub(super) fn doubt(&self, progress: &Progress, earlier: EarlierOperation) -> Option<&'static str> {
        match earlier {
            EarlierOperation::None if self.context.was_done_earlier() && progress.doubts < MOST_DOUBTS => {
                Some("its events do not show the operation that this run has sent")
            }
            EarlierOperation::Failed => Some("it looks deployed, but its last operation did not succeed"),
            _ => None,
        }
    }
}
