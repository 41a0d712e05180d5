//! How far this machine's clock is from that of AWS.

use std::time::{Duration, SystemTime};

use aws_sdk_s3::error::{ErrorMetadata, SdkError};
use aws_smithy_async::time::TimeSource;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use jiff::SignedDuration;

use crate::error::AwsError;
use crate::sdk::{self, Wire};
use crate::signed::{Form, Protocol, Service, SignedCalls};
use crate::unsigned::{Address, Request};

const STS: Service = Service { id: "STS", host: "sts", signing_name: "sts", protocol: Protocol::Query };
/// The time for which an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// The time by which this machine's clock is ahead of that of AWS: negative if it is behind. It is right to about a second.
/// `region` is used if neither the environment nor the profile names one.
///
/// It needs no credentials: AWS refuses a request without a signature, and its refusal has the time.
pub async fn clock_ahead(wire: &Wire, region: &str) -> Result<SignedDuration, AwsError> {
    let config = sdk::base(wire, region).await?;
    let endpoint = SignedCalls::new(&STS, &config, None).endpoint();
    let address = Address::parse(&endpoint, &["https", "http"])
        .ok_or_else(|| AwsError::setup(format!("the endpoint {endpoint} is no URL")))?;
    let request = Request {
        method: "POST",
        content_type: "application/x-www-form-urlencoded",
        headers: Vec::new(),
        body: Form::new("GetCallerIdentity", "2011-06-15").into_body(),
        connect: PATIENCE,
        answer: PATIENCE,
        refusal: |_| ErrorMetadata::builder().build(),
    };
    let now = || wire.time.as_ref().map_or_else(SystemTime::now, TimeSource::now);
    let sent = now();
    let answer = address.send(sdk::http_of(&config)?, request).await;
    let waited = now().duration_since(sent).unwrap_or_default();
    let date = match &answer {
        Err(SdkError::ServiceError(refused)) => refused.raw().headers().get("date"),
        Err(error) => {
            let why = aws_smithy_types::error::display::DisplayErrorContext(error);
            return Err(AwsError::setup(format!("AWS did not answer: {why}")));
        }
        Ok(()) => None,
    };
    let date = date.and_then(|date| DateTime::from_str(date, Format::HttpDate).ok());
    let theirs = date.ok_or_else(|| AwsError::setup("the answer of AWS has no time"))?;
    // AWS has answered somewhere in between.
    let ours = DateTime::from(sent + waited / 2);
    Ok(SignedDuration::from_secs(ours.secs().saturating_sub(theirs.secs())))
}
