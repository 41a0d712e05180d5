//! Deploys or deletes one stack: finds out its state, sends the necessary operations, and waits until they
//! have ended.
//!
//! Others change the same stacks, in the console, with the CDK CLI, or in other runs. A deployment decides
//! with a state that may be some seconds old. So each action must be safe if the stack has changed since:
//!
//! - A creation is refused if the stack exists. Before that, the stack is read by its name, which also
//!   finds a stack by its alias.
//! - An update names the stack's id, and is refused while another operation is in progress.
//! - A rollback is continued only if one is stuck. CloudFormation itself checks that.
//! - Deleting and cancelling have no such condition. So the stack is read again directly before (see
//!   [`remove`]).
//! - A change set in review that is not ours is waited for (see [`review`]).
//!
//! If an operation is refused because of somebody else's action, the stack is read again. This is no failure.

mod asked;
mod capture;
mod change_set;
mod delete;
mod deploy;
mod events;
mod failure;
mod finished;
mod importers;
mod limit;
mod long_nested;
mod operation;
mod operation_events;
mod outcome;
mod protect;
mod remove;
mod request;
mod review;
mod secrets;
mod sent;
mod source;
mod state;
mod stuck;
mod unchanged;
mod watch;

pub use change_set::{ChangeGuard, GuardRefusal, Unreviewed};
pub(crate) use delete::{Deletion, is_protected, protection};
pub(crate) use deploy::{Deployment, Preparing};
pub(crate) use events::{Change, EventLog, starts_operation};
pub(crate) use failure::cause_of;
pub use operation::Method;
pub(crate) use request::{OperationSettings, Request};
pub(crate) use secrets::SecretKey;
pub use secrets::TokenKey;
pub(crate) use source::source;
pub(crate) use state::{is_usable, previous_parameters};
pub(crate) use unchanged::deployed_template;

/// The end of a message about a stack that is not waited for any longer.
pub(crate) const GOES_ON: &str = "what was going on in AWS goes on there";
/// The number of times that a stack may be read again because it has changed meanwhile, before the run gives up.
const MOST_READS: u32 = 20;
