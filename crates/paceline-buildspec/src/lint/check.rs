//! Applies the rules to a file.

use super::context::LintContext;
use super::finding::Finding;
use super::report::LintReport;
use super::rule::Checker;
use super::rules::{RULES, allowances, grammar::UNREADABLE, with_code};
use super::{allow, fix};
use crate::grammar::{Document, decode};
use crate::yaml::Lines;

/// The length of a too large file's beginning that is kept for the output.
const SHOWN_OF_LARGE: usize = 80;
/// Each round of fixes can make another fix possible. The rounds end long before this.
const MAX_FIX_ROUNDS: usize = 10;

/// Checks a buildspec with every rule.
pub fn lint(file: &str, bytes: &[u8], context: &LintContext) -> LintReport {
    let text = match decode(bytes) {
        Ok(text) => text,
        Err(error) => {
            let shown = if error.byte == 0 { &bytes[..bytes.len().min(SHOWN_OF_LARGE)] } else { bytes };
            let message = format!("the file {}", error.message);
            return unreadable(file, &String::from_utf8_lossy(shown), error.byte, message);
        }
    };
    let document = Document::read(text);
    let findings = findings(&document, context);
    let readable = document.unreadable.is_none();
    LintReport { file: file.to_owned(), text: text.to_owned(), findings, readable }
}

/// The report for a file that could not be opened.
pub fn unopened(file: &str, message: String) -> LintReport {
    unreadable(file, "", 0, message)
}

/// The text with every fix applied, if a fix changes it.
pub fn apply_fixes(text: &str, context: &LintContext) -> Option<String> {
    let mut fixed = text.to_owned();
    for _ in 0..MAX_FIX_ROUNDS {
        let next = fix::apply(&fixed, &lint("", fixed.as_bytes(), context).findings);
        if next == fixed {
            break;
        }
        fixed = next;
    }
    (fixed != text).then_some(fixed)
}

/// Applies every rule, and then the comments of the file that silence findings.
fn findings(document: &Document<'_>, context: &LintContext) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in RULES {
        let mut checker = Checker { rule, lines: &document.lines, context, findings: &mut findings };
        (rule.check)(document, &mut checker);
    }
    let mut allowances = allow::read(&document.lines);
    // No comment can allow a file that cannot be read.
    allow::apply(&mut findings, &mut allowances, UNREADABLE.code);
    // Nothing is known about the rest of a file that cannot be read.
    if document.unreadable.is_none() {
        let mut checker =
            Checker { rule: &allowances::UNUSED, lines: &document.lines, context, findings: &mut findings };
        allowances::check(&allowances, &mut checker, with_code);
    }
    findings.sort_by(|a, b| (a.span.start, a.code, a.span.end).cmp(&(b.span.start, b.code, b.span.end)));
    // A YAML alias repeats a node with the same position.
    findings.dedup_by(|a, b| (&a.span, a.code, &a.message) == (&b.span, b.code, &b.message));
    findings
}

fn unreadable(file: &str, text: &str, byte: usize, message: String) -> LintReport {
    let mut finding = Finding::new(UNREADABLE.code, UNREADABLE.severity, byte..byte, &Lines::of(text));
    finding.message(message);
    LintReport { file: file.to_owned(), text: text.to_owned(), findings: vec![finding], readable: false }
}
