//! Makes the deployment plan of a cloud assembly: an [`Assembly`](paceline_assembly::Assembly) and a
//! [`Config`] become a [`Plan`], a value that can be printed, compared and executed.
//!
//! Everything here is pure, but for reading the configuration file: no network, no clock.

pub mod advice;
mod assets;
mod beside;
mod by_name;
mod circles;
mod commands;
pub mod config;
mod context;
mod declared;
mod destroy;
pub mod durations;
mod edges;
mod error;
mod facts;
pub mod forecast;
pub mod graph;
pub mod history;
mod identity;
pub mod late;
mod make;
mod names;
pub mod pace;
mod phases;
mod plan;
pub mod price;
mod relax;
pub mod render;
mod schema;
mod scripts;
mod selection;
pub mod stack_time;
pub mod starter;
mod steps;
mod timestamps;
mod unseen;
mod weave;
pub mod what_if;

pub use config::{Config, ConfigError, Strategy};
pub use context::{ContextLookup, Looked};
pub use destroy::{Destruction, Kept};
pub use edges::{Edge, External, Place, Reason, Section, Stored};
pub use error::PlanError;
pub use make::PlanOptions;
pub use names::near;
pub use plan::{
    Borrowed, ByName, Command, DeclaredOnly, Early, KeptContext, LeftOut, Phase, Plan, PlannedStack, Publish,
    Relaxed, Step, Synthesize, THE_APP, Work,
};
pub use relax::Present;
pub use schema::schema;
pub use timestamps::{has_time, without_times};
