//! Follows the commands of a buildspec like a shell, with the values that are known before anything runs.
//!
//! This is an abstract interpreter and not a [`Visitor`](crate::shell::Visitor). It follows only the branch
//! that is taken if a condition is known, it follows a loop once per value if the values are known, and it
//! follows a function where it is called. The result is the list of [actions](Action) of the build.

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
