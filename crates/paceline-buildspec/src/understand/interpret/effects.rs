//! What commands may change in the shell that runs them, without following them.

use std::collections::BTreeSet;

use super::Interpreter;
use super::classify::each_simple;
use crate::shell::{Command, CommandKind, List, Script, SimpleCommand, Statement, Word, WordPart, program};
use crate::understand::programs::{Role, role};

/// How deep functions are looked into.
const MAX_DEPTH: usize = 4;

/// What may be another afterwards.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Effects {
    /// The variables that may have other values.
    pub(super) names: BTreeSet<String>,
    /// Any variable may have another value: what is run is not known before.
    pub(super) any: bool,
    /// The folder may be another.
    pub(super) dir: bool,
    /// What follows may be left out: `break`, `continue`, `return` and `exit`.
    pub(super) leaves: bool,
}

impl Effects {
    pub(super) fn sets(&self) -> bool {
        self.any || !self.names.is_empty()
    }

    fn names(&mut self, names: impl IntoIterator<Item = String>) {
        self.names.extend(names.into_iter().filter(|name| is_name(name)));
    }
}

/// Builtins that set variables by their arguments.
const SETTERS: &[&str] =
    &["read", "mapfile", "readarray", "getopts", "unset", "let", "set", "shift", "source", ".", "eval"];

/// Whether a call is of a builtin that sets variables.
pub(super) fn is_setter(words: &[String]) -> bool {
    let Some(first) = words.first() else { return false };
    match first.as_str() {
        "set" => !positional(words).is_empty(),
        "printf" => words.get(1).is_some_and(|word| word == "-v"),
        "source" | "." => role(words) != Role::Environment,
        first => SETTERS.contains(&first),
    }
}

/// What `set` puts in place of the arguments.
fn positional(words: &[String]) -> &[String] {
    let first = words.iter().skip(1).position(|word| word == "--" || !word.starts_with(['-', '+']));
    match first {
        // `set -o pipefail` has a word that is no argument.
        Some(at) if at > 0 && words[at].ends_with('o') && words[at].starts_with(['-', '+']) => &[],
        Some(at) => &words[at + 1..],
        None => &[],
    }
}

/// The names that stand for the arguments of a script or a function.
pub(super) fn argument_names() -> impl Iterator<Item = String> {
    ["@", "*", "#"].into_iter().map(str::to_owned).chain((1..10).map(|number| number.to_string()))
}

impl Interpreter<'_> {
    /// What a list may change. `text` is what it was parsed from.
    pub(super) fn effects(&self, list: &List, text: &str) -> Effects {
        let mut effects = Effects::default();
        self.in_list(list, text, 0, &mut effects);
        effects
    }

    pub(super) fn effects_of(&self, statement: &Statement, text: &str) -> Effects {
        let mut effects = Effects::default();
        self.in_statement(statement, text, 0, &mut effects);
        effects
    }

    fn in_list(&self, list: &List, text: &str, depth: usize, effects: &mut Effects) {
        for statement in &list.0 {
            self.in_statement(statement, text, depth, effects);
        }
    }

    fn in_statement(&self, statement: &Statement, text: &str, depth: usize, effects: &mut Effects) {
        // Those run in shells of their own.
        if statement.background {
            return;
        }
        for pipeline in statement.pipelines() {
            if let [command] = &pipeline.commands[..] {
                self.in_command(command, text, depth, effects);
            }
        }
    }

    pub(super) fn in_command(&self, command: &Command, text: &str, depth: usize, effects: &mut Effects) {
        match &command.kind {
            CommandKind::Simple(simple) => self.in_simple(simple, text, depth, effects),
            CommandKind::Group(list) => self.in_list(list, text, depth, effects),
            CommandKind::If { arms, otherwise } => {
                for list in arms.iter().flat_map(|(condition, body)| [condition, body]).chain(otherwise) {
                    self.in_list(list, text, depth, effects);
                }
            }
            CommandKind::Loop(of) => {
                effects.names(of.variable.clone());
                for list in of.condition.iter().chain([&of.body]) {
                    self.in_list(list, text, depth, effects);
                }
            }
            CommandKind::Case(arms) => arms.iter().for_each(|list| self.in_list(list, text, depth, effects)),
            CommandKind::Test => {
                effects.names(assigned_in(text.get(command.span.clone()).unwrap_or_default()))
            }
            // What a function does happens where it is called.
            CommandKind::Subshell(_) | CommandKind::Function { .. } => {}
        }
    }

    pub(super) fn in_simple(&self, simple: &SimpleCommand, text: &str, depth: usize, effects: &mut Effects) {
        let assigned = simple.assignments.iter().map(|assignment| &assignment.value);
        for word in assigned.chain(&simple.words) {
            let written = text.get(word.span.clone()).unwrap_or_default();
            effects.names(defaults_in(written));
            if word.parts.iter().any(|part| matches!(part, WordPart::Arithmetic)) {
                effects.names(assigned_in(written));
            }
        }
        if simple.words.is_empty() {
            return effects.names(simple.assignments.iter().map(|assignment| assignment.name.clone()));
        }
        let words: Vec<String> = program(&simple.words).iter().map(Word::shown).collect();
        let Some((first, arguments)) = words.split_first() else { return };
        let plain = || arguments.iter().filter(|word| !word.starts_with('-')).cloned();
        match first.as_str() {
            "cd" | "pushd" | "popd" => effects.dir = true,
            "break" | "continue" | "return" | "exit" => effects.leaves = true,
            "export" | "declare" | "typeset" | "readonly" | "local" => {
                for word in plain() {
                    let name = word.split_once('=').map_or(word.as_str(), |(name, _)| name);
                    // `export $(cat file)` may set anything.
                    effects.any |= !is_name(name.trim_end_matches('+'));
                    effects.names([name.trim_end_matches('+').to_owned()]);
                }
            }
            "read" => {
                let names: Vec<String> = read_names(arguments);
                let default = names.is_empty().then(|| "REPLY".to_owned());
                effects.names(names.into_iter().chain(default));
            }
            "mapfile" | "readarray" => effects.names(plain().next_back().or(Some("MAPFILE".to_owned()))),
            "getopts" => {
                effects
                    .names(arguments.get(1).cloned().into_iter().chain(["OPTARG".into(), "OPTIND".into()]));
            }
            "printf" if is_setter(&words) => effects.names(arguments.get(1).cloned()),
            "unset" => effects.names(plain()),
            "let" => effects.names(arguments.iter().flat_map(|word| assigned_in(word))),
            "set" if is_setter(&words) => effects.names.extend(argument_names()),
            "shift" => effects.names.extend(argument_names()),
            "eval" => effects.any = true,
            "source" | "." => effects.any |= is_setter(&words),
            name => {
                let body = self.functions.get(name).filter(|_| depth < MAX_DEPTH);
                if let Some(body) = body {
                    self.in_list(&Script::parse(body).body, body, depth + 1, effects);
                }
            }
        }
    }
}

/// The names that `read` is given, behind its options.
fn read_names(arguments: &[String]) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = arguments.iter();
    while let Some(word) = rest.next() {
        let Some(options) = word.strip_prefix('-').filter(|options| !options.is_empty()) else {
            names.push(word.clone());
            continue;
        };
        // Those of these options that stand alone take the next word for their value.
        if let Some(option) = options.chars().last().filter(|option| "adinNptu".contains(*option)) {
            let value = rest.next();
            names.extend(value.filter(|_| option == 'a').cloned());
        }
    }
    names
}

pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The variables that `${NAME:=value}` gives a value to.
fn defaults_in(text: &str) -> Vec<String> {
    let after = text.match_indices("${").map(|(at, _)| &text[at + 2..]);
    let named = after.filter_map(|rest| {
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))?;
        (rest[end..].starts_with(":=") || rest[end..].starts_with('=')).then(|| rest[..end].to_owned())
    });
    named.collect()
}

/// The variables that arithmetic gives a value to: `X = 1`, `X += 1`, `X++`, `--X`.
fn assigned_in(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find(|c: char| c.is_ascii_alphabetic() || c == '_') {
        let start = at + start;
        let end = text[start..].find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        let end = end.map_or(text.len(), |length| start + length);
        let (before, after) = (text[..start].trim_end(), text[end..].trim_start());
        let operator = after.trim_start_matches(['+', '-', '*', '/', '%', '<', '>', '&', '|', '^']);
        let is_assigned = operator.starts_with('=') && !operator.starts_with("==");
        let is_compared = after.starts_with("<=") || after.starts_with(">=");
        let steps = ["++", "--"];
        if (is_assigned && !is_compared)
            || steps.iter().any(|step| before.ends_with(step) || after.starts_with(step))
        {
            names.push(text[start..end].to_owned());
        }
        at = end;
    }
    names
}

/// Whether a command does nothing but set variables and say things.
pub(super) fn only_sets(command: &Command) -> bool {
    let mut only = true;
    each_simple(command, &mut |simple| {
        let words: Vec<String> = simple.words.iter().map(Word::shown).collect();
        let declares = words.first().is_some_and(|first| {
            matches!(first.as_str(), "export" | "declare" | "typeset" | "readonly" | "local")
        });
        only &= words.is_empty() || declares || is_setter(&words) || role(&words) == Role::Says;
    });
    only
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_that_assigns_is_told_from_arithmetic_that_asks() {
        for (text, names) in [
            ("((A = 1))", &["A"][..]),
            ("((A += B))", &["A"]),
            ("((A++))", &["A"]),
            ("((--A))", &["A"]),
            ("((A == 1 && B <= 2))", &[]),
            ("$((A + 1))", &[]),
        ] {
            assert_eq!(assigned_in(text), names, "{text}");
        }
        assert_eq!(defaults_in("${A:=x} ${B:-y} ${C=z}"), ["A", "C"]);
    }
}
