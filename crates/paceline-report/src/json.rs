//! The run as one JSON document, for programs. `paceline schema report` prints its JSON Schema.
//!
//! All times are in seconds on the run's own clock, which stands still while the run is interrupted.

mod convert;
mod document;

use paceline_text::{document_schema, json_document};
use serde_json::Value;

use self::document::ReportDocument;
use crate::record::Record;

/// The version of the document. New fields do not raise it.
const SCHEMA: u32 = 1;

/// The run as JSON, with a line break at its end.
pub fn json(record: &Record) -> String {
    json_document(&ReportDocument::of(record))
}

/// The JSON Schema of the document.
pub fn json_schema() -> Value {
    document_schema::<ReportDocument>("Report of a run of Paceline", SCHEMA)
}
