//! The folder that a build works in, which is kept from item to item.

use std::collections::BTreeSet;

use super::{Found, rule};
use crate::lint::document::{Document, Step};
use crate::shell::{Call, Command, CommandKind, Statement};

rule!(ENTERED_TWICE, "PL209", Warning, "a `cd` into a folder that the build is in already", entered_twice);

fn entered_twice(document: &Document<'_>, found: &mut Found<'_>) {
    // Version 0.1 runs each command in a shell of its own.
    if document.text_of("version").is_some_and(|version| version.trim() == "0.1") {
        return;
    }
    let mut here = Some(Vec::<String>::new());
    let mut entered = None;
    for step in &document.steps {
        for call in lasting(step) {
            let Some(to) = call.words.get(1).and_then(crate::shell::Word::literal) else {
                here = None;
                continue;
            };
            let Some(now) = here.as_mut() else { continue };
            if to.starts_with(['/', '~', '-']) {
                here = None;
                continue;
            }
            let parts: Vec<&str> = to.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
            let is_plain = !to.starts_with('.') && !parts.is_empty() && !parts.contains(&"..");
            let is_in_it = now.len() >= parts.len()
                && now[now.len() - parts.len()..].iter().zip(&parts).all(|(a, b)| a == b);
            let twice = format!("{}/{}", now.join("/"), parts.join("/"));
            if is_plain && is_in_it && !document.context.has_folder(&twice) {
                let finding = found.at(document.first_line(step.source(&call.span)));
                finding.says(format!(
                    "the build is in {} already{}: the folder is kept from item to item, and this looks for {twice}",
                    now.join("/"),
                    entered.map_or_else(String::new, |line| format!(", since line {line}"))
                ));
                finding.hint("leave it out, or start with: cd \"$CODEBUILD_SRC_DIR\"");
                continue;
            }
            for part in parts {
                match part {
                    ".." => drop(now.pop()),
                    part => now.push(part.to_owned()),
                }
            }
            entered = Some(document.lines.at(step.source(&call.span).start).line);
        }
    }
}

/// The calls of `cd` that are made in the shell of the build itself, and whatever else happens.
fn lasting(step: &Step) -> Vec<Call<'_>> {
    let statements = step.script.body.0.iter().filter(|statement| !statement.background);
    let own = statements.flat_map(Statement::pipelines).filter_map(|pipeline| match &pipeline.commands[..] {
        [command] => simple_span(command),
        _ => None,
    });
    let own: BTreeSet<usize> = own.map(|span| span.start).collect();
    let is_own = |call: &Call<'_>| own.contains(&call.span.start) && !call.context.captured;
    let calls = step.calls().into_iter();
    calls.filter(|call| matches!(call.program(), "cd" | "pushd" | "popd") && is_own(call)).collect()
}

fn simple_span(command: &Command) -> Option<std::ops::Range<usize>> {
    matches!(command.kind, CommandKind::Simple(_)).then(|| command.span.clone())
}
