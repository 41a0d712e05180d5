//! The linter: the mistakes that it finds, the code that it ignores, the fixes that it makes, and its output.

mod finds;
mod fixes;
mod grammar;
mod output;
mod pages;
mod robust;
mod settings;

use paceline_buildspec::lint::{Finding, LintContext, ProjectFacts, lint};

/// A complete buildspec that contains a fragment.
pub(super) fn whole(fragment: &str) -> String {
    let has = |key: &str| fragment.starts_with(key) || fragment.contains(&format!("\n{key}"));
    let version = if has("version:") { "" } else { "version: 0.2\n" };
    let end = if fragment.ends_with('\n') || fragment.is_empty() { "" } else { "\n" };
    let phases = if has("phases:") { "" } else { "phases:\n  build:\n    commands:\n      - make\n" };
    format!("{version}{fragment}{end}{phases}")
}

/// A buildspec whose build phase has one item of several lines.
pub(super) fn script(text: &str) -> String {
    whole(&format!("phases:\n  build:\n    commands:\n      - |\n{}", indented(text)))
}

/// The lines of an item, indented.
pub(super) fn indented(text: &str) -> String {
    text.lines().fold(String::new(), |lines, line| lines + "        " + line + "\n")
}

/// A buildspec whose build phase has these items.
pub(super) fn commands(items: &[&str]) -> String {
    let items = items.iter().fold(String::new(), |items, item| items + "      - " + item + "\n");
    whole(&format!("phases:\n  build:\n    commands:\n{items}"))
}

/// The project of an unprivileged build on Ubuntu with a timeout of an hour.
pub(super) fn project() -> ProjectFacts {
    ProjectFacts {
        image: Some("aws/codebuild/standard:7.0".to_owned()),
        kind: Some("LINUX_CONTAINER".to_owned()),
        timeout_minutes: Some(60),
        host_kernel: Some("LINUX_KERNEL_6".to_owned()),
        ..ProjectFacts::default()
    }
}

pub(super) fn in_project() -> LintContext {
    LintContext { project: Some(project()), ..LintContext::default() }
}

/// The findings as `CODE line:column`.
pub(super) fn found_in(text: &str, context: &LintContext) -> Vec<String> {
    let report = lint("buildspec.yml", text.as_bytes(), context);
    let place =
        |finding: &Finding| format!("{} {}:{}", finding.code, finding.start.line, finding.start.column);
    report.findings.iter().map(place).collect()
}

pub(super) fn codes_in(text: &str, context: &LintContext) -> Vec<String> {
    found_in(text, context).iter().map(|found| found[..5].to_owned()).collect()
}

/// Checks that the rule finds something in each of the buildspecs.
#[track_caller]
pub(super) fn finds(code: &str, buildspecs: &[String]) {
    for text in buildspecs {
        let found = codes_in(text, &LintContext::default());
        assert!(found.iter().any(|found| found == code), "no {code}, but {found:?} in\n{text}");
    }
}

/// Checks that the rule finds nothing in any of the buildspecs.
#[track_caller]
pub(super) fn leaves(code: &str, buildspecs: &[String]) {
    for text in buildspecs {
        let found = found_in(text, &LintContext::default());
        assert!(!found.iter().any(|found| found.starts_with(code)), "{found:?} in\n{text}");
    }
}

pub(super) fn all(of: fn(&str) -> String, texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| of(text)).collect()
}

pub(super) fn items(lists: &[&[&str]]) -> Vec<String> {
    lists.iter().map(|list| commands(list)).collect()
}

/// The findings of one rule.
pub(super) fn only(text: &str, code: &str, context: &LintContext) -> Vec<Finding> {
    let report = lint("buildspec.yml", text.as_bytes(), context);
    report.findings.into_iter().filter(|finding| finding.code == code).collect()
}
