//! Performs the steps of a plan on AWS: stack operations, publishing of assets, and gates.
//!
//! This is the only crate that uses an AWS SDK. It decides nothing about order or policy, which is the task
//! of the engine. Tests and simulations replace the SDK's HTTP client: see [`Wire`].

mod alarms;
mod bootstrap;
mod build;
mod call;
mod clock;
mod deployed;
mod endpoint;
mod environment;
mod error;
mod gates;
mod inputs;
mod lease;
mod metrics;
mod notify;
mod performer;
mod presence;
mod profile;
mod project;
mod publish;
mod records;
mod refusal;
mod run_copy;
mod sdk;
mod service_report;
mod session;
mod signal;
mod signed;
mod simulated_rights;
mod stack;
mod staging;
mod target;
mod traces;
mod unsigned;
mod wake;
mod watch;

pub use bootstrap::{Bootstrapper, Bootstrapping};
pub use build::{BuildEnd, BuildNews, BuildRequest, Builds, CurrentBuild};
pub use call::RetryNotices;
pub use clock::clock_ahead;
pub use deployed::{DeployedStacks, deployed};
pub use endpoint::endpoint;
pub use error::{AwsError, ErrorCode, ErrorKind, PreflightError};
pub use gates::{Policies, RoleWait, Usable, wait_for_iam_roles};
pub use lease::{Applicant, Leases, LockMode};
pub use metrics::MetricDatum;
pub use notify::Notification;
pub use performer::{Aws, AwsOptions, LateApp, LateSynthesis, template_limits};
pub use presence::{Presence, changed, present};
pub use project::{Applied, Difference, Projects};
pub use publish::{Images, MissingFiles};
pub use run_copy::{KeptRun, KeptRuns, RunCopy};
pub use sdk::Wire;
pub use session::ALLOW_BASE_CREDENTIALS;
pub use signal::{Signalled, Verdict, WaitHandle};
pub use simulated_rights::{AskedRights, not_allowed};
pub use stack::{ChangeGuard, GuardRefusal, Method, TokenKey, Unreviewed};
pub use traces::Collector;
pub use wake::WakeRule;
pub use watch::{StackNews, WatchedResource, WatchedStack, Watching};
