//! Tells what happens to watched stacks as the events of a run, so that everything that shows a run can show it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use paceline_assembly::{STACK_TYPE, StackStatus};
use paceline_aws::{StackNews, WatchedResource, WatchedStack};
use paceline_config::Strategy;
use paceline_engine::event::{
    Cause, Outcome, PlannedStep, RunFinished, RunStarted, SCHEMA, StackAccepted, StackProgress, StepFinished,
    StepKind, StepRef,
};
use paceline_engine::{Event, ExitCode, Fact};

/// The state of a watched stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Absent,
    /// An operation is in progress since this time.
    Going(Timestamp),
    /// No operation is in progress. Whether the last one succeeded.
    Settled(bool),
}

/// Makes events of news.
#[derive(Debug, Default)]
pub(super) struct WatchEvents {
    seq: u64,
    stacks: BTreeMap<WatchedStack, State>,
}

impl WatchEvents {
    /// The first event: these stacks are watched, whether or not they are there.
    pub(super) fn start(&mut self, named: &[WatchedStack], at: Timestamp) -> Event {
        for stack in named {
            self.stacks.insert(stack.clone(), State::Absent);
        }
        let planned = |stack| PlannedStep {
            step: step(stack),
            needs: Vec::new(),
            expected_s: 0.0,
            content: None,
            identity: None,
        };
        let started = RunStarted {
            paceline: env!("CARGO_PKG_VERSION").to_owned(),
            app: String::new(),
            plan: String::new(),
            resumed: false,
            order: None,
            endpoint: paceline_aws::endpoint(),
            undoes: None,
            prepares: false,
            executes: None,
            simulated: false,
            strategy: Strategy::Graph,
            phases: Vec::new(),
            steps: named.iter().map(planned).collect(),
            settings: None,
        };
        self.event(at, Fact::RunStarted(started))
    }

    /// The last event, with the exit code.
    pub(super) fn finish(&mut self, began: Timestamp, now: Timestamp) -> Event {
        let exit_code = if self.all_is_well() { ExitCode::Done } else { ExitCode::Failed };
        let finished = RunFinished {
            stacks: BTreeMap::new(),
            exit_code,
            duration_s: seconds(began, now),
            waits_for: Vec::new(),
        };
        self.event(now, Fact::RunFinished(finished))
    }

    /// The events of news.
    pub(super) fn of(&mut self, news: &StackNews, now: Timestamp) -> Vec<Event> {
        match news {
            StackNews::Absent(stack) => {
                self.stacks.insert(stack.clone(), State::Absent);
                Vec::new()
            }
            StackNews::Began { stack, id, status, since } => {
                let since = since.unwrap_or(now).min(now);
                self.stacks.insert(stack.clone(), State::Going(since));
                let accepted = StackAccepted { step: step(stack), stack_id: id.clone(), token: None };
                vec![
                    self.event(since, Fact::StepReady(step(stack))),
                    self.event(since, Fact::StepStarted(step(stack))),
                    self.event(now, Fact::StackAccepted(accepted)),
                    self.turned(stack, status, now),
                ]
            }
            StackNews::Turned(stack, status) => vec![self.turned(stack, status, now)],
            StackNews::Resource(stack, resource) => vec![self.progress(stack, resource, now)],
            StackNews::Settled { stack, status, at_first, cause } => {
                vec![self.settled(stack, status, *at_first, cause.clone(), now)]
            }
            StackNews::Unreadable(..) => Vec::new(),
        }
    }

    /// Whether every stack is there, or was deleted while it was watched, and no operation is in progress.
    pub(super) fn is_settled(&self) -> bool {
        !self.stacks.is_empty() && self.stacks.values().all(|state| matches!(state, State::Settled(_)))
    }

    /// Whether the last operation on each settled stack succeeded.
    fn all_is_well(&self) -> bool {
        self.stacks.values().all(|state| *state != State::Settled(false))
    }

    /// How many stacks there are, and how many of them have an operation in progress.
    pub(super) fn counts(&self) -> (usize, usize) {
        let going = self.stacks.values().filter(|state| matches!(state, State::Going(_))).count();
        (self.stacks.len(), going)
    }

    fn settled(
        &mut self,
        stack: &WatchedStack,
        status: &StackStatus,
        at_first: bool,
        cause: Option<Cause>,
        now: Timestamp,
    ) -> Event {
        let outcome = match status {
            StackStatus::DeleteComplete => Outcome::Deleted,
            status if status.has_succeeded() && at_first => Outcome::Unchanged,
            status if status.has_succeeded() => Outcome::Deployed,
            status if status.is_rolled_back() => Outcome::RolledBack,
            _ => Outcome::Failed,
        };
        let before = self.stacks.insert(stack.clone(), State::Settled(outcome.is_success()));
        let since = match before {
            Some(State::Going(since)) => since,
            _ => now,
        };
        let finished = StepFinished {
            step: step(stack),
            outcome,
            cause: cause.filter(|_| !outcome.is_success()),
            because: None,
            detail: Some(status.to_string()),
            duration_s: seconds(since, now),
            queued_s: 0.0,
            resumed: false,
            outputs: BTreeMap::new(),
        };
        self.event(now, Fact::StepFinished(finished))
    }

    fn turned(&mut self, stack: &WatchedStack, status: &StackStatus, now: Timestamp) -> Event {
        let itself = WatchedResource {
            logical_id: stack.name.clone(),
            resource_type: STACK_TYPE.to_owned(),
            status: status.clone().into(),
            reason: None,
            at: now,
        };
        self.progress(stack, &itself, now)
    }

    fn progress(&mut self, stack: &WatchedStack, resource: &WatchedResource, now: Timestamp) -> Event {
        let progress = StackProgress {
            step: step(stack),
            logical_id: resource.logical_id.clone(),
            resource_type: resource.resource_type.clone(),
            status: resource.status.clone(),
            reason: resource.reason.clone(),
            // How many resources the stack has is in its template, which is not read.
            done: 0,
            total: 0,
            unconfirmed: true,
            happened_at: resource.at,
        };
        self.event(now, Fact::StackProgress(progress))
    }

    /// An event at a time.
    pub(super) fn event(&mut self, at: Timestamp, fact: Fact) -> Event {
        self.seq += 1;
        Event { schema: SCHEMA, run: "watch".to_owned(), seq: self.seq, at, fact }
    }
}

fn step(stack: &WatchedStack) -> StepRef {
    let WatchedStack { name, account, region } = stack;
    StepRef {
        step: format!("{account}/{region}/{name}"),
        kind: StepKind::Deploy,
        asset: None,
        title: name.clone(),
        stack: Some(name.clone()),
        stack_name: Some(name.clone()),
        account: Some(account.clone()),
        region: Some(region.clone()),
        phase: None,
    }
}

fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64().max(0.0)
}
