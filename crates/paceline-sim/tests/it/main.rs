//! Tests of the simulator through its requests, on a clock that the tests set by hand.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
#![expect(clippy::needless_pass_by_value, reason = "templates are written where they are used")]

mod doors;
mod failures;
mod hostile;
mod identities;
mod made_up;
mod nested;
mod proxy;
mod stacks;
mod support;
mod transforms;
mod updates;
