//! Deploys or deletes one stack: finds out what state it is in, does what is needed, and sees it through to
//! its end.
//!
//! Others work on the same stacks, in the console, with the CDK CLI, with other runs. What a deployment decides on is
//! a look that may be some seconds old, so that nothing it does is wrong if the stack has moved on since:
//!
//! - a creation is refused when the stack is there, and it is asked for by its name before, which also finds a stack
//!   by its alias;
//! - an update names the stack's id, and is refused while another operation is in progress;
//! - a rollback is continued only where one is stuck, which CloudFormation itself checks;
//! - deleting and cancelling have no such condition: it is looked again directly before (see [`remove`]);
//! - a change set in review that is not ours is waited for (see [`review`]).
//!
//! Whatever is refused for what somebody else did leads to another look, and not to a failure.

mod change_set;
mod delete;
mod deploy;
mod events;
mod failure;
mod importers;
mod limit;
mod operation;
mod operation_events;
mod outcome;
mod protect;
mod remove;
mod request;
mod review;
mod secrets;
mod source;
mod state;
mod unchanged;
mod watch;

pub(crate) use delete::{Deletion, is_protected, protection};
pub(crate) use deploy::Deployment;
pub(crate) use events::EventLog;
pub use operation::Method;
pub(crate) use request::Request;
pub(crate) use secrets::SecretKey;
pub use secrets::TokenKey;
pub(crate) use source::source;
pub(crate) use state::{is_usable, previous_parameters};

/// What is said of a stack that is not waited for any longer.
pub(crate) const GOES_ON: &str = "what was going on in AWS goes on there";
/// How often a stack may turn out to have moved on since it was looked at.
const MOVES: u32 = 20;
