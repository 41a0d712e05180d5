//! The linter's own comments. A comment that silences nothing is a mistake too.

use crate::lint::allow::Allowance;
use crate::lint::rule::{Checker, Rule, rule};

rule!(UNUSED, "PL001", Warning, "an allowance that silences nothing", |_, _| {});
rule!(UNKNOWN, "PL002", Warning, "an allowance of a rule that does not exist", |_, _| {});

/// Reports the allowances that are not needed. This runs after all rules, and nothing silences its findings.
pub(in crate::lint) fn check(
    allowances: &[Allowance],
    checker: &mut Checker<'_>,
    with_code: fn(&str) -> Option<&'static Rule>,
) {
    for allowance in allowances.iter().filter(|allowance| !allowance.used) {
        let code = &allowance.code;
        let known = with_code(code);
        checker.rule = if known.is_some() { &UNUSED } else { &UNKNOWN };
        let finding = checker.report(allowance.span.clone());
        match known {
            Some(_) => finding.message(format!("no {code} is found here")).hint("remove it"),
            None if code.is_empty() => {
                finding.message("the comment names no rule").hint("name the rules: # paceline: allow PL203")
            }
            None => finding
                .message(format!("there is no rule {code}"))
                .hint("`paceline lint --explain all` lists them"),
        };
    }
}
