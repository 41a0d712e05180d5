//! Calls to a service that is asked about a resource.

use std::time::Duration;

use aws_config::SdkConfig;
use serde_json::Value;

use crate::call::Caller;
use crate::error::AwsError;
use crate::signed::{Form, Service, SignedCalls};
use crate::target::Target;

/// The time for which a call is tried again.
const PATIENCE: Duration = Duration::from_secs(5);

/// Makes calls to a service, with the credentials of a configuration.
#[derive(Debug, Clone)]
pub(super) struct Calls {
    signed: SignedCalls,
    caller: Caller,
}

impl Calls {
    pub(super) fn new(
        service: &'static Service,
        config: &SdkConfig,
        target: &Target,
        caller: &Caller,
    ) -> Self {
        let signed = SignedCalls::new(service, config, Some(&target.region));
        Self { signed, caller: caller.within(PATIENCE) }
    }

    /// A call in AWS JSON. `target` is what the header `X-Amz-Target` has.
    pub(super) async fn json(
        &self,
        operation: &'static str,
        target: &'static str,
        body: &Value,
    ) -> Result<Value, AwsError> {
        let call = self.signed.operation(operation, Some(target))?;
        let answer = self.caller.call(operation, || call.invoke(body.to_string())).await?;
        let unreadable =
            |error| AwsError::setup(format!("the answer cannot be read: {error}")).during(operation);
        serde_json::from_str(&answer).map_err(unreadable)
    }

    /// A call in AWS Query. The answer is XML.
    pub(super) async fn query(&self, operation: &'static str, form: Form) -> Result<String, AwsError> {
        let call = self.signed.operation(operation, None)?;
        let body = form.into_body();
        self.caller.call(operation, || call.invoke(body.clone())).await
    }
}
