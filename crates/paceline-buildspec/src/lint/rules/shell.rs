//! Scripts that the build's shell does not understand.

use std::collections::BTreeSet;

use crate::grammar::{CommandShell, Document};
use crate::lint::context::ProjectFacts;
use crate::lint::finding::{Edit, Severity};
use crate::lint::rule::{Checker, rule};
use crate::shell::SyntaxError;

rule!(BASH_SYNTAX, "PL201", Warning, "bash syntax while the shell may not be bash", bash_syntax);
rule!(SYNTAX, "PL207", Error, "an incomplete command", syntax);
rule!(SHEBANG, "PL208", Note, "a `#!` line that is only a comment", shebang);

fn bash_syntax(document: &Document<'_>, checker: &mut Checker<'_>) {
    let CommandShell::Sh { chosen } = document.shell() else { return };
    let project = checker.project();
    if project.is_some_and(ProjectFacts::is_amazon_linux) {
        return;
    }
    let is_dash = project.is_some_and(ProjectFacts::is_ubuntu);
    for item in &document.items {
        let mut seen = BTreeSet::new();
        for (bashism, span) in &item.script.bashisms {
            if !seen.insert(*bashism) {
                continue;
            }
            let finding = checker.report(item.source(span));
            let why = if is_dash {
                "the shell of this image is dash, which does not understand it"
            } else if chosen {
                "`env.shell` is /bin/sh, which is dash on the Ubuntu images"
            } else {
                "without `env.shell` the shell is sh, which is dash on the Ubuntu images"
            };
            finding.message(format!("{bashism} needs bash: {why}")).hint("set `shell: bash` in `env`");
            if is_dash {
                finding.as_severity(Severity::Error);
            }
            // If the author has chosen this shell, only the author can decide whether to change the shell or
            // the script.
            finding.fix(set_bash(document).filter(|_| !chosen));
        }
    }
}

/// The edit that makes bash the shell, if its place is clear.
fn set_bash(document: &Document<'_>) -> Option<Edit> {
    let lines = &document.lines;
    if document.entry("env").is_some() {
        let (first, _) = document.map("env").first()?;
        let line = lines.span(lines.index(first.span.start)).start;
        let indentation = document.text().get(line..first.span.start)?;
        // In `env: {…}` no line can be added.
        return indentation
            .trim()
            .is_empty()
            .then(|| Edit::insert(line, format!("{indentation}shell: bash\n")));
    }
    let (version, _) = document.entry("version")?;
    let line = lines.index(version.span.start);
    let is_block = lines.span(line).start == version.span.start;
    let end = lines.span(line).end;
    let ends_in_line_end = document.text()[..end].ends_with('\n');
    (is_block && ends_in_line_end).then(|| Edit::insert(end, "\nenv:\n  shell: bash\n"))
}

fn syntax(document: &Document<'_>, checker: &mut Checker<'_>) {
    for item in &document.items {
        let (message, at) = match &item.script.error {
            None | Some(SyntaxError::TooDeep) => continue,
            Some(SyntaxError::Unclosed { what, at }) => {
                let what = match *what {
                    "quote" | "backquote" | "here-document" => format!("this {what} has no end"),
                    word => format!("`{word}` has no end"),
                };
                (what, at)
            }
            Some(SyntaxError::Unexpected { what, at }) if what.is_empty() || what == "\n" => {
                ("something is missing at the end of this line".to_owned(), at)
            }
            Some(SyntaxError::Unexpected { what, at }) if what == "the end" => {
                ("something is missing at the end".to_owned(), at)
            }
            Some(SyntaxError::Unexpected { what, at }) => (format!("`{what}` cannot start a command"), at),
        };
        let hint = if item.text.trim().contains('\n') {
            "the shell stops here with a syntax error"
        } else {
            "every item is a separate script: write the lines of one command below one `- |`"
        };
        checker.report(item.source(at)).message(message).hint(hint);
    }
}

fn shebang(document: &Document<'_>, checker: &mut Checker<'_>) {
    for item in &document.items {
        let Some(line) = item.text.lines().next().filter(|line| line.starts_with("#!")) else { continue };
        if document.shell() == CommandShell::Bash && line.contains("bash") {
            continue;
        }
        let finding = checker.report(item.source(&(0..line.len())));
        finding.message("this line is only a comment: CodeBuild selects the shell");
        finding.hint("set `shell: bash` in `env`");
    }
}
