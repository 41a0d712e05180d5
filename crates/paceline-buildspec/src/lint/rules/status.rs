//! Failures that the build does not notice, because the status of another command replaces theirs.

use super::option_files::OptionFiles;
use crate::grammar::{CommandItem, Document};
use crate::lint::rule::{Checker, rule};
use crate::shell::programs::{Fact, has, program_has};
use crate::shell::{
    AndOr, Command, CommandKind, Context, List, ListRole, Pipeline, SimpleCommand, Statement, Visitor, Word,
    WordPart, calls, visit_script, walk_command, walk_statement,
};

rule!(SWALLOWED, "PL202", Warning, "a failure that a later command hides", swallowed);
rule!(PIPE, "PL203", Warning, "a failure that a pipe hides", pipe);

fn swallowed(document: &Document<'_>, checker: &mut Checker<'_>) {
    let files = OptionFiles::of(document);
    let is_checked = |item: &&CommandItem| item.script.is_whole() && !files.sourced_by(item).errexit;
    for item in document.items.iter().filter(is_checked) {
        let mut search = HiddenFailure { text: &item.text, decides: true, ..HiddenFailure::default() };
        visit_script(&mut search, &item.script.body);
        let Some(command) = search.found else { continue };
        let finding = checker.report(document.first_line(item.source(&command.span)));
        let what = if search.in_loop {
            "the status of a loop is that of its last round"
        } else {
            "the status of a script is that of its last command"
        };
        finding.message(format!("a failure of this command goes unnoticed: {what}"));
        finding.hint("start the script with `set -e`, or join the commands with `&&`");
    }
}

/// Searches for the first command whose failure is hidden.
#[derive(Default)]
struct HiddenFailure<'a> {
    text: &'a str,
    found: Option<&'a Command>,
    /// Whether a failure from here on ends the script, or the script says that it handles failures.
    guarded: bool,
    /// Whether the status of the visited part is the status of the script.
    decides: bool,
    in_loop: bool,
}

impl HiddenFailure<'_> {
    fn is_over(&self) -> bool {
        self.guarded || self.found.is_some()
    }
}

impl<'a> Visitor<'a> for HiddenFailure<'a> {
    fn visit_list(&mut self, list: &'a List, role: ListRole, context: Context) {
        if matches!(role, ListRole::Condition | ListRole::Substitution) || self.is_over() {
            return;
        }
        let decides = self.decides;
        let end = list.0.len().saturating_sub(1);
        for (index, statement) in list.0.iter().enumerate() {
            // The next statement tests the status.
            if list.0.get(index + 1).is_some_and(|next| asks_for_status(next, self.text)) {
                continue;
            }
            self.decides = decides && index == end && role != ListRole::LoopBody;
            self.visit_statement(statement, context);
            if self.is_over() {
                break;
            }
        }
        self.decides = decides;
        self.in_loop |= role == ListRole::LoopBody && self.found.is_some();
        // Options that a subshell or a branch sets may not apply after it.
        self.guarded &= matches!(role, ListRole::Script | ListRole::Group);
    }

    fn visit_statement(&mut self, statement: &'a Statement, context: Context) {
        let handles_failure = statement.rest.iter().any(|(and_or, _)| *and_or == AndOr::Or);
        if !statement.background && !handles_failure {
            walk_statement(self, statement, context);
        }
    }

    fn visit_pipeline(&mut self, pipeline: &'a Pipeline, context: Context) {
        let Some(command) = pipeline.commands.last().filter(|_| !pipeline.negated && !self.is_over()) else {
            return;
        };
        // In `a && b`, a failure of `a` is the status of the whole list.
        match &command.kind {
            CommandKind::Simple(simple) if sets_errexit(simple) => self.guarded = true,
            CommandKind::Simple(simple) => {
                let is_hidden = may_fail(simple) && !self.decides && !passes_on(pipeline);
                self.found = Some(command).filter(|_| is_hidden);
            }
            // A loop with a condition retries or waits, and its own commands handle failures.
            CommandKind::Loop(of) if of.condition.is_some() || leaves(&of.body) => {}
            CommandKind::Function { .. } => {}
            _ => walk_command(self, command, context),
        }
    }

    fn visit_word(&mut self, _: &'a Word, _: Context) {}
}

/// Whether a statement begins with a test of the status of the previous one.
fn asks_for_status(statement: &Statement, text: &str) -> bool {
    let begin = text.get(statement.span()).unwrap_or_default();
    let begin = begin.split(['\n', ';']).next().unwrap_or_default();
    ["$?", "${?}", "PIPESTATUS"].iter().any(|status| begin.contains(status))
}

fn name(simple: &SimpleCommand) -> String {
    let name = simple.words.first().and_then(Word::literal).unwrap_or_default();
    name.rsplit('/').next().unwrap_or_default().to_owned()
}

/// Whether a command is `set -e` in any spelling. `set +e` counts too: it says that the script handles
/// failures.
fn sets_errexit(simple: &SimpleCommand) -> bool {
    let words: Vec<String> = simple.words.iter().skip(1).map(Word::shown).collect();
    let letter = |word: &String| {
        word.starts_with(['-', '+']) && !word.starts_with("--") && word[1..].contains('e') && word.len() < 12
    };
    name(simple) == "set" && words.iter().any(|word| letter(word) || word == "errexit")
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
    // A program whose name is in a variable may be any program.
    !name.is_empty() && !program_has(&name, Fact::Harmless)
}

fn list_may_fail(list: &List) -> bool {
    let Some(statement) = list.0.last() else { return false };
    if statement.rest.iter().any(|(joint, _)| *joint == AndOr::Or) {
        return false;
    }
    let last = statement.rest.last().map_or(&statement.first, |(_, pipeline)| pipeline);
    // The status of a pipeline is that of its last command.
    last.commands.len() == 1 && last.commands[0].simple().is_some_and(may_fail)
}

/// Whether the body can end the loop. If so, the loop repeats until the commands succeed.
fn leaves(list: &List) -> bool {
    calls(list).iter().any(|call| matches!(call.program(), "break" | "exit" | "return"))
}

/// Whether a pipeline ends in a program that only keeps or shows its input. The rule about pipes checks the
/// other commands.
fn passes_on(pipeline: &Pipeline) -> bool {
    let last = pipeline.commands.last().and_then(Command::simple);
    pipeline.commands.len() > 1 && last.is_some_and(|simple| program_has(&name(simple), Fact::PassesOn))
}

fn pipe(document: &Document<'_>, checker: &mut Checker<'_>) {
    let files = OptionFiles::of(document);
    let sets_pipefail = |item: &CommandItem| sets_pipefail(item) || files.sourced_by(item).pipefail;
    for item in document.items.iter().filter(|item| item.script.is_whole() && !sets_pipefail(item)) {
        // The script tests the status of each part.
        if item.text.contains("PIPESTATUS") {
            continue;
        }
        let calls = item.calls();
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
            let is_any = |facts: &[Fact]| facts.iter().any(|fact| has(from.texts(), *fact));
            let from_matters = !source.is_empty() && !is_any(&[Fact::Harmless, Fact::Filters]);
            let runs_it = matches!(sink, "bash" | "sh");
            if from_matters && has(to.texts(), Fact::PassesOn) && (!runs_it || is_any(&[Fact::Downloads])) {
                let finding = checker.report(document.first_line(item.source(&from.span)));
                finding.message(format!(
                    "a failure of this command goes unnoticed: the status of a pipe is that of `{sink}`"
                ));
                finding.hint("start the script with `set -o pipefail`, which needs `shell: bash`");
            }
        }
    }
}

fn sets_pipefail(item: &CommandItem) -> bool {
    item.calls()
        .iter()
        .any(|call| call.program() == "set" && call.arguments().iter().any(|word| word == "pipefail"))
}
