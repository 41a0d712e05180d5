//! From two assemblies to what differs between them.

mod app;
mod cascade;
mod equality;
mod names;
mod plans;
mod prepared;
mod real;
mod stack;
mod values;

pub use app::{CompareOptions, compare};
pub use plans::edge_changes;
pub use real::{RealChange, apply_change_sets};
