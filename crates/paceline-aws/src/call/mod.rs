//! Makes the calls to all services of AWS. Only this module decides which calls are sent again, how often and
//! for how long, and it reports every retry.
//!
//! The SDK itself retries nothing (see [`sdk`](crate::sdk)). A retry that is not reported looks like a run
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
use paceline_engine::event::RetryClass;
use tokio::time::Instant;

use crate::error::{AwsError, ErrorKind};
use crate::target::Target;

pub(crate) use answer::OnlyAws;
pub(crate) use rate::Limiter;
pub use retry_notices::RetryNotices;
pub(crate) use upload::Upload;

/// The variable that sets for how long a call is tried again, in seconds.
const PATIENCE_VARIABLE: &str = "PACELINE_PATIENCE";
/// The time for which a call is tried again. After that, AWS counts as unreachable.
const PATIENCE: Duration = Duration::from_mins(15);
/// The same time for the first call of all, because the address may be wrong.
const FIRST_PATIENCE: Duration = Duration::from_mins(2);
/// The same time for calls that are refused because a role is new. After that, the role counts as wrong.
const ROLE_PATIENCE: Duration = Duration::from_mins(2);
/// The same time for a change that is denied. A permission that was given a moment ago is not known
/// everywhere yet (IAM User Guide, "Changes that I make are not always immediately visible").
const DENIED_PATIENCE: Duration = Duration::from_secs(10);
/// The changes that are tried again when they are denied. A read may be denied for good, and the run does not
/// need it.
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
/// The first and the longest pause before a call is tried again. The pause doubles with each try.
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

/// The receiver of the reports about retries.
#[derive(Debug, Clone)]
enum Hears {
    Notices(RetryNotices),
    Step(StepContext),
}

impl Caller {
    pub(crate) fn new(limiter: Arc<Limiter>, target: Target, notices: RetryNotices) -> Self {
        Self { limiter, target, patience: patience().unwrap_or(PATIENCE), hears: Hears::Notices(notices) }
    }

    /// The same caller for a step, whose events report retries.
    pub(crate) fn of_step(&self, context: &StepContext) -> Self {
        Self { hears: Hears::Step(context.clone()), ..self.clone() }
    }

    /// The same caller for the first call of all.
    pub(crate) fn at_first(&self) -> Self {
        self.within(patience().unwrap_or(FIRST_PATIENCE))
    }

    /// The same caller with another patience.
    pub(crate) fn within(&self, patience: Duration) -> Self {
        Self { patience, ..self.clone() }
    }

    /// The time for which a call is tried again.
    pub(crate) fn patience(&self) -> Duration {
        self.patience
    }

    /// Reports that a call failed which is made again with the next poll.
    pub(crate) fn tries_again(&self, error: &AwsError, operation: &str) {
        if let Hears::Notices(notices) = &self.hears {
            notices.retried(operation, error);
        }
    }

    /// Makes a call within its rate limit, and tries it again while it may still succeed.
    ///
    /// The call must be safe to repeat: a read, a call with a client token, or a call that stores something
    /// which may be stored already.
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

    /// Makes a call while a condition holds. `holds` checks the condition directly before each try, after the
    /// wait for the rate limit. Returns `None` if the condition does not hold. An earlier try may have been
    /// sent then.
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
            let waited = self.limiter.acquire(account, region, operation).await;
            if let Hears::Step(context) = &self.hears {
                context.waited_for_rate(waited);
            }
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
            self.report(&error, operation, attempt, pause);
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Reports that a call is tried again.
    pub(crate) fn report(&self, error: &AwsError, operation: &str, attempt: u32, pause: Duration) {
        match &self.hears {
            Hears::Step(context) => {
                let reason = format!("{operation}: {error}");
                let class = match error.kind {
                    ErrorKind::Throttled => RetryClass::Throttled,
                    ErrorKind::NotYet => RetryClass::Iam,
                    ErrorKind::Denied => RetryClass::Denied,
                    _ => RetryClass::NoAnswer,
                };
                match error.kind {
                    ErrorKind::Denied | ErrorKind::Throttled => {
                        context.refused_and_retried(class, reason, attempt, pause);
                    }
                    _ => context.retried(class, reason, attempt, pause),
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
