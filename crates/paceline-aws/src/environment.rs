//! An environment: an account and region, with the client that acts there as the deploy role.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use paceline_engine::StepContext;
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::poller::Poller;
use crate::rate::Limiter;
use crate::session::Target;
use crate::trouble::{Kind, Trouble};

/// How long a call is tried again before AWS counts as out of reach.
const PATIENCE: Duration = Duration::from_mins(15);
/// The first pause before a call is tried again; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// An account and region, with the client that acts there as the deploy role.
#[derive(Debug)]
pub(crate) struct Environment {
    pub(crate) target: Target,
    pub(crate) client: Client,
    /// For the other services that a deployment reaches as the deploy role.
    pub(crate) config: SdkConfig,
    pub(crate) poller: Arc<Poller>,
    /// The bucket of the bootstrap stack if there is one, once someone has asked for it.
    pub(crate) bucket: OnceCell<Option<String>>,
    limiter: Arc<Limiter>,
}

impl Drop for Environment {
    fn drop(&mut self) {
        self.poller.close();
    }
}

impl Environment {
    /// `names` are the stacks of the plan that live here: the poller remembers no others.
    pub(crate) fn new(
        target: Target,
        config: &SdkConfig,
        limiter: Arc<Limiter>,
        names: BTreeSet<String>,
    ) -> Arc<Self> {
        // Every call goes through `call`, which retries within sight of the user and of the rate limits.
        let settings = aws_sdk_cloudformation::config::Builder::from(config);
        let client = Client::from_conf(settings.retry_config(RetryConfig::disabled()).build());
        let (poller, config) = (Arc::new(Poller::new(names)), config.clone());
        let environment = Arc::new(Self { target, client, config, poller, bucket: OnceCell::new(), limiter });
        Poller::spawn(&environment);
        environment
    }

    /// Makes a call to CloudFormation: within its rate, and again while there is hope.
    ///
    /// Only calls that do nothing twice may be made this way: reads, and those with a client token.
    pub(crate) async fn call<T, E, F>(
        &self,
        context: Option<&StepContext>,
        operation: &'static str,
        send: impl FnMut() -> F,
    ) -> Result<T, Trouble>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        self.call_within(PATIENCE, context, operation, send).await
    }

    /// The same with a patience of one's own.
    pub(crate) async fn call_within<T, E, F>(
        &self,
        patience: Duration,
        context: Option<&StepContext>,
        operation: &'static str,
        mut send: impl FnMut() -> F,
    ) -> Result<T, Trouble>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let Target { account, region } = &self.target;
        let (started, mut pause, mut attempt) = (Instant::now(), FIRST_PAUSE, 1);
        loop {
            self.limiter.acquire(account, region, operation).await;
            let error = match send().await {
                Ok(answer) => {
                    self.limiter.answered(account, region, operation);
                    return Ok(answer);
                }
                Err(error) => error,
            };
            let trouble = Trouble::of(operation, &error);
            if trouble.kind == Kind::Throttled {
                self.limiter.throttled(account, region, operation);
            }
            if !trouble.is_transient() || started.elapsed() > patience {
                return Err(trouble);
            }
            attempt += 1;
            if let Some(context) = context {
                context.retried(format!("{operation}: {}", trouble.message), attempt, pause);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}
