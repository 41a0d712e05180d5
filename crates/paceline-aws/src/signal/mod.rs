//! Signals a CloudFormation wait condition, once.
//!
//! The form is that of the CloudFormation User Guide, "Create wait conditions in a CloudFormation template": a
//! PUT of JSON to the presigned URL, whose `Content-Type` is empty or not there. Signals with one `UniqueId`
//! count as one, so that to send a signal again does no harm.

mod marker;

use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_sdk_s3::error::ErrorMetadata;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_types::body::SdkBody;
use camino::Utf8Path;
use paceline_text::hex;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::error::{AwsError, ErrorKind};
use crate::sdk::{self, Wire};
use marker::Marker;

/// "cfn-signal wait condition data" of the CloudFormation quotas, in bytes.
const MOST: usize = 4096;
/// The pauses before a signal is sent again, in seconds.
const PAUSES: [u64; 5] = [1, 2, 4, 8, 16];

/// The result of a deployment, for the stack that waits for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it ended well.
    pub success: bool,
    /// Why, in one line.
    pub reason: String,
    /// What `Fn::GetAtt` of the wait condition gives, in one line.
    pub data: String,
}

impl Verdict {
    fn status(&self) -> &'static str {
        if self.success { "SUCCESS" } else { "FAILURE" }
    }
}

/// What became of a signal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signalled {
    /// CloudFormation has it.
    Now,
    /// It had one before, and got no other.
    Before {
        /// Whether that was one of success.
        success: bool,
        /// The reason it was given.
        reason: String,
    },
    /// Its URL is not valid any more, and neither is the wait: nobody was told.
    Expired,
}

/// A wait condition handle. Its URL is a secret, and in no error and no debug output.
#[derive(Clone)]
pub struct WaitHandle {
    endpoint: String,
    path_and_query: String,
    id: String,
}

impl std::fmt::Debug for WaitHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WaitHandle").field("id", &self.id).finish_non_exhaustive()
    }
}

impl WaitHandle {
    /// Takes the presigned URL apart. Without an `id`, all that is sent to a handle counts as one signal.
    pub fn new(url: &str, id: Option<&str>) -> Option<Self> {
        let url = url.trim();
        let from = url.find("://").filter(|at| matches!(&url[..*at], "https" | "http"))? + 3;
        let slash = from + url[from..].find('/')?;
        let is_plain = url.bytes().all(|byte| byte.is_ascii_graphic());
        if slash == from || !is_plain {
            return None;
        }
        let (endpoint, path_and_query) = url.split_at(slash);
        // What comes behind is the signature, which is another each time that the URL is asked for.
        let path = path_and_query.split('?').next().unwrap_or_default();
        let id = id.map_or_else(|| format!("paceline{}", digest(&[endpoint, path])), ToOwned::to_owned);
        Some(Self { endpoint: endpoint.to_owned(), path_and_query: path_and_query.to_owned(), id })
    }

    /// Signals once: a signal that was sent and confirmed before, as `marks` remember, is not followed by another.
    ///
    /// The marker is there before anything is sent, and is confirmed when CloudFormation has it. One that was never
    /// confirmed may have arrived; then what is sent now has the same id and is ignored.
    pub async fn signal(
        &self,
        wire: &Wire,
        marks: &Utf8Path,
        verdict: &Verdict,
    ) -> Result<Signalled, AwsError> {
        let path = self.path_and_query.split('?').next().unwrap_or_default();
        let file = marks.join(format!("{}.json", digest(&[&self.endpoint, path, &self.id])));
        let unkept = |error: std::io::Error| {
            AwsError::setup(format!("cannot keep in mind what was signalled: {error}"))
                .hint("make the folder .paceline writable")
        };
        if let Some(before) = Marker::read(&file).filter(|marker| marker.confirmed) {
            return Ok(Signalled::Before { success: before.success, reason: before.reason });
        }
        let mut marker =
            Marker { success: verdict.success, reason: one_line(&verdict.reason), confirmed: false };
        marker.write(&file).map_err(unkept)?;
        let body = self.body(verdict);
        let mut pauses = PAUSES.into_iter();
        loop {
            let Err(error) = self.send(wire, &body).await else { break };
            // S3 refuses a presigned URL behind its time with these words. No wait condition waits so long.
            if error.message.contains("Request has expired") {
                return Ok(Signalled::Expired);
            }
            let Some(pause) = pauses.next().filter(|_| error.is_transient()) else {
                return Err(self.without_secrets(error));
            };
            tokio::time::sleep(Duration::from_secs(pause)).await;
        }
        marker.confirmed = true;
        // It has arrived. Sent again by someone who does not know, it is ignored.
        let _ = marker.write(&file);
        Ok(Signalled::Now)
    }

    /// The signal as JSON, the reason cut so that the whole is not too long.
    fn body(&self, verdict: &Verdict) -> String {
        let data = one_line(&verdict.data);
        let with = |reason: &str| {
            json!({ "Status": verdict.status(), "Reason": reason, "UniqueId": self.id, "Data": data })
                .to_string()
        };
        let reason = one_line(&verdict.reason);
        let whole = with(&reason);
        if whole.len() <= MOST {
            return whole;
        }
        let mut room = MOST.saturating_sub(with("…").len());
        let fits = |c: &char| {
            // Some characters are written as several.
            let written = json!(c).to_string().len() - "\"\"".len();
            let left = room.checked_sub(written);
            room = left.unwrap_or_default();
            left.is_some()
        };
        let cut: String = reason.chars().take_while(fits).collect();
        with(&format!("{cut}…"))
    }

    async fn send(&self, wire: &Wire, body: &str) -> Result<(), AwsError> {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(10))
            .operation_timeout(Duration::from_secs(30));
        let path_and_query = self.path_and_query.clone();
        let operation = Operation::builder()
            .service_name("wait condition")
            .operation_name("signal")
            .behavior_version(sdk::behavior())
            .http_client(sdk::http(wire)?)
            .endpoint_url(&self.endpoint)
            .no_auth()
            .no_retry()
            .timeout_config(timeouts.build())
            .serializer(move |body: String| {
                let mut request = HttpRequest::new(SdkBody::from(body));
                request.set_method("PUT")?;
                request.set_uri(path_and_query.clone())?;
                request.headers_mut().insert("content-type", "");
                Ok(request)
            })
            .deserializer(|response: &HttpResponse| {
                if response.status().is_success() {
                    Ok(())
                } else {
                    Err(OrchestratorError::operation(said(response)))
                }
            })
            .build();
        operation.invoke(body.to_owned()).await.map_err(|error| AwsError::of("the wait condition", &error))
    }

    fn without_secrets(&self, error: AwsError) -> AwsError {
        let message = error.to_string().replace(&self.path_and_query, "/…");
        let error = error.told_as(message);
        match error.kind {
            ErrorKind::Setup => error,
            ErrorKind::Unreachable | ErrorKind::Throttled => {
                error.hint("check the network and the proxy settings")
            }
            _ => error.hint(
                "see that the URL is the whole reference of an AWS::CloudFormation::WaitConditionHandle",
            ),
        }
    }
}

/// What S3 says of a request that it refuses. Its codes are in the message alone: they are of the URL, and not of the
/// credentials in use.
fn said(response: &HttpResponse) -> ErrorMetadata {
    let text = response.body().bytes().map(String::from_utf8_lossy).unwrap_or_default();
    let element = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        Some(rest.split_once("</")?.0)
    };
    let said: Vec<&str> = ["Code", "Message"].into_iter().filter_map(element).collect();
    ErrorMetadata::builder().message(one_line(&said.join(": "))).build()
}

/// A text on one line, and otherwise as it is: it may be data that another stack reads.
fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Tells handles apart: sixteen hexadecimal digits.
fn digest(parts: &[&str]) -> String {
    hex(&Sha256::digest(parts.join("\n"))[..8])
}
