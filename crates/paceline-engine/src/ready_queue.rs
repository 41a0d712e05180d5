//! The queue of ready steps. Among steps that share a limit, the one with the longest remaining path starts
//! first. The queue also measures which limit a ready step waits for.

mod in_flight;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use paceline_plan::{Plan, Step, Work};
use paceline_text::to_the_millisecond;
use tokio::time::Instant;

use self::in_flight::{Admission, InFlight};
use crate::event::{Limit, LimitWait, seconds};

pub use self::in_flight::ASSUMED_RESOURCES;
pub(crate) use self::in_flight::ResourceLimits;

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
    const ALL: [Self; 4] = [Self::Stacks, Self::Assets, Self::Images, Self::Unlimited];

    fn of(step: &Step) -> Self {
        match &step.work {
            Work::Deploy { .. } | Work::Delete { .. } => Self::Stacks,
            Work::Publish(publish) if publish.image => Self::Images,
            Work::Publish(_) => Self::Assets,
            Work::Gate { .. } | Work::Command(_) | Work::Prewarm(_) | Work::Synthesize(_) => Self::Unlimited,
        }
    }

    fn limit(self) -> Limit {
        match self {
            Self::Stacks | Self::Unlimited => Limit::Stacks,
            Self::Assets => Limit::Assets,
            Self::Images => Limit::Images,
        }
    }
}

/// The order of the queue. The longest remaining path comes first. Steps with equal paths start in the order
/// of the plan.
type Priority = (Reverse<Duration>, usize);

/// The steps of a lane.
#[derive(Debug)]
struct Steps {
    waiting: BTreeSet<Priority>,
    running: usize,
    limit: usize,
    /// The time in which the limit was reached, until `full_since`.
    full: Duration,
    full_since: Option<Instant>,
    /// True if no waiting step can start until something changes.
    is_stuck: bool,
}

impl Steps {
    /// Changes the number of running steps.
    fn run(&mut self, change: isize, now: Instant) {
        self.running = self.running.saturating_add_signed(change);
        self.is_stuck = false;
        match (self.full_since, self.running >= self.limit) {
            (None, true) => self.full_since = Some(now),
            (Some(since), false) => {
                self.full += now - since;
                self.full_since = None;
            }
            _ => {}
        }
    }

    /// The time in which the limit has been reached so far.
    fn full_for(&self, now: Instant) -> Duration {
        self.full + self.full_since.map_or(Duration::ZERO, |since| now - since)
    }
}

/// What a ready step has waited for.
#[derive(Debug)]
struct Wait {
    /// [`Steps::full_for`] at the time when the step became ready.
    full_before: Duration,
    /// The time for which there was no room for its resources.
    resources: Duration,
    /// The time since which there is no room for its resources, although its lane has room.
    since: Option<Instant>,
}

/// The ready steps, and the number of running steps of each lane.
#[derive(Debug)]
pub(crate) struct ReadyQueue {
    lanes: [Steps; 4],
    /// The running steps that do not count against their limit, because they wait for another step.
    away: BTreeSet<usize>,
    in_flight: InFlight,
    /// The waits of the ready steps.
    waits: HashMap<usize, Wait>,
}

impl ReadyQueue {
    pub(crate) fn new(plan: &Plan, limits: ResourceLimits<'_>) -> Self {
        let limit = |lane| match lane {
            Lane::Stacks => plan.concurrency.stacks.get(),
            Lane::Assets => plan.concurrency.assets.get(),
            Lane::Images => plan.concurrency.images.get(),
            Lane::Unlimited => usize::MAX,
        };
        let steps = |lane| Steps {
            waiting: BTreeSet::new(),
            running: 0,
            limit: limit(lane),
            full: Duration::ZERO,
            full_since: None,
            is_stuck: false,
        };
        Self {
            lanes: Lane::ALL.map(steps),
            away: BTreeSet::new(),
            in_flight: InFlight::new(plan, limits),
            waits: HashMap::new(),
        }
    }

    /// Adds a step. `remaining` is the expected time of the step plus that of the longest chain after it.
    pub(crate) fn push(&mut self, step: &Step, index: usize, remaining: Duration) {
        let lane = &mut self.lanes[Lane::of(step) as usize];
        lane.waiting.insert((Reverse(remaining), index));
        lane.is_stuck = false;
        let full_before = lane.full_for(Instant::now());
        self.waits.insert(index, Wait { full_before, resources: Duration::ZERO, since: None });
    }

    /// Removes a step that is no longer ready. Returns what it has waited for.
    pub(crate) fn remove(&mut self, step: &Step, index: usize) -> Vec<LimitWait> {
        let lane = &mut self.lanes[Lane::of(step) as usize];
        lane.waiting.retain(|&(_, waiting)| waiting != index);
        lane.is_stuck = false;
        self.waited(step, index)
    }

    /// Takes the next step whose limits allow it to start, with what it has waited for.
    pub(crate) fn pop(&mut self, plan: &Plan) -> Option<(usize, Vec<LimitWait>)> {
        let now = Instant::now();
        let (lane, priority) = Lane::ALL.into_iter().find_map(|lane| Some((lane, self.first(lane, now)?)))?;
        let index = priority.1;
        self.lanes[lane as usize].waiting.remove(&priority);
        let waited = self.waited(&plan.steps[index], index);
        self.in_flight.starts(index);
        self.run(lane, 1, now);
        Some((index, waited))
    }

    /// The first step of a lane that may start now.
    fn first(&mut self, lane: Lane, now: Instant) -> Option<Priority> {
        let steps = &mut self.lanes[lane as usize];
        if steps.running >= steps.limit || steps.is_stuck {
            return None;
        }
        let mut admission = Admission::default();
        for &priority in &steps.waiting {
            if self.in_flight.admits(priority.1, &mut admission) {
                return Some(priority);
            }
            if let Some(wait) = self.waits.get_mut(&priority.1) {
                wait.since.get_or_insert(now);
            }
        }
        steps.is_stuck = true;
        None
    }

    fn run(&mut self, lane: Lane, change: isize, now: Instant) {
        let steps = &mut self.lanes[lane as usize];
        steps.run(change, now);
        if steps.full_since == Some(now) {
            // From now on, the steps of this lane wait for its limit.
            for &(_, index) in &steps.waiting {
                if let Some(wait) = self.waits.get_mut(&index)
                    && let Some(since) = wait.since.take()
                {
                    wait.resources += now - since;
                }
            }
        }
    }

    /// Ends the wait of a ready step. Returns what it has waited for.
    fn waited(&mut self, step: &Step, index: usize) -> Vec<LimitWait> {
        let Some(wait) = self.waits.remove(&index) else { return Vec::new() };
        let (lane, now) = (Lane::of(step), Instant::now());
        let full = self.lanes[lane as usize].full_for(now).saturating_sub(wait.full_before);
        let resources = wait.resources + wait.since.map_or(Duration::ZERO, |since| now - since);
        let waits = [(lane.limit(), full), (Limit::Resources, resources)];
        waits.into_iter().filter_map(|(limit, time)| LimitWait::of(limit, time)).collect()
    }

    /// Notes that a running step waits for another step and does not count against its limits for that time.
    pub(crate) fn leaves(&mut self, step: &Step, index: usize) {
        if self.away.insert(index) {
            self.in_flight.leaves(index);
            self.run(Lane::of(step), -1, Instant::now());
        }
    }

    /// Notes that the step continues and counts again, even if that exceeds a limit.
    pub(crate) fn returns(&mut self, step: &Step, index: usize) {
        if self.away.remove(&index) {
            self.in_flight.returns(index);
            self.run(Lane::of(step), 1, Instant::now());
        }
    }

    /// Counts the resources of a step that was expected to change nothing and is about to change its stack.
    pub(crate) fn changes_stack(&mut self, index: usize) {
        self.in_flight.changes_stack(index);
    }

    /// Stops counting a step that has ended.
    pub(crate) fn ended(&mut self, step: &Step, index: usize) {
        self.returns(step, index);
        self.in_flight.ended(index);
        self.run(Lane::of(step), -1, Instant::now());
    }

    /// Returns whether all steps that have not ended could run at the same time, so that no step has to wait for
    /// another one because of a limit. `open` are the positions of these steps.
    pub(crate) fn has_room_for(&self, plan: &Plan, open: impl Iterator<Item = usize> + Clone) -> bool {
        let stacks = open.clone().filter(|&index| Lane::of(&plan.steps[index]) == Lane::Stacks);
        stacks.count() <= self.lanes[Lane::Stacks as usize].limit && self.in_flight.has_room_for(open)
    }
}

impl LimitWait {
    /// The wait for a limit. `None` if it is too short to be written.
    pub(crate) fn of(limit: Limit, time: Duration) -> Option<Self> {
        let waited_s = seconds(time);
        (waited_s > 0.0).then_some(Self { limit, waited_s })
    }

    /// The sum of waits for the same limits.
    pub(crate) fn sum(waits: impl IntoIterator<Item = Self>) -> Vec<Self> {
        let mut sums: BTreeMap<Limit, f64> = BTreeMap::new();
        for Self { limit, waited_s } in waits {
            *sums.entry(limit).or_default() += waited_s;
        }
        sums.into_iter()
            .map(|(limit, waited_s)| Self { limit, waited_s: to_the_millisecond(waited_s) })
            .collect()
    }
}
