//! Waits for the end of a stack operation.
//!
//! A poll is cheap and shows the outputs. Events show the operation's token. An end counts only if both show
//! it. If they never agree, the run stops watching, does not guess a result, and a later run finds the
//! operation.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use paceline_assembly::{ResourceStatus, Stack, StackStatus};
use paceline_engine::event::{Cause, ServiceReport};
use paceline_engine::{ResourceProgress, StepContext};
use tokio::time::Instant;

use super::asked::Knowledge;
use super::events::{Change, EventLog};
use super::failure::{Failure, failed_resource, first_cause};
use super::finished::Finished;
use super::limit::Limit;
use super::long_nested::LongNested;
use super::operation_events::{Agreement, OperationEvents, Reading, agree, goes_wrong, is_past, somebody};
use super::state::{OperationResult, result_of};
use super::stuck::WhenStuck;
use crate::environment::Environment;
use crate::environment::{self, StackView};
use crate::error::{AwsError, ErrorKind};

/// The shortest pause between two reads of a stack's events, while the stack is in progress and changes.
const EVENTS_EVERY: Duration = Duration::from_secs(15);
/// The longest pause, if nothing has changed for long. Between both, the pause is the time without news
/// divided by [`QUIET_PARTS`]. So the delay of the next report is in proportion to the time before it.
const EVENTS_AT_LEAST_EVERY: Duration = Duration::from_secs(40);
const QUIET_PARTS: u32 = 5;
/// Contradictions of AWS are reported after this time, and then whenever they have lasted twice as long.
const REPORTED_AFTER: Duration = Duration::from_mins(1);
/// The time without news after which the run stops watching the operation.
const LEFT_AFTER: Duration = Duration::from_mins(15);

/// An operation in progress.
#[derive(Debug, Clone)]
pub(super) struct RunningOperation {
    /// The stack's id.
    pub(super) id: String,
    /// The token of the operation, if it is ours.
    pub(super) token: Option<String>,
    /// True if the stack's events have shown the token already.
    pub(super) is_token_seen: bool,
    /// [`StackView::stamp`] before the operation, if the stack existed and the operation changes the stamp.
    pub(super) stamp_before: Option<String>,
    /// True if the wait ends when the stack can be updated. Otherwise it ends when the stack is usable.
    pub(super) until_rest: bool,
    /// The time limit, if the operation is ours and has one.
    pub(super) limit: Option<Limit>,
    /// The resources that an earlier try of the operation has finished.
    pub(super) kept: BTreeSet<String>,
    /// What happens if a resource is stuck.
    pub(super) when_stuck: WhenStuck,
}

impl RunningOperation {
    /// An operation that was already in progress.
    pub(super) fn someone_elses(view: &StackView) -> Self {
        Self {
            id: view.id.clone(),
            token: None,
            is_token_seen: false,
            stamp_before: None,
            until_rest: true,
            limit: None,
            kept: BTreeSet::new(),
            when_stuck: WhenStuck::Wait,
        }
    }
}

/// The end of an operation.
#[derive(Debug)]
pub(super) enum OperationEnd {
    NoChanges,
    /// AWS became unreachable. The operation continues there.
    Lost(AwsError),
    /// Somebody deleted the stack during the operation. This is the first event of the deletion.
    Overtaken(Box<Change>),
    Ended {
        verdict: OperationResult,
        view: Box<StackView>,
        /// The failure, unless the operation succeeded.
        failure: Option<Failure>,
        /// The resources that were to be deleted and still exist. Their deletion failed, or they are kept on
        /// purpose.
        left: Vec<Change>,
        /// The first event of somebody else's operation that followed.
        followed: Option<Box<Change>>,
        finished: Finished,
    },
}

/// Waits for the end of an operation, and reports its events.
pub(super) async fn wait_for_end(
    environment: &Environment,
    context: &StepContext,
    stack: &Stack,
    operation: RunningOperation,
    knowledge: Option<Knowledge<'_>>,
) -> Result<OperationEnd, AwsError> {
    context.accepted(&operation.id, operation.token.clone());
    let mut watch = Watch {
        environment,
        context,
        events: OperationEvents::new(operation.token.clone(), operation.is_token_seen),
        operation,
        log: EventLog::default(),
        complete: BTreeSet::new(),
        total: stack.template.resource_count(),
        read_at: Instant::now(),
        news_at: Instant::now(),
        seen: None,
        doubt: None,
        name: &stack.name,
        stack,
        knowledge,
        reports: BTreeMap::new(),
        reported_stuck: BTreeSet::new(),
        long_nested: LongNested::default(),
        stuck: None,
        is_over: false,
        is_cancelled: false,
    };
    watch.complete.clone_from(&watch.operation.kept);
    let (verdict, mut view) = watch.until_the_end().await?;
    if let Some(by) = watch.events.overtaken_by() {
        return Ok(OperationEnd::Overtaken(Box::new(by.clone())));
    }
    // Only the events of a deleted stack have its reason.
    if view.reason.is_none() {
        view.reason = watch.events.reason();
    }
    let failure = match verdict {
        OperationResult::Succeeded => None,
        // The cause of a stuck rollback is more important than the cause of the rollback.
        OperationResult::RolledBack | OperationResult::Failed => {
            let known = watch.stuck_failure().or_else(|| watch.limit_failure());
            let known = known.or_else(|| watch.cancelled()).filter(|_| !is_stuck(&view));
            let cause = match known {
                None => first_cause(environment, watch.events.own(), Some(stack), Vec::new()).await,
                known => known,
            };
            match cause {
                Some(failure) => Some(watch.explained(failure).await),
                None => None,
            }
        }
    };
    let left = left(watch.events.own());
    let followed = watch.events.followed_by().cloned().map(Box::new);
    let finished = Finished::of(watch.events.own());
    Ok(OperationEnd::Ended { verdict, view: Box::new(view), failure, left, followed, finished })
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
    /// The time of the last read that returned new events.
    news_at: Instant,
    /// The status in the last view that was not older than the operation.
    seen: Option<StackStatus>,
    doubt: Option<Doubt>,
    pub(super) name: &'a str,
    pub(super) stack: &'a Stack,
    pub(super) knowledge: Option<Knowledge<'a>>,
    /// What the services of failed resources say, by logical and physical id. `None` if nothing.
    pub(super) reports: BTreeMap<(String, String), Option<ServiceReport>>,
    /// The stuck resources that were named, by the logical ids that lead to them and the start of their operation.
    pub(super) reported_stuck: BTreeSet<(Vec<String>, Timestamp)>,
    pub(super) long_nested: LongNested,
    /// The cause if the update was cancelled because of a stuck resource.
    pub(super) stuck: Option<Cause>,
    /// True if the operation exceeded its limit and all possible actions were taken.
    pub(super) is_over: bool,
    /// True if the operation was cancelled because of the limit.
    pub(super) is_cancelled: bool,
}

/// A contradiction between the views and the events.
#[derive(Debug, Clone, Copy)]
struct Doubt {
    since: Instant,
    /// The time of the next report.
    report_at: Instant,
}

impl Watch<'_> {
    async fn until_the_end(&mut self) -> Result<(OperationResult, StackView), AwsError> {
        loop {
            let view = self.environment.poller.look(self.name).await?;
            let view = view.filter(|view| self.is_it(view));
            let look = self.look(view.as_ref());
            if self.are_events_due(look, view.as_ref()) {
                self.read_events().await?;
                self.ask_about_failed().await;
            }
            if let Some(ended) = self.ended(look, view.as_ref()) {
                return Ok(ended);
            }
            if agree(look, self.end_in_events()) == Agreement::Going {
                self.doubt = None;
                if let Some(view) = &view {
                    self.keep_limit(view).await?;
                    self.report_stuck(view).await?;
                }
            } else if let Some(ended) = self.doubt(look, view.as_ref()).await? {
                return Ok(ended);
            }
        }
    }

    /// Returns whether the view is that of the operation's stack. Its name may also belong to a deleted stack
    /// or to a new one.
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

    /// The end of the operation in the events.
    fn end_in_events(&self) -> Option<OperationResult> {
        self.events.last().and_then(|change| self.judge(&change.status.of_stack()))
    }

    /// Returns whether the events must be read now. A change of the stack's status is a reason to read them.
    fn are_events_due(&mut self, look: Reading, view: Option<&StackView>) -> bool {
        let status = view.filter(|_| look != Reading::Past).map(|view| view.status.clone());
        let has_turned = self.seen.is_some() && self.seen != status;
        self.seen = status;
        let seems_over = !matches!(look, Reading::Going) && self.doubt.is_none();
        let lags =
            self.goes_wrong() && !self.events.last().is_some_and(|last| goes_wrong(&last.status.of_stack()));
        has_turned || seems_over || lags || self.read_at.elapsed() >= self.interval()
    }

    /// The pause between two reads of events. It is short at the beginning of a contradiction of AWS.
    pub(super) fn interval(&self) -> Duration {
        let at_most = (self.news_at.elapsed() / QUIET_PARTS).clamp(EVENTS_EVERY, EVENTS_AT_LEAST_EVERY);
        self.doubt.map_or(at_most, |doubt| (doubt.since.elapsed() / QUIET_PARTS).min(at_most))
    }

    /// Returns whether the stack was last seen being rolled back or deleted, or in a failed state.
    fn goes_wrong(&self) -> bool {
        self.seen.as_ref().is_some_and(goes_wrong)
    }

    /// The proved end of the operation.
    fn ended(&self, look: Reading, view: Option<&StackView>) -> Option<(OperationResult, StackView)> {
        let last = self.events.last();
        // No other stack has this id, and nothing can follow a deletion, no matter who requested it.
        let mut all = self.events.all().iter();
        if all.any(|change| change.of_stack && change.status == ResourceStatus::DeleteComplete) {
            return Some((OperationResult::RolledBack, StackView::gone(&self.operation.id)));
        }
        if let (Agreement::Ended(verdict), Some(view)) = (agree(look, self.end_in_events()), view) {
            return Some((verdict, view.clone()));
        }
        // The present state of the stack is the result of somebody else's operation.
        let (result, view) =
            (self.end_in_events()?, view.filter(|_| look != Reading::Past && self.events.is_followed())?);
        let (status, reason) = (last?.status.of_stack(), self.events.reason());
        Some((result, StackView { status, reason, ..view.clone() }))
    }

    /// Handles a contradiction of AWS, or views from before the operation. Reads this stack alone, reports
    /// the contradiction, and gives up in the end.
    async fn doubt(
        &mut self,
        look: Reading,
        view: Option<&StackView>,
    ) -> Result<Option<(OperationResult, StackView)>, AwsError> {
        let now = Instant::now();
        let doubt = *self.doubt.get_or_insert(Doubt { since: now, report_at: now + REPORTED_AFTER });
        if self.end_in_events().is_some() {
            // The list of all stacks may be late.
            let asked = environment::ask(self.environment, &self.operation.id).await.ok().flatten();
            let look = self.look(asked.as_ref());
            if let Some(ended) = self.ended(look, asked.as_ref()) {
                return Ok(Some(ended));
            }
        }
        let is_at_rest = matches!(look, Reading::Ended(_) | Reading::Absent);
        if self.operation.token.is_none() && is_at_rest && doubt.since.elapsed() >= REPORTED_AFTER {
            // The operation is not ours, and CloudFormation refuses the next operation until it has ended.
            let view = view.cloned().unwrap_or_else(|| StackView::gone(&self.operation.id));
            return Ok(Some((result_of(&view.status).unwrap_or(OperationResult::Failed), view)));
        }
        let why = self.contradiction(look, view);
        if now.duration_since(doubt.since.max(self.news_at)) >= LEFT_AFTER {
            let message = format!("{why}, and nothing else for {} min", LEFT_AFTER.as_secs() / 60);
            let error = AwsError { kind: ErrorKind::Unreachable, ..AwsError::setup(message) };
            return Err(error.hint("run the same command again when AWS shows the stack as it is"));
        }
        if now >= doubt.report_at {
            self.context.warn(format!("{why}: looking on"));
            self.doubt = Some(Doubt { report_at: now + doubt.since.elapsed(), ..doubt });
        }
        Ok(None)
    }

    /// A text about the contradiction.
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

    /// The failure because somebody cancelled the operation, if it was rolled back for that reason.
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
        let news: Vec<ResourceProgress> = self
            .events
            .unreported()
            .into_iter()
            .map(|change| {
                if change.status.is_complete() && !change.of_stack {
                    self.complete.insert(change.logical_id.clone());
                }
                ResourceProgress {
                    done: self.complete.len(),
                    total: self.total.max(self.complete.len()),
                    // The events may be older than the last view.
                    unconfirmed: goes_wrong || !self.events.is_confirmed(&change),
                    logical_id: change.logical_id,
                    resource_type: change.resource_type,
                    status: change.status,
                    reason: change.reason,
                    happened_at: change.at,
                }
            })
            .collect();
        self.context.progress_of(news);
        Ok(())
    }
}
