//! Makes the deployment plan of a cloud assembly: an [`Assembly`](paceline_assembly::Assembly) and a
//! [`Config`](paceline_config::Config) become a [`Plan`], a value that can be printed, saved, compared and executed.
//!
//! Everything here is pure: no network, no clock.
//!
//! # Where to read first
//!
//! The folders come one after the other, and each uses only those before it:
//!
//! 1. `model/`: the values. Read `model/plan.rs` first: a [`Plan`] has stacks, steps, edges with reasons, and what was
//!    found about the app. The rest of the folder is the values that it holds.
//! 2. `outlook/`: how long steps take (`history`, `durations`, `stack_time`), what a plan would take with a change
//!    (`what_if`), and what would make it shorter (`advice`, one file for each rule).
//! 3. `build/`: from an assembly to a plan. Read the table of stages in `build/make.rs`, then the file of the stage
//!    that you are interested in. `build/scan/` reads the templates of one stack; `build/edges/` matches what stacks
//!    read with what others provide.
//! 4. `show/`: a plan as text, JSON, Mermaid and DOT, and the answers of `paceline explain`. All sentences are made
//!    here, those of errors, warnings and advice too.

mod build;
mod model;
mod outlook;
pub mod show;

pub use build::affected::affected;
pub use build::approved::PlanChange;
pub use build::context::{ContextLookup, LookupState};
pub use build::destroy::{Destruction, Kept};
pub use build::error::PlanError;
pub use build::names::stacks_of;
pub use build::options::PlanOptions;
pub use build::relax::Present;
pub use build::rollback::{Rollback, RollbackOptions, Undo};
pub use build::timestamps::{has_time, without_times};
pub use model::{
    Affected, AlarmPattern, ApiLoads, Bake, Basis, Borrowed, ByName, Command, Day, DeclaredOnly,
    DeployOptions, EarlyNeed, Edge, External, Gate, KeptContext, LeftOut, LeftOutReason, Loss, NoRollout,
    Phase, Plan, PlanArguments, PlannedStack, Prewarm, Publish, Reason, Relaxed, SAVED_FORMAT, SavedPlan,
    SavedPlanError, Section, Stays, StaysReason, Step, StepOperation, StoredParameter, SynthesisTimes,
    Synthesize, THE_APP, TemplatePlace, ThrottledService, Tie, Warning, Work, graph,
};
pub use outlook::{advice, durations, forecast, history, pace, price, stack_time, what_if};

/// An app that was synthesized again in the middle of a run, compared with its plan.
pub mod late {
    pub use crate::build::resynthesized::{Compared, Difference, compare, unpublished};
    pub use crate::show::synthesized_again;
}
