//! The changes that commands may make to their shell, found without following the commands.

use std::collections::{BTreeMap, BTreeSet};

use super::state::Interpreter;
use crate::shell::programs::purpose::{Purpose, purpose};
use crate::shell::programs::{Fact, has};
use crate::shell::{
    Command, CommandKind, Context, List, ListRole, Pipeline, Script, SimpleCommand, Statement, Visitor, Word,
    WordPart, each_simple, is_variable_name, program, visit_script, walk_command, walk_statement,
};

/// The depth to which the bodies of functions are searched.
const MAX_DEPTH: usize = 4;

/// The changes that a command may make.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Effects {
    /// These variables may have other values.
    pub(super) names: BTreeSet<String>,
    /// Any variable may have another value, because the executed script is not known.
    pub(super) any: bool,
    /// The working folder may have changed.
    pub(super) dir: bool,
    /// The commands after it may not run, because of `break`, `continue`, `return` or `exit`.
    pub(super) leaves: bool,
}

impl Effects {
    pub(super) fn sets(&self) -> bool {
        self.any || !self.names.is_empty()
    }

    fn add(&mut self, names: impl IntoIterator<Item = String>) {
        self.names.extend(names.into_iter().filter(|name| is_variable_name(name)));
    }
}

/// Whether a call is a builtin that sets variables.
pub(super) fn is_setter(words: &[String]) -> bool {
    let Some(first) = words.first() else { return false };
    match first.as_str() {
        "set" => !positional(words).is_empty(),
        "printf" => words.get(1).is_some_and(|word| word == "-v"),
        "source" | "." => purpose(words) != Purpose::EnterEnvironment,
        _ => has(words, Fact::SetsVariables),
    }
}

/// The words that `set` makes the new positional arguments.
fn positional(words: &[String]) -> &[String] {
    let first = words.iter().skip(1).position(|word| word == "--" || !word.starts_with(['-', '+']));
    match first {
        // The word after `set -o` is the name of an option.
        Some(at) if at > 0 && words[at].ends_with('o') && words[at].starts_with(['-', '+']) => &[],
        Some(at) => &words[at + 1..],
        None => &[],
    }
}

/// The names of the arguments of a script or a function.
pub(super) fn argument_names() -> impl Iterator<Item = String> {
    ["@", "*", "#"].into_iter().map(str::to_owned).chain((1..10).map(|number| number.to_string()))
}

impl Interpreter<'_> {
    /// The changes that a list may make. `text` is the text that it was parsed from.
    pub(super) fn effects(&self, list: &List, text: &str) -> Effects {
        self.effects_by(text, |collector, context| collector.visit_list(list, ListRole::Script, context))
    }

    pub(super) fn effects_of_statement(&self, statement: &Statement, text: &str) -> Effects {
        self.effects_by(text, |collector, context| collector.visit_statement(statement, context))
    }

    pub(super) fn effects_of_pipeline(&self, pipeline: &Pipeline, text: &str) -> Effects {
        self.effects_by(text, |collector, context| collector.visit_pipeline(pipeline, context))
    }

    pub(super) fn effects_of_simple(&self, simple: &SimpleCommand, text: &str) -> Effects {
        self.effects_by(text, |collector, _| collector.simple(simple))
    }

    fn effects_by(&self, text: &str, visit: impl FnOnce(&mut Collector<'_>, Context)) -> Effects {
        let mut collector =
            Collector { functions: &self.functions, text, depth: 0, effects: Effects::default() };
        visit(&mut collector, Context::default());
        collector.effects
    }
}

/// Collects the effects of the commands that run in the shell itself.
struct Collector<'i> {
    functions: &'i BTreeMap<String, String>,
    text: &'i str,
    /// The number of nested function calls at this place.
    depth: usize,
    effects: Effects,
}

impl<'a> Visitor<'a> for Collector<'_> {
    fn visit_statement(&mut self, statement: &'a Statement, context: Context) {
        // A command in the background runs in its own shell.
        if !statement.background {
            walk_statement(self, statement, context);
        }
    }

    fn visit_pipeline(&mut self, pipeline: &'a Pipeline, context: Context) {
        // Each command of a longer pipeline runs in its own shell.
        if let [command] = &pipeline.commands[..] {
            self.visit_command(command, context);
        }
    }

    fn visit_command(&mut self, command: &'a Command, context: Context) {
        match &command.kind {
            CommandKind::Simple(simple) => return self.simple(simple),
            // A subshell changes nothing here, and the effects of a function happen where it is called.
            CommandKind::Subshell(_) | CommandKind::Function { .. } => return,
            CommandKind::Loop(of) => self.effects.add(of.variable.clone()),
            CommandKind::Test => {
                let written = self.text.get(command.span.clone()).unwrap_or_default();
                self.effects.add(assigned_in(written));
            }
            _ => {}
        }
        walk_command(self, command, context);
    }

    fn visit_word(&mut self, _: &'a Word, _: Context) {}
}

impl Collector<'_> {
    fn simple(&mut self, simple: &SimpleCommand) {
        let assigned = simple.assignments.iter().map(|assignment| &assignment.value);
        for word in assigned.chain(&simple.words) {
            let written = self.text.get(word.span.clone()).unwrap_or_default();
            self.effects.add(defaults_in(written));
            if word.parts.iter().any(|part| matches!(part, WordPart::Arithmetic)) {
                self.effects.add(assigned_in(written));
            }
        }
        if simple.words.is_empty() {
            return self.effects.add(simple.assignments.iter().map(|assignment| assignment.name.clone()));
        }
        let words: Vec<String> = program(&simple.words).iter().map(Word::shown).collect();
        let Some((first, arguments)) = words.split_first() else { return };
        let plain = || arguments.iter().filter(|word| !word.starts_with('-')).cloned();
        match first.as_str() {
            "cd" | "pushd" | "popd" => self.effects.dir = true,
            "break" | "continue" | "return" | "exit" => self.effects.leaves = true,
            "export" | "declare" | "typeset" | "readonly" | "local" => {
                for word in plain() {
                    let name = word.split_once('=').map_or(word.as_str(), |(name, _)| name);
                    // `export $(cat file)` may set anything.
                    self.effects.any |= !is_variable_name(name.trim_end_matches('+'));
                    self.effects.add([name.trim_end_matches('+').to_owned()]);
                }
            }
            "read" => {
                let names: Vec<String> = read_names(arguments);
                let default = names.is_empty().then(|| "REPLY".to_owned());
                self.effects.add(names.into_iter().chain(default));
            }
            "mapfile" | "readarray" => self.effects.add(plain().next_back().or(Some("MAPFILE".to_owned()))),
            "getopts" => {
                self.effects
                    .add(arguments.get(1).cloned().into_iter().chain(["OPTARG".into(), "OPTIND".into()]));
            }
            "printf" if is_setter(&words) => self.effects.add(arguments.get(1).cloned()),
            "unset" => self.effects.add(plain()),
            "let" => self.effects.add(arguments.iter().flat_map(|word| assigned_in(word))),
            "set" if is_setter(&words) => self.effects.names.extend(argument_names()),
            "shift" => self.effects.names.extend(argument_names()),
            "eval" => self.effects.any = true,
            "source" | "." => self.effects.any |= is_setter(&words),
            name => {
                let functions = self.functions;
                let Some(body) = functions.get(name).filter(|_| self.depth < MAX_DEPTH) else { return };
                let text = std::mem::replace(&mut self.text, body);
                self.depth += 1;
                visit_script(self, &Script::parse(body).body);
                self.depth -= 1;
                self.text = text;
            }
        }
    }
}

/// The names after the options of `read`.
fn read_names(arguments: &[String]) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = arguments.iter();
    while let Some(word) = rest.next() {
        let Some(options) = word.strip_prefix('-').filter(|options| !options.is_empty()) else {
            names.push(word.clone());
            continue;
        };
        // These options take the next word as their value.
        if let Some(option) = options.chars().last().filter(|option| "adinNptu".contains(*option)) {
            let value = rest.next();
            names.extend(value.filter(|_| option == 'a').cloned());
        }
    }
    names
}

/// The variables that `${NAME:=value}` sets.
fn defaults_in(text: &str) -> Vec<String> {
    let after = text.match_indices("${").map(|(at, _)| &text[at + 2..]);
    let named = after.filter_map(|rest| {
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))?;
        (rest[end..].starts_with(":=") || rest[end..].starts_with('=')).then(|| rest[..end].to_owned())
    });
    named.collect()
}

/// The variables that arithmetic sets: `X = 1`, `X += 1`, `X++`, `--X`.
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

/// Whether a command only sets variables and shows something.
pub(super) fn only_sets(command: &Command) -> bool {
    let mut only = true;
    each_simple(command, |simple| {
        let words: Vec<String> = simple.words.iter().map(Word::shown).collect();
        only &= words.is_empty()
            || has(&words, Fact::Declares)
            || is_setter(&words)
            || purpose(&words) == Purpose::Show;
    });
    only
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assignments_in_arithmetic_differ_from_comparisons() {
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
