//! A collector of OpenTelemetry traces, to which spans are sent as OTLP over HTTP.

use std::fmt;
use std::time::Duration;

use aws_sdk_s3::error::ErrorMetadata;
use aws_smithy_runtime_api::client::result::SdkError;

use crate::error::{AwsError, ErrorKind};
use crate::performer::Aws;
use crate::sdk;
use crate::unsigned::{Address, Request};

/// How long the collector may take.
const ANSWER: Duration = Duration::from_secs(3);

/// Where spans are sent. Its headers are secrets.
#[derive(Clone)]
pub struct Collector {
    address: Address,
    headers: Vec<(String, String)>,
}

impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collector").field("host", &self.host()).finish_non_exhaustive()
    }
}

impl Collector {
    /// The collector at a URL, with its path. `None` if that is not an HTTP URL.
    pub fn new(url: &str, headers: Vec<(String, String)>) -> Option<Self> {
        let address = Address::parse(url, &["http", "https"])?;
        Some(Self { address, headers })
    }

    /// The host and the port, without a name and a password.
    pub fn host(&self) -> &str {
        let (_, host) = self.address.endpoint.split_once("://").unwrap_or_default();
        host.rsplit_once('@').map_or(host, |(_, host)| host)
    }
}

impl Aws {
    /// Sends the body of one request to the collector, once.
    pub async fn send_traces(&self, to: &Collector, body: String) -> Result<(), AwsError> {
        let request = Request {
            method: "POST",
            content_type: "application/json",
            headers: to.headers.clone(),
            body,
            connect: ANSWER,
            answer: ANSWER,
            refusal: |_| ErrorMetadata::builder().build(),
        };
        let sent = to.address.send(sdk::http_of(self.sessions.base())?, request).await;
        // What the SDK says of the failure may contain the URL.
        sent.map_err(|error| {
            let why = match &error {
                SdkError::ServiceError(answer) => {
                    format!("answered with HTTP status {}", answer.raw().status())
                }
                SdkError::ConstructionFailure(_) => {
                    "was not asked: its URL or a header is not valid".to_owned()
                }
                _ => "did not answer".to_owned(),
            };
            let message = format!("the collector at {} {why}", to.host());
            AwsError { kind: ErrorKind::Unreachable, ..AwsError::setup(message) }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collector_shows_its_host_and_no_secret() {
        let headers = vec![("api-key".to_owned(), "s3cret".to_owned())];
        let collector = Collector::new("https://user:pass@otlp.example.com:4318/v1/traces", headers).unwrap();
        assert_eq!(collector.host(), "otlp.example.com:4318");
        assert_eq!(format!("{collector:?}"), "Collector { host: \"otlp.example.com:4318\", .. }");
        assert!(Collector::new("otlp.example.com", Vec::new()).is_none());
    }
}
