//! The two ways to stop a run early: a request from outside, and the deadline.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// The reason of a run that stops at its deadline.
pub const OUT_OF_TIME: &str = "the run is out of time";

/// Asks a run to stop. All clones belong to the same run.
#[derive(Debug, Clone)]
pub struct Stop(watch::Sender<Option<String>>);

impl Default for Stop {
    fn default() -> Self {
        Self(watch::Sender::new(None))
    }
}

impl Stop {
    /// Asks the run to stop. No new step starts, and AWS finishes the running operations by itself. The first
    /// reason counts.
    pub fn request(&self, reason: impl Into<String>) {
        self.0.send_if_modified(|current| {
            let first = current.is_none();
            if first {
                *current = Some(reason.into());
            }
            first
        });
    }

    /// The reason of the stop. `None` until a stop is requested.
    pub fn reason(&self) -> Option<String> {
        self.0.borrow().clone()
    }

    /// Completes when a stop is requested.
    pub async fn requested(&self) {
        // `self` holds the sender, so the channel is not closed.
        let _ = self.0.subscribe().wait_for(Option::is_some).await;
    }
}

/// The request or the deadline, whichever comes first.
#[derive(Debug)]
pub(crate) struct Interruption {
    request: watch::Receiver<Option<String>>,
    deadline: Option<Instant>,
}

impl Interruption {
    /// Watches for a request and for the deadline, which is `limit` from now.
    pub(crate) fn new(stop: &Stop, limit: Option<Duration>) -> Self {
        // A limit that the clock cannot count is treated as no limit.
        let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
        Self { request: stop.0.subscribe(), deadline }
    }

    /// The reason why the run must stop. `None` while it may continue.
    pub(crate) fn reason(&self) -> Option<String> {
        let requested = self.request.borrow().clone();
        let is_late = self.deadline.is_some_and(|deadline| deadline <= Instant::now());
        requested.or_else(|| is_late.then(|| OUT_OF_TIME.to_owned()))
    }

    /// Completes when there is a [`reason`](Self::reason).
    pub(crate) async fn wait(&mut self) {
        let requested = async {
            // Every sender is gone, so no request can come.
            if self.request.wait_for(Option::is_some).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let is_late = async {
            match self.deadline {
                Some(deadline) => tokio::time::sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = requested => {}
            () = is_late => {}
        }
    }
}
