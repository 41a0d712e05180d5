//! What can go wrong with a call, sorted by what it means for a deployment.

use aws_sdk_cloudformation::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use paceline_engine::event::Cause;
use paceline_engine::{Ended, Outcome};

use crate::call::NoAnswer;
use crate::profile;
use crate::session::CannotAssume;
use crate::transient::{self, Class};

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
    /// No answer, or none that says anything: connection, time-out, a server's own error, something between AWS
    /// and us that answers in its place.
    Unreachable,
    /// A role is too new to be used.
    NotYet,
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
        let of = |kind, message: String| Self { kind, at: at.clone(), message, hint: None };
        if let Some(no_answer) = find::<NoAnswer>(error) {
            let trouble = of(Kind::Unreachable, no_answer.to_string());
            return match no_answer {
                NoAnswer::ProxyLogin => trouble.hint(PROXY),
                NoAnswer::NotAws { .. } => trouble.hint(NOT_AWS),
            };
        }
        match error {
            SdkError::ServiceError(answer) => {
                let (code, message) = (error.code().unwrap_or_default(), error.message().unwrap_or_default());
                let status = answer.raw().status();
                if status.is_success() {
                    let message =
                        format!("the answer cannot be read (HTTP status {status}): {}", chain(error));
                    return of(Kind::Unreachable, message);
                }
                let kind = if status.is_server_error() { Kind::Unreachable } else { kind_of(code, message) };
                // S3 says with a server's error that it is asked too often.
                let kind = if kind_of(code, message) == Kind::Throttled { Kind::Throttled } else { kind };
                let said = match (code, message) {
                    ("", "") => format!("HTTP status {status}"),
                    (code, "") => code.to_owned(),
                    ("", message) => message.to_owned(),
                    (code, message) => format!("{code}: {message}"),
                };
                match kind {
                    Kind::Credentials => of(kind, format!("AWS does not accept the credentials: {said}")),
                    _ if is_by_the_clock(code, message) => of(kind, said).hint(CLOCK),
                    _ => of(kind, said),
                }
            }
            SdkError::TimeoutError(_) | SdkError::ResponseError(_) => {
                of(Kind::Unreachable, format!("no usable answer: {}", chain(error)))
            }
            // A credentials provider's error arrives as a failure to send.
            _ => {
                if let Some(cause) = find::<CannotAssume>(error) {
                    return cause.to_trouble();
                }
                let message = chain(error);
                let lower = message.to_ascii_lowercase();
                if lower.contains("proxy authorization required") {
                    return of(Kind::Unreachable, NoAnswer::ProxyLogin.to_string()).hint(PROXY);
                }
                if lower.contains("timed out") {
                    // Also the providers of credentials ask someone, who may be slow today.
                    return of(Kind::Unreachable, format!("AWS does not answer: {message}"));
                }
                if lower.contains("credential") || lower.contains("identity") {
                    // The list of where it looked would be longer than all the rest.
                    let why = message.rsplit(": ").next().filter(|why| !why.contains("Attempted:"));
                    return of(Kind::Credentials, profile::not_found(why));
                }
                match error {
                    // Nothing was sent: it would be the same the next time.
                    SdkError::ConstructionFailure(_) => {
                        of(Kind::Setup, format!("the request cannot be made: {message}"))
                    }
                    _ => of(Kind::Unreachable, format!("AWS cannot be reached: {message}")),
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
        matches!(self.kind, Kind::Throttled | Kind::Unreachable | Kind::NotYet)
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
            Kind::NotYet => "check that the role is there, and that its trust policy names the service",
            Kind::Denied => "give the role in use this permission",
            Kind::Setup | Kind::Refused => return self.hint.clone(),
        };
        Some(self.hint.clone().unwrap_or_else(|| usual.to_owned()))
    }

    /// How a step ends that this trouble keeps from going on.
    ///
    /// When AWS could not be reached for as long as a call is tried again, or the credentials have run out, nothing is
    /// known of the stack. The step is interrupted then, and the next run goes on with it.
    pub(crate) fn into_ended(self) -> Ended {
        let says_nothing = matches!(self.kind, Kind::Throttled | Kind::Unreachable | Kind::Credentials);
        let outcome = if says_nothing { Outcome::Interrupted } else { Outcome::Failed };
        Ended { outcome, ..Ended::failed(self.into_cause()) }
    }

    /// The cause of a step's failure.
    pub fn into_cause(self) -> Cause {
        let preflight = matches!(self.kind, Kind::Credentials | Kind::Denied | Kind::Setup);
        Cause { hint: self.what_to_do(), at: self.at, message: self.message, preflight }
    }
}

const PROXY: &str =
    "put the user and the password into the proxy's address: HTTPS_PROXY=http://user:password@host:port";
const NOT_AWS: &str = "something between this machine and AWS answers in place of AWS: check the network, HTTPS_PROXY, \
                       NO_PROXY and AWS_ENDPOINT_URL, then run it again";
const CLOCK: &str = "set this machine's clock: AWS takes no request that is minutes old";

/// The codes are those of "Common error types" in the services' API references; throttling comes under many names. The
/// services that speak JSON put `Exception` behind the names that the others use.
fn kind_of(code: &str, message: &str) -> Kind {
    match code.strip_suffix("Exception").unwrap_or(code) {
        "Throttling"
        | "Throttled"
        | "RequestLimitExceeded"
        | "RequestThrottled"
        | "TooManyRequests"
        | "SlowDown"
        | "BandwidthLimitExceeded"
        | "PriorRequestNotComplete" => Kind::Throttled,
        // It is signed anew each time that it is sent.
        _ if is_by_the_clock(code, message) => Kind::Unreachable,
        "ExpiredToken"
        | "InvalidClientTokenId"
        | "UnrecognizedClient"
        | "SignatureDoesNotMatch"
        | "InvalidSignature"
        | "InvalidAccessKeyId"
        | "MissingAuthenticationToken" => Kind::Credentials,
        "AccessDenied" | "UnauthorizedOperation" => Kind::Denied,
        "InternalFailure"
        | "InternalError"
        | "InternalServer"
        | "InternalServerError"
        | "ServiceUnavailable"
        | "Server"
        | "RequestTimeout" => Kind::Unreachable,
        _ => match transient::class_of(message) {
            Some(Class::Throttled) => Kind::Throttled,
            Some(Class::Iam) => Kind::NotYet,
            _ => Kind::Refused,
        },
    }
}

/// Whether a request was refused because it is too old, or not yet of this time: it was long on its way, or one of
/// the clocks is wrong.
fn is_by_the_clock(code: &str, message: &str) -> bool {
    let code = code.strip_suffix("Exception").unwrap_or(code);
    let is_signature = matches!(code, "SignatureDoesNotMatch" | "InvalidSignature");
    matches!(code, "RequestExpired" | "RequestTimeTooSkewed" | "RequestInTheFuture")
        || is_signature
            && (message.starts_with("Signature expired") || message.starts_with("Signature not yet current"))
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
