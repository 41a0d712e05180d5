//! Earlier states of the world, for answers from the past.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;

use crate::stack;
use crate::world::{World, add};

/// The states of the world after the latest requests, as far back as the longest reach that was asked for.
#[derive(Debug, Default)]
pub(crate) struct Past {
    reach: Duration,
    states: VecDeque<World>,
}

impl Past {
    /// Keeps states for at least this long from now on.
    pub(crate) fn remember(&mut self, reach: Duration, world: &mut World) {
        self.reach = self.reach.max(reach);
        self.keep(world);
    }

    /// Keeps the present state. This costs nothing until somebody asks for the past.
    pub(crate) fn keep(&mut self, world: &mut World) {
        if self.reach.is_zero() {
            return;
        }
        // Of the states older than the reach, the last one must stay: the world was in it when the reach
        // began.
        while self.states.get(1).is_some_and(|next| add(next.now, self.reach) <= world.now) {
            self.states.pop_front();
        }
        self.states.push_back(world.copy());
    }

    /// The world at that time. If that is before the earliest state that is kept, the world of that state.
    pub(crate) fn at(&self, then: Timestamp) -> Option<World> {
        let last = self.states.iter().rfind(|state| state.now <= then);
        let mut world = last.or_else(|| self.states.front())?.clone();
        stack::advance(&mut world, then);
        Some(world)
    }
}
