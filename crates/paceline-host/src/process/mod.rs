//! The one place that starts programs and ends them.
//!
//! A program leads a process group of its own, so that a signal reaches everything that it has started. It ends by
//! itself, or it is asked to end, has a few seconds for that ([`GRACE`]), and is killed. A program has ended when its
//! own process has: a child that it leaves in the background holds nothing open, though it keeps the pipes.

mod drain;
mod find;
pub(crate) mod groups;
mod lines;
pub(crate) mod processes;
pub(crate) mod program;
mod running;
mod script;
#[cfg(all(test, target_os = "linux"))]
mod tests;

pub use find::find_program;
pub use processes::{GRACE, Processes, processes};
pub use program::{Output, Program, ProgramError, Stream};
pub use script::Script;
