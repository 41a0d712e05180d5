//! Waits for the end of a stack operation.
//!
//! The poll is cheap and has the outputs, the events carry the operation's token: an end counts only when both tell of
//! it. If they never agree, the operation is left alone and a later run finds it: nothing is guessed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use paceline_assembly::{ResourceStatus, Stack, StackStatus};
use paceline_engine::{ResourceProgress, StepContext};
use tokio::time::Instant;

use super::events::{Change, EventLog};
use super::failure::{Failure, failed_resource, first_cause};
use super::limit::Limit;
use super::operation_events::{Agreement, OperationEvents, Reading, agree, goes_wrong, is_past, somebody};
use super::state::{OperationResult, result_of};
use crate::environment::Environment;
use crate::environment::{self, StackView};
use crate::error::{AwsError, ErrorKind};

/// From one reading of a stack's events to the next, while the stack is in progress and things happen in it.
const EVENTS_EVERY: Duration = Duration::from_secs(15);
/// The same while nothing has happened in it for long. In between, the interval is one part in [`QUIET_PARTS`]
/// of the time without news: what happens next is told late in proportion to how long it took.
const EVENTS_AT_LEAST_EVERY: Duration = Duration::from_secs(40);
const QUIET_PARTS: u32 = 5;
/// Contradictions of AWS are reported after this time, and again each time that they have lasted twice as long.
const TOLD_AFTER: Duration = Duration::from_mins(1);
/// After this time without news, the operation is left alone.
const LEFT_AFTER: Duration = Duration::from_mins(15);

/// An operation in progress.
#[derive(Debug, Clone)]
pub(super) struct RunningOperation {
    /// The stack's id.
    pub(super) id: String,
    /// The token it was sent with, if it is ours.
    pub(super) token: Option<String>,
    /// [`StackView::stamp`] before it started, if the stack was there and the operation is one that changes it.
    pub(super) stamp_before: Option<String>,
    /// Whether to wait until the stack can be updated, and not only until it is usable.
    pub(super) until_rest: bool,
    /// How long it may take, if it is ours and there is a limit.
    pub(super) limit: Option<Limit>,
}

impl RunningOperation {
    /// An operation that was in progress before we looked.
    pub(super) fn someone_elses(view: &StackView) -> Self {
        Self { id: view.id.clone(), token: None, stamp_before: None, until_rest: true, limit: None }
    }
}

/// How an operation ended.
#[derive(Debug)]
pub(super) enum OperationEnd {
    NoChanges,
    /// AWS could not be reached any more; the operation continues there.
    Lost(AwsError),
    /// Somebody deleted the stack in the middle of it: this is how that began.
    Overtaken(Box<Change>),
    Ended {
        verdict: OperationResult,
        view: Box<StackView>,
        /// Why, unless it succeeded.
        failure: Option<Failure>,
        /// The resources that were to be deleted and were not: they failed, or are kept on purpose.
        left: Vec<Change>,
        /// How somebody else's operation began that came after it.
        followed: Option<Box<Change>>,
    },
}

/// Waits for the end of an operation and reports what happens meanwhile.
pub(super) async fn wait_for_end(
    environment: &Environment,
    context: &StepContext,
    stack: &Stack,
    operation: RunningOperation,
) -> Result<OperationEnd, AwsError> {
    context.accepted(&operation.id, operation.token.clone());
    let mut watch = Watch {
        environment,
        context,
        events: OperationEvents::new(operation.token.clone()),
        operation,
        log: EventLog::default(),
        complete: BTreeSet::new(),
        total: stack.template.resource_count(),
        read_at: Instant::now(),
        news_at: Instant::now(),
        seen: None,
        doubt: None,
        name: &stack.name,
        is_over: false,
        is_cancelled: false,
    };
    let (verdict, mut view) = watch.until_the_end().await?;
    if let Some(by) = watch.events.overtaken_by() {
        return Ok(OperationEnd::Overtaken(Box::new(by.clone())));
    }
    // A deleted stack's own words are in its events alone.
    if view.reason.is_none() {
        view.reason = watch.events.reason();
    }
    let failure = match verdict {
        OperationResult::Succeeded => None,
        // Whatever stops a rollback is worse than what it was begun for.
        OperationResult::RolledBack | OperationResult::Failed => {
            let known = watch.limit_failure().or_else(|| watch.cancelled()).filter(|_| !is_stuck(&view));
            match known {
                None => first_cause(environment, watch.events.own(), &stack.construct_paths, 0).await,
                known => known,
            }
        }
    };
    let left = left(watch.events.own());
    let followed = watch.events.followed_by().cloned().map(Box::new);
    Ok(OperationEnd::Ended { verdict, view: Box::new(view), failure, left, followed })
}

fn is_stuck(view: &StackView) -> bool {
    view.status.is_stuck()
}

/// The resources whose last change says that they were not deleted.
fn left(changes: &[Change]) -> Vec<Change> {
    let mut last: BTreeMap<&str, &Change> = BTreeMap::new();
    for change in changes.iter().filter(|change| !change.of_stack) {
        last.insert(&change.logical_id, change);
    }
    let is_left = |change: &&&Change| {
        matches!(change.status, ResourceStatus::DeleteFailed | ResourceStatus::DeleteSkipped)
    };
    last.values().filter(is_left).map(|&change| change.clone()).collect()
}

pub(super) struct Watch<'a> {
    pub(super) environment: &'a Environment,
    pub(super) context: &'a StepContext,
    pub(super) operation: RunningOperation,
    pub(super) events: OperationEvents,
    log: EventLog,
    complete: BTreeSet<String>,
    total: usize,
    read_at: Instant,
    /// When events were last read that had not been read before.
    news_at: Instant,
    /// The status at the last look that was not past.
    seen: Option<StackStatus>,
    doubt: Option<Doubt>,
    pub(super) name: &'a str,
    /// Whether the operation was found to take too long, and what can be done about it has been done.
    pub(super) is_over: bool,
    /// Whether it was cancelled for that.
    pub(super) is_cancelled: bool,
}

/// That a look and the events do not agree.
#[derive(Debug, Clone, Copy)]
struct Doubt {
    since: Instant,
    /// When it is told next.
    told_at: Instant,
}

impl Watch<'_> {
    async fn until_the_end(&mut self) -> Result<(OperationResult, StackView), AwsError> {
        loop {
            let view = self.environment.poller.look(self.name).await?;
            let view = view.filter(|view| self.is_it(view));
            let look = self.look(view.as_ref());
            if self.are_events_due(look, view.as_ref()) {
                self.read_events().await?;
            }
            if let Some(ended) = self.ended(look, view.as_ref()) {
                return Ok(ended);
            }
            if agree(look, self.told()) == Agreement::Going {
                self.doubt = None;
                if let Some(view) = &view {
                    self.keep_limit(view).await?;
                }
            } else if let Some(ended) = self.doubt(look, view.as_ref()).await? {
                return Ok(ended);
            }
        }
    }

    /// Of that name there may be a stack that was deleted meanwhile, or one that was made after it.
    fn is_it(&self, view: &StackView) -> bool {
        view.id == self.operation.id || !self.operation.id.starts_with("arn:")
    }

    fn look(&mut self, view: Option<&StackView>) -> Reading {
        let Some(view) = view else { return Reading::Absent };
        if self.operation.stamp_before.as_ref().is_some_and(|before| is_past(&view.stamp, before)) {
            return Reading::Past;
        }
        self.events.saw(&view.stamp);
        self.judge(&view.status).map_or(Reading::Going, Reading::Ended)
    }

    fn judge(&self, status: &StackStatus) -> Option<OperationResult> {
        let rests = !self.operation.until_rest || status.is_settled();
        result_of(status).filter(|_| rests)
    }

    /// What the events say about the operation's end.
    fn told(&self) -> Option<OperationResult> {
        self.events.last().and_then(|change| self.judge(&change.status.of_stack()))
    }

    /// Whether it is time to read the events. That the stack has turned to something else is news.
    fn are_events_due(&mut self, look: Reading, view: Option<&StackView>) -> bool {
        let status = view.filter(|_| look != Reading::Past).map(|view| view.status.clone());
        let has_turned = self.seen.is_some() && self.seen != status;
        self.seen = status;
        let seems_over = !matches!(look, Reading::Going) && self.doubt.is_none();
        let lags =
            self.goes_wrong() && !self.events.last().is_some_and(|last| goes_wrong(&last.status.of_stack()));
        has_turned || seems_over || lags || self.read_at.elapsed() >= self.interval()
    }

    /// While AWS contradicts itself, the more often the shorter that has gone on.
    fn interval(&self) -> Duration {
        let at_most = (self.news_at.elapsed() / QUIET_PARTS).clamp(EVENTS_EVERY, EVENTS_AT_LEAST_EVERY);
        self.doubt.map_or(at_most, |doubt| (doubt.since.elapsed() / QUIET_PARTS).min(at_most))
    }

    /// Whether the stack was last seen on its way back or away.
    fn goes_wrong(&self) -> bool {
        self.seen.as_ref().is_some_and(goes_wrong)
    }

    /// How the operation ended, if that is proved.
    fn ended(&self, look: Reading, view: Option<&StackView>) -> Option<(OperationResult, StackView)> {
        let last = self.events.last();
        // The id is that of no other stack, and nothing comes after this, whoever asked for it.
        let mut all = self.events.all().iter();
        if all.any(|change| change.of_stack && change.status == ResourceStatus::DeleteComplete) {
            return Some((OperationResult::RolledBack, StackView::gone(&self.operation.id)));
        }
        if let (Agreement::Ended(verdict), Some(view)) = (agree(look, self.told()), view) {
            return Some((verdict, view.clone()));
        }
        // What the stack is in now is someone else's doing.
        let (told, view) =
            (self.told()?, view.filter(|_| look != Reading::Past && self.events.is_followed())?);
        let (status, reason) = (last?.status.of_stack(), self.events.reason());
        Some((told, StackView { status, reason, ..view.clone() }))
    }

    /// AWS contradicts itself, or shows only the past: asks for this one stack, tells of it, and gives up at last.
    async fn doubt(
        &mut self,
        look: Reading,
        view: Option<&StackView>,
    ) -> Result<Option<(OperationResult, StackView)>, AwsError> {
        let now = Instant::now();
        let doubt = *self.doubt.get_or_insert(Doubt { since: now, told_at: now + TOLD_AFTER });
        if self.told().is_some() {
            // The list of all stacks may lag behind.
            let asked = environment::ask(self.environment, &self.operation.id).await.ok().flatten();
            let look = self.look(asked.as_ref());
            if let Some(ended) = self.ended(look, asked.as_ref()) {
                return Ok(Some(ended));
            }
        }
        let is_at_rest = matches!(look, Reading::Ended(_) | Reading::Absent);
        if self.operation.token.is_none() && is_at_rest && doubt.since.elapsed() >= TOLD_AFTER {
            // It is not ours, and CloudFormation refuses the next operation until it ends.
            let view = view.cloned().unwrap_or_else(|| StackView::gone(&self.operation.id));
            return Ok(Some((result_of(&view.status).unwrap_or(OperationResult::Failed), view)));
        }
        let why = self.contradiction(look, view);
        if now.duration_since(doubt.since.max(self.news_at)) >= LEFT_AFTER {
            let message = format!("{why}, and nothing else for {} min", LEFT_AFTER.as_secs() / 60);
            let error = AwsError { kind: ErrorKind::Unreachable, ..AwsError::setup(message) };
            return Err(error.hint("run the same command again when AWS shows the stack as it is"));
        }
        if now >= doubt.told_at {
            self.context.warn(format!("{why}: looking on"));
            self.doubt = Some(Doubt { told_at: now + doubt.since.elapsed(), ..doubt });
        }
        Ok(None)
    }

    /// How AWS contradicts itself.
    fn contradiction(&self, look: Reading, view: Option<&StackView>) -> String {
        let status = view.map_or("", |view| view.status.as_str());
        let shown = match look {
            Reading::Past => format!("AWS still shows the stack as it was before ({status})"),
            Reading::Absent => "AWS does not show the stack".to_owned(),
            Reading::Going | Reading::Ended(_) => format!("AWS shows the stack in {status}"),
        };
        match self.events.last() {
            Some(last) => format!("{shown}, though its events say {}", last.status),
            None => format!("{shown}, and no event of this operation"),
        }
    }

    /// That somebody cancelled it, if that is why it was rolled back.
    fn cancelled(&self) -> Option<Failure> {
        let own = self.events.own();
        let by = self.events.cancelled_by().filter(|_| !self.is_cancelled && !failed_resource(own))?;
        let failure = Failure::of_stack(self.name, format!("{} cancelled its update", somebody(by)));
        Some(failure.hint("find out who (CancelUpdateStack in CloudTrail), then run it again"))
    }

    pub(super) async fn read_events(&mut self) -> Result<(), AwsError> {
        self.read_at = Instant::now();
        let changes = match &self.operation.token {
            Some(token) => self.log.read_operation(self.environment, &self.operation.id, token).await?,
            None => self.log.read(self.environment, &self.operation.id).await?,
        };
        if !changes.is_empty() {
            self.news_at = Instant::now();
        }
        for change in changes {
            self.events.add(change);
        }
        let goes_wrong = self.goes_wrong();
        let told: Vec<ResourceProgress> = self
            .events
            .untold()
            .into_iter()
            .map(|change| {
                if change.status.is_complete() && !change.of_stack {
                    self.complete.insert(change.logical_id.clone());
                }
                ResourceProgress {
                    done: self.complete.len(),
                    total: self.total.max(self.complete.len()),
                    // The events may lag behind what the poll has seen.
                    unconfirmed: goes_wrong || !self.events.is_confirmed(&change),
                    logical_id: change.logical_id,
                    resource_type: change.resource_type,
                    status: change.status,
                    reason: change.reason,
                    happened_at: change.at,
                }
            })
            .collect();
        self.context.progress_of(told);
        Ok(())
    }
}
