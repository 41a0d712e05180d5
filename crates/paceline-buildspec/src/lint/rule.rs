//! Rules, and the way in which they report findings.

use std::ops::Range;

use super::context::{LintContext, ProjectFacts};
use super::finding::{Finding, Severity};
use crate::grammar::Document;
use crate::yaml::Lines;

/// A mistake that lint looks for.
#[derive(Debug)]
pub struct Rule {
    pub code: &'static str,
    /// A few words that apply to every finding of the rule.
    pub title: &'static str,
    pub severity: Severity,
    /// The explanation, in Markdown.
    pub page: &'static str,
    pub(super) check: fn(&Document<'_>, &mut Checker<'_>),
}

/// The input of a rule: the context of the buildspec, and the list of findings.
#[derive(Debug)]
pub(super) struct Checker<'a> {
    pub(super) rule: &'static Rule,
    pub(super) lines: &'a Lines<'a>,
    pub(super) context: &'a LintContext,
    pub(super) findings: &'a mut Vec<Finding>,
}

/// Defines a rule. Its page is the file in `docs/lint` with the name of its code.
macro_rules! rule {
    ($name:ident, $code:literal, $severity:ident, $title:literal, $check:expr) => {
        pub(in crate::lint) static $name: $crate::lint::rule::Rule = $crate::lint::rule::Rule {
            code: $code,
            title: $title,
            severity: $crate::lint::finding::Severity::$severity,
            page: include_str!(concat!("../../../../../docs/lint/", $code, ".md")),
            check: $check,
        };
    };
}
pub(super) use rule;

impl<'a> Checker<'a> {
    /// Adds a finding for these bytes of the file. The caller adds the message.
    pub(super) fn report(&mut self, span: Range<usize>) -> &mut Finding {
        let index = self.findings.len();
        self.findings.push(Finding::new(self.rule.code, self.rule.severity, span, self.lines));
        &mut self.findings[index]
    }

    /// The CodeBuild project that runs the buildspec, if it is known.
    pub(super) fn project(&self) -> Option<&'a ProjectFacts> {
        self.context.project.as_ref()
    }
}
