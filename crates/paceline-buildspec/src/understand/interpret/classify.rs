//! Decides, before a command is followed, whether it matters and what its purpose is.

use super::effects::is_setter;
use super::state::Interpreter;
use crate::shell::programs::purpose::{Purpose, purpose};
use crate::shell::programs::{Fact, cdk, has};
use crate::shell::{
    Command, CommandKind, List, Pipeline, Script, SimpleCommand, Statement, Word, each_simple, program,
};

/// The depth to which functions and inline scripts are searched for a deployment.
const MAX_SEARCH_DEPTH: usize = 4;

/// The treatment of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Relevance {
    /// The command only shows something.
    Ignored,
    /// The command belongs to a script of the team, which is kept as written.
    Kept,
    /// The interpreter knows the effects of the command.
    Followed,
}

impl Interpreter<'_> {
    pub(super) fn relevance(&self, statement: &Statement) -> Relevance {
        let all = statement.commands().map(|command| self.relevance_of_command(command));
        all.max().unwrap_or(Relevance::Ignored)
    }

    pub(super) fn relevance_of_command(&self, command: &Command) -> Relevance {
        if matches!(command.kind, CommandKind::Function { .. }) {
            return Relevance::Followed;
        }
        let mut relevance = Relevance::Ignored;
        each_simple(command, |simple| relevance = relevance.max(self.relevance_of_simple(simple)));
        relevance
    }

    fn relevance_of_simple(&self, simple: &SimpleCommand) -> Relevance {
        let words = call_words(simple);
        let words = without_timeout(&words);
        let Some(first) = words.first() else { return Relevance::Followed };
        if let Some(inner) = inline_script(words) {
            // Only one level is followed: deeper scripts are kept as written.
            let mut is_followed = false;
            for command in Script::parse(inner).body.commands() {
                each_simple(command, |simple| {
                    let words = call_words(simple);
                    is_followed |= cdk::read(&words).is_some()
                        || !matches!(purpose(&words), Purpose::Other | Purpose::Show);
                });
            }
            return if is_followed { Relevance::Followed } else { Relevance::Kept };
        }
        let changes_shell = has(words, Fact::Declares)
            || matches!(first.as_str(), "cd" | "pushd" | "popd" | "unset")
            || is_setter(words);
        if changes_shell || self.functions.contains_key(first) || cdk::read(words).is_some() {
            return Relevance::Followed;
        }
        match purpose(words) {
            Purpose::Show => Relevance::Ignored,
            Purpose::Other | Purpose::InstallTool => Relevance::Kept,
            _ => Relevance::Followed,
        }
    }

    /// Whether a statement cannot be kept as written, because it deploys something or sends a signal.
    pub(super) fn must_follow(&self, statement: &Statement) -> bool {
        statement.commands().any(|command| self.must_follow_command(command, 0))
    }

    pub(super) fn must_follow_any(&self, pipeline: &Pipeline) -> bool {
        pipeline.commands.iter().any(|command| self.must_follow_command(command, 0))
    }

    fn must_follow_command(&self, command: &Command, depth: usize) -> bool {
        if matches!(command.kind, CommandKind::Function { .. }) {
            return true;
        }
        let mut must = false;
        each_simple(command, |simple| {
            let words = call_words(simple);
            let words = without_timeout(&words);
            let Some(first) = words.first() else { return };
            let script = inline_script(words).or(self.functions.get(first).map(String::as_str));
            if let Some(script) = script {
                let body = Script::parse(script).body;
                must |= depth < MAX_SEARCH_DEPTH
                    && body.commands().any(|command| self.must_follow_command(command, depth + 1));
                return;
            }
            must |= cdk::read(words).is_some()
                || match purpose(words) {
                    Purpose::Bootstrap | Purpose::Signal(_) | Purpose::DeployItself => true,
                    Purpose::PackageScript(name) => self.package_script_deploys(&name),
                    _ => false,
                };
        });
        must
    }

    /// Whether a script of `package.json` deploys something. If the script is not known, its name decides.
    fn package_script_deploys(&self, name: &str) -> bool {
        match self.source_tree.package_script(&self.dir, name) {
            Some(script) => deploys(&Script::parse(&script).body),
            None => name.contains("deploy"),
        }
    }

    /// Whether a pipeline only shows something.
    pub(super) fn only_shows(&self, pipeline: &Pipeline) -> bool {
        pipeline.commands.iter().all(|it| self.relevance_of_command(it) == Relevance::Ignored)
    }
}

/// The purposes of the calls in a command.
pub(super) fn purposes(command: &Command) -> Vec<Purpose> {
    let mut purposes = Vec::new();
    each_simple(command, |simple| {
        let words = call_words(simple);
        let words = without_timeout(&words);
        if !words.is_empty() && !is_setter(words) {
            purposes.push(purpose(words));
        }
    });
    purposes
}

/// Whether the build depends on the success of a command: the command installs, builds or deploys, or
/// prepares for that.
pub(super) fn must_succeed(command: &Command) -> bool {
    let mut all = !matches!(command.kind, CommandKind::Test);
    each_simple(command, |simple| {
        let words = call_words(simple);
        let words = without_timeout(&words);
        if words.is_empty() {
            return;
        }
        all &= has(words, Fact::Prepares)
            || cdk::read(words).is_some()
            || matches!(
                purpose(words),
                Purpose::InstallPackages
                    | Purpose::InstallTool
                    | Purpose::InstallCdk(_)
                    | Purpose::Build
                    | Purpose::PackageScript(_)
                    | Purpose::EnterEnvironment
                    | Purpose::Bootstrap
            );
    });
    all
}

/// Whether a pipeline only answers a question.
pub(super) fn is_test(pipeline: &Pipeline) -> bool {
    let Some((last, feeding)) = pipeline.commands.split_last() else { return false };
    tests(last) && feeding.iter().all(|command| tests(command) || prints(command))
}

/// Whether a condition only tests something.
pub(super) fn is_pure_test(list: &List) -> bool {
    list.0.iter().flat_map(Statement::pipelines).all(is_test)
}

fn tests(command: &Command) -> bool {
    let Some(simple) = command.simple() else { return matches!(command.kind, CommandKind::Test) };
    let words: Vec<String> = simple.words.iter().map(Word::shown).collect();
    match &words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["command", "-v" | "-V", ..] => true,
        ["git", "diff", options @ ..] => options.contains(&"--quiet"),
        _ => has(&words, Fact::Tests),
    }
}

/// Whether a command prints a text that another one tests.
fn prints(command: &Command) -> bool {
    command.simple().is_some_and(|simple| {
        let words: Vec<String> = simple.words.iter().map(Word::shown).collect();
        has(&words, Fact::Prints)
    })
}

/// The program and its arguments, with `$NAME` in place of a variable.
pub(super) fn call_words(simple: &SimpleCommand) -> Vec<String> {
    program(&simple.words).iter().map(Word::shown).collect()
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
pub(super) fn inline_script(words: &[String]) -> Option<&str> {
    match words {
        [shell, option, script, ..] if matches!(shell.rsplit('/').next(), Some("sh" | "bash")) => {
            let is_script = option.starts_with('-') && !option.starts_with("--") && option.ends_with('c');
            is_script.then_some(script.as_str())
        }
        _ => None,
    }
}

/// Whether a failure ends the build in spite of `||`, as in `|| exit 1`.
pub(super) fn ends_on_failure(statement: &Statement) -> bool {
    let mut ends = false;
    for command in statement.rest.iter().flat_map(|(_, pipeline)| &pipeline.commands) {
        each_simple(command, |simple| {
            ends |= simple.words.first().is_some_and(|word| word.is("exit") || word.is("return"));
        });
    }
    ends
}

/// Whether a script of `package.json` deploys something, or calls another script that does.
pub(super) fn deploys(script: &List) -> bool {
    let mut found = false;
    for command in script.commands() {
        each_simple(command, |simple| {
            let words = call_words(simple);
            found |= cdk::read(&words).is_some()
                || matches!(purpose(&words), Purpose::PackageScript(name) if name.contains("deploy"));
        });
    }
    found
}
