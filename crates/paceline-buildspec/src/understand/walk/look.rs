//! Looks at commands before they are followed: whether anything in them is understood, and what they set.

use super::Walk;
use crate::shell::{Command, Kind, List, Pipeline, Script, Simple, Span, Statement, Word, program};
use crate::understand::cdk;
use crate::understand::programs::{Role, role};

/// What is to be done with a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Concern {
    /// It only says something.
    Nothing,
    /// It is a script of the team's.
    Kept,
    /// Something in it is understood.
    Followed,
}

impl Walk<'_> {
    pub(super) fn concern(&self, statement: &Statement) -> Concern {
        let commands = statement.pipelines().flat_map(|pipeline| &pipeline.commands);
        commands.map(|command| self.command_concerns(command)).max().unwrap_or(Concern::Nothing)
    }

    pub(super) fn command_concerns(&self, command: &Command) -> Concern {
        let mut most = Concern::Nothing;
        if matches!(command.kind, Kind::Function { .. }) {
            return Concern::Followed;
        }
        each_simple(command, &mut |simple| {
            let words: Vec<String> = program(&simple.words).iter().map(Word::shown).collect();
            let words = without_timeout(&words);
            let Some(first) = words.first() else {
                most = Concern::Followed;
                return;
            };
            let is_followed = matches!(
                first.as_str(),
                "cd" | "pushd" | "popd" | "export" | "declare" | "typeset" | "readonly" | "local" | "unset"
            ) || self.functions.contains_key(first)
                || cdk::call(words).is_some();
            if let Some(inner) = inner_script(words) {
                let parsed = Script::parse(inner);
                most = most.max(Concern::Kept);
                // One level: what is hidden more deeply is kept as it is.
                parsed.body.0.iter().flat_map(Statement::pipelines).flat_map(|it| &it.commands).for_each(
                    |command| {
                        each_simple(command, &mut |simple| {
                            let words: Vec<String> = program(&simple.words).iter().map(Word::shown).collect();
                            if cdk::call(&words).is_some()
                                || !matches!(role(&words), Role::Other | Role::Says)
                            {
                                most = Concern::Followed;
                            }
                        });
                    },
                );
                return;
            }
            let concern = match role(words) {
                _ if is_followed => Concern::Followed,
                Role::Says => Concern::Nothing,
                Role::Other | Role::Tool => Concern::Kept,
                _ => Concern::Followed,
            };
            most = most.max(concern);
        });
        most
    }

    pub(super) fn any_followed(&self, pipeline: &Pipeline) -> bool {
        pipeline.commands.iter().any(|it| self.command_concerns(it) == Concern::Followed)
    }

    pub(super) fn only_says(&self, pipeline: &Pipeline) -> bool {
        pipeline.commands.iter().all(|it| self.command_concerns(it) == Concern::Nothing)
    }
}

pub(super) fn span_of(pipeline: &Pipeline) -> Span {
    let start = pipeline.commands.first().map_or(0, |command| command.span.start);
    start..pipeline.commands.last().map_or(start, |command| command.span.end)
}

pub(super) fn is_test(pipeline: Option<&Pipeline>) -> bool {
    let Some([command]) = pipeline.map(|pipeline| &pipeline.commands[..]) else { return false };
    match &command.kind {
        Kind::Test => true,
        Kind::Simple(simple) => simple.words.first().is_some_and(|word| word.is("[") || word.is("test")),
        _ => false,
    }
}

/// Every simple command in a command, but not those that are run to make a word.
pub(super) fn each_simple(command: &Command, look: &mut dyn FnMut(&Simple)) {
    match &command.kind {
        Kind::Simple(simple) => look(simple),
        Kind::Group(list) | Kind::Subshell(list) => in_list(list, look),
        Kind::If { arms, otherwise } => {
            for (condition, body) in arms {
                in_list(condition, look);
                in_list(body, look);
            }
            if let Some(list) = otherwise {
                in_list(list, look);
            }
        }
        Kind::Loop(of) => {
            if let Some(list) = &of.condition {
                in_list(list, look);
            }
            in_list(&of.body, look);
        }
        Kind::Case(arms) => {
            for list in arms {
                in_list(list, look);
            }
        }
        Kind::Function { body, .. } => each_simple(body, look),
        Kind::Test => {}
    }
}

fn in_list(list: &List, look: &mut dyn FnMut(&Simple)) {
    for command in commands(list) {
        each_simple(command, look);
    }
}

/// The commands of a list, as they are: not those inside of others.
fn commands(list: &List) -> impl Iterator<Item = &Command> {
    list.0.iter().flat_map(Statement::pipelines).flat_map(|pipeline| &pipeline.commands)
}

/// Whether a list does nothing but set variables and say things; which it sets.
pub(super) fn sets_only(list: &List, set: &mut Vec<String>) -> bool {
    let mut only = true;
    for command in commands(list) {
        each_simple(command, &mut |simple| {
            let words: Vec<String> = simple.words.iter().map(Word::shown).collect();
            let declares = words.first().is_some_and(|first| first == "export");
            only &= words.is_empty() || declares || role(&words) == Role::Says;
        });
    }
    assigned(list, set);
    only
}

/// The variables that a list sets.
pub(super) fn assigned(list: &List, set: &mut Vec<String>) {
    for command in commands(list) {
        each_simple(command, &mut |simple| {
            if simple.words.is_empty() {
                set.extend(simple.assignments.iter().map(|assignment| assignment.name.clone()));
            } else if simple.words[0].is("export") {
                let names = simple.words[1..].iter().map(Word::shown);
                set.extend(names.filter_map(|word| word.split_once('=').map(|(name, _)| name.to_owned())));
            }
        });
    }
}

/// The words without `timeout 30m` before them.
pub(super) fn without_timeout(words: &[String]) -> &[String] {
    match words {
        [first, rest @ ..] if first == "timeout" => {
            let options = rest.iter().take_while(|word| word.starts_with('-')).count();
            rest.get(options + 1..).unwrap_or_default()
        }
        words => words,
    }
}

/// The script of `sh -c 'script'`.
pub(super) fn inner_script(words: &[String]) -> Option<&str> {
    match words {
        [shell, option, script, ..] if matches!(shell.rsplit('/').next(), Some("sh" | "bash")) => {
            let is_script = option.starts_with('-') && !option.starts_with("--") && option.ends_with('c');
            is_script.then_some(script.as_str())
        }
        _ => None,
    }
}

/// Whether a failure ends the build all the same: `|| exit 1`.
pub(super) fn ends_there(statement: &Statement) -> bool {
    let mut ends = false;
    for (_, pipeline) in &statement.rest {
        for command in &pipeline.commands {
            each_simple(command, &mut |simple| {
                ends |= simple.words.first().is_some_and(|word| word.is("exit") || word.is("return"));
            });
        }
    }
    ends
}
