//! Signals a CloudFormation wait condition, once.
//!
//! The form is that of the CloudFormation User Guide, "Create wait conditions in a CloudFormation template":
//! a PUT of JSON to the presigned URL, whose `Content-Type` is empty or missing. Signals with the same
//! `UniqueId` count as one, so a signal may be sent again.

mod marker;

use std::time::Duration;

use aws_sdk_s3::error::ErrorMetadata;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use camino::Utf8Path;
use paceline_text::hex;
use paceline_text::secrets::redacted;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::error::{AwsError, ErrorKind};
use crate::sdk::{self, Wire};
use crate::unsigned::{Address, Request};
use marker::Marker;

/// The greatest length of a signal in bytes: "cfn-signal wait condition data" of the CloudFormation quotas.
const MOST: usize = 4096;
/// The pauses before a signal is sent again, in seconds.
const PAUSES: [u64; 5] = [1, 2, 4, 8, 16];

/// The result of a deployment, for the stack that waits for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// True if the deployment succeeded.
    pub success: bool,
    /// The reason, in one line.
    pub reason: String,
    /// The value of `Fn::GetAtt` of the wait condition, in one line.
    pub data: String,
}

impl Verdict {
    fn status(&self) -> &'static str {
        if self.success { "SUCCESS" } else { "FAILURE" }
    }
}

/// The result of sending a signal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signalled {
    /// CloudFormation got this signal.
    Now,
    /// CloudFormation got a signal earlier, and this one was not sent.
    Before {
        /// True if the earlier signal reported success.
        success: bool,
        /// The reason in the earlier signal.
        reason: String,
    },
    /// The URL has expired, and the wait has ended. The signal did not arrive.
    Expired,
}

/// A wait condition handle. Its URL is a secret, so no error and no debug output contains it.
#[derive(Clone)]
pub struct WaitHandle {
    address: Address,
    id: String,
}

impl std::fmt::Debug for WaitHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WaitHandle").field("id", &self.id).finish_non_exhaustive()
    }
}

impl WaitHandle {
    /// Parses the presigned URL. Without an `id`, all signals to a handle count as one.
    pub fn new(url: &str, id: Option<&str>) -> Option<Self> {
        // A presigned URL names an object.
        let address = Address::parse(url, &["https", "http"]).filter(|address| address.path() != "/")?;
        // The query contains the signature, which changes each time that the URL is requested.
        let digest = || digest(&[&address.endpoint, address.path()]);
        let id = id.map_or_else(|| format!("paceline{}", digest()), ToOwned::to_owned);
        Some(Self { address, id })
    }

    /// Signals once. If a marker in the folder `marks` says that a signal was confirmed, nothing is sent.
    ///
    /// The marker is written before the signal is sent, and is confirmed when CloudFormation has the signal.
    /// A signal that was never confirmed may have arrived. A new signal has the same id, and CloudFormation
    /// ignores it then.
    pub async fn signal(
        &self,
        wire: &Wire,
        marks: &Utf8Path,
        verdict: &Verdict,
    ) -> Result<Signalled, AwsError> {
        let Self { address, id } = self;
        let file = marks.join(format!("{}.json", digest(&[&address.endpoint, address.path(), id])));
        let unkept = |error: std::io::Error| {
            AwsError::setup(format!("cannot keep in mind what was signalled: {error}"))
                .hint("make the folder .paceline writable")
        };
        if let Some(before) = Marker::read(&file).filter(|marker| marker.confirmed) {
            return Ok(Signalled::Before { success: before.success, reason: before.reason });
        }
        let mut marker = Marker {
            success: verdict.success,
            reason: one_line(&redacted(&verdict.reason)),
            confirmed: false,
        };
        marker.write(&file).map_err(unkept)?;
        let body = self.body(verdict);
        let mut pauses = PAUSES.into_iter();
        loop {
            let Err(error) = self.send(wire, &body).await else { break };
            // S3 refuses an expired presigned URL with these words. No wait condition waits that long.
            if error.message.contains("Request has expired") {
                return Ok(Signalled::Expired);
            }
            let Some(pause) = pauses.next().filter(|_| error.is_transient()) else {
                return Err(self.without_secrets(error));
            };
            tokio::time::sleep(Duration::from_secs(pause)).await;
        }
        marker.confirmed = true;
        // The signal has arrived. If the marker cannot be written, a later signal with the same id is
        // ignored.
        let _ = marker.write(&file);
        Ok(Signalled::Now)
    }

    /// The signal as JSON. The reason is cut so that the signal is not too long.
    fn body(&self, verdict: &Verdict) -> String {
        let data = one_line(&verdict.data);
        let with = |reason: &str| {
            json!({ "Status": verdict.status(), "Reason": reason, "UniqueId": self.id, "Data": data })
                .to_string()
        };
        let reason = one_line(&redacted(&verdict.reason));
        let whole = with(&reason);
        if whole.len() <= MOST {
            return whole;
        }
        let mut room = MOST.saturating_sub(with("…").len());
        let fits = |c: &char| {
            // Some characters take several bytes in JSON.
            let written = json!(c).to_string().len() - "\"\"".len();
            let left = room.checked_sub(written);
            room = left.unwrap_or_default();
            left.is_some()
        };
        let cut: String = reason.chars().take_while(fits).collect();
        with(&format!("{cut}…"))
    }

    async fn send(&self, wire: &Wire, body: &str) -> Result<(), AwsError> {
        let request = Request {
            method: "PUT",
            content_type: "",
            headers: Vec::new(),
            body: body.to_owned(),
            connect: Duration::from_secs(10),
            answer: Duration::from_secs(30),
            refusal: said,
        };
        let sent = self.address.send(sdk::http(wire)?, request).await;
        sent.map_err(|error| AwsError::of("the wait condition", &error))
    }

    fn without_secrets(&self, error: AwsError) -> AwsError {
        let message = error.to_string().replace(&self.address.path_and_query, "/…");
        let error = error.with_message(message);
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

/// The message of S3 about a refused request. The codes stay in the message, because they are about the URL
/// and not about the credentials in use.
fn said(response: &HttpResponse) -> ErrorMetadata {
    let text = response.body().bytes().map(String::from_utf8_lossy).unwrap_or_default();
    let element = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        Some(rest.split_once("</")?.0)
    };
    let said: Vec<&str> = ["Code", "Message"].into_iter().filter_map(element).collect();
    ErrorMetadata::builder().message(one_line(&said.join(": "))).build()
}

/// The text on one line, but otherwise unchanged, because another stack may read it as data.
fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Identifies a handle: sixteen hexadecimal digits.
fn digest(parts: &[&str]) -> String {
    hex(&Sha256::digest(parts.join("\n"))[..8])
}
