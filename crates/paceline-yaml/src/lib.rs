//! The YAML of people's own files: buildspecs and `paceline.yaml`. A tree with positions to read from, and a tree to
//! write from.
//!
//! Everything here stands on `serde-saphyr` and its parser, so that a change of library stays here. Two promises
//! matter to the callers: a value that is read keeps its text, its line and its column, and a value that is written
//! means the same to a YAML 1.1 reader (where `no` is a boolean and `22:22` a number) as to a YAML 1.2 one.

pub mod inline;
mod lines;
mod node;
mod read;
mod source_map;
mod write;

pub use lines::Lines;
pub use node::{At, Key, Kind, Node, Style};
pub use read::{Parsed, YamlError, parse, parse_with_duplicates};
pub use source_map::{SourceMap, indicator};
pub use write::{Yaml, key, scalar, to_string};
