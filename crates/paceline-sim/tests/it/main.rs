//! The simulator through its requests, on a clock that the tests move by hand.

mod failures;
mod hostile;
mod identities;
mod nested;
mod stacks;
mod support;
mod updates;
