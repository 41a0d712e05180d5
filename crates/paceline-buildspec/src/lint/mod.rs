//! Finds mistakes in buildspecs: errors of the grammar, and valid parts that do not work as their author
//! expects.
//!
//! [`lint()`] accepts any bytes and ends in bounded time. Its findings come from [rules](RULES). Each rule
//! has a code that never changes, a severity and a page of explanation. [`fix()`] applies the corrections
//! that need no decision. The formats of the output are in [`output`].

mod allow;
mod check;
mod context;
mod finding;
mod fix;
pub mod output;
mod report;
mod rule;
mod rules;

pub use crate::grammar::MAX_BYTES;
pub use check::{apply_fixes as fix, lint, unopened};
pub use context::{LintContext, ProjectFacts, ProjectFactsError};
pub use finding::{Edit, Finding, Severity};
pub use report::LintReport;
pub use rule::Rule;
pub use rules::{RULES, with_code};
