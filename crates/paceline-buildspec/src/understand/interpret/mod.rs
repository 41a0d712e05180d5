//! Follows the commands of a buildspec as a shell would, with the values that are known before anything runs.
//!
//! This is an abstract interpreter and no [`Visitor`](crate::shell::Visitor): a condition whose result is known
//! decides which branch is followed, a loop over known values is followed once for each, and a function is followed
//! where it is called. The result is the list of [actions](Action) of the build.

mod and_or;
mod calls;
mod classify;
mod compound;
mod condition;
mod effects;
mod state;
mod statements;
mod variables;

pub(super) use state::{Action, ActionKind, Interpreter, REGIONS, UnknownRegion, shortened};
