//! The engine's promises, checked with performers that only sleep, on a paused clock.

mod draft;
mod events;
mod failures;
mod invariants;
mod journal;
mod limits;
mod order;
mod random;
mod reports;
mod resume;
mod script;
mod stop;
mod timing;
