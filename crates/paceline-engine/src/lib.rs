//! Executes a plan: decides which step starts when, keeps the journal, and emits the events of the run.
//!
//! The engine gives each step to a [`Perform`]er and receives its reports and its outcome. The engine does
//! not know AWS and prints nothing. It waits only on tokio's clock, so that it behaves the same on virtual
//! time.

mod any_change;
mod describe;
mod early_needs;
pub mod event;
mod journal;
pub mod known_bugs;
mod made_once;
mod options;
mod perform;
mod prepared;
pub mod private;
mod ready_queue;
pub mod rollback;
mod run;
mod schedule;
mod stack_files;
mod stagger;
mod state;
mod stop;

pub use describe::reference;
pub use event::{Event, Fact, Outcome, StackCall, StepKind};
pub use journal::{
    Changed, EventFile, FailedInBuild, FetchedRun, Journal, JournalError, PlanLock, RepeatedCommand,
    Unfinished, import, is_relied_on, join_parts, journal_path, last_start, moved_stacks, parse_events,
    read_events, runs_in,
};
pub use made_once::MadeOnce;
pub use options::{Earlier, RunEnd, RunOptions, Sleep};
pub use paceline_assembly::{ResourceStatus, STACK_TYPE, StackOperation, StackStatus};
pub use paceline_text::ExitCode;
pub use perform::{Ended, Perform, ResourceProgress, StepContext};
pub use prepared::{
    ChangeEffect, Finding, Preparation, PreparedChange, PreparedChangeSet, PreparedError, PreparedFiles,
    PreparedRun, PreparedStack,
};
pub use ready_queue::ASSUMED_RESOURCES;
pub use run::run;
pub use schedule::{Schedule, one_after_another, schedule};
pub use stop::{OUT_OF_TIME, Stop};
