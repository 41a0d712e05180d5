//! The steps that could start now: of those that share a limit, the one with the longest remaining path first.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::time::Duration;

use paceline_plan::config::Concurrency;
use paceline_plan::{Step, Work};

/// What limits how many steps run at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lane {
    Stacks,
    Assets,
    Images,
    /// Waiting costs nothing, and of scripts there are few.
    Unlimited,
}

impl Lane {
    fn of(step: &Step) -> Self {
        match &step.work {
            Work::Deploy { .. } | Work::Delete { .. } => Self::Stacks,
            Work::Publish(publish) if publish.image => Self::Images,
            Work::Publish(_) => Self::Assets,
            Work::Gate { .. } | Work::Command(_) | Work::Synthesize(_) => Self::Unlimited,
        }
    }
}

/// Longest remaining path first; of equals, the one that comes first in the plan.
type Priority = (Duration, Reverse<usize>);

/// The steps that could start now, and how many of each lane are running.
#[derive(Debug)]
pub(crate) struct Ready {
    waiting: [BinaryHeap<Priority>; 4],
    running: [usize; 4],
    limits: [usize; 4],
    /// The running steps that take no room, because they wait for another.
    away: BTreeSet<usize>,
}

impl Ready {
    pub(crate) fn new(concurrency: Concurrency) -> Self {
        let limits =
            [concurrency.stacks.get(), concurrency.assets.get(), concurrency.images.get(), usize::MAX];
        Self { waiting: Default::default(), running: [0; 4], limits, away: BTreeSet::new() }
    }

    /// Adds a step; `remaining` is its own expected time and that of the longest chain after it.
    pub(crate) fn push(&mut self, step: &Step, index: usize, remaining: Duration) {
        self.waiting[Lane::of(step) as usize].push((remaining, Reverse(index)));
    }

    /// Takes a step out that is not ready any more.
    pub(crate) fn remove(&mut self, step: &Step, index: usize) {
        self.waiting[Lane::of(step) as usize].retain(|&(_, Reverse(waiting))| waiting != index);
    }

    /// Takes a step that there is room for.
    pub(crate) fn pop(&mut self) -> Option<usize> {
        let lane =
            (0..4).find(|&lane| self.running[lane] < self.limits[lane] && !self.waiting[lane].is_empty())?;
        self.running[lane] += 1;
        self.waiting[lane].pop().map(|(_, Reverse(index))| index)
    }

    /// A running step waits for another, and takes no room meanwhile.
    pub(crate) fn leaves(&mut self, step: &Step, index: usize) {
        if self.away.insert(index) {
            self.running[Lane::of(step) as usize] -= 1;
        }
    }

    /// It goes on, even if others have taken all the room.
    pub(crate) fn returns(&mut self, step: &Step, index: usize) {
        if self.away.remove(&index) {
            self.running[Lane::of(step) as usize] += 1;
        }
    }

    /// Gives back the room of a step that has ended.
    pub(crate) fn ended(&mut self, step: &Step, index: usize) {
        self.returns(step, index);
        self.running[Lane::of(step) as usize] -= 1;
    }
}
