//! Makes a plan: what stacks read from each other becomes edges, edges become an order, and the order becomes steps.
//!
//! Start with `make`: its table lists the stages, and each stage is a file here.

pub(crate) mod affected;
pub(crate) mod approved;
pub(crate) mod assets;
mod by_name;
mod circles;
mod commands;
pub(crate) mod context;
mod context_key;
mod declared;
pub(crate) mod destroy;
mod edges;
pub(crate) mod error;
mod inspect;
mod late;
mod make;
pub(crate) mod names;
pub(crate) mod options;
mod order;
mod phase_warnings;
mod phases;
mod preparing;
mod prewarm;
mod publishing;
pub(crate) mod relax;
mod resume_key;
pub(crate) mod resynthesized;
pub(crate) mod rollback;
mod rollout;
mod scan;
mod selection;
mod selectors;
mod settings;
mod steps;
pub(crate) mod timestamps;
mod unseen;
