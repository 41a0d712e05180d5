//! An [`AppDiff`](crate::AppDiff) as text, Markdown and JSON.

mod access;
mod convert;
mod document;
mod markdown;
mod sentences;
mod summary;
mod text;

use paceline_text::{document_schema, json_document};
use serde_json::Value;

pub use markdown::{COMMENT_LIMIT, markdown};
pub use text::text;

use self::document::DiffDocument;
use crate::model::AppDiff;

/// The version of the document. New fields do not raise it.
const SCHEMA: u32 = 1;

/// An app that was compared, and with what.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    pub diff: &'a AppDiff,
    /// What the app was compared with, in words: `what is deployed`.
    pub base: &'a str,
}

/// The difference as JSON, with a line break at its end. It is complete: no value is cut.
pub fn json(shown: &Shown<'_>) -> String {
    json_document(&DiffDocument::of(shown))
}

/// The JSON Schema of the document.
pub fn json_schema() -> Value {
    document_schema::<DiffDocument>("What paceline diff found", SCHEMA)
}
