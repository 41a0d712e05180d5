//! A value that many tasks wait for.

use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

/// A value that changes, and the tasks that wait for a change. Unlike with `tokio::sync::watch`, which wakes them in a
/// random order, the task that has waited longest goes first. So a run on virtual time is the same each time.
#[derive(Debug, Default)]
pub(super) struct Latest<T> {
    value: Mutex<T>,
    changed: Notify,
}

impl<T> Latest<T> {
    pub(super) fn read<R>(&self, read: impl FnOnce(&T) -> R) -> R {
        read(&self.value.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn change<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        let result = change(&mut self.value.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_waiters();
        result
    }

    /// Waits until `find` finds something in the value.
    pub(super) async fn wait_for<R>(&self, find: impl Fn(&T) -> Option<R>) -> R {
        loop {
            // A change after the value has been read wakes this task, too.
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if let Some(found) = self.read(&find) {
                return found;
            }
            changed.await;
        }
    }
}
