//! The file itself, and the grammar of buildspecs.

use std::sync::LazyLock;

use crate::grammar::{CommandShell, Document, list_items};
use crate::grammar::{PhaseName, Problem, ProblemKind, key_paths};
use crate::lint::finding::{Edit, Severity};
use crate::lint::rule::{Checker, rule};
use crate::yaml::{Kind, Style};

rule!(UNREADABLE, "PL101", Error, "a file that is not YAML", unreadable);
rule!(DUPLICATE, "PL102", Error, "a key that is set twice", duplicate);
rule!(VALUE, "PL103", Error, "a value that the grammar does not allow", value);
rule!(MISSING, "PL104", Error, "a required key that is missing", missing);
rule!(UNKNOWN_KEY, "PL105", Warning, "a key that the grammar does not know", unknown_key);
rule!(COLON, "PL106", Error, "a command that YAML reads as a map", colon);
rule!(MISPLACED, "PL107", Error, "a key in the wrong place", misplaced);
rule!(OLD_VERSION, "PL108", Warning, "version 0.1 of the grammar", old_version);
rule!(EMPTY, "PL109", Warning, "an empty list or command", empty);

fn unreadable(document: &Document<'_>, checker: &mut Checker<'_>) {
    let Some(error) = &document.unreadable else { return };
    let line = document.lines.line(error.at.line - 1);
    let finding = checker.report(document.lines.byte(error.at)..document.lines.byte(error.at) + 1);
    finding.message(error.message.clone());
    let indentation = &line[..line.len() - line.trim_start().len()];
    if indentation.contains('\t') {
        finding.hint("YAML is indented with spaces, but this line has a tab");
    } else if line.trim_start().starts_with("- ") && line.contains(": ") {
        finding.hint("quote a command with a colon in it, or write it below a `- |`");
    }
}

fn duplicate(document: &Document<'_>, checker: &mut Checker<'_>) {
    for duplicate in &document.duplicates {
        let hint = "keep one of them: which one counts is not documented";
        checker.report(duplicate.span.clone()).message(duplicate.message.clone()).hint(hint);
    }
}

/// Reports the reader's problems of some kinds.
fn problems(document: &Document<'_>, checker: &mut Checker<'_>, is_it: impl Fn(&ProblemKind) -> bool) {
    for problem in document.problems.iter().filter(|problem| is_it(&problem.kind)) {
        let finding = checker.report(document.span_at(problem.at));
        finding.message(message(problem));
        if let Some(hint) = &problem.hint {
            finding.hint(hint.clone());
        }
    }
}

fn message(problem: &Problem) -> String {
    match problem.path.as_str() {
        "" => problem.message.clone(),
        path => format!("`{path}` {}", problem.message),
    }
}

fn value(document: &Document<'_>, checker: &mut Checker<'_>) {
    problems(document, checker, |kind| matches!(kind, ProblemKind::Value | ProblemKind::Conflict));
}

fn missing(document: &Document<'_>, checker: &mut Checker<'_>) {
    problems(document, checker, |kind| *kind == ProblemKind::Missing);
}

fn misplaced(document: &Document<'_>, checker: &mut Checker<'_>) {
    problems(document, checker, |kind| *kind == ProblemKind::Misplaced);
    for problem in &document.problems {
        let ProblemKind::Unknown { meant: None } = problem.kind else { continue };
        let Some(places) = places_of(&problem.path) else { continue };
        let finding = checker.report(document.span_at(problem.at));
        finding.message(format!("`{}` has no meaning here", problem.path)).hint(places);
    }
}

/// The places in which a misplaced key would be valid.
fn places_of(path: &str) -> Option<String> {
    static KNOWN: LazyLock<Vec<String>> = LazyLock::new(key_paths);
    let key = path.rsplit('.').next()?;
    // Batches use general names as keys, and the author of a batch knows their places.
    let is_place = |candidate: &&String| {
        candidate.rsplit('.').next() == Some(key)
            && !candidate.contains('*')
            && !candidate.starts_with("batch.")
    };
    let places: Vec<_> = KNOWN.iter().filter(is_place).map(|place| format!("`{place}`")).collect();
    (!places.is_empty()).then(|| format!("it belongs at {}", places.join(" or ")))
}

fn unknown_key(document: &Document<'_>, checker: &mut Checker<'_>) {
    for problem in &document.problems {
        let ProblemKind::Unknown { meant } = &problem.kind else { continue };
        // Top-level keys that start with `x-` are for the team's own use, mostly for anchors.
        let is_extension = !problem.path.contains('.') && problem.path.starts_with("x-");
        if is_extension || (meant.is_none() && places_of(&problem.path).is_some()) {
            continue;
        }
        let span = document.span_at(problem.at);
        let finding = checker.report(span.clone());
        finding.message(message(problem));
        if let Some(hint) = &problem.hint {
            finding.hint(hint.clone());
        }
        if let Some(meant) = meant {
            let parent = problem.path.rsplit_once('.').map(|(parent, _)| format!("{parent}."));
            let taken = document.entry(&format!("{}{meant}", parent.unwrap_or_default())).is_some();
            let written = problem.path.rsplit('.').next().unwrap_or_default();
            if !taken && document.text().get(span.clone()) == Some(written) {
                finding.fix([Edit::replace(span, meant.clone())]);
            }
        }
    }
}

fn colon(document: &Document<'_>, checker: &mut Checker<'_>) {
    for problem in document.problems.iter().filter(|problem| problem.kind == ProblemKind::Colon) {
        let lines = &document.lines;
        let start = lines.byte(problem.at);
        let line = lines.index(start);
        let span = start..lines.span(line).start + lines.line(line).trim_end().len();
        let command = &document.text()[span.clone()];
        let finding = checker.report(span.clone());
        finding.message("YAML reads this command as a map because of its colon");
        finding.hint("write it below a `- |`, or quote all of it");
        // If there are more lines or a comment, only the author knows where the command ends.
        let is_one_line = document.list(problem.path.split('[').next().unwrap_or_default()).iter().any(|node| {
            node.at == problem.at
                && matches!(&node.kind, Kind::Map(entries)
                    if entries.len() == 1 && entries[0].1.at.line == problem.at.line
                        && matches!(entries[0].1.kind, Kind::Scalar { style: Style::Plain | Style::SingleQuoted | Style::DoubleQuoted, .. }))
        });
        let next_is_deeper = lines.count() > line + 1 && {
            let next = lines.line(line + 1);
            let indent = next.len() - next.trim_start().len();
            !next.trim().is_empty()
                && indent >= problem.at.column
                && !next.trim_start().starts_with(['-', '#'])
        };
        if is_one_line
            && !next_is_deeper
            && !command.contains(" #")
            && !command.starts_with(['{', '[', '"', '\'', '&', '*', '!'])
        {
            finding.fix([Edit::replace(span.clone(), format!("'{}'", command.replace('\'', "''")))]);
        }
    }
}

fn old_version(document: &Document<'_>, checker: &mut Checker<'_>) {
    let Some(node) = document.node("version") else { return };
    if document.text_of("version") == Some("0.1") {
        let finding = checker.report(node.span.clone());
        finding.message("in version 0.1 every command runs in a new shell");
        finding.hint("use 0.2, which keeps variables and the working folder from command to command");
    }
}

fn empty(document: &Document<'_>, checker: &mut Checker<'_>) {
    if let Some((key, phases)) = document.entry("phases") {
        let has_something = match &phases.kind {
            Kind::Map(entries) => entries.iter().any(|(_, phase)| !phase.is_null()),
            _ => true,
        };
        if !has_something && !phases.is_null() {
            checker
                .report(key.span.clone())
                .message("the buildspec has no phase")
                .hint("a build runs the commands of its phases");
        }
    }
    for phase in PhaseName::ALL {
        for list in ["commands", "finally"] {
            let path = format!("phases.{phase}.{list}");
            let Some((key, node)) = document.entry(&path) else { continue };
            if matches!(&node.kind, Kind::List(items) if items.is_empty()) {
                checker.report(key.span.clone()).message(format!("`{path}` is empty"));
            }
            for item in list_items(node) {
                let Kind::Scalar { text, style } = &item.kind else { continue };
                if item.is_null() || text.trim().is_empty() {
                    let span = document.first_line(item.span.clone());
                    // A missing value has no position, so the position is that of the dash before it.
                    let dash = document.text()[..item.span.start].rfind('-').unwrap_or(span.start);
                    let span = if span.is_empty() { dash..dash + 1 } else { span };
                    checker.report(span).message("this command is empty").hint("remove it");
                } else if is_only_comment(text, *style) && document.shell() != CommandShell::Windows {
                    let finding = checker.report(document.first_line(item.span.clone()));
                    finding.message("this command is only a comment").as_severity(Severity::Note);
                }
            }
        }
    }
    for path in ["artifacts.files", "cache.paths"] {
        if let Some((key, node)) = document.entry(path)
            && matches!(&node.kind, Kind::List(items) if items.is_empty())
        {
            checker.report(key.span.clone()).message(format!("`{path}` is empty"));
        }
    }
}

fn is_only_comment(text: &str, style: Style) -> bool {
    let is_block = matches!(style, Style::Literal | Style::Folded);
    !is_block && text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'))
}
