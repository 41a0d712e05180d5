//! Performs the steps of a plan on AWS: stack operations, asset publishing, waiters.
//!
//! This is the only crate that knows an AWS SDK. It decides nothing about order or policy; that is the
//! engine's. Its seam for tests and simulation is the SDK's HTTP client: see [`Wire`].

mod aws;
mod bootstrap;
mod build;
mod call;
mod command;
mod endpoint;
mod environment;
mod gate;
mod parameters;
mod poller;
mod preflight;
mod profile;
mod project;
mod publish;
mod quota;
mod rate;
mod roles;
mod sdk;
mod session;
mod signal;
mod stack;
mod survey;
mod synth;
mod transient;
mod trouble;

pub use aws::{Aws, AwsOptions, PreflightError, wait_for_iam_roles};
pub use bootstrap::{BootstrapCli, Bootstrapper, Bootstrapping};
pub use build::{BuildEnd, BuildNews, BuildRequest, Builds};
pub use call::Notices;
pub use command::Commands;
pub use endpoint::endpoint;
pub use parameters::{Presence, changed, present};
pub use preflight::{Unpublishable, tell, unpublishable};
pub use project::{Applied, Difference, Projects};
pub use publish::{Images, MissingFiles};
pub use roles::{Policies, RoleWait, Usable};
pub use sdk::Wire;
pub use session::ALLOW_BASE_CREDENTIALS;
pub use signal::{Signalled, Verdict, WaitHandle};
pub use stack::{Method, TokenKey};
pub use synth::{ContextFileError, LateApp, LateSynthesis, Synthesis, SynthesisError};
pub use trouble::{Kind, Trouble};
