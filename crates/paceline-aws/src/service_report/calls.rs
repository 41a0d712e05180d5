//! Calls to the services that are asked about a resource.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_smithy_async::time::{SharedTimeSource, SystemTimeSource};
use jiff::Timestamp;
use serde_json::Value;

use crate::call::Caller;
use crate::error::AwsError;
use crate::signed::{Form, Service, SignedCalls};
use crate::target::Target;

/// The time for which a call is tried again.
const PATIENCE: Duration = Duration::from_secs(5);

/// Makes calls in a region, with the credentials of a configuration.
#[derive(Debug, Clone)]
pub(super) struct Calls {
    config: SdkConfig,
    region: String,
    caller: Caller,
}

impl Calls {
    pub(super) fn new(config: SdkConfig, target: &Target, caller: &Caller) -> Self {
        Self { config, region: target.region.clone(), caller: caller.within(PATIENCE) }
    }

    /// The time, by the clock that signs the calls.
    pub(super) fn now(&self) -> Timestamp {
        let clock = self.config.time_source();
        let clock = clock.unwrap_or_else(|| SharedTimeSource::new(SystemTimeSource::new()));
        Timestamp::try_from(clock.now()).unwrap_or_default()
    }

    /// A call in AWS JSON. `target` is what the header `X-Amz-Target` has.
    pub(super) async fn json(
        &self,
        service: &'static Service,
        operation: &'static str,
        target: &'static str,
        body: &Value,
    ) -> Result<Value, AwsError> {
        let call = self.to(service).operation(operation, Some(target))?;
        let answer = self.caller.call(operation, || call.invoke(body.to_string())).await?;
        let unreadable =
            |error| AwsError::setup(format!("the answer cannot be read: {error}")).during(operation);
        serde_json::from_str(&answer).map_err(unreadable)
    }

    /// A call in AWS Query. The answer is XML.
    pub(super) async fn query(
        &self,
        service: &'static Service,
        operation: &'static str,
        form: Form,
    ) -> Result<String, AwsError> {
        let call = self.to(service).operation(operation, None)?;
        let body = form.into_body();
        self.caller.call(operation, || call.invoke(body.clone())).await
    }

    fn to(&self, service: &'static Service) -> SignedCalls {
        SignedCalls::new(service, &self.config, Some(&self.region))
    }
}
