//! The values that a comparison gives.

mod access;
mod app;
mod collision;
mod resource;
mod stack;

pub(crate) use access::is_everyone;
pub use access::{Access, AllBut, Widening};
pub use app::{AppDiff, EdgeChange, EdgeChanges, TimeChange};
pub use collision::{Collision, NameConflict};
pub use resource::{Because, DataLoss, Effect, Fate, Place, PropertyChange, ResourceDiff};
pub use stack::{ElementDiff, StackChange, StackDiff};
