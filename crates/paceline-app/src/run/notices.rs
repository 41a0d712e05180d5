//! Notifies those whom the configuration names of a run: that it begins, that a step has failed, that it has ended.
//!
//! Notifications are sent beside the run. It never waits for them, except for a few seconds at its end.

use std::sync::Arc;
use std::time::Duration;

use paceline_aws::{Aws, Notification};
use paceline_config::{Notifications, Occasion};
use paceline_engine::event::Outcome;
use paceline_engine::{Event, Fact};
use paceline_report::{Record, notice_detail, notice_of_end, notice_of_failure, notice_of_start};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::figures::{Audience, in_time};
use crate::terminal;

/// How long one notification may take.
const LONGEST: Duration = Duration::from_secs(5);

/// The notifications of one process of a run.
pub(super) struct Notices<'a> {
    audience: &'a Audience,
    /// `None` if nobody is to hear of the run.
    sending: Option<Sending>,
    has_failed: bool,
}

struct Sending {
    queue: mpsc::UnboundedSender<Notification>,
    task: JoinHandle<()>,
}

impl<'a> Notices<'a> {
    /// A simulated run notifies nobody, and neither does one that only prepares.
    pub(super) fn open(audience: &'a Audience, aws: &Arc<Aws>, is_silent: bool) -> Self {
        let to = &audience.notifications;
        let has_any = to.sns.is_some() || to.event_bus.is_some() || to.webhook.is_some();
        let sending = (has_any && !is_silent).then(|| {
            let (queue, waiting) = mpsc::unbounded_channel();
            Sending { queue, task: tokio::spawn(send_all(Arc::clone(aws), to.clone(), waiting)) }
        });
        Self { audience, sending, has_failed: false }
    }

    /// Sends a notice of an event that the team wants to hear of. `record` gives the run up to this event.
    pub(super) fn event(&mut self, event: &Event, record: impl FnOnce() -> Record) {
        let Some(sending) = &self.sending else { return };
        let occasion = match &event.fact {
            Fact::RunStarted(_) => Occasion::Start,
            Fact::StepFinished(finished) if is_failure(finished.outcome) && !self.has_failed => {
                self.has_failed = true;
                Occasion::Failure
            }
            // A run that sleeps has not ended.
            Fact::RunFinished(finished) if finished.waits_for.is_empty() => Occasion::End,
            _ => return,
        };
        if !self.audience.notifications.on.contains(&occasion) {
            return;
        }
        let (record, deployment) = (record(), self.audience.deployment.as_str());
        let message = match occasion {
            Occasion::Start => notice_of_start(&record, deployment),
            Occasion::Failure => notice_of_failure(&record, deployment),
            Occasion::End => notice_of_end(&record, deployment),
        };
        let detail = notice_detail(&record, deployment);
        let (deployment, run) = (deployment.to_owned(), record.run);
        // The receiver lives as long as the run.
        let _ = sending.queue.send(Notification { occasion, deployment, run, message, detail });
    }

    /// Waits for the last notifications.
    pub(super) async fn finish(self) {
        let Some(Sending { queue, mut task }) = self.sending else { return };
        drop(queue);
        if in_time(&mut task).await.is_none() {
            task.abort();
            terminal::warn("not everybody was notified of the run: there was no answer in time");
        }
    }
}

fn is_failure(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Failed | Outcome::RolledBack)
}

async fn send_all(aws: Arc<Aws>, to: Notifications, mut waiting: mpsc::UnboundedReceiver<Notification>) {
    while let Some(notification) = waiting.recv().await {
        match tokio::time::timeout(LONGEST, aws.notify(&to, &notification)).await {
            Ok(errors) => errors.iter().for_each(|error| terminal::warn(&error.message)),
            Err(_) => terminal::warn("not everybody was notified of the run: there was no answer in time"),
        }
    }
}
