//! Decides with a view of a stack and the stack's events how far an operation is.
//!
//! AWS's reads are eventually consistent. A view may be older than the operation, even long after the
//! operation began. The evidence in a view depends on the operation. A creation makes a stack with a new id.
//! An update sets the time of the last update. A deletion and a continued rollback change neither. The events
//! of all operations have the operation's token, so a view counts only if it agrees with the events.

use std::ops::Range;

use jiff::{SignedDuration, Timestamp};
use paceline_assembly::{ResourceStatus, StackStatus};

use super::events::{Change, starts_operation};
use super::state::OperationResult;

/// The greatest time between the stack's time of the last update and the first event of that update.
const AT_ONCE: SignedDuration = SignedDuration::from_secs(1);

/// The events of a stack around an operation, the oldest first.
#[derive(Debug, Default)]
pub(super) struct OperationEvents {
    /// The operation's token, if it is ours.
    token: Option<String>,
    /// True if an earlier read has shown the token. Events without it are then older than the operation.
    is_token_seen: bool,
    changes: Vec<Change>,
    /// True for each change that has been reported.
    is_reported: Vec<bool>,
    /// The time when the stack was created or last updated, from a view that was not older than the
    /// operation.
    changed_at: Option<Timestamp>,
}

impl OperationEvents {
    pub(super) fn new(token: Option<String>, is_token_seen: bool) -> Self {
        Self { token, is_token_seen, ..Self::default() }
    }

    /// Adds an event, which may be older than known events.
    pub(super) fn add(&mut self, change: Change) {
        let place = self.changes.partition_point(|known| known.at <= change.at);
        self.changes.insert(place, change);
        self.is_reported.insert(place, false);
    }

    /// Returns the events of the operation that were not returned before.
    pub(super) fn unreported(&mut self) -> Vec<Change> {
        let own = self.own_range();
        let news =
            own.clone().filter(|&place| !self.is_reported[place]).map(|place| self.changes[place].clone());
        let news = news.collect();
        self.is_reported[own].fill(true);
        news
    }

    /// Notes the times of a view that was not older than the operation.
    pub(super) fn saw(&mut self, stamp: &str) {
        self.changed_at = latest(stamp);
    }

    /// All known events, including those before and after the operation.
    pub(super) fn all(&self) -> &[Change] {
        &self.changes
    }

    /// The events of the operation, and those of other operations during it.
    pub(super) fn own(&self) -> &[Change] {
        &self.changes[self.own_range()]
    }

    /// Returns whether another operation has begun after the end of this one.
    pub(super) fn is_followed(&self) -> bool {
        self.followed_by().is_some()
    }

    /// The first event of another operation that began after the end of this one.
    pub(super) fn followed_by(&self) -> Option<&Change> {
        let after = &self.changes[self.start()?..];
        after.get(self.next_start(after)?)
    }

    /// The first event of somebody else's deletion during this operation. `None` if this operation is itself
    /// a deletion.
    pub(super) fn overtaken_by(&self) -> Option<&Change> {
        let is_deletion =
            |change: &&Change| change.of_stack && change.status == ResourceStatus::DeleteInProgress;
        let token = self.token.as_ref()?;
        let first = self.own().first().filter(|change| !is_deletion(change))?;
        let is_theirs = |change: &&Change| is_deletion(change) && change.token.as_ref() != Some(token);
        self.own().iter().find(is_theirs).filter(|_| self.is_confirmed(first))
    }

    /// The first event of the rollback after somebody else cancelled this update. A cancellation is a
    /// separate operation. It has its own token, if it was given one.
    pub(super) fn cancelled_by(&self) -> Option<&Change> {
        let token = self.token.as_ref()?;
        let mut own = self.own().iter().filter(|change| change.of_stack);
        own.find(|change| change.status == ResourceStatus::UpdateInProgress)?;
        let rollback = own.find(|change| change.status == ResourceStatus::UpdateRollbackInProgress)?;
        let is_asked_for = rollback.token.as_ref().is_some_and(|other| other != token)
            || rollback.reason.as_deref().is_some_and(|reason| reason.contains("User Initiated"));
        is_asked_for.then_some(rollback)
    }

    /// The last event of the operation that is about the stack itself.
    pub(super) fn last(&self) -> Option<&Change> {
        self.own().iter().rev().find(|change| change.of_stack)
    }

    /// The last reason in the stack's own events of the operation.
    pub(super) fn reason(&self) -> Option<String> {
        let mut reasons = self.own().iter().rev().filter(|change| change.of_stack);
        reasons.find_map(|change| change.reason.clone())
    }

    /// Returns whether a change certainly belongs to this operation, and not to another one before, after or
    /// during it.
    pub(super) fn is_confirmed(&self, change: &Change) -> bool {
        self.token.is_some() && change.token == self.token
    }

    fn own_range(&self) -> Range<usize> {
        let Some(start) = self.start() else { return 0..0 };
        let next = self.next_start(&self.changes[start..]);
        start..next.map_or(self.changes.len(), |next| start + next)
    }

    /// The position of the operation's first event.
    fn start(&self) -> Option<usize> {
        // The operation in progress is somebody else's.
        let Some(token) = &self.token else { return (!self.changes.is_empty()).then_some(0) };
        let ours = self.changes.iter().position(|change| self.is_confirmed(change));
        ours.or_else(|| self.start_without_tokens(token))
    }

    /// The start of the operation in a stand-in for AWS without tokens. The last operation is ours, if it is
    /// of the same kind and began at the same time.
    fn start_without_tokens(&self, token: &str) -> Option<usize> {
        if self.is_token_seen || self.changes.iter().any(|change| change.token.is_some()) {
            return None;
        }
        let start = self.changes.iter().rposition(|change| change.of_stack && starts_operation(change))?;
        let change = &self.changes[start];
        let is_it = if token.contains("-create-") {
            change.status == ResourceStatus::CreateInProgress
        } else if token.contains("-delete-") {
            change.status == ResourceStatus::DeleteInProgress
        } else {
            self.changed_at.is_some_and(|at| at.duration_since(change.at) <= AT_ONCE)
        };
        is_it.then_some(start)
    }

    /// The start of another operation after the end of this one. A deletion of the stack during the operation
    /// does not count, because it is the end of this operation.
    fn next_start(&self, own: &[Change]) -> Option<usize> {
        self.token.as_ref()?;
        let is_other = |(_, change): &(usize, &Change)| {
            change.of_stack && starts_operation(change) && change.token != self.token
        };
        let mut others = own.iter().enumerate().skip(1).filter(is_other).map(|(place, _)| place);
        others.find(|&place| {
            let before = own[..place].iter().rev().find(|change| change.of_stack);
            before.is_some_and(|change| !change.status.is_in_progress())
        })
    }
}

/// The person in a message about an operation, as far as its token shows.
pub(super) fn somebody(change: &Change) -> &'static str {
    // CloudFormation API Reference, `StackEvent`: tokens of the console begin like this.
    match change.token.as_deref() {
        Some(token) if token.starts_with("Console-") => "somebody, in the console,",
        _ => "somebody",
    }
}

/// Returns whether a view is from before an operation that sets the stack's times, because its times are not
/// later than before. Both are [`StackView::stamp`](crate::environment::StackView::stamp)s.
pub(super) fn is_past(stamp: &str, before: &str) -> bool {
    match (latest(stamp), latest(before)) {
        (Some(now), Some(before)) => now <= before,
        _ => stamp == before,
    }
}

fn latest(stamp: &str) -> Option<Timestamp> {
    stamp.split('/').filter_map(|time| time.parse().ok()).max()
}

/// Returns whether a stack in this state is being rolled back or deleted, or has failed. Complete resources
/// do not count then.
pub(super) fn goes_wrong(status: &StackStatus) -> bool {
    status.is_rollback() || status.failed() || status.is_deletion()
}

/// The common result of a view and the events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Agreement {
    /// The operation is in progress.
    Going,
    /// The operation has ended according to both.
    Ended(OperationResult),
    /// They contradict each other, or the view is older than the operation.
    Unsure,
}

/// The result of a view alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// The view is from before the operation.
    Past,
    /// The stack does not exist, or is not visible yet.
    Absent,
    /// The status is that of an operation in progress.
    Going,
    /// The status is that of an ended operation.
    Ended(OperationResult),
}

/// Combines a view with the end of the operation in its events, if they show one.
pub(super) fn agree(look: Reading, end_in_events: Option<OperationResult>) -> Agreement {
    match (look, end_in_events) {
        (Reading::Going, None) => Agreement::Going,
        (Reading::Ended(result), Some(end)) if result == end => Agreement::Ended(end),
        _ => Agreement::Unsure,
    }
}

#[cfg(test)]
mod tests {
    use paceline_assembly::ResourceStatus::{
        CreateComplete, CreateInProgress, DeleteComplete, DeleteInProgress, UpdateComplete, UpdateFailed,
        UpdateInProgress, UpdateRollbackInProgress,
    };

    use super::*;

    const OURS: Option<&str> = Some("paceline-ours-update-1");
    const THEIRS: Option<&str> = Some("Console-UpdateStack-1");

    fn change(second: i64, of_stack: bool, status: ResourceStatus, token: Option<&str>) -> Change {
        Change {
            logical_id: if of_stack { "Stack" } else { "Parameter" }.to_owned(),
            physical_id: String::new(),
            resource_type: String::new(),
            status,
            reason: None,
            token: token.map(str::to_owned),
            at: Timestamp::from_second(second).unwrap_or_default(),
            of_stack,
        }
    }

    fn story(changes: &[Change]) -> OperationEvents {
        let mut story = OperationEvents::new(OURS.map(str::to_owned), false);
        for change in changes {
            story.add(change.clone());
        }
        story
    }

    fn statuses(story: &OperationEvents) -> Vec<(i64, ResourceStatus)> {
        story.own().iter().map(|change| (change.at.as_second(), change.status.clone())).collect()
    }

    #[test]
    fn an_operation_is_distinguished_from_those_before_and_after_it() {
        let before = [change(1, true, UpdateInProgress, THEIRS), change(2, true, UpdateComplete, THEIRS)];
        let ours = [
            change(3, true, UpdateInProgress, OURS),
            change(4, false, UpdateComplete, OURS),
            change(5, true, UpdateComplete, OURS),
        ];
        let after = [change(6, true, UpdateInProgress, THEIRS), change(7, true, UpdateFailed, THEIRS)];
        assert!(story(&before).own().is_empty());
        let expected = [(3, UpdateInProgress), (4, UpdateComplete), (5, UpdateComplete)];
        let mut all = [&before[..], &ours, &after].concat();
        for _ in 0..all.len() {
            // The events may arrive in any order.
            all.rotate_left(1);
            let story = story(&all);
            assert_eq!(statuses(&story), expected);
            assert!(story.is_followed());
        }
        assert!(!story(&[&before[..], &ours].concat()).is_followed());
    }

    #[test]
    fn cancellations_and_deletions_by_others_are_recognized() {
        let start = change(1, true, UpdateInProgress, OURS);
        let cancelled = [start.clone(), change(2, true, UpdateRollbackInProgress, THEIRS)];
        assert_eq!(story(&cancelled).last().map(|last| last.at.as_second()), Some(2));
        let deleted =
            [start, change(2, true, DeleteInProgress, THEIRS), change(3, true, DeleteComplete, THEIRS)];
        assert_eq!(story(&deleted).last().map(|last| last.at.as_second()), Some(3));
    }

    #[test]
    fn without_tokens_the_last_operation_counts_if_it_is_no_older_than_ours() {
        let changes = [
            change(1, true, CreateInProgress, None),
            change(2, true, CreateComplete, None),
            change(30, true, UpdateInProgress, None),
        ];
        let mut older = story(&changes[..2]);
        assert!(older.own().is_empty());
        older.saw("1970-01-01T00:00:01Z/1970-01-01T00:00:30Z");
        assert!(older.own().is_empty());
        let mut adopted = OperationEvents { is_token_seen: true, ..story(&changes) };
        adopted.saw("1970-01-01T00:00:01Z/1970-01-01T00:00:30.2Z");
        assert!(adopted.own().is_empty(), "the token is known: these events are older");
        let mut ours = story(&changes);
        ours.saw("1970-01-01T00:00:01Z/1970-01-01T00:00:30.2Z");
        assert_eq!(statuses(&ours), [(30, UpdateInProgress)]);
        assert!(!ours.is_confirmed(&ours.own()[0]), "what waits for a resource needs more proof");
    }

    #[test]
    fn a_view_is_past_while_the_times_of_the_stack_are_not_later_than_before() {
        let before = "2026-01-01T00:00:00Z/2026-01-02T00:00:00.5Z";
        for (stamp, past) in [
            (before, true),
            ("2026-01-01T00:00:00Z/", true),
            ("2026-01-01T00:00:00Z/2026-01-01T12:00:00Z", true),
            ("2026-01-01T00:00:00Z/2026-01-02T00:00:00Z", true),
            ("2026-01-01T00:00:00Z/2026-01-02T00:00:01Z", false),
            ("2026-01-03T00:00:00Z/", false),
        ] {
            assert_eq!(is_past(stamp, before), past, "{stamp}");
        }
        assert!(is_past("/", "/") && !is_past("odd", "/"));
    }

    #[test]
    fn an_operation_has_ended_only_if_the_view_and_the_events_agree() {
        use OperationResult::{Failed, RolledBack, Succeeded};
        let looks = [Reading::Past, Reading::Absent, Reading::Going]
            .into_iter()
            .chain([Succeeded, RolledBack, Failed].map(Reading::Ended));
        for look in looks {
            for end in [None, Some(Succeeded), Some(RolledBack), Some(Failed)] {
                let sight = agree(look, end);
                let ended = end.filter(|&end| look == Reading::Ended(end));
                assert_eq!(matches!(sight, Agreement::Ended(_)), ended.is_some(), "{look:?} {end:?}");
            }
        }
    }
}
