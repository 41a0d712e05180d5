//! The linter's own comments: those that silence nothing are mistakes too.

use super::{Found, Rule, rule, with_code};
use crate::lint::allow::Allowance;
use crate::lint::document::Document;
use crate::lint::finding::Finding;

rule!(UNUSED, "PL001", Warning, "an allowance that silences nothing", |_, _| {});
rule!(UNKNOWN, "PL002", Warning, "an allowance of a rule that does not exist", |_, _| {});

/// These look at what the other rules have found, so they come last and cannot be silenced.
pub(super) fn check(document: &Document<'_>, allowances: &[Allowance], findings: &mut Vec<Finding>) {
    // Of a file that cannot be read nothing is known.
    if document.unreadable.is_some() {
        return;
    }
    for allowance in allowances.iter().filter(|allowance| !allowance.used) {
        let known = with_code(&allowance.code);
        let rule: &'static Rule = if known.is_some() { &UNUSED } else { &UNKNOWN };
        let mut found = Found { rule, lines: &document.lines, findings };
        let finding = found.at(allowance.span.clone());
        let code = &allowance.code;
        match known {
            Some(_) => finding.says(format!("there is no {code} here to allow")).hint("remove it"),
            None if code.is_empty() => {
                finding.says("nothing is allowed here").hint("name the codes: # paceline: allow PL203")
            }
            None => finding
                .says(format!("there is no rule {code}"))
                .hint("`paceline lint --explain all` lists them"),
        };
    }
}
