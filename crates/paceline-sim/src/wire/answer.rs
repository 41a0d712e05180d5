//! Writes answers in the protocol of the request.

use std::fmt::Write as _;

use bytes::Bytes;
use http::{Response, StatusCode};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use serde_json::{Value, json};

use super::request::Request;

/// An error as AWS reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
}

impl Fault {
    pub(crate) fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into() }
    }

    pub(crate) fn bad(code: &str, message: impl Into<String>) -> Self {
        Self::new(400, code, message)
    }

    /// The error for a request that is throttled.
    pub(crate) fn throttled(protocol: Protocol) -> Self {
        match protocol {
            Protocol::Rest => Self::new(503, "SlowDown", "Please reduce your request rate."),
            Protocol::Json | Protocol::RestJson => Self::bad("ThrottlingException", "Rate exceeded"),
            Protocol::Query { .. } => Self::bad("Throttling", "Rate exceeded"),
        }
    }

    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Self::new(400, "ValidationError", message)
    }
}

/// The result of an operation as a value, which each protocol writes in its own way.
pub(crate) type Outcome = Result<Value, Fault>;

/// The protocol of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Query {
        namespace: &'static str,
    },
    Json,
    /// REST with XML, or with bodies that are data.
    Rest,
    /// REST with JSON.
    RestJson,
}

/// Writes the result of an operation of a query or JSON protocol. JSON has one way to write a list.
pub(crate) fn write(request: &Request, result: &Value, lists: Lists, id: &str) -> Response<Bytes> {
    match request.protocol {
        Protocol::Query { namespace } => {
            let name = &request.operation;
            let mut text = String::with_capacity(16 * 1024);
            let _ = write!(text, "<{name}Response xmlns=\"{namespace}\">");
            element(&mut text, &format!("{name}Result"), result, lists);
            let _ = write!(
                text,
                "<ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata></{name}Response>"
            );
            respond(200, "text/xml", text)
        }
        Protocol::Json | Protocol::Rest | Protocol::RestJson => {
            respond(200, "application/x-amz-json-1.1", result.to_string())
        }
    }
}

pub(crate) fn write_fault(protocol: Protocol, fault: &Fault, id: &str) -> Response<Bytes> {
    let kind = if fault.status < 500 { "Sender" } else { "Receiver" };
    match protocol {
        Protocol::Query { namespace } => {
            let mut text = format!("<ErrorResponse xmlns=\"{namespace}\">");
            let error = json!({"Type": kind, "Code": fault.code, "Message": fault.message});
            element(&mut text, "Error", &error, Lists::Members);
            let _ = write!(text, "<RequestId>{id}</RequestId></ErrorResponse>");
            respond(fault.status, "text/xml", text)
        }
        Protocol::Json => {
            let body = json!({"__type": fault.code, "message": fault.message}).to_string();
            let mut response = respond(fault.status, "application/x-amz-json-1.1", body);
            set_header(&mut response, "x-amzn-errortype", &fault.code);
            response
        }
        Protocol::RestJson => {
            let body = json!({"message": fault.message}).to_string();
            let mut response = respond(fault.status, "application/json", body);
            set_header(&mut response, "x-amzn-errortype", &fault.code);
            response
        }
        Protocol::Rest => {
            let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>".to_owned();
            let error = json!({"Code": fault.code, "Message": fault.message, "RequestId": id});
            element(&mut text, "Error", &error, Lists::Flat);
            respond(fault.status, "application/xml", text)
        }
    }
}

pub(crate) fn respond(status: u16, content_type: &str, body: impl Into<Bytes>) -> Response<Bytes> {
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    set_header(&mut response, "content-type", content_type);
    response
}

/// Adds the id of the request to a response.
pub(crate) fn identified(mut response: Response<Bytes>, id: &str) -> Response<Bytes> {
    for name in ["x-amzn-requestid", "x-amz-request-id"] {
        set_header(&mut response, name, id);
    }
    response
}

/// Adds the time of the answer to a response.
pub(crate) fn dated(mut response: Response<Bytes>, at: Timestamp) -> Response<Bytes> {
    let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&at);
    set_header(&mut response, "date", &date.unwrap_or_default());
    response
}

/// Sets a header. A value that HTTP does not allow is left out.
pub(crate) fn set_header(response: &mut Response<Bytes>, name: &'static str, value: &str) {
    if let Ok(value) = value.parse() {
        response.headers_mut().insert(name, value);
    }
}

/// The way in which an XML protocol writes a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lists {
    /// One element that contains a `member` for each entry.
    Members,
    /// One element for each entry.
    Flat,
}

/// Writes a value as an XML element. Null is left out.
pub(crate) fn element(out: &mut String, name: &str, value: &Value, lists: Lists) {
    match value {
        Value::Null => {}
        Value::Array(items) if lists == Lists::Flat => {
            for item in items {
                element(out, name, item, lists);
            }
        }
        Value::Array(items) => {
            open(out, name);
            for item in items {
                element(out, "member", item, lists);
            }
            close(out, name);
        }
        Value::Object(fields) => {
            open(out, name);
            for (field, value) in fields {
                element(out, field, value, lists);
            }
            close(out, name);
        }
        Value::String(text) => {
            open(out, name);
            escape(out, text);
            close(out, name);
        }
        Value::Bool(_) | Value::Number(_) => {
            open(out, name);
            let _ = write!(out, "{value}");
            close(out, name);
        }
    }
}

// Answers have tens of thousands of elements, and `format!` would be slow.
fn open(out: &mut String, name: &str) {
    out.push('<');
    out.push_str(name);
    out.push('>');
}

fn close(out: &mut String, name: &str) {
    out.push_str("</");
    out.push_str(name);
    out.push('>');
}

/// Whether a byte begins a character that may have to be escaped. `0xef` begins, among others, the two
/// noncharacters at the end of the basic plane.
fn is_suspicious(byte: u8) -> bool {
    byte < 0x20 || matches!(byte, 0xef | b'&' | b'<' | b'>' | b'"')
}

fn escape(out: &mut String, text: &str) {
    if !text.bytes().any(is_suspicious) {
        return out.push_str(text);
    }
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // A parser would turn a bare carriage return into a line feed.
            '\r' => out.push_str("&#xD;"),
            '\t' | '\n' => out.push(c),
            // XML 1.0 cannot express these characters, not even escaped.
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            _ => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_written_as_members_or_repeated_elements() {
        let value = json!({"a": ["x", 1], "b": null, "c": "<&>"});
        let mut members = String::new();
        element(&mut members, "r", &value, Lists::Members);
        assert_eq!(members, "<r><a><member>x</member><member>1</member></a><c>&lt;&amp;&gt;</c></r>");
        let mut flat = String::new();
        element(&mut flat, "r", &value, Lists::Flat);
        assert_eq!(flat, "<r><a>x</a><a>1</a><c>&lt;&amp;&gt;</c></r>");
    }
}
