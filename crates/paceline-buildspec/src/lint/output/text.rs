//! Findings in the style of a compiler: the line, with the relevant part underlined.

use std::fmt::Write as _;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::lint::finding::{Finding, Severity};
use crate::lint::{LintReport, with_code};

#[derive(Debug, Clone, Copy)]
pub struct TextOptions {
    pub color: bool,
    pub width: usize,
}

/// Every finding of a file, each with its line.
pub fn text(report: &LintReport, options: TextOptions) -> String {
    let renderer = if options.color { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.term_width(options.width.max(40));
    let mut shown = String::new();
    for finding in &report.findings {
        shown.push_str(&renderer.render(&[group(report, finding)]));
        shown.push_str("\n\n");
    }
    shown
}

fn group<'a>(report: &'a LintReport, finding: &'a Finding) -> Group<'a> {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    // The renderer gets only the line itself, so that it does not search a large file for each finding.
    let text = &report.text;
    let start = text[..finding.span.start].rfind('\n').map_or(0, |end| end + 1);
    let end = text[finding.span.start..].find('\n').map_or(text.len(), |length| finding.span.start + length);
    let line = text[start..end].trim_end_matches('\r');
    let from = (finding.span.start - start).min(line.len());
    let to = (finding.span.end - start).min(line.len()).max(from);
    let annotation = AnnotationKind::Primary.span(from..to);
    let snippet =
        Snippet::source(line).line_start(finding.start.line).path(&report.file).annotation(annotation);
    let group = level.primary_title(&finding.message).id(finding.code).element(snippet);
    match &finding.hint {
        Some(hint) => group.element(Level::HELP.message(hint)),
        None => group,
    }
}

/// A one-line summary of the findings in all files.
pub fn summary(reports: &[LintReport]) -> String {
    let count = |severity| reports.iter().map(|report| report.count(severity)).sum::<usize>();
    let words = |severity: Severity| match count(severity) {
        0 => None,
        1 => Some(format!("1 {severity}")),
        many => Some(format!("{many} {severity}s")),
    };
    let found: Vec<_> =
        [Severity::Error, Severity::Warning, Severity::Note].into_iter().filter_map(words).collect();
    let files = if reports.len() == 1 { "1 file".to_owned() } else { format!("{} files", reports.len()) };
    if found.is_empty() {
        return format!("nothing found in {files}");
    }
    let all = || reports.iter().flat_map(|report| &report.findings);
    let mendable = all().filter(|finding| !finding.fix.is_empty()).count();
    let mut summary = format!("{} in {files}", found.join(", "));
    if mendable > 0 {
        let _ = write!(summary, "\n hint: --fix mends {mendable} of them");
    }
    if let Some(rule) = all().next().and_then(|finding| with_code(finding.code)) {
        let _ = write!(summary, "\n hint: paceline lint --explain {} says more", rule.code);
    }
    summary
}
