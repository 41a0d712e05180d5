//! What ends an operation that takes too long.

use paceline_config::Stuck;
use tokio::time::Instant;

use super::Deployment;
use crate::stack::limit::Limit;
use crate::stack::operation::Method;
use crate::stack::stuck::WhenStuck;

impl Deployment<'_> {
    /// A creation cannot be cancelled without deleting the stack, nor can an update of a stack that was never complete.
    pub(super) fn when_stuck(&self, may_cancel: bool) -> WhenStuck {
        match self.stuck {
            Stuck::Warn => WhenStuck::Wait,
            Stuck::Cancel if may_cancel && !self.request.disable_rollback => WhenStuck::CancelUpdate,
            Stuck::Cancel => WhenStuck::Leave,
        }
    }

    /// `continues` is true if the operation continues a failed one. To cancel it could delete the stack.
    pub(super) fn limit(&self, method: Method, sent: Option<Instant>, continues: bool) -> Option<Limit> {
        let ends_creation = method == Method::Direct;
        let keeps_failed = self.request.disable_rollback || continues;
        self.request.limit.map(|after| Limit { after, sent, ends_creation, keeps_failed })
    }
}
