//! A shell script as a syntax tree: commands, the operators between them, and the parts of each word.
//!
//! The grammar is that of the POSIX shell and of bash. It covers what is needed to tell a command from an
//! argument, a quoted text from an expansion, and a test from a statement. Nothing is expanded or run.
//!
//! [`syntax`] has the tree, [`visit`] its one traversal, [`call`] the list of program calls that most lint
//! rules use, and [`programs`] the facts about well-known programs of a build.
//!
//! # Why this parser is our own
//!
//! Findings point at bytes of the buildspec, and they have to be right in scripts that are wrong. So every
//! command and word has its byte span, and commands inside `$(…)` are part of the same tree. A script with an
//! error keeps the statements before it, and the error has the place of the quote or keyword that has no end.
//! The tree also lists the constructs that only bash understands.
//!
//! The crate `brush-parser` (0.4.0 was tried) parses more of bash, but for a shell that runs scripts. A
//! script with an error yields the error alone, without a tree. The error for an `if` without `fi` is
//! `ParsingAtEndOfInput`, without a place. Its positions count characters and not bytes. A word is its raw
//! text: `"a $(cdk deploy) b"` has to be parsed a second time to find the substitution, and the commands in
//! the substitution a third time, each with positions of their own. It does not say which constructs are
//! those of bash.

mod bashism;
mod call;
mod parse;
pub(crate) mod programs;
mod quote;
mod syntax;
mod visit;

pub(crate) use call::{Call, calls, program};
pub use quote::shell_word;
pub(crate) use syntax::*;
pub(crate) use visit::{Context, ListRole, Visitor, each_simple, visit_script, walk_command, walk_statement};

#[cfg(test)]
mod tests;
