//! The mishaps that a call can meet with.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::result::ConnectorError;
use bytes::Bytes;
use http::{Response, StatusCode};

use crate::services::protocol_of_call;
use crate::wire::{Fault, Protocol, identified, write_fault};
use crate::world::Call;

/// A mishap of a call: the reply that comes back, and whether the call was carried out.
#[derive(Debug, Clone)]
pub struct Mishap {
    pub(super) reply: Reply,
    pub(super) carried_out: bool,
}

#[derive(Debug, Clone)]
pub(super) enum Reply {
    Never,
    Reset,
    Truncated,
    Past(Duration),
    Changed(Change),
    Text { status: u16, what: &'static str, body: &'static str },
    Refused { status: u16, code: String, message: String },
    Throttled,
}

type ChangeBody = dyn Fn(&[u8]) -> Vec<u8> + Send + Sync;

/// What becomes of the body of an answer.
#[derive(Clone)]
pub(super) struct Change(Arc<ChangeBody>);

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Change")
    }
}

const PORTAL: &str = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head>\n\
    <body><p>Sign in to use this network.</body></html>\n";
const PROXY_LOGIN: &str = "<html><head><title>407 Proxy Authentication Required</title></head>\n\
    <body><h1>Proxy Authentication Required</h1><hr></body></html>\n";
const BAD_GATEWAY: &str = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n\
    <body><center><h1>502 Bad Gateway</h1></center></body>\r\n</html>\r\n";

impl Mishap {
    /// The call is carried out, and no answer ever comes.
    pub fn never_answered() -> Self {
        Self { reply: Reply::Never, carried_out: true }
    }

    /// The call is carried out, and the connection is reset before the answer.
    pub fn reset() -> Self {
        Self { reply: Reply::Reset, carried_out: true }
    }

    /// The call is carried out, and a web page comes back, with status 200.
    pub fn html() -> Self {
        Self::text(200, "a web page", PORTAL, true)
    }

    /// The call is carried out, and an empty body comes back, with status 200.
    pub fn empty() -> Self {
        Self::text(200, "an empty body", "", true)
    }

    /// The call is carried out, and half of the answer comes back.
    pub fn truncated() -> Self {
        Self { reply: Reply::Truncated, carried_out: true }
    }

    /// The call is carried out, and what `change` makes of the body of the answer comes back.
    pub fn changed(change: impl Fn(&[u8]) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self { reply: Reply::Changed(Change(Arc::new(change))), carried_out: true }
    }

    /// A proxy asks the caller to log in. The call never reaches AWS.
    pub fn proxy_login() -> Self {
        Self::text(407, "the page of a proxy", PROXY_LOGIN, false)
    }

    /// A proxy fails to reach AWS.
    pub fn bad_gateway() -> Self {
        Self::text(502, "the page of a proxy", BAD_GATEWAY, false)
    }

    /// AWS refuses the call.
    pub fn refused(status: u16, code: &str, message: &str) -> Self {
        let (code, message) = (code.to_owned(), message.to_owned());
        Self { reply: Reply::Refused { status, code, message }, carried_out: false }
    }

    /// AWS throttles the call.
    pub fn throttled() -> Self {
        Self { reply: Reply::Throttled, carried_out: false }
    }

    /// AWS refuses the call, because its signature is too old by AWS's clock.
    pub fn request_expired() -> Self {
        Self::refused(400, "RequestExpired", "Request has expired.")
    }

    /// AWS refuses the call, because the caller has no permission.
    pub fn denied() -> Self {
        Self::refused(403, "AccessDenied", "User is not authorized to perform this action")
    }

    /// AWS refuses the call, because the session has ended.
    pub fn expired_token() -> Self {
        Self::refused(403, "ExpiredToken", "The security token included in the request is expired")
    }

    /// AWS answers as it would have done so long ago. A call that changes something is refused if it would
    /// have been refused then, and is carried out now otherwise.
    pub fn from_the_past(age: Duration) -> Self {
        Self { reply: Reply::Past(age), carried_out: true }
    }

    /// The same mishap, but the request is lost: the call never reaches AWS.
    #[must_use]
    pub fn request_lost(self) -> Self {
        Self { carried_out: false, ..self }
    }

    /// The same mishap, but the answer is lost: the call is carried out.
    #[must_use]
    pub fn answer_lost(self) -> Self {
        Self { carried_out: true, ..self }
    }

    fn text(status: u16, what: &'static str, body: &'static str, carried_out: bool) -> Self {
        Self { reply: Reply::Text { status, what, body }, carried_out }
    }

    /// The age of the answer, if it is an answer from the past.
    pub(super) fn age(&self) -> Option<Duration> {
        match self.reply {
            Reply::Past(age) => Some(age),
            _ => None,
        }
    }

    /// The reply that the caller gets. `answered` is AWS's answer, if the call was carried out.
    pub(super) async fn reply(
        &self,
        call: &Call,
        answered: Option<Response<Bytes>>,
    ) -> Result<Response<Bytes>, ConnectorError> {
        let protocol = protocol_of_call(call);
        Ok(match &self.reply {
            Reply::Never => std::future::pending().await,
            Reply::Reset => {
                let reset = io::Error::new(io::ErrorKind::ConnectionReset, "connection reset by peer");
                return Err(ConnectorError::io(reset.into()));
            }
            Reply::Truncated => answered.unwrap_or_default().map(|body| body.slice(..body.len() / 2)),
            Reply::Past(_) => answered.unwrap_or_default(),
            Reply::Changed(Change(change)) => answered.unwrap_or_default().map(|body| change(&body).into()),
            Reply::Text { status, body, .. } => {
                let mut response = Response::new(Bytes::from_static(body.as_bytes()));
                *response.status_mut() = StatusCode::from_u16(*status).unwrap_or_default();
                let kind = http::HeaderValue::from_static("text/html; charset=utf-8");
                response.headers_mut().insert(http::header::CONTENT_TYPE, kind);
                response
            }
            Reply::Refused { status, code, message } => {
                let code = match protocol {
                    Protocol::Json if !code.ends_with("Exception") => format!("{code}Exception"),
                    _ => code.clone(),
                };
                let fault = Fault::new(*status, &code, message);
                identified(write_fault(protocol, &fault, "refused"), "refused")
            }
            Reply::Throttled => {
                identified(write_fault(protocol, &Fault::throttled(protocol), "throttled"), "throttled")
            }
        })
    }
}

impl fmt::Display for Mishap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reply {
            Reply::Never => f.write_str("never answered")?,
            Reply::Reset => f.write_str("connection reset")?,
            Reply::Truncated => f.write_str("half an answer")?,
            Reply::Changed(_) => f.write_str("another answer")?,
            Reply::Past(age) => return write!(f, "answered from {age:?} ago"),
            Reply::Text { status, what, .. } => write!(f, "{what}, status {status}")?,
            Reply::Refused { code, .. } => write!(f, "refused: {code}")?,
            Reply::Throttled => f.write_str("throttled")?,
        }
        f.write_str(if self.carried_out { ", carried out" } else { ", not carried out" })
    }
}
