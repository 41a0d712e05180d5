//! The runtimes of commands: one on the clock of this machine, one on virtual time.

use jiff::Timestamp;
use tokio::runtime::{Builder, Runtime};

use crate::failure::Failure;

/// Every simulated run starts at this moment, so that the same app gives the same events: 2026-01-01T00:00:00Z.
pub(crate) const SIMULATED_START: Timestamp = Timestamp::constant(1_767_225_600, 0);

/// A runtime on the clock of this machine. Tasks mostly wait, so one thread is enough. Computations start own threads.
pub(crate) fn runtime() -> Result<Runtime, Failure> {
    build(Builder::new_current_thread().enable_all())
}

/// A runtime on virtual time: when every task waits, the clock jumps to the end of the shortest wait.
pub(crate) fn virtual_runtime() -> Result<Runtime, Failure> {
    build(Builder::new_current_thread().enable_all().start_paused(true))
}

fn build(builder: &mut Builder) -> Result<Runtime, Failure> {
    builder.build().map_err(|error| {
        Failure::usage(format!("cannot start: {error}"), "free some memory, threads or open files")
    })
}
