//! Stopping a run from outside: a signal, or whoever embeds the engine.

use tokio::sync::watch;

/// Asks a run to stop. Clones ask the same run.
#[derive(Debug, Clone)]
pub struct Stop(watch::Sender<Option<String>>);

impl Default for Stop {
    fn default() -> Self {
        Self(watch::Sender::new(None))
    }
}

impl Stop {
    /// Asks the run to stop: nothing new starts, and what runs is left to go on in AWS. The first reason counts.
    pub fn request(&self, reason: impl Into<String>) {
        self.0.send_if_modified(|current| {
            let first = current.is_none();
            if first {
                *current = Some(reason.into());
            }
            first
        });
    }

    /// Completes with the reason once the run has been asked to stop.
    pub(crate) async fn requested(&self) -> String {
        let mut receiver = self.0.subscribe();
        // The sender is `self`: it cannot be gone.
        match receiver.wait_for(Option::is_some).await {
            Ok(reason) => reason.clone().unwrap_or_default(),
            Err(_) => std::future::pending().await,
        }
    }
}
