//! The engine's promises, checked with performers that only sleep, on a paused clock.

#![expect(clippy::unwrap_used, reason = "what fails here fails a test")]
#![expect(clippy::float_cmp, reason = "times are exact to the millisecond")]

mod again;
mod changed;
mod deletes;
mod draft;
mod early;
mod events;
mod failed;
mod failures;
mod import;
mod invariants;
mod journal;
mod limits;
mod order;
mod pacing;
mod pause;
mod random;
mod reports;
mod resume;
mod rollback;
mod script;
mod sleep;
mod stop;
mod talk;
mod timing;
