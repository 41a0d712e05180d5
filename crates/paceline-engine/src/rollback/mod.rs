//! Undoing a run: what each stack was before the run changed it, what the run did, and what follows from both.
//!
//! 1. While a run goes on, the performer keeps a [`Capture`] of each stack before it changes the stack
//!    (`capture`).
//! 2. Later, the journal of the run says what it did, and in which order (`changes`).
//! 3. Both together give the stacks to restore and to delete, and what cannot be undone (`undoing`).

mod capture;
mod changes;
mod undoing;

pub use capture::{Before, Capture, CaptureError, Captured, Captures, Staging};
pub use changes::{ChangedStack, RunChanges};
pub use undoing::{LeftByRun, Undoing};
