//! Looks at commands before they are followed: whether anything in them is understood, and what they set.

use super::Interpreter;
use super::effects::is_setter;
use crate::shell::{
    Command, CommandKind, List, Pipeline, Script, SimpleCommand, Span, Statement, Word, program,
};
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

impl Interpreter<'_> {
    pub(super) fn concern(&self, statement: &Statement) -> Concern {
        let commands = statement.pipelines().flat_map(|pipeline| &pipeline.commands);
        commands.map(|command| self.command_concerns(command)).max().unwrap_or(Concern::Nothing)
    }

    pub(super) fn command_concerns(&self, command: &Command) -> Concern {
        let mut most = Concern::Nothing;
        if matches!(command.kind, CommandKind::Function { .. }) {
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
            ) || is_setter(words)
                || self.functions.contains_key(first)
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

    /// Whether something in a statement cannot be kept as it is, because it deploys, or tells somebody of it.
    pub(super) fn is_deep(&self, statement: &Statement) -> bool {
        let mut commands = statement.pipelines().flat_map(|pipeline| &pipeline.commands);
        commands.any(|command| self.is_deep_command(command, 0))
    }

    pub(super) fn any_deep(&self, pipeline: &Pipeline) -> bool {
        pipeline.commands.iter().any(|command| self.is_deep_command(command, 0))
    }

    fn is_deep_command(&self, command: &Command, depth: usize) -> bool {
        if matches!(command.kind, CommandKind::Function { .. }) {
            return true;
        }
        let mut is_deep = false;
        each_simple(command, &mut |simple| {
            let words: Vec<String> = program(&simple.words).iter().map(Word::shown).collect();
            let words = without_timeout(&words);
            let Some(first) = words.first() else { return };
            let script = inner_script(words).or(self.functions.get(first).map(String::as_str));
            if let Some(script) = script {
                let parsed = Script::parse(script);
                is_deep |= depth < 4
                    && commands(&parsed.body).any(|command| self.is_deep_command(command, depth + 1));
                return;
            }
            is_deep |= cdk::call(words).is_some()
                || match role(words) {
                    Role::Bootstrap | Role::Signal(_) | Role::Opaque => true,
                    Role::PackageScript(name) => self.script_deploys(&name),
                    _ => false,
                };
        });
        is_deep
    }

    /// Whether a script of `package.json` deploys something, or is called so and not known.
    pub(super) fn script_deploys(&self, name: &str) -> bool {
        match self.source_tree.package_script(&self.dir, name) {
            Some(script) => Script::parse(&script).body.0.iter().any(deploys),
            None => name.contains("deploy"),
        }
    }

    /// The roles of the programs in a command.
    pub(super) fn roles_in(command: &Command, roles: &mut Vec<Role>) {
        each_simple(command, &mut |simple| {
            let words: Vec<String> = program(&simple.words).iter().map(Word::shown).collect();
            let words = without_timeout(&words);
            if !words.is_empty() && !is_setter(words) {
                roles.push(role(words));
            }
        });
    }

    /// Whether a command works, or the build is at its end: it installs, builds, deploys, or prepares for that.
    pub(super) fn is_expected(command: &Command) -> bool {
        let mut all = true;
        each_simple(command, &mut |simple| {
            let words: Vec<String> = program(&simple.words).iter().map(Word::shown).collect();
            let words = without_timeout(&words);
            let Some(first) = words.first() else { return };
            let prepares = [
                "cd", "pushd", "popd", "export", "set", "unset", "local", "declare", "readonly", "mkdir",
                "cp", "mv", "rm", "chmod", "touch", "ln", "tar", "unzip", "sleep", "echo", "printf", "wait",
            ];
            all &= prepares.contains(&first.as_str())
                || cdk::call(words).is_some()
                || matches!(
                    role(words),
                    Role::Install
                        | Role::Tool
                        | Role::Cli(_)
                        | Role::Build
                        | Role::PackageScript(_)
                        | Role::Environment
                        | Role::Bootstrap
                );
        });
        all && !matches!(command.kind, CommandKind::Test)
    }

    pub(super) fn only_says(&self, pipeline: &Pipeline) -> bool {
        pipeline.commands.iter().all(|it| self.command_concerns(it) == Concern::Nothing)
    }
}

pub(super) fn span_of(pipeline: &Pipeline) -> Span {
    let start = pipeline.commands.first().map_or(0, |command| command.span.start);
    start..pipeline.commands.last().map_or(start, |command| command.span.end)
}

pub(super) fn span_of_list(list: &List) -> Span {
    let start = list.0.first().map_or(0, |first| first.span().start);
    start..list.0.last().map_or(start, |last| last.span().end)
}

/// Whether a pipeline only asks something.
pub(super) fn is_test(pipeline: Option<&Pipeline>) -> bool {
    let Some(pipeline) = pipeline else { return false };
    let Some((last, feeding)) = pipeline.commands.split_last() else { return false };
    asks(last) && feeding.iter().all(|command| asks(command) || feeds(command))
}

fn asks(command: &Command) -> bool {
    const ASKING: [&str; 11] =
        ["[", "test", "grep", "egrep", "fgrep", "which", "type", "hash", "diff", "cmp", "false"];
    let CommandKind::Simple(simple) = &command.kind else {
        return matches!(command.kind, CommandKind::Test);
    };
    let first = simple.words.first().and_then(Word::literal).unwrap_or_default();
    let second = simple.words.get(1).and_then(Word::literal).unwrap_or_default();
    ASKING.contains(&first.as_str())
        || (first == "command" && matches!(second.as_str(), "-v" | "-V"))
        || (first == "git" && second == "diff" && simple.words.iter().any(|word| word.is("--quiet")))
}

/// Whether a command prints what another asks about.
fn feeds(command: &Command) -> bool {
    let CommandKind::Simple(simple) = &command.kind else { return false };
    let first = simple.words.first().and_then(Word::literal).unwrap_or_default();
    matches!(
        first.as_str(),
        "echo" | "printf" | "cat" | "git" | "head" | "tail" | "cut" | "sort" | "ls" | "tr"
    )
}

/// Whether a condition does no more than to ask.
pub(super) fn is_pure_test(list: &List) -> bool {
    list.0.iter().flat_map(Statement::pipelines).all(|pipeline| is_test(Some(pipeline)))
}

/// Every simple command in a command, but not those that are run to make a word.
pub(super) fn each_simple(command: &Command, look: &mut dyn FnMut(&SimpleCommand)) {
    match &command.kind {
        CommandKind::Simple(simple) => look(simple),
        CommandKind::Group(list) | CommandKind::Subshell(list) => in_list(list, look),
        CommandKind::If { arms, otherwise } => {
            for (condition, body) in arms {
                in_list(condition, look);
                in_list(body, look);
            }
            if let Some(list) = otherwise {
                in_list(list, look);
            }
        }
        CommandKind::Loop(of) => {
            if let Some(list) = &of.condition {
                in_list(list, look);
            }
            in_list(&of.body, look);
        }
        CommandKind::Case(arms) => {
            for list in arms {
                in_list(list, look);
            }
        }
        CommandKind::Function { body, .. } => each_simple(body, look),
        CommandKind::Test => {}
    }
}

fn in_list(list: &List, look: &mut dyn FnMut(&SimpleCommand)) {
    for command in commands(list) {
        each_simple(command, look);
    }
}

/// The commands of a list, as they are: not those inside of others.
pub(super) fn commands(list: &List) -> impl Iterator<Item = &Command> {
    list.0.iter().flat_map(Statement::pipelines).flat_map(|pipeline| &pipeline.commands)
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

/// Whether a script of `package.json` deploys something, or calls one that does.
pub(super) fn deploys(statement: &Statement) -> bool {
    let mut found = false;
    statement.pipelines().flat_map(|pipeline| &pipeline.commands).for_each(|command| {
        each_simple(command, &mut |simple| {
            let words: Vec<String> = program(&simple.words).iter().map(Word::shown).collect();
            found |= cdk::call(&words).is_some()
                || matches!(role(&words), Role::PackageScript(name) if name.contains("deploy"));
        });
    });
    found
}
