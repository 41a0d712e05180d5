//! The working folder of a build, which carries over from item to item.

use crate::grammar::{CommandItem, Document};
use crate::lint::rule::{Checker, rule};
use crate::shell::Call;

rule!(ENTERED_TWICE, "PL209", Warning, "a `cd` into a folder that the build is in already", entered_twice);

fn entered_twice(document: &Document<'_>, checker: &mut Checker<'_>) {
    // Version 0.1 runs each command in a new shell.
    if document.text_of("version").is_some_and(|version| version.trim() == "0.1") {
        return;
    }
    let mut here = Some(Vec::<String>::new());
    let mut entered = None;
    for item in &document.items {
        for call in folder_changes(item) {
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
            if is_plain && is_in_it && !checker.context.has_folder(&twice) {
                let finding = checker.report(document.first_line(item.source(&call.span)));
                finding.message(format!(
                    "the build is in {} already{}: CodeBuild keeps the folder from item to item, so this looks for {twice}",
                    now.join("/"),
                    entered.map_or_else(String::new, |line| format!(", since line {line}"))
                ));
                finding.hint("remove it, or start with: cd \"$CODEBUILD_SRC_DIR\"");
                continue;
            }
            for part in parts {
                match part {
                    ".." => drop(now.pop()),
                    part => now.push(part.to_owned()),
                }
            }
            entered = Some(document.lines.at(item.source(&call.span).start).line);
        }
    }
}

/// The calls that change the folder of the build itself: those outside subshells, branches, pipelines and the
/// background.
fn folder_changes(item: &CommandItem) -> Vec<Call<'_>> {
    let is_own = |call: &Call<'_>| {
        let context = &call.context;
        !(context.nested || context.piped || context.fed || context.background)
    };
    let calls = item.calls().into_iter();
    calls.filter(|call| matches!(call.program(), "cd" | "pushd" | "popd") && is_own(call)).collect()
}
