//! Writes answers of S3.

use std::fmt::Write as _;

use bytes::Bytes;
use http::Response;
use serde_json::Value;

use crate::wire::{Lists, element, respond};

pub(super) const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// A result as an XML document.
pub(super) fn xml(name: &str, value: &Value) -> Response<Bytes> {
    let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>".to_owned();
    let mut inner = String::new();
    element(&mut inner, name, value, Lists::Flat);
    let opened = format!("<{name}");
    let _ = write!(text, "{opened} xmlns=\"{NAMESPACE}\"{}", inner.strip_prefix(&opened).unwrap_or_default());
    respond(200, "application/xml", text)
}
