//! How a plan is shown: as text for people, as JSON for programs, as a graph, and as the answer to why one
//! stack waits for another. The sentences of warnings, errors and advice are made here too.
//!
//! Everything here returns a whole document that ends with a line end. Names and details come from templates
//! and configuration, so no control character of theirs reaches a terminal.

mod advice;
mod changes;
mod destruction;
mod edge;
mod error;
mod explain;
mod graph;
mod hint;
mod history;
mod json;
mod list;
mod lookups;
mod page;
mod prewarm;
mod remarks;
mod rollback;
mod rollout;
mod text;
mod times;
mod warning;
mod what_if;
mod wording;

pub use destruction::{destruction, destruction_json, destruction_schema};
pub use explain::{explain, explain_json, explain_schema};
pub use graph::{dot, mermaid};
pub use json::{json, plan_schema};
pub use list::{ListContents, list, list_json, list_schema};
pub use lookups::synthesized_again;
pub use page::TextOptions;
pub use rollback::{rollback, rollback_json, rollback_schema};
pub use text::text;
