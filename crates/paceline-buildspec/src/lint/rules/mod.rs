//! The rules, by subject. Each is a static with its code, its severity, its page in `docs/lint` and its check.
//!
//! Codes are grouped by hundreds: 0 the linter's own comments, 1 the file and the grammar, 2 the shell,
//! 3 secrets and Docker, 4 cache, time and phases, 5 the CDK and package managers. A code is never given to
//! another rule.

mod allowances;
mod batch;
mod cache;
mod cdk;
mod docker;
mod folders;
mod grammar;
mod packages;
mod phases;
mod runner;
mod runtimes;
mod scripts;
mod secret_values;
mod secrets;
mod shell;
mod status;
mod time;
mod values;
mod variables;

use std::ops::Range;

pub(super) use self::grammar::UNREADABLE;
use super::allow;
use super::document::Document;
use super::finding::{Finding, Severity};
use crate::yaml::Lines;

/// One thing to look for.
#[derive(Debug)]
pub struct Rule {
    pub code: &'static str,
    /// A few words that hold for every finding of it.
    pub title: &'static str,
    pub severity: Severity,
    /// The explanation, in Markdown.
    pub page: &'static str,
    check: fn(&Document<'_>, &mut Found<'_>),
}

macro_rules! rule {
    ($name:ident, $code:literal, $severity:ident, $title:literal, $check:expr) => {
        pub(in crate::lint) static $name: $crate::lint::rules::Rule = $crate::lint::rules::Rule {
            code: $code,
            title: $title,
            severity: $crate::lint::finding::Severity::$severity,
            page: include_str!(concat!("../../../../../docs/lint/", $code, ".md")),
            check: $check,
        };
    };
}
use rule;

/// Every rule, in the order of the codes.
pub static RULES: &[&Rule] = &[
    &allowances::UNUSED,
    &allowances::UNKNOWN,
    &UNREADABLE,
    &grammar::DUPLICATE,
    &grammar::VALUE,
    &grammar::MISSING,
    &grammar::UNKNOWN_KEY,
    &grammar::COLON,
    &grammar::MISPLACED,
    &grammar::OLD_VERSION,
    &grammar::EMPTY,
    &batch::GRAPH,
    &values::RUNTIME_NUMBER,
    &values::CHANGED_VALUE,
    &values::FOLDED,
    &values::NOT_EXPANDED,
    &values::LINE_ENDS,
    &shell::BASH_SYNTAX,
    &status::SWALLOWED,
    &status::PIPE,
    &scripts::OPTIONS,
    &scripts::DEFINITIONS,
    &scripts::EXIT,
    &shell::SYNTAX,
    &shell::SHEBANG,
    &folders::ENTERED_TWICE,
    &secrets::NAMED,
    &secrets::BY_FORM,
    &secrets::PRINTED,
    &secrets::TRACED,
    &secrets::ARGUMENT,
    &secrets::COPIED,
    &secrets::IN_ADDRESS,
    &docker::PRIVILEGED,
    &docker::UNPRIVILEGED,
    &docker::DAEMON,
    &variables::EXPORTED,
    &variables::RESERVED,
    &cache::FALLBACK,
    &cache::CONSTANT_KEY,
    &cache::NODE_MODULES,
    &cache::NOT_EXPANDED,
    &time::TOO_LONG,
    &phases::UNGUARDED,
    &phases::RETRY,
    &phases::UNSUPPORTED,
    &runtimes::LATEST,
    &runtimes::MISSING,
    &runtimes::NAME,
    &phases::REPORTS,
    &cdk::APPROVAL,
    &cdk::ONE_BY_ONE,
    &packages::UNPINNED,
    &packages::NPM_INSTALL,
    &packages::QUESTION,
    &packages::GET_LOGIN,
    &cdk::FORGIVEN,
    &cdk::OVERWRITTEN,
    &runner::MISSING,
];

/// The rule with this code.
pub fn with_code(code: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.code.eq_ignore_ascii_case(code)).copied()
}

/// Takes what a rule finds.
#[derive(Debug)]
pub(super) struct Found<'a> {
    rule: &'static Rule,
    lines: &'a Lines<'a>,
    findings: &'a mut Vec<Finding>,
}

impl Found<'_> {
    /// A finding at this place, to be told what it says.
    pub(super) fn at(&mut self, span: Range<usize>) -> &mut Finding {
        let index = self.findings.len();
        self.findings.push(Finding::new(self.rule.code, self.rule.severity, span, self.lines));
        &mut self.findings[index]
    }
}

/// Applies every rule, and then what the file itself allows.
pub(super) fn check(document: &Document<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in RULES {
        (rule.check)(document, &mut Found { rule, lines: &document.lines, findings: &mut findings });
    }
    let mut allowances = allow::read(&document.lines);
    allow::apply(&mut findings, &mut allowances);
    allowances::check(document, &allowances, &mut findings);
    findings.sort_by(|a, b| (a.span.start, a.code, a.span.end).cmp(&(b.span.start, b.code, b.span.end)));
    // What an alias repeats is at one place.
    findings.dedup_by(|a, b| (&a.span, a.code, &a.message) == (&b.span, b.code, &b.message));
    findings
}

/// The finding about a file that is no text.
pub(super) fn unreadable(lines: &Lines<'_>, byte: usize, message: String) -> Finding {
    let mut findings = Vec::new();
    let mut found = Found { rule: &UNREADABLE, lines, findings: &mut findings };
    found.at(byte..byte).says(message).clone()
}
