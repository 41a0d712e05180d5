//! The interface between the engine and the code that performs a step.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use paceline_assembly::ResourceStatus;
use paceline_plan::{Plan, Step};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::event::{
    Cause, CommandOutput, Fact, Kept, Outcome, RetryClass, StackAccepted, StackCall, StackProgress,
    StackSubmitted, StepRef, StepRetried, StepWarned, StuckResource, seconds,
};

/// Performs steps. The engine decides which step is performed and when. A performer never schedules.
pub trait Perform: Send + Sync + 'static {
    /// Performs a step to its end, or until [`StepContext::stopped`].
    fn perform(&self, context: StepContext) -> impl Future<Output = Ended> + Send;

    /// The number of resources that may be in stack operations at the same time in an account and region, if it is
    /// known. The engine asks once for each, before the first step starts.
    fn concurrent_resources(&self, account: Option<&str>, region: Option<&str>) -> Option<NonZeroUsize> {
        let _ = (account, region);
        None
    }

    /// How often AWS has asked for fewer calls in this process, by operation. The engine asks once, when all steps have
    /// ended.
    fn throttles(&self) -> BTreeMap<String, u64> {
        BTreeMap::new()
    }
}

/// The end of a step.
#[derive(Debug, Clone)]
pub struct Ended {
    /// The outcome. Never [`Outcome::Skipped`]: only steps that never started are skipped.
    pub outcome: Outcome,
    /// The first cause of a failure.
    pub cause: Option<Cause>,
    /// The finding of the step, in a few words.
    pub detail: Option<String>,
    /// The outputs of the stack.
    pub outputs: BTreeMap<String, String>,
}

impl Ended {
    /// A step that ended in `outcome`, without details.
    pub fn new(outcome: Outcome) -> Self {
        Self { outcome, cause: None, detail: None, outputs: BTreeMap::new() }
    }

    /// A step that failed.
    pub fn failed(cause: Cause) -> Self {
        Self { cause: Some(cause), ..Self::new(Outcome::Failed) }
    }

    /// Adds the finding of the step.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}

/// The step that a performer performs, and the channel for its reports.
#[derive(Debug, Clone)]
pub struct StepContext {
    pub(crate) run: Arc<RunIdentity>,
    pub(crate) plan: Arc<Plan>,
    pub(crate) index: usize,
    pub(crate) reference: Arc<StepRef>,
    pub(crate) report: mpsc::UnboundedSender<Report>,
    pub(crate) stop: CancellationToken,
    pub(crate) clock: Clock,
    pub(crate) done_earlier: bool,
    pub(crate) needs_unchanged: bool,
    pub(crate) rate_wait: RateWait,
}

/// How long the calls of a step have waited for the rate of calls.
#[derive(Debug, Clone, Default)]
pub(crate) struct RateWait(Arc<AtomicU64>);

impl RateWait {
    pub(crate) fn get(&self) -> Duration {
        Duration::from_micros(self.0.load(Ordering::Relaxed))
    }
}

/// What all steps of a run know of it.
#[derive(Debug)]
pub(crate) struct RunIdentity {
    /// The name of the run.
    pub(crate) name: String,
    /// The time at which the run began, if this is not its first part.
    pub(crate) began_earlier: Option<Timestamp>,
}

/// The clock of a run: the time of its start plus the time that tokio's clock has counted since.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    start: Timestamp,
    origin: Instant,
}

impl Clock {
    pub(crate) fn starting(start: Timestamp) -> Self {
        Self { start, origin: Instant::now() }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.origin.elapsed()
    }

    /// The time to the millisecond, so that an event is the same in the running process and in its journal.
    pub(crate) fn now(&self) -> Timestamp {
        let exact = self.start.checked_add(self.elapsed());
        let to_the_millisecond = exact.and_then(|now| Timestamp::from_millisecond(now.as_millisecond()));
        // The result can be out of range only after a run that is far longer than any run.
        to_the_millisecond.unwrap_or(self.start)
    }
}

/// Facts that a step sends to the engine. The engine applies all facts of a report before it decides
/// anything. The sender may wait until the facts are in the journal.
#[derive(Debug)]
pub(crate) struct Report {
    /// The position of the step that reports.
    pub(crate) step: usize,
    pub(crate) facts: Vec<Fact>,
    pub(crate) recorded: Option<oneshot::Sender<()>>,
    /// Set if the step stops or starts to count against its limit.
    pub(crate) room: Option<Room>,
    /// Set if the step asks to wait until other steps have ended.
    pub(crate) pause: Option<Pause>,
}

/// The state from which a step tries again.
#[derive(Debug, PartialEq)]
enum Retrying {
    /// As if for the first time.
    Again,
    /// AWS refused the attempt before, which therefore changed nothing.
    Refused,
    /// The stack stays as the failure has left it.
    FromFailure(Kept),
}

/// A change in whether a running step counts against its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Room {
    /// The step waits and does not count.
    Left,
    /// The step counts again.
    Taken,
}

/// The request of a step to wait until other steps have ended.
#[derive(Debug)]
pub(crate) struct Pause {
    pub(crate) after: BTreeSet<usize>,
    pub(crate) reason: String,
    pub(crate) attempt: u32,
    /// The channel for the answer: true if the step should try again.
    pub(crate) resume: oneshot::Sender<bool>,
}

impl StepContext {
    /// Returns whether this run had done the step, or sent its operation, before it was interrupted.
    pub fn was_done_earlier(&self) -> bool {
        self.done_earlier
    }

    /// The time at which the run began, if this is not its first part.
    pub fn began_earlier(&self) -> Option<Timestamp> {
        self.run.began_earlier
    }

    /// Returns whether every need of the step had nothing to do.
    pub fn is_after_nothing_new(&self) -> bool {
        self.needs_unchanged
    }

    /// The time, by the run's clock.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The name of the run.
    pub fn run(&self) -> &str {
        &self.run.name
    }

    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The position of the step in the plan.
    pub fn index(&self) -> usize {
        self.index
    }

    pub fn step(&self) -> &Step {
        &self.plan.steps[self.index]
    }

    /// Completes when the run is being stopped.
    pub async fn stopped(&self) {
        self.stop.cancelled().await;
    }

    /// Returns whether the run is being stopped.
    pub fn is_stopped(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Waits for something that another step does. While it waits, the step does not count against its limit,
    /// so another step may run. After the wait it counts again.
    pub async fn without_room<F: Future>(&self, wait: F) -> F::Output {
        self.send_room(Some(Room::Left));
        let waited = wait.await;
        self.send_room(Some(Room::Taken));
        waited
    }

    /// Adds the time for which a call of the step waited for the rate of calls.
    pub fn waited_for_rate(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.rate_wait.0.fetch_add(micros, Ordering::Relaxed);
    }

    /// Reports a change of a resource or of the stack.
    pub fn progress(&self, resource: ResourceProgress) {
        self.progress_of([resource]);
    }

    /// Reports changes that arrived together. The engine looks at all of them before it starts a step: a
    /// complete resource does not count if the same answer says that its stack is being rolled back.
    pub fn progress_of(&self, changes: impl IntoIterator<Item = ResourceProgress>) {
        let facts = changes.into_iter().map(|change| {
            let ResourceProgress { logical_id, resource_type, status, reason, .. } = change;
            let ResourceProgress { done, total, unconfirmed, happened_at, .. } = change;
            let step = self.reference();
            Fact::StackProgress(StackProgress {
                step,
                logical_id,
                resource_type,
                status,
                reason,
                done,
                total,
                unconfirmed,
                happened_at,
            })
        });
        self.send_all(facts.collect(), None);
    }

    /// Reports that AWS works on the stack with this id. `token` is the token of our operation, or `None` if
    /// another operation was already running.
    pub fn accepted(&self, stack_id: impl Into<String>, token: Option<String>) {
        let (step, stack_id) = (self.reference(), stack_id.into());
        self.send(Fact::StackAccepted(StackAccepted { step, stack_id, token }), None);
    }

    /// Reports that a transient error occurred and the call is tried again after a pause.
    pub fn retried(&self, class: RetryClass, reason: impl Into<String>, attempt: u32, wait: Duration) {
        self.tries_again(class, reason.into(), attempt, wait, Retrying::Again);
    }

    /// Reports that AWS refused a call, so that the call changed nothing, and that the call is tried again.
    pub fn refused_and_retried(
        &self,
        class: RetryClass,
        reason: impl Into<String>,
        attempt: u32,
        wait: Duration,
    ) {
        self.tries_again(class, reason.into(), attempt, wait, Retrying::Refused);
    }

    /// Reports that the operation on a stack failed for a transient reason, and that it is continued after a pause
    /// from the point of its failure.
    pub fn retried_from_failure(
        &self,
        class: RetryClass,
        reason: impl Into<String>,
        attempt: u32,
        wait: Duration,
        kept: Kept,
    ) {
        self.tries_again(class, reason.into(), attempt, wait, Retrying::FromFailure(kept));
    }

    fn tries_again(&self, class: RetryClass, reason: String, attempt: u32, wait: Duration, how: Retrying) {
        let (step, wait_s, after, class) = (self.reference(), seconds(wait), Vec::new(), Some(class));
        let refused = how == Retrying::Refused;
        let kept = if let Retrying::FromFailure(kept) = how { Some(kept) } else { None };
        let retried = StepRetried { step, reason, class, attempt, wait_s, refused, after, kept };
        self.send(Fact::StepRetried(retried), None);
    }

    /// Waits until the steps at the positions `after` in the plan have ended. While it waits, this step does
    /// not count against its limit. Returns false if trying again cannot help.
    pub async fn try_after(&self, after: BTreeSet<usize>, reason: impl Into<String>, attempt: u32) -> bool {
        let (resume, wait) = oneshot::channel();
        let pause = Some(Pause { after, reason: reason.into(), attempt, resume });
        let (step, facts) = (self.index, Vec::new());
        let _ = self.report.send(Report { step, facts, recorded: None, room: None, pause });
        wait.await.unwrap_or(false)
    }

    /// Reports a warning.
    pub fn warn(&self, message: impl Into<String>) {
        let (step, message) = (self.reference(), message.into());
        self.send(Fact::StepWarned(StepWarned { step, message, stuck: None }), None);
    }

    /// Reports a warning about a resource that takes much longer than usual.
    pub fn warn_of_stuck(&self, message: impl Into<String>, stuck: StuckResource) {
        let (step, message, stuck) = (self.reference(), message.into(), Some(Box::new(stuck)));
        self.send(Fact::StepWarned(StepWarned { step, message, stuck }), None);
    }

    /// Reports a line that a command of the team printed.
    pub fn output(&self, line: impl Into<String>) {
        let (step, line) = (self.reference(), line.into());
        self.send(Fact::CommandOutput(CommandOutput { step, line }), None);
    }

    /// Reports that a mutating call is about to be sent, and waits until the journal holds the report. If the
    /// journal cannot be written, or if the run is stopped while the operation is held back, this never completes: the
    /// step is about to be dropped.
    pub async fn submitting(&self, operation: impl Into<StackCall>, token: &str) {
        let (step, operation, token) = (self.reference(), operation.into(), token.to_owned());
        let (recorded, wait) = oneshot::channel();
        self.send(Fact::StackSubmitted(StackSubmitted { step, operation, token }), Some(recorded));
        if wait.await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    fn reference(&self) -> StepRef {
        StepRef::clone(&self.reference)
    }

    fn send(&self, fact: Fact, recorded: Option<oneshot::Sender<()>>) {
        self.send_all(vec![fact], recorded);
    }

    fn send_all(&self, facts: Vec<Fact>, recorded: Option<oneshot::Sender<()>>) {
        // The receiver is gone only when the run has ended. Then reports do not matter.
        let _ = self.report.send(Report { step: self.index, facts, recorded, room: None, pause: None });
    }

    fn send_room(&self, room: Option<Room>) {
        let (step, facts) = (self.index, Vec::new());
        let _ = self.report.send(Report { step, facts, recorded: None, room, pause: None });
    }
}

/// A change of a resource or of a stack, as CloudFormation reports it.
#[derive(Debug, Clone)]
pub struct ResourceProgress {
    /// The logical id. If the change is about the stack itself: the name of the stack.
    pub logical_id: String,
    /// The type, such as `AWS::IAM::Role`.
    pub resource_type: String,
    /// The status of the resource or of the stack.
    pub status: ResourceStatus,
    /// The reason that CloudFormation gives, if any.
    pub reason: Option<String>,
    /// The number of resources of the stack that are complete.
    pub done: usize,
    /// The number of resources of the stack.
    pub total: usize,
    /// True if steps that wait for the resource must ignore this event.
    pub unconfirmed: bool,
    /// The time of the change.
    pub happened_at: Timestamp,
}
