//! Errors of calls to AWS, sorted by their meaning for a deployment.
//!
//! The error code of AWS is a separate value, so that no code has to search for it in a text.

use std::fmt;

use aws_sdk_cloudformation::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use paceline_assembly::{FailureClass, failure_class};
use paceline_engine::event::Cause;
use paceline_engine::{Ended, Outcome};
use paceline_text::{ExitCode, Explained, Problem};

use crate::profile;

/// A call to AWS that failed, or that could not be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsError {
    /// The meaning of the error.
    pub kind: ErrorKind,
    /// The code of AWS. `None` if AWS did not answer, or if this error is about another error.
    pub code: Option<ErrorCode>,
    /// The message, without the code.
    pub message: String,
    /// The operation that failed, such as `CreateStack`, or the subject of the error.
    pub place: Option<String>,
    pub(crate) hint: Option<String>,
}

/// The code of an error, as AWS spells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorCode(String);

/// The codes that decisions depend on, without the `Exception` that some services append.
pub(crate) mod code {
    pub(crate) const ALREADY_EXISTS: &str = "AlreadyExists";
    pub(crate) const CHANGE_SET_NOT_FOUND: &str = "ChangeSetNotFound";
    pub(crate) const IMAGE_ALREADY_EXISTS: &str = "ImageAlreadyExists";
    pub(crate) const IMAGE_NOT_FOUND: &str = "ImageNotFound";
    pub(crate) const INVALID_CHANGE_SET_STATUS: &str = "InvalidChangeSetStatus";
    pub(crate) const CONDITIONAL_CONFLICT: &str = "ConditionalRequestConflict";
    /// The code of an answer without a body.
    pub(crate) const NOT_FOUND: &str = "NotFound";
    pub(crate) const NO_SUCH_KEY: &str = "NoSuchKey";
    pub(crate) const PRECONDITION_FAILED: &str = "PreconditionFailed";
    pub(crate) const NO_SUCH_BUCKET: &str = "NoSuchBucket";
    pub(crate) const NO_SUCH_ENTITY: &str = "NoSuchEntity";
    pub(crate) const REPOSITORY_ALREADY_EXISTS: &str = "RepositoryAlreadyExists";
    pub(crate) const REPOSITORY_NOT_FOUND: &str = "RepositoryNotFound";
    pub(crate) const RESOURCE_ALREADY_EXISTS: &str = "ResourceAlreadyExists";
    pub(crate) const RESOURCE_NOT_FOUND: &str = "ResourceNotFound";
    /// An operation with this client token was accepted earlier and has ended.
    pub(crate) const TOKEN_ALREADY_EXISTS: &str = "TokenAlreadyExists";
}

/// The meaning of an error for a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// AWS asks for fewer calls.
    Throttled,
    /// No answer, or an answer without meaning: an error of the connection, a time-out, an internal error of
    /// a server, or an answer from something between AWS and this machine.
    Unreachable,
    /// A role is too new to be used.
    NotYet,
    /// There are no credentials, or AWS refuses them.
    Credentials,
    /// The credentials are valid, but do not allow this call.
    Denied,
    /// The environment, or this machine, is not set up.
    Setup,
    /// AWS understood the call and refused it.
    Refused,
}

/// All errors that were found before anything was changed.
#[derive(Debug, thiserror::Error)]
#[error("{} things stand in the way", .0.len())]
pub struct PreflightError(pub Vec<AwsError>);

impl Explained for AwsError {
    fn place(&self) -> Option<String> {
        self.place.clone()
    }

    fn hint(&self) -> Option<String> {
        self.what_to_do()
    }
}

impl Explained for PreflightError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Refused
    }

    fn problems(&self) -> Vec<Problem> {
        self.0.iter().flat_map(Explained::problems).collect()
    }
}

impl From<AwsError> for PreflightError {
    fn from(error: AwsError) -> Self {
        Self(vec![error])
    }
}

/// Something other than AWS has answered, or only a part of the answer has arrived.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoAnswer {
    #[error("the proxy asks for a user and a password (HTTP status 407)")]
    ProxyLogin,
    #[error("{}", came(*status, what))]
    NotAws { status: u16, what: String },
}

fn came(status: u16, what: &str) -> String {
    match status {
        200..300 => format!("{what} came instead of an answer (HTTP status {status})"),
        _ => format!("HTTP status {status}, with {what}"),
    }
}

/// The reason why new credentials of a role could not be obtained. It passes through the SDK as the source of
/// the error of a failed call.
#[derive(Debug, thiserror::Error)]
#[error("cannot assume {arn}: {error}")]
pub(crate) struct CannotAssume {
    pub(crate) arn: String,
    pub(crate) error: AwsError,
}

impl CannotAssume {
    fn to_error(&self) -> AwsError {
        self.error.clone().with_message(self.to_string())
    }
}

impl AwsError {
    /// An error because the environment or this machine is not set up.
    pub fn setup(message: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Setup, code: None, message: message.into(), place: None, hint: None }
    }

    /// Sorts an error of the SDK.
    pub fn of<E>(operation: &str, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let of = |kind, message: String| Self { kind, ..Self::setup(message).during(operation) };
        if let Some(no_answer) = find::<NoAnswer>(error) {
            let error = of(ErrorKind::Unreachable, no_answer.to_string());
            return match no_answer {
                NoAnswer::ProxyLogin => error.hint(PROXY),
                NoAnswer::NotAws { .. } => error.hint(NOT_AWS),
            };
        }
        match error {
            SdkError::ServiceError(answer) => {
                let (code, message) = (error.code().unwrap_or_default(), error.message().unwrap_or_default());
                let status = answer.raw().status();
                if status.is_success() {
                    let message =
                        format!("the answer cannot be read (HTTP status {status}): {}", chain(error));
                    return of(ErrorKind::Unreachable, message);
                }
                let code = ErrorCode::of(code);
                let by_code = kind_of(code.as_ref(), message);
                // S3 reports throttling as a server error.
                let is_lost = status.is_server_error() && by_code != ErrorKind::Throttled;
                let kind = if is_lost { ErrorKind::Unreachable } else { by_code };
                let message = match &code {
                    None if message.is_empty() => format!("HTTP status {status}"),
                    _ => message.to_owned(),
                };
                let is_by_the_clock =
                    kind != ErrorKind::Credentials && is_by_the_clock(code.as_ref(), &message);
                let error = Self { code, ..of(kind, message) };
                if is_by_the_clock { error.hint(CLOCK) } else { error }
            }
            SdkError::TimeoutError(_) | SdkError::ResponseError(_) => {
                of(ErrorKind::Unreachable, format!("no usable answer: {}", chain(error)))
            }
            // The error of a credentials provider arrives as a failure to send.
            _ => {
                if let Some(cause) = find::<CannotAssume>(error) {
                    return cause.to_error();
                }
                let message = chain(error);
                let lower = message.to_ascii_lowercase();
                if lower.contains("proxy authorization required") {
                    return of(ErrorKind::Unreachable, NoAnswer::ProxyLogin.to_string()).hint(PROXY);
                }
                if lower.contains("timed out") {
                    // A provider of credentials calls a service, which may be slow.
                    return of(ErrorKind::Unreachable, format!("AWS does not answer: {message}"));
                }
                if lower.contains("credential") || lower.contains("identity") {
                    // The list of searched places would be longer than all the rest.
                    let why = message.rsplit(": ").next().filter(|why| !why.contains("Attempted:"));
                    return of(ErrorKind::Credentials, profile::not_found(why));
                }
                match error {
                    // Nothing was sent, and another try would have the same result.
                    SdkError::ConstructionFailure(_) => {
                        of(ErrorKind::Setup, format!("the request cannot be made: {message}"))
                    }
                    _ => of(ErrorKind::Unreachable, format!("AWS cannot be reached: {message}")),
                }
            }
        }
    }

    /// Adds advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the operation, or the subject of the error.
    #[must_use]
    pub fn during(mut self, what: impl Into<String>) -> Self {
        self.place = Some(what.into());
        self
    }

    /// The same error with another message. If AWS's code is shown, it must be in this message.
    #[must_use]
    pub(crate) fn with_message(self, message: impl Into<String>) -> Self {
        Self { code: None, message: message.into(), ..self }
    }

    /// Returns whether AWS gave this code, with or without `Exception` at its end.
    pub(crate) fn is(&self, code: &str) -> bool {
        self.code.as_ref().is_some_and(|own| own.name() == code)
    }

    /// Returns whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(self.kind, ErrorKind::Throttled | ErrorKind::Unreachable | ErrorKind::NotYet)
    }

    /// The advice: that of this error, or the usual one for its kind.
    pub fn what_to_do(&self) -> Option<String> {
        let usual = match self.kind {
            ErrorKind::Throttled => "the account's API limits are used up: lower `concurrency`, or wait",
            ErrorKind::Unreachable => {
                "check the network, the proxy settings and AWS_ENDPOINT_URL, then run it again"
            }
            ErrorKind::Credentials => {
                "get credentials (aws sso login, AWS_PROFILE, or the role of the build) and run it again"
            }
            ErrorKind::NotYet => "check that the role is there, and that its trust policy names the service",
            ErrorKind::Denied => "give the role in use this permission",
            ErrorKind::Setup | ErrorKind::Refused => return self.hint.clone(),
        };
        Some(self.hint.clone().unwrap_or_else(|| usual.to_owned()))
    }

    /// The end of a step with this error.
    ///
    /// If AWS was unreachable for the whole patience of a call, or the credentials have expired, nothing is
    /// known about the stack. The step is interrupted then, and the next run continues it.
    pub(crate) fn into_ended(self) -> Ended {
        let says_nothing =
            matches!(self.kind, ErrorKind::Throttled | ErrorKind::Unreachable | ErrorKind::Credentials);
        let outcome = if says_nothing { Outcome::Interrupted } else { Outcome::Failed };
        Ended { outcome, ..Ended::failed(self.into_cause()) }
    }

    /// The cause of a step's failure.
    pub fn into_cause(self) -> Cause {
        let preflight = matches!(self.kind, ErrorKind::Credentials | ErrorKind::Denied | ErrorKind::Setup);
        Cause {
            hint: self.what_to_do(),
            message: self.to_string(),
            at: self.place,
            preflight,
            ..Cause::default()
        }
    }
}

/// Shows the message, after the code if there is one.
impl fmt::Display for AwsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, message, .. } = self;
        let Some(ErrorCode(code)) = code else { return f.write_str(message) };
        if self.kind == ErrorKind::Credentials {
            f.write_str("AWS does not accept the credentials: ")?;
        }
        f.write_str(code)?;
        if message.is_empty() { Ok(()) } else { write!(f, ": {message}") }
    }
}

impl std::error::Error for AwsError {}

impl ErrorCode {
    fn of(code: &str) -> Option<Self> {
        (!code.is_empty()).then(|| Self(code.to_owned()))
    }

    /// The code without `Exception`. Services that use JSON append that to the names that other services use.
    fn name(&self) -> &str {
        self.0.strip_suffix("Exception").unwrap_or(&self.0)
    }
}

const PROXY: &str =
    "put the user and the password into the proxy's address: HTTPS_PROXY=http://user:password@host:port";
const NOT_AWS: &str = "something between this machine and AWS answers in place of AWS: check the network, HTTPS_PROXY, \
                       NO_PROXY and AWS_ENDPOINT_URL, then run it again";
const CLOCK: &str = "set this machine's clock: AWS takes no request that is minutes old";

/// The kind of a code. The codes are those of "Common error types" in the services' API references.
/// Throttling has many names.
fn kind_of(code: Option<&ErrorCode>, message: &str) -> ErrorKind {
    match code.map_or("", ErrorCode::name) {
        "Throttling"
        | "Throttled"
        | "RequestLimitExceeded"
        | "RequestThrottled"
        | "TooManyRequests"
        | "SlowDown"
        | "BandwidthLimitExceeded"
        | "PriorRequestNotComplete" => ErrorKind::Throttled,
        // Each attempt is signed again.
        _ if is_by_the_clock(code, message) => ErrorKind::Unreachable,
        "ExpiredToken"
        | "InvalidClientTokenId"
        | "UnrecognizedClient"
        | "SignatureDoesNotMatch"
        | "InvalidSignature"
        | "InvalidAccessKeyId"
        | "MissingAuthenticationToken" => ErrorKind::Credentials,
        "AccessDenied" | "UnauthorizedOperation" => ErrorKind::Denied,
        "InternalFailure"
        | "InternalError"
        | "InternalServer"
        | "InternalServerError"
        | "ServiceUnavailable"
        | "Server"
        | "RequestTimeout" => ErrorKind::Unreachable,
        _ => match failure_class(message) {
            Some(FailureClass::Throttled) => ErrorKind::Throttled,
            Some(FailureClass::Iam) => ErrorKind::NotYet,
            _ => ErrorKind::Refused,
        },
    }
}

/// Returns whether a request was refused because its time is too old or in the future. It took long to
/// arrive, or one of the clocks is wrong.
fn is_by_the_clock(code: Option<&ErrorCode>, message: &str) -> bool {
    let code = code.map_or("", ErrorCode::name);
    let is_signature = matches!(code, "SignatureDoesNotMatch" | "InvalidSignature");
    matches!(code, "RequestExpired" | "RequestTimeTooSkewed" | "RequestInTheFuture")
        || is_signature
            && (message.starts_with("Signature expired") || message.starts_with("Signature not yet current"))
}

/// The error of this type among the sources of another.
fn find<'a, E: std::error::Error + 'static>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a E> {
    std::iter::successors(Some(error), |error| error.source()).find_map(|error| error.downcast_ref())
}

/// Texts that the SDK puts in front of a message, and that help nobody.
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

/// The message of an error with those of all its sources, without texts that say nothing or repeat others.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let part = error.to_string();
        let part = part.lines().next().unwrap_or_default().trim().to_owned();
        if !part.is_empty() && !parts.iter().any(|before| before.contains(&part)) {
            // A part that quotes its source replaces the source.
            parts.retain(|before| !part.contains(before.as_str()));
            parts.push(part);
        }
        next = error.source();
    }
    let all = parts.join(": ");
    parts.retain(|part| !FILLERS.contains(&part.as_str()));
    if parts.is_empty() { all } else { parts.join(": ") }
}
