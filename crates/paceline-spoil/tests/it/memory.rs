//! Measures the memory of a piece of work, in a test program of its own.

use std::sync::{Mutex, PoisonError};

use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// The allocator counts for the whole process, so one piece of work is measured at a time.
static ONE: Mutex<()> = Mutex::new(());

/// Runs the work of a test while no other one is measured.
pub(crate) fn alone<T>(work: impl FnOnce() -> T) -> T {
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    work()
}

/// The most bytes that were used at the same time for this work, beyond what was used before.
pub(crate) fn most_of(work: impl FnOnce()) -> usize {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    work();
    ALLOCATOR.peak_usage().saturating_sub(before)
}
