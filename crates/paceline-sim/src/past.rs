//! What the world was like a while ago, for answers from the past.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;

use crate::stack;
use crate::world::{World, add};

/// The states of the world after each of the latest requests, as far back as somebody wants to look.
#[derive(Debug, Default)]
pub(crate) struct Past {
    reach: Duration,
    states: VecDeque<World>,
}

impl Past {
    /// Looks so far back from now on.
    pub(crate) fn remember(&mut self, reach: Duration, world: &mut World) {
        self.reach = self.reach.max(reach);
        self.keep(world);
    }

    /// Keeps a state. Costs nothing as long as nobody looks back.
    pub(crate) fn keep(&mut self, world: &mut World) {
        if self.reach.is_zero() {
            return;
        }
        // Of those that are out of reach, the last one is what the world was like within it.
        while self.states.get(1).is_some_and(|next| add(next.now, self.reach) <= world.now) {
            self.states.pop_front();
        }
        self.states.push_back(world.copy());
    }

    /// The world as it was then, or as early as is known.
    pub(crate) fn at(&self, then: Timestamp) -> Option<World> {
        let last = self.states.iter().rfind(|state| state.now <= then);
        let mut world = last.or_else(|| self.states.front())?.clone();
        stack::advance(&mut world, then);
        Some(world)
    }
}
