//! How Paceline says things: a count, a duration, a quoted name, a wrapped line look the same in every command.
//!
//! The crate knows nothing of stacks or plans. Each module has one way to say one kind of thing, and every other crate
//! uses it instead of its own `format!`.

mod base64;
mod clean;
mod distinct;
mod documented;
mod exit;
mod explain;
mod free_name;
mod hex;
mod layout;
mod markdown;
mod near;
mod number;
mod quote;
pub mod secrets;
mod url;
mod vocabulary;
mod wildcard;

pub use base64::base64;
pub use clean::{breaks_lines, clean, clean_but_for_colors, is_invisible, one_line};
pub use distinct::distinct;
pub use documented::{Documented, Nullable, document_schema, json_document, object_schema, property_schema};
pub use exit::ExitCode;
pub use explain::{Explained, Problem, with_sources};
pub use free_name::free_name;
pub use hex::hex;
pub use layout::{Style, TIED, Tone, columns, cut, wrap};
pub use markdown::{in_markdown, sentence_in_markdown};
pub use near::near;
pub use number::{count, duration, plural, to_the_millisecond};
pub use quote::{first_few, list, quoted, shell_word};
pub use url::{in_url, path_in_url, percent_decode};
pub use wildcard::is_wildcard_match;
