//! Deterministic simulation testing: each seed is a random deployment with a random schedule of faults, kills and
//! other people. The runner's real code deploys it to the simulated AWS on virtual time. Then CloudFormation's own
//! record is compared with what the design promises.
//!
//! - [`Story`] is what happens: the app, the weather of AWS, the mishaps, the kills, and the acts of others. It is
//!   made from a seed, and can be written as JSON.
//! - [`play`] lets it happen, and gives a [`Tale`]: the events of each process, and the operations of each stack.
//! - [`check`] finds the promises that were broken.
//! - [`shrink`] makes a story that breaks a promise as small as it can.
//!
//! The same story gives the same tale, byte for byte: time is virtual, there is one thread, and the random pauses of the
//! AWS SDK are seeded.

mod app;
mod disturb;
mod ending;
mod machine;
mod operations;
mod others;
mod play;
mod promises;
mod rollout;
mod shrink;
mod story;

pub use operations::{Operation, StackHistory};
pub use play::{Ending, File, Process, Tale, play};
pub use promises::check;
pub use shrink::shrink;
pub use story::{
    Act, Before, FullDisk, Jump, Kill, Mishap, Need, NeedKind, Other, Rival, Rollout, StackStory, Story,
    Teardown, Weather,
};
