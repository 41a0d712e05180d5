//! Failures that nobody sees, because another command's status counts.

use super::{Found, rule};
use crate::lint::document::{Document, Step};
use crate::shell::{
    AndOr, Call, Command, CommandKind, List, Pipeline, SimpleCommand, Statement, Word, WordPart, calls,
};

rule!(SWALLOWED, "PL202", Warning, "a failure that a later command hides", swallowed);
rule!(PIPE, "PL203", Warning, "a failure that a pipe hides", pipe);

/// Commands that do not fail, or whose failure changes nothing.
const HARMLESS: &[&str] = &[
    "echo", "printf", ":", "true", "false", "test", "[", "sleep", "set", "shopt", "trap", "unset", "export",
    "local", "declare", "readonly", "alias", "umask", "ulimit", "return", "exit", "break", "continue",
    "shift", "wait", "date", "pwd", "ls", "cat", "env", "printenv", "whoami", "id", "uname", "hostname",
    "which", "type", "hash", "let", "read", "tail", "head", "du", "df", "free", "nproc", "basename",
    "dirname", "jq", "exec", "popd", "kill",
];

fn swallowed(document: &Document<'_>, found: &mut Found<'_>) {
    for step in document.steps.iter().filter(|step| step.script.is_whole()) {
        let mut search = Search { text: &step.text, ..Search::default() };
        search.list(&step.script.body, true);
        let Some(command) = search.found else { continue };
        let finding = found.at(document.first_line(step.source(&command.span)));
        let what = if search.in_loop {
            "a loop's status is that of its last round"
        } else {
            "the status of a script is that of its last command"
        };
        finding.says(format!("nobody notices when this command fails: {what}"));
        finding.hint("start the script with `set -e`, or join the commands with `&&`");
    }
}

/// Looks for the first command whose failure is hidden.
#[derive(Default)]
struct Search<'a> {
    text: &'a str,
    found: Option<&'a Command>,
    /// Errors end the script from here on, or someone has thought about it.
    guarded: bool,
    in_loop: bool,
}

impl<'a> Search<'a> {
    /// `last` means that the status of the list is the status of the script.
    fn list(&mut self, list: &'a List, last: bool) {
        let end = list.0.len().saturating_sub(1);
        for (index, statement) in list.0.iter().enumerate() {
            // Its status is kept, or asked for, right after it.
            if list.0.get(index + 1).is_some_and(|next| asks_for_status(next, self.text)) {
                continue;
            }
            self.statement(statement, last && index == end);
            if self.guarded || self.found.is_some() {
                return;
            }
        }
    }

    fn statement(&mut self, statement: &'a Statement, last: bool) {
        let handles_failure = statement.rest.iter().any(|(joint, _)| *joint == AndOr::Or);
        if statement.background || handles_failure {
            return;
        }
        let joined = !statement.rest.is_empty();
        for pipeline in statement.pipelines() {
            let is_last_of_it = statement.rest.last().is_none_or(|(_, end)| std::ptr::eq(end, pipeline));
            // In `a && b` a failure of `a` is the status of the whole, as long as that counts.
            self.pipeline(pipeline, last, joined && !is_last_of_it);
            if self.guarded || self.found.is_some() {
                return;
            }
        }
    }

    fn pipeline(&mut self, pipeline: &'a Pipeline, last: bool, tested: bool) {
        let Some(command) = pipeline.commands.last().filter(|_| !pipeline.negated) else { return };
        match &command.kind {
            CommandKind::Simple(simple) => {
                if sets_errexit(simple) {
                    self.guarded = true;
                } else if may_fail(simple) {
                    let is_seen = last || passes_on(pipeline) || (tested && is_test(simple));
                    self.found = Some(command).filter(|_| !is_seen);
                }
            }
            CommandKind::Group(list) | CommandKind::Subshell(list) => {
                let before = self.guarded;
                self.list(list, last);
                if matches!(command.kind, CommandKind::Subshell(_)) {
                    // What a subshell sets ends with it.
                    self.guarded = before;
                }
            }
            CommandKind::If { arms, otherwise } => {
                for list in arms.iter().map(|(_, body)| body).chain(otherwise) {
                    let before = self.guarded;
                    self.list(list, last);
                    self.guarded = before;
                }
            }
            CommandKind::Case(arms) => {
                for list in arms {
                    let before = self.guarded;
                    self.list(list, last);
                    self.guarded = before;
                }
            }
            CommandKind::Loop(of) => {
                // A loop with a condition tries again, or waits: what fails in it is looked at there.
                let tries = of.condition.is_some() || leaves(&of.body);
                if !tries {
                    let before = self.guarded;
                    self.list(&of.body, false);
                    self.guarded = before;
                    self.in_loop = self.found.is_some();
                }
            }
            CommandKind::Function { .. } | CommandKind::Test => {}
        }
    }
}

/// Whether a statement begins with a look at the status of the one before it.
fn asks_for_status(statement: &Statement, text: &str) -> bool {
    let begin = text.get(statement.span()).unwrap_or_default();
    let begin = begin.split(['\n', ';']).next().unwrap_or_default();
    ["$?", "${?}", "PIPESTATUS"].iter().any(|status| begin.contains(status))
}

fn name(simple: &SimpleCommand) -> String {
    let name = simple.words.first().and_then(Word::literal).unwrap_or_default();
    name.rsplit('/').next().unwrap_or_default().to_owned()
}

/// `set -e`, however it is spelled, and `set +e`, which says that failures are meant to be looked at.
fn sets_errexit(simple: &SimpleCommand) -> bool {
    let words: Vec<String> = simple.words.iter().skip(1).map(Word::shown).collect();
    let letter = |word: &String| {
        word.starts_with(['-', '+']) && !word.starts_with("--") && word[1..].contains('e') && word.len() < 12
    };
    name(simple) == "set" && words.iter().any(|word| letter(word) || word == "errexit")
}

fn is_test(simple: &SimpleCommand) -> bool {
    matches!(name(simple).as_str(), "[" | "test")
}

fn may_fail(simple: &SimpleCommand) -> bool {
    if simple.words.is_empty() {
        // `A=$(command)` has the status of the command.
        let runs = |word: &Word| {
            word.parts.iter().any(|part| matches!(part, WordPart::Commands(list) if list_may_fail(list)))
        };
        return simple.assignments.iter().any(|assignment| runs(&assignment.value));
    }
    let name = name(simple);
    // Variables and functions of the script may be anything.
    !name.is_empty() && !HARMLESS.contains(&name.as_str())
}

fn list_may_fail(list: &List) -> bool {
    let Some(statement) = list.0.last() else { return false };
    if statement.rest.iter().any(|(joint, _)| *joint == AndOr::Or) {
        return false;
    }
    let last = statement.rest.last().map_or(&statement.first, |(_, pipeline)| pipeline);
    // Of a pipeline that ends in a filter only the filter counts.
    last.commands.len() == 1 && last.commands[0].simple().is_some_and(may_fail)
}

/// Whether a loop is left from inside: then it goes on for as long as something fails.
fn leaves(list: &List) -> bool {
    calls(list).iter().any(|call| matches!(call.program(), "break" | "exit" | "return"))
}

/// What is often put behind a pipe to keep or to show what passes, and succeeds whatever it gets.
const PASSING_ON: &[&str] = &["tee", "cat", "ts", "tail", "sed", "bash", "sh"];

/// Ends in what only shows or keeps what it gets. What happens before it is for the rule about pipes.
fn passes_on(pipeline: &Pipeline) -> bool {
    let last = pipeline.commands.last().and_then(Command::simple);
    pipeline.commands.len() > 1 && last.is_some_and(|simple| PASSING_ON.contains(&name(simple).as_str()))
}

fn pipe(document: &Document<'_>, found: &mut Found<'_>) {
    for step in document.steps.iter().filter(|step| step.script.is_whole() && !sets_pipefail(step)) {
        // Somebody looks at the status of each part.
        if step.text.contains("PIPESTATUS") {
            continue;
        }
        let calls = step.calls();
        for pair in calls.windows(2) {
            let [from, to] = pair else { continue };
            if !(from.context.piped && to.context.fed)
                || from.context.captured
                || from.context.tested
                || from.context.in_function
            {
                continue;
            }
            let (source, sink) = (from.program(), to.program());
            let from_matters = !source.is_empty() && !HARMLESS.contains(&source) && !is_filter(source);
            let runs_it = matches!(sink, "bash" | "sh");
            if from_matters && PASSING_ON.contains(&sink) && (!runs_it || is_download(from)) {
                let finding = found.at(document.first_line(step.source(&from.span)));
                finding.says(format!(
                    "nobody notices when this command fails: the status of a pipe is that of `{sink}`"
                ));
                finding.hint("start the script with `set -o pipefail`, which needs `shell: bash`");
            }
        }
    }
}

fn is_filter(program: &str) -> bool {
    matches!(
        program,
        "grep"
            | "sed"
            | "awk"
            | "cut"
            | "sort"
            | "uniq"
            | "tr"
            | "head"
            | "tail"
            | "wc"
            | "jq"
            | "find"
            | "yes"
            | "tee"
            | "xargs"
            | "envsubst"
    )
}

fn is_download(call: &Call<'_>) -> bool {
    matches!(call.program(), "curl" | "wget")
}

fn sets_pipefail(step: &Step) -> bool {
    step.calls()
        .iter()
        .any(|call| call.program() == "set" && call.arguments().iter().any(|word| word == "pipefail"))
}
