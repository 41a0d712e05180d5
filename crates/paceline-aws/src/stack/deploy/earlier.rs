//! What an earlier part of the run did to a stack, by the stack's events.

use paceline_assembly::ResourceStatus;
use paceline_engine::ResourceProgress;

use super::{Deployment, Progress};
use crate::environment::StackView;
use crate::error::AwsError;
use crate::stack::events::{Change, EventLog};

/// What an earlier part of the run did to a stack last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EarlierOperation {
    None,
    /// By the stack's events, its operation has not ended. If the stack was read at rest, that state is older than the
    /// operation, although the template may be that of the operation already.
    Runs,
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
        let newest = changes.iter().rev().find(|change| change.of_stack);
        let runs = |change: &Change| {
            use ResourceStatus::{CreateInProgress, UpdateInProgress};
            is_ours(change) && matches!(change.status, CreateInProgress | UpdateInProgress)
        };
        if newest.is_some_and(runs) {
            return Ok(EarlierOperation::Runs);
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

    /// Whether the state and the events of an unchanged stack may be older than an operation of an earlier part of this
    /// run, whose template it already has. If later reads do not show the operation, AWS never got it, and somebody else
    /// has given the stack this template.
    pub(super) fn may_be_old(&self, progress: &Progress, earlier: EarlierOperation) -> bool {
        let was_sent = self.context.was_done_earlier();
        was_sent && earlier == EarlierOperation::None && progress.doubts < MOST_DOUBTS
    }
}
