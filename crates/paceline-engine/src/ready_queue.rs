//! The queue of ready steps. Among steps that share a limit, the one with the longest remaining path starts
//! first.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::time::Duration;

use paceline_config::Concurrency;
use paceline_plan::{Step, Work};

/// The limit that a step counts against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lane {
    Stacks,
    Assets,
    Images,
    /// Gates, scripts and repositories. Gates only wait, and there are few of the others.
    Unlimited,
}

impl Lane {
    fn of(step: &Step) -> Self {
        match &step.work {
            Work::Deploy { .. } | Work::Delete { .. } => Self::Stacks,
            Work::Publish(publish) if publish.image => Self::Images,
            Work::Publish(_) => Self::Assets,
            Work::Gate { .. } | Work::Command(_) | Work::Prewarm(_) | Work::Synthesize(_) => Self::Unlimited,
        }
    }
}

/// The order of the queue. The longest remaining path comes first. Steps with equal paths start in the order
/// of the plan.
type Priority = (Duration, Reverse<usize>);

/// The ready steps, and the number of running steps of each lane.
#[derive(Debug)]
pub(crate) struct ReadyQueue {
    waiting: [BinaryHeap<Priority>; 4],
    running: [usize; 4],
    limits: [usize; 4],
    /// The running steps that do not count against their limit, because they wait for another step.
    away: BTreeSet<usize>,
}

impl ReadyQueue {
    pub(crate) fn new(concurrency: Concurrency) -> Self {
        let limits =
            [concurrency.stacks.get(), concurrency.assets.get(), concurrency.images.get(), usize::MAX];
        Self { waiting: Default::default(), running: [0; 4], limits, away: BTreeSet::new() }
    }

    /// Adds a step. `remaining` is the expected time of the step plus that of the longest chain after it.
    pub(crate) fn push(&mut self, step: &Step, index: usize, remaining: Duration) {
        self.waiting[Lane::of(step) as usize].push((remaining, Reverse(index)));
    }

    /// Removes a step that is no longer ready.
    pub(crate) fn remove(&mut self, step: &Step, index: usize) {
        self.waiting[Lane::of(step) as usize].retain(|&(_, Reverse(waiting))| waiting != index);
    }

    /// Takes the next step whose limit allows it to start.
    pub(crate) fn pop(&mut self) -> Option<usize> {
        let lane =
            (0..4).find(|&lane| self.running[lane] < self.limits[lane] && !self.waiting[lane].is_empty())?;
        self.running[lane] += 1;
        self.waiting[lane].pop().map(|(_, Reverse(index))| index)
    }

    /// Notes that a running step waits for another step and does not count against its limit for that time.
    pub(crate) fn leaves(&mut self, step: &Step, index: usize) {
        if self.away.insert(index) {
            self.running[Lane::of(step) as usize] -= 1;
        }
    }

    /// Notes that the step continues and counts again, even if that exceeds the limit.
    pub(crate) fn returns(&mut self, step: &Step, index: usize) {
        if self.away.remove(&index) {
            self.running[Lane::of(step) as usize] += 1;
        }
    }

    /// Stops counting a step that has ended.
    pub(crate) fn ended(&mut self, step: &Step, index: usize) {
        self.returns(step, index);
        self.running[Lane::of(step) as usize] -= 1;
    }
}
