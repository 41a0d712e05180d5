//! Assumptions of one item of a phase about another item, or about the whole build.

use std::collections::{BTreeMap, BTreeSet};

use crate::grammar::{CommandItem, Document};
use crate::lint::rule::{Checker, rule};
use crate::shell::{
    AndOr, Command, CommandKind, Context, List, ListRole, Statement, Visitor, Word, walk_command,
};

rule!(OPTIONS, "PL204", Warning, "shell options that end with their item", options);
rule!(DEFINITIONS, "PL205", Warning, "a function or an alias of another item", definitions);
rule!(EXIT, "PL206", Warning, "an `exit 0` that does not end the build", exit);

fn options(document: &Document<'_>, checker: &mut Checker<'_>) {
    for (index, item) in document.items.iter().enumerate() {
        let is_followed = document.items[index + 1..].iter().any(|next| next.phase == item.phase);
        let calls = item.calls();
        let only_sets =
            !calls.is_empty() && calls.iter().all(|call| matches!(call.program(), "set" | "shopt" | "trap"));
        let statements = &item.script.body.0;
        if !only_sets || !is_followed || !item.script.is_whole() || statements.len() != calls.len() {
            continue;
        }
        // `set -- a b` and `set -a` affect variables, which do carry over.
        let Some(call) = calls.iter().find(|call| call.program() != "set" || sets_options(call.arguments()))
        else {
            continue;
        };
        let what = if call.program() == "trap" { "a trap" } else { "an option of the shell" };
        let finding = checker.report(document.first_line(item.source(&call.span)));
        finding.message(format!(
            "{what} that is set here may not apply to the next command: AWS does not document it"
        ));
        finding.hint("every item is a separate script: set it in each item that needs it");
    }
}

fn sets_options(arguments: &[String]) -> bool {
    arguments.first().is_some_and(|first| {
        first
            .strip_prefix('-')
            .is_some_and(|letters| letters.contains(['e', 'u', 'o', 'x', 'E']) && !letters.starts_with('-'))
    })
}

fn definitions(document: &Document<'_>, checker: &mut Checker<'_>) {
    let mut defined: BTreeMap<String, usize> = BTreeMap::new();
    for (index, item) in document.items.iter().enumerate() {
        let own: BTreeSet<String> = names(item).into_iter().collect();
        for call in item.calls() {
            let Some(line) = defined.get(call.program()).filter(|_| !own.contains(call.program())) else {
                continue;
            };
            let name = call.program();
            let finding = checker.report(document.first_line(item.source(&call.span)));
            finding.message(format!("`{name}` is defined in another item, on line {line}, and may not exist in this one: AWS does not document it"));
            finding.hint("define it in the item that uses it, or in a file that both items source");
        }
        let line = document.lines.at(document.items[index].span.start).line;
        defined.extend(own.into_iter().map(|name| (name, line)));
    }
}

/// The functions and aliases that a script defines.
fn names(item: &CommandItem) -> Vec<String> {
    let mut names = Vec::new();
    for command in item.script.body.commands() {
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

fn exit(document: &Document<'_>, checker: &mut Checker<'_>) {
    for (index, item) in document.items.iter().enumerate() {
        let is_followed = index + 1 < document.items.len();
        if !is_followed || item.finally {
            continue;
        }
        let Some(last) = item.script.body.0.last() else { continue };
        if let Some(command) = conditional_exit(last) {
            let finding = checker.report(document.first_line(item.source(&command.span)));
            finding.message("this ends the item and not the build: the next command runs");
            finding.hint(
                "put the commands that may be skipped into the same script, or exit with another status",
            );
        }
    }
}

/// The `exit 0` in a condition at the end of a script. Its author may expect that it ends the build.
fn conditional_exit(statement: &Statement) -> Option<&Command> {
    let mut exit = ExitAtEnd(None);
    // `command || exit 0` ignores a failure, which works as expected.
    let after_and = statement.rest.iter().find_map(|(and_or, pipeline)| match &pipeline.commands[..] {
        [command] if *and_or == AndOr::And => Some(command),
        _ => None,
    });
    let decides = |command: &&Command| matches!(command.kind, CommandKind::If { .. } | CommandKind::Case(_));
    let command = after_and.or_else(|| statement.single().filter(decides))?;
    exit.visit_command(command, Context::default());
    exit.0
}

/// Finds an `exit 0` that is the last command of a list.
struct ExitAtEnd<'a>(Option<&'a Command>);

impl<'a> Visitor<'a> for ExitAtEnd<'a> {
    fn visit_list(&mut self, list: &'a List, role: ListRole, context: Context) {
        let Some(last) = list.0.last().filter(|_| role != ListRole::Condition) else { return };
        let pipeline = last.rest.last().map_or(&last.first, |(_, pipeline)| pipeline);
        if let Some(command) = pipeline.commands.first().filter(|_| self.0.is_none()) {
            self.visit_command(command, context);
        }
    }

    fn visit_command(&mut self, command: &'a Command, context: Context) {
        match &command.kind {
            CommandKind::Simple(simple) => {
                let is_exit =
                    matches!(&simple.words[..], [exit, status] if exit.is("exit") && status.is("0"));
                self.0 = Some(command).filter(|_| is_exit);
            }
            CommandKind::Group(_) | CommandKind::If { .. } | CommandKind::Case(_) => {
                walk_command(self, command, context);
            }
            _ => {}
        }
    }
}
