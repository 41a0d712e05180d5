//! What one item of a phase expects of another, or of the whole build.

use std::collections::{BTreeMap, BTreeSet};

use super::{Found, rule};
use crate::lint::document::{Document, Step};
use crate::shell::{AndOr, Command, CommandKind, List, Statement, Word};

rule!(OPTIONS, "PL204", Warning, "shell options that end with their item", options);
rule!(DEFINITIONS, "PL205", Warning, "a function or an alias of another item", definitions);
rule!(EXIT, "PL206", Warning, "an `exit 0` that does not end the build", exit);

fn options(document: &Document<'_>, found: &mut Found<'_>) {
    for (index, step) in document.steps.iter().enumerate() {
        let is_followed = document.steps[index + 1..].iter().any(|next| next.phase == step.phase);
        let calls = step.calls();
        let only_sets =
            !calls.is_empty() && calls.iter().all(|call| matches!(call.program(), "set" | "shopt" | "trap"));
        let statements = &step.script.body.0;
        if !only_sets || !is_followed || !step.script.is_whole() || statements.len() != calls.len() {
            continue;
        }
        // `set -- a b` and `set -a` are about variables, which do carry over.
        let Some(call) = calls.iter().find(|call| call.program() != "set" || sets_options(call.arguments()))
        else {
            continue;
        };
        let what = if call.program() == "trap" { "a trap" } else { "an option of the shell" };
        let finding = found.at(document.first_line(step.source(&call.span)));
        finding.says(format!("{what} that is set here is not documented to be there for the next command"));
        finding.hint("every item is a script of its own: set it in each item that needs it");
    }
}

fn sets_options(arguments: &[String]) -> bool {
    arguments.first().is_some_and(|first| {
        first
            .strip_prefix('-')
            .is_some_and(|letters| letters.contains(['e', 'u', 'o', 'x', 'E']) && !letters.starts_with('-'))
    })
}

fn definitions(document: &Document<'_>, found: &mut Found<'_>) {
    let mut defined: BTreeMap<String, usize> = BTreeMap::new();
    for (index, step) in document.steps.iter().enumerate() {
        let own: BTreeSet<String> = names(step).into_iter().collect();
        for call in step.calls() {
            let Some(line) = defined.get(call.program()).filter(|_| !own.contains(call.program())) else {
                continue;
            };
            let name = call.program();
            let finding = found.at(document.first_line(step.source(&call.span)));
            finding.says(format!("`{name}` is defined in another item, on line {line}, and not documented to be there in this one"));
            finding.hint("put what uses it into the same item, or the function into a file that both read");
        }
        let line = document.lines.at(document.steps[index].span.start).line;
        defined.extend(own.into_iter().map(|name| (name, line)));
    }
}

/// The functions and aliases that a script defines.
fn names(step: &Step) -> Vec<String> {
    let mut names = Vec::new();
    let commands = step.script.body.0.iter().flat_map(Statement::pipelines).flat_map(|it| &it.commands);
    for command in commands {
        match &command.kind {
            CommandKind::Function { name, .. } => names.push(name.clone()),
            CommandKind::Simple(simple) if simple.words.first().is_some_and(|word| word.is("alias")) => {
                let aliases = simple.words.iter().skip(1).map(Word::shown);
                names.extend(aliases.filter_map(|word| Some(word.split_once('=')?.0.to_owned())));
            }
            _ => {}
        }
    }
    names
}

fn exit(document: &Document<'_>, found: &mut Found<'_>) {
    for (index, step) in document.steps.iter().enumerate() {
        let is_followed = index + 1 < document.steps.len();
        if !is_followed || step.finally {
            continue;
        }
        let Some(last) = step.script.body.0.last() else { continue };
        if let Some(command) = conditional_exit(last) {
            let finding = found.at(document.first_line(step.source(&command.span)));
            finding.says("this ends the item and not the build: the next command runs all the same");
            finding
                .hint("put what is to be left out into the same script, or fail with another status than 0");
        }
    }
}

/// An `exit 0` that the last statement of a script may run: nothing but the items that follow is left to end.
fn conditional_exit(statement: &Statement) -> Option<&Command> {
    let after = statement.rest.iter().find(|(joint, pipeline)| {
        let fails_before = *joint == AndOr::Or;
        // `command || exit 0` takes a failure back, and that works.
        !fails_before && pipeline.commands.len() == 1
    });
    if let Some((_, pipeline)) = after
        && let Some(command) = exits_in(&pipeline.commands[0])
    {
        return Some(command);
    }
    match &statement.single()?.kind {
        CommandKind::If { arms, otherwise } => {
            arms.iter().map(|(_, body)| body).chain(otherwise).find_map(exit_at_end)
        }
        CommandKind::Case(arms) => arms.iter().find_map(exit_at_end),
        _ => None,
    }
}

fn exit_at_end(list: &List) -> Option<&Command> {
    let last = list.0.last()?;
    let command = match last.rest.last() {
        Some((_, pipeline)) => pipeline.commands.first(),
        None => last.first.commands.first(),
    };
    exits_in(command?)
}

fn exits_in(command: &Command) -> Option<&Command> {
    match &command.kind {
        CommandKind::Simple(simple) => {
            let is_exit = matches!(&simple.words[..], [exit, status] if exit.is("exit") && status.is("0"));
            is_exit.then_some(command)
        }
        CommandKind::Group(list) => exit_at_end(list),
        _ => None,
    }
}
