//! Findings as text for people, and as JSON and SARIF for programs.

mod json;
mod sarif;
mod text;

pub use json::{json, json_schema};
pub use sarif::sarif;
pub use text::{TextOptions, summary, text};
