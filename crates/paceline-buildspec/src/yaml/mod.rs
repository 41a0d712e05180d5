//! YAML, for this crate: a tree with positions to read from, a tree to write from.
//!
//! Everything here stands on `serde-saphyr` and its parser, and nothing outside this module names
//! either, so that a change of library stays here. Two promises matter to the rest of the crate:
//! what is read keeps its text and its line and column, and what is written means the same to a
//! YAML 1.1 reader (where `no` is a boolean and `22:22` a number) as to a YAML 1.2 one.

mod lines;
mod read;
mod source_map;
mod write;

pub(crate) use lines::Lines;
pub use read::{At, Key, Kind, Node, Parsed, Style, YamlError, parse, parse_with_duplicates};
pub(crate) use source_map::{SourceMap, indicator};
pub use write::{Yaml, key, scalar, to_string};
