//! Makes a plan: what stacks read from each other becomes edges, edges become an order, and the order becomes steps.

pub(crate) mod assets;
mod beside;
mod by_name;
mod circles;
mod commands;
pub(crate) mod context;
mod declared;
pub(crate) mod destroy;
pub(crate) mod edges;
pub(crate) mod error;
mod facts;
mod identity;
pub mod late;
pub(crate) mod make;
pub(crate) mod names;
mod phases;
pub(crate) mod relax;
mod scripts;
mod selection;
pub(crate) mod steps;
pub(crate) mod timestamps;
mod unseen;
mod weave;
