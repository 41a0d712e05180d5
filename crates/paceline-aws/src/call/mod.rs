//! Calls to AWS, of every service: the one place that decides what is sent again, how often and for how long,
//! and that says so.
//!
//! The SDK tries nothing again by itself (see [`sdk`](crate::sdk)): a retry that nobody sees looks like a run
//! that hangs.

mod answer;
mod rate;
mod retry_notices;
mod upload;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use paceline_engine::StepContext;
use tokio::time::Instant;

use crate::error::{AwsError, ErrorKind};
use crate::target::Target;

pub(crate) use answer::OnlyAws;
pub(crate) use rate::Limiter;
pub use retry_notices::RetryNotices;
pub(crate) use upload::Upload;

/// The variable that says, in seconds, how long a call is tried again.
const PATIENCE_VARIABLE: &str = "PACELINE_PATIENCE";
/// How long a call is tried again before AWS counts as out of reach.
const PATIENCE: Duration = Duration::from_mins(15);
/// The same of the first call of all: an address may just be wrong.
const FIRST_PATIENCE: Duration = Duration::from_mins(2);
/// The same of what is refused because a role is new. After that it is refused because the role is wrong.
const ROLE_PATIENCE: Duration = Duration::from_mins(2);
/// The same of a change that is denied: a permission that was given a moment ago is not known everywhere yet (IAM User
/// Guide, "Changes that I make are not always immediately visible").
const DENIED_PATIENCE: Duration = Duration::from_secs(10);
/// The changes that are tried again when they are denied. What is only read may be denied for good, and the run does
/// without.
const CHANGES: [&str; 8] = [
    "CreateStack",
    "UpdateStack",
    "DeleteStack",
    "CreateChangeSet",
    "ExecuteChangeSet",
    "RollbackStack",
    "ContinueUpdateRollback",
    "PutObject",
];
/// The first pause before a call is tried again; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// Makes calls to the services of one account and region.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    limiter: Arc<Limiter>,
    target: Target,
    patience: Duration,
    hears: Hears,
}

/// Who hears that a call is tried again.
#[derive(Debug, Clone)]
enum Hears {
    Notices(RetryNotices),
    Step(StepContext),
}

impl Caller {
    pub(crate) fn new(limiter: Arc<Limiter>, target: Target, notices: RetryNotices) -> Self {
        Self { limiter, target, patience: patience().unwrap_or(PATIENCE), hears: Hears::Notices(notices) }
    }

    /// The same on behalf of a step, whose events tell of retries.
    pub(crate) fn of_step(&self, context: &StepContext) -> Self {
        Self { hears: Hears::Step(context.clone()), ..self.clone() }
    }

    /// The same for the first call of all.
    pub(crate) fn at_first(&self) -> Self {
        self.within(patience().unwrap_or(FIRST_PATIENCE))
    }

    /// The same with a patience of one's own.
    pub(crate) fn within(&self, patience: Duration) -> Self {
        Self { patience, ..self.clone() }
    }

    /// How long a call is tried again.
    pub(crate) fn patience(&self) -> Duration {
        self.patience
    }

    /// Says that a call failed which is made again with the next poll.
    pub(crate) fn tries_again(&self, error: &AwsError, operation: &str) {
        if let Hears::Notices(notices) = &self.hears {
            notices.retried(operation, error);
        }
    }

    /// Makes a call: within its rate, and again while there is hope.
    ///
    /// Only calls that do nothing twice may be made this way: reads, those with a client token, and those that
    /// put something where it may be already.
    pub(crate) async fn call<T, E, F>(
        &self,
        operation: &'static str,
        send: impl FnMut() -> F,
    ) -> Result<T, AwsError>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let always = || std::future::ready(Ok(true));
        let answer = self.call_while(operation, always, send).await?;
        answer.ok_or_else(|| AwsError::setup(format!("{operation} was not sent")))
    }

    /// The same, as long as something holds: that is looked at directly before each try, when nothing but the
    /// call itself is left to wait for. `None` when it does not hold, and nothing was sent then.
    pub(crate) async fn call_while<T, E, F, H>(
        &self,
        operation: &'static str,
        mut holds: impl FnMut() -> H,
        mut send: impl FnMut() -> F,
    ) -> Result<Option<T>, AwsError>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
        H: Future<Output = Result<bool, AwsError>>,
    {
        let Target { account, region } = &self.target;
        let (started, mut pause, mut attempt) = (Instant::now(), FIRST_PAUSE, 1);
        loop {
            self.limiter.acquire(account, region, operation).await;
            if !holds().await? {
                return Ok(None);
            }
            let error = match send().await {
                Ok(answer) => {
                    self.limiter.answered(account, region, operation);
                    return Ok(Some(answer));
                }
                Err(error) => error,
            };
            let error = AwsError::of(operation, &error);
            if error.kind == ErrorKind::Throttled {
                self.limiter.throttled(account, region, operation);
            }
            let patience = match error.kind {
                ErrorKind::NotYet => self.patience.min(ROLE_PATIENCE),
                ErrorKind::Denied => self.patience.min(DENIED_PATIENCE),
                _ => self.patience,
            };
            let may_pass =
                error.is_transient() || error.kind == ErrorKind::Denied && CHANGES.contains(&operation);
            if !may_pass || started.elapsed() > patience {
                return Err(error);
            }
            attempt += 1;
            self.tell(&error, operation, attempt, pause);
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Says that something is tried again.
    pub(crate) fn tell(&self, error: &AwsError, operation: &str, attempt: u32, pause: Duration) {
        match &self.hears {
            Hears::Step(context) => {
                let reason = format!("{operation}: {error}");
                match error.kind {
                    ErrorKind::Denied | ErrorKind::Throttled => {
                        context.refused_and_retried(reason, attempt, pause);
                    }
                    _ => context.retried(reason, attempt, pause),
                }
            }
            Hears::Notices(notices) => notices.retried(operation, error),
        }
    }
}

fn patience() -> Option<Duration> {
    let seconds = std::env::var(PATIENCE_VARIABLE).ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}
