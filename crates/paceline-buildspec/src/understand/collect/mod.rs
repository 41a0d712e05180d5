//! Collects the actions of a build into apps, deployments and scripts.
//!
//! There are two passes. [`apps`] finds the app of every call of the CDK CLI. [`runs`] then goes through the
//! actions once more, and makes each a build step of an app, a deployment, or a script between deployments.

mod apps;
mod relocate;
mod runs;
mod state;
mod steps;

pub(super) use state::collect;
