//! Earlier runs: the list of them, and what two of them took.
//!
//! A run is known from its journal, from its lines in the history, or from both. The history is shared by a team and has
//! durations only; a journal is on one machine and has everything.

mod compare;
mod json;
mod list;
mod run;

pub use self::compare::{LoneStep, RunComparison, StepChange, Usual};
pub use self::json::{comparison_schema, list_json, list_schema};
pub use self::list::list_text;
pub use self::run::PastRun;
