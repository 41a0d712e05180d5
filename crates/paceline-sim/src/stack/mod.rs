//! The engine of stacks: it begins, advances and ends operations, and applies the effects of resources to the
//! world.

mod begin;
mod change_sets;
mod custom;
mod effects;
mod elsewhere;
mod end;
mod hanging;
mod names;
mod nested;
mod resource;
mod run;
mod wanted;

use jiff::Timestamp;

use crate::world::World;

pub(crate) use begin::{
    Deletion, cancel_update, continue_rollback, create, delete, import, limit_creation, roll_back, update,
};
pub(crate) use elsewhere::has_changed;
pub(crate) use wanted::{Wanted, desired, fetch, new_key};

/// Makes everything happen that is due by `to`. Time never goes back: a request that another one has
/// overtaken is handled at the time of that other request.
pub(crate) fn advance(world: &mut World, to: Timestamp) {
    while let Some(due) = world.next_until(to) {
        run::step(world, &due.key, due.operation, due.step);
    }
    world.now = world.now.max(to);
}
