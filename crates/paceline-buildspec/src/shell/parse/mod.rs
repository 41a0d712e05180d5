//! The parser: recursive descent over the bytes of a script.
//!
//! Each kind of construct has a file, and each file adds methods to the same [`Parser`](cursor::Parser).

mod bashisms;
mod compound;
mod cursor;
mod list;
mod simple;
mod word;

use super::syntax::{List, Script};
use cursor::Parser;

impl Script {
    /// Parses a script. The statements before an error are kept.
    pub(crate) fn parse(text: &str) -> Self {
        let mut parser = Parser::new(text, 0, text.len());
        let mut body = List::default();
        let error = parser.statements(&mut body, &[]).and_then(|()| parser.nothing_left()).err();
        let mut bashisms = parser.bashisms;
        bashisms.sort_by_key(|(_, span)| span.start);
        Self { body, error, bashisms, here_documents: parser.here_documents }
    }
}
