//! The values that a plan consists of.
//!
//! They say what will be done, in which order, and why. They can be saved and read again, and know nothing of how a
//! plan is made or shown: this folder imports none of the others. A warning or a reason is data here; the sentences
//! that people read are made in `show`.

mod api_load;
mod bake;
mod chain;
mod deploy_options;
mod edge;
mod estimate;
mod findings;
mod gate;
mod identity;
mod left_out;
mod operation;
mod plan;
mod rollback;
mod saved;
mod scripts;
mod step;
mod template_place;
mod warning;

pub mod graph;

pub use api_load::{ApiLoads, ThrottledService};
pub use bake::{AlarmPattern, Bake};
pub(crate) use chain::lower_bound;
pub use deploy_options::DeployOptions;
pub(crate) use edge::folded;
pub use edge::{Edge, StoredParameter, Tie};
pub use estimate::{Basis, Day};
pub use findings::{Borrowed, ByName, DeclaredOnly, External, KeptContext, Relaxed, SynthesisTimes};
pub use gate::Gate;
pub(crate) use identity::content_digest;
pub use left_out::{Affected, LeftOut, LeftOutReason};
pub use operation::StepOperation;
pub use paceline_config::Reason;
pub use plan::{Phase, Plan, PlannedStack};
pub use rollback::{Loss, Stays, StaysReason};
pub use saved::{PlanArguments, SAVED_FORMAT, SavedPlan, SavedPlanError};
pub use step::{Command, EarlyNeed, Prewarm, Publish, Step, Synthesize, THE_APP, Work};
pub use template_place::{Section, TemplatePlace};
pub use warning::{NoRollout, Warning};
