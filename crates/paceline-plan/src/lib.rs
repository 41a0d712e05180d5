//! Makes the deployment plan of a cloud assembly: an [`Assembly`](paceline_assembly::Assembly) and a
//! [`Config`] become a [`Plan`], a value that can be printed, compared and executed.
//!
//! Everything here is pure, but for reading the configuration file: no network, no clock.

mod build;
pub mod config;
mod model;
mod outlook;
mod schema;
pub mod show;
pub mod starter;

pub use build::context::{ContextLookup, Looked};
pub use build::destroy::{Destruction, Kept};
pub use build::edges::{Edge, External, Reason, Stored};
pub use build::error::PlanError;
pub use build::late;
pub use build::make::PlanOptions;
pub use build::names::near;
pub use build::relax::Present;
pub use build::timestamps::{has_time, without_times};
use build::{edges, names};
pub use config::{Config, ConfigError, Strategy};
pub use model::graph;
pub use model::place::{Place, Section};
use model::plan;
pub use model::plan::{
    Borrowed, ByName, Command, DeclaredOnly, Early, KeptContext, LeftOut, Phase, Plan, PlannedStack, Publish,
    Relaxed, Step, Synthesize, THE_APP, Work,
};
pub use outlook::{advice, durations, forecast, history, pace, price, stack_time, what_if};
pub use schema::schema;
pub use show as render;
