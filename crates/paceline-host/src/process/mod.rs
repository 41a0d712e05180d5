//! Starts and ends programs. No other module does.
//!
//! Each program leads its own process group, so that a signal reaches every process that the program has
//! started. A program ends by itself. Otherwise it is asked to end, has a few seconds for that ([`GRACE`]),
//! and is then killed. A program has ended when its own process has ended. Background children may keep its
//! pipes, but nobody waits for them.

mod drain;
mod find;
pub(crate) mod groups;
pub(crate) mod lines;
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
