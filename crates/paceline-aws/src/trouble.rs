//! What can go wrong with a call, sorted by what it means for a deployment.

use aws_sdk_cloudformation::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use paceline_engine::event::Cause;

use crate::session::CannotAssume;

/// A call, or the making of one, that went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What it means.
    pub kind: Kind,
    /// What was asked for, such as `CreateStack`.
    pub at: Option<String>,
    /// What was said, with the error's code in front if it has one.
    pub message: String,
    pub(crate) hint: Option<String>,
}

/// What an error means for a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// AWS says: slower.
    Throttled,
    /// No answer, or none that says anything: connection, time-out, a server's own error.
    Unreachable,
    /// There are no credentials, or they are refused.
    Credentials,
    /// The credentials are good, but not for this.
    Denied,
    /// The environment, or this machine, is not set up.
    Setup,
    /// AWS understood and said no.
    Refused,
}

impl Trouble {
    /// The environment, or this machine, is not set up.
    pub fn setup(message: impl Into<String>) -> Self {
        Self { kind: Kind::Setup, at: None, message: message.into(), hint: None }
    }

    /// Sorts what the SDK says of a call.
    pub fn of<E>(operation: &str, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let at = Some(operation.to_owned());
        match error {
            SdkError::ServiceError(answer) => {
                let (code, message) = (error.code().unwrap_or_default(), error.message().unwrap_or_default());
                let status = answer.raw().status();
                let kind = if status.is_server_error() { Kind::Unreachable } else { kind_of(code, message) };
                let said = match (code, message) {
                    ("", "") => format!("HTTP status {status}"),
                    (code, "") => code.to_owned(),
                    ("", message) => message.to_owned(),
                    (code, message) => format!("{code}: {message}"),
                };
                let message = match kind {
                    Kind::Credentials => format!("AWS does not accept the credentials: {said}"),
                    _ => said,
                };
                Self { kind, at, message, hint: None }
            }
            SdkError::TimeoutError(_) | SdkError::ResponseError(_) => {
                let message = format!("no usable answer: {}", chain(error));
                Self { kind: Kind::Unreachable, at, message, hint: None }
            }
            // A credentials provider's error arrives as a failure to send.
            _ => {
                if let Some(cause) = find::<CannotAssume>(error) {
                    return cause.to_trouble();
                }
                let message = chain(error);
                let lower = message.to_ascii_lowercase();
                if lower.contains("timed out") {
                    // Also the providers of credentials ask someone, who may be slow today.
                    return Self {
                        kind: Kind::Unreachable,
                        at,
                        message: format!("AWS does not answer: {message}"),
                        hint: None,
                    };
                }
                if lower.contains("credential") || lower.contains("identity") {
                    let why = message.rsplit(": ").next().unwrap_or_default();
                    let message = match why {
                        // The list of where it looked would be longer than all the rest.
                        why if why.contains("Attempted:") => "no AWS credentials were found".to_owned(),
                        why => format!("no AWS credentials were found ({why})"),
                    };
                    return Self { kind: Kind::Credentials, at, message, hint: None };
                }
                Self {
                    kind: Kind::Unreachable,
                    at,
                    message: format!("AWS cannot be reached: {message}"),
                    hint: None,
                }
            }
        }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds what was being done.
    #[must_use]
    pub fn during(mut self, what: impl Into<String>) -> Self {
        self.at = Some(what.into());
        self
    }

    /// Whether the same call may succeed a little later.
    pub fn is_transient(&self) -> bool {
        matches!(self.kind, Kind::Throttled | Kind::Unreachable)
    }

    /// What to do about it.
    pub fn what_to_do(&self) -> Option<String> {
        let usual = match self.kind {
            Kind::Throttled => "the account's API limits are used up: lower `concurrency`, or wait",
            Kind::Unreachable => {
                "check the network, the proxy settings and AWS_ENDPOINT_URL, then run it again"
            }
            Kind::Credentials => {
                "get credentials (aws sso login, AWS_PROFILE, or the role of the build) and run it again"
            }
            Kind::Denied => "give the role in use this permission",
            Kind::Setup | Kind::Refused => return self.hint.clone(),
        };
        Some(self.hint.clone().unwrap_or_else(|| usual.to_owned()))
    }

    /// The cause of a step's failure.
    pub fn into_cause(self) -> Cause {
        let preflight = matches!(self.kind, Kind::Credentials | Kind::Denied | Kind::Setup);
        Cause { hint: self.what_to_do(), at: self.at, message: self.message, preflight }
    }
}

/// The codes are those of "Common error types" in the services' API references; throttling comes
/// under many names.
fn kind_of(code: &str, message: &str) -> Kind {
    match code {
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestLimitExceeded"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "TooManyRequestsException"
        | "SlowDown"
        | "BandwidthLimitExceeded" => Kind::Throttled,
        "ExpiredToken"
        | "ExpiredTokenException"
        | "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "SignatureDoesNotMatch"
        | "InvalidAccessKeyId"
        | "MissingAuthenticationToken" => Kind::Credentials,
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" => Kind::Denied,
        "InternalFailure" | "InternalError" | "InternalServerError" | "ServiceUnavailable" => {
            Kind::Unreachable
        }
        _ if message.contains("Rate exceeded") => Kind::Throttled,
        _ => Kind::Refused,
    }
}

/// The error of this type among the sources of another.
fn find<'a, E: std::error::Error + 'static>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a E> {
    std::iter::successors(Some(error), |error| error.source()).find_map(|error| error.downcast_ref())
}

/// What the SDK puts in front of what happened, and what nobody can do anything with.
const FILLERS: [&str; 8] = [
    "client error (Connect)",
    "dispatch failure",
    "io error",
    "timeout",
    "other",
    "user error",
    "response error",
    "request has timed out",
];

/// An error with all its sources, but for those that say nothing or say it again.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let part = error.to_string();
        let part = part.lines().next().unwrap_or_default().trim().to_owned();
        if !part.is_empty() && !parts.iter().any(|before| before.contains(&part)) {
            // A part that quotes its source says more.
            parts.retain(|before| !part.contains(before.as_str()));
            parts.push(part);
        }
        next = error.source();
    }
    let all = parts.join(": ");
    parts.retain(|part| !FILLERS.contains(&part.as_str()));
    if parts.is_empty() { all } else { parts.join(": ") }
}
