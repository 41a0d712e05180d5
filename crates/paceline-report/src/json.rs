//! The run as one JSON document, for programs. `paceline schema report` prints its JSON Schema.
//!
//! All times are in seconds on the run's own clock, which stands still while the run is interrupted.

mod convert;
mod document;

use paceline_text::Documented as _;
use serde_json::{Value, json};

use self::document::ReportDocument;
use crate::record::Record;

/// The version of the document. New fields do not raise it.
const SCHEMA: u32 = 1;

/// The run as JSON, with a line break at its end.
pub fn json(record: &Record) -> String {
    // The document has only texts, numbers and lists, so it can always be written.
    serde_json::to_string_pretty(&ReportDocument::of(record)).unwrap_or_default() + "\n"
}

/// The JSON Schema of the document.
pub fn json_schema() -> Value {
    let mut schema = ReportDocument::schema();
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("Report of a run of Paceline");
    schema["properties"]["schema"]["const"] = json!(SCHEMA);
    schema
}
