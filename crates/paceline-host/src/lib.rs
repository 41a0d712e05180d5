//! What runs on this machine: every program that Paceline starts is started here, and ended here.
//!
//! A program leads a process group of its own, so that a signal reaches all that it has started. It ends by itself, or
//! is asked to end, has a few seconds for that, and is killed. Nothing here knows AWS.

pub mod build;
mod drain;
mod find;
mod groups;
mod lines;
mod processes;
mod program;
mod running;
mod script;
#[cfg(all(test, target_os = "linux"))]
mod tests;

pub use find::find_program;
pub use processes::{GRACE, Processes, processes};
pub use program::{Output, Program, ProgramError, Stream};
pub use script::{Script, quoted};
