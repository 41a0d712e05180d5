//! The engine of stacks: how operations begin, proceed and end, and what resources do to the world.

mod begin;
mod change_sets;
mod custom;
mod effects;
mod end;
mod nested;
mod resource;
mod run;
mod wanted;

use jiff::Timestamp;

use crate::world::World;

pub(crate) use begin::{
    Deletion, cancel_update, continue_rollback, create, delete, import, limit_creation, roll_back, update,
};
pub(crate) use wanted::{Wanted, desired, fetch, new_key};

/// Lets everything happen that is due by then. Time never goes back: a request that was overtaken by another happens at
/// the later one's time.
pub(crate) fn advance(world: &mut World, to: Timestamp) {
    while let Some(due) = world.next_until(to) {
        run::step(world, &due.key, due.operation, due.step);
    }
    world.now = world.now.max(to);
}
