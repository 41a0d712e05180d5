//! An environment: an account and region, with a client that acts there as the deploy role.

mod latest;
mod observed;
mod poller;
mod view;

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use paceline_engine::StepContext;
use tokio::sync::OnceCell;

pub(crate) use self::poller::Interest;
use self::poller::Poller;
use crate::call::Caller;
use crate::error::AwsError;
use crate::target::Target;

/// The name of the bootstrap stack, unless someone chose another one.
pub(crate) const TOOLKIT: &str = "CDKToolkit";

pub(crate) use self::poller::{ask, describe, find};
pub(crate) use self::view::{StackView, timestamp};

/// An account and region, with a client that acts there as the deploy role.
#[derive(Debug)]
pub(crate) struct Environment {
    pub(crate) target: Target,
    pub(crate) client: Client,
    /// The configuration for other services that a deployment calls as the deploy role.
    pub(crate) config: SdkConfig,
    pub(crate) poller: Arc<Poller>,
    /// The bucket of the bootstrap stack, if that stack exists. Read on the first use.
    pub(crate) bucket: OnceCell<Option<String>>,
    /// The name of the bootstrap stack, if someone chose another one.
    toolkit: OnceLock<String>,
    /// True unless it is known that stacks may not be rolled back on request.
    may_roll_back: AtomicBool,
    caller: Caller,
}

impl Drop for Environment {
    fn drop(&mut self) {
        self.poller.close();
    }
}

impl Environment {
    /// `names` are the stacks of the plan in this environment. The poller remembers no others.
    pub(crate) fn new(
        target: Target,
        config: &SdkConfig,
        caller: Caller,
        names: BTreeSet<String>,
    ) -> Arc<Self> {
        Self::interested_in(Interest::Names(names), target, config, caller)
    }

    /// The same with a poller that remembers these stacks.
    pub(crate) fn interested_in(
        interest: Interest,
        target: Target,
        config: &SdkConfig,
        caller: Caller,
    ) -> Arc<Self> {
        let client = Client::new(config);
        let (poller, config) = (Arc::new(Poller::new(interest)), config.clone());
        let (bucket, may_roll_back) = (OnceCell::new(), AtomicBool::new(true));
        let toolkit = OnceLock::new();
        let environment =
            Arc::new(Self { target, client, config, poller, bucket, toolkit, may_roll_back, caller });
        Poller::spawn(&environment);
        environment
    }

    /// Gives the bootstrap stack another name than the usual one, before it is first looked for.
    pub(crate) fn set_toolkit(&self, name: &str) {
        let _ = self.toolkit.set(name.to_owned());
    }

    /// The name of the bootstrap stack.
    pub(crate) fn toolkit(&self) -> &str {
        self.toolkit.get().map_or(TOOLKIT, String::as_str)
    }

    /// Notes that the caller may not roll back stacks with `RollbackStack`.
    pub(crate) fn never_roll_back(&self) {
        self.may_roll_back.store(false, Ordering::Relaxed);
    }

    /// Returns true unless it is known that stacks may not be rolled back with `RollbackStack`.
    pub(crate) fn may_roll_back(&self) -> bool {
        self.may_roll_back.load(Ordering::Relaxed)
    }

    /// A caller for this environment, on behalf of a step if there is one.
    pub(crate) fn caller(&self, context: Option<&StepContext>) -> Caller {
        context.map_or_else(|| self.caller.clone(), |context| self.caller.of_step(context))
    }

    /// Makes a call: see [`Caller::call`].
    pub(crate) async fn call<T, E, F>(
        &self,
        context: Option<&StepContext>,
        operation: &'static str,
        send: impl FnMut() -> F,
    ) -> Result<T, AwsError>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        self.caller(context).call(operation, send).await
    }

    /// Makes a call with another patience.
    pub(crate) async fn call_within<T, E, F>(
        &self,
        patience: Duration,
        context: Option<&StepContext>,
        operation: &'static str,
        send: impl FnMut() -> F,
    ) -> Result<T, AwsError>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        self.caller(context).within(patience).call(operation, send).await
    }
}
