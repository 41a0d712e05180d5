//! The values that a plan consists of. They say what will be done, and import nothing that makes or shows a plan.

pub mod graph;
pub(crate) mod place;
pub(crate) mod plan;
