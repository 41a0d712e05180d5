//! Commands that contain commands: conditions, loops and alternatives.

use super::classify::{is_pure_test, is_test, purposes};
use super::condition::{self, ConditionResult};
use super::effects::{Effects, only_sets};
use super::state::{ActionKind, Interpreter, MAX_CALLS, Source};
use crate::shell::programs::purpose::Purpose;
use crate::shell::{AndOr, Command, CommandKind, List, Loop, Span, Statement, Word};
use crate::understand::When;

impl Interpreter<'_> {
    /// Keeps a statement as written, because nothing in it has to be followed.
    pub(super) fn keep_whole(&mut self, statement: &Statement, source: Source<'_>) {
        self.calls += 1;
        let span = statement.span();
        let (line, text) = (source.line(&span), source.text(&span));
        let effects = self.effects_of_statement(statement, source.text);
        let purposes: Vec<Purpose> = statement.commands().flat_map(purposes).collect();
        let any = |wanted: fn(&Purpose) -> bool| purposes.iter().any(wanted);
        let only = |wanted: Purpose| purposes.iter().all(|it| *it == wanted || *it == Purpose::Show);
        if effects.dir {
            let why = "the working folder after it is only known in the build: check the folders of the later commands";
            self.leave_out(line, text, why);
        }
        self.keep_known_values(&effects);
        let is_kept = self.may_keep(text);
        if effects.sets() && is_kept {
            let names = effects.names.iter().cloned().collect();
            self.record(line, text, ActionKind::Setup(if effects.any { Vec::new() } else { names }));
        }
        if statement.commands().all(only_sets) {
            // The command is already recorded as a setup, or it only shows something.
        } else if any(|it| {
            matches!(it, Purpose::InstallPackages | Purpose::InstallTool | Purpose::InstallCdk(_))
        }) {
            self.record(line, text, ActionKind::InstallPackages);
        } else if any(|it| matches!(it, Purpose::Build | Purpose::PackageScript(_))) {
            self.record(line, text, ActionKind::Build);
        } else if only(Purpose::Docker) {
            self.leave_out(line, text, "a privileged build has a Docker daemon already");
        } else if only(Purpose::Runtime) {
            self.leave_out(line, text, "the build image has the runtime");
        } else {
            self.record(line, text, ActionKind::Script);
        }
        self.forget(&effects, is_kept);
    }

    pub(super) fn if_(
        &mut self,
        arms: &[(List, List)],
        otherwise: Option<&List>,
        span: &Span,
        source: Source<'_>,
    ) {
        let before = self.when.clone();
        for (condition, body) in arms {
            self.list(condition, source);
            let asked = condition.0.first().map_or(span.clone(), |_| condition.span());
            let text = source.text(&asked);
            match condition::read(text, &self.variables) {
                ConditionResult::Known(true) => {
                    self.list(body, source);
                    self.when = before;
                    return;
                }
                ConditionResult::Known(false) => {}
                ConditionResult::Open(when) => {
                    // Only a condition that just tests something can run a second time.
                    let shell = when.shell.clone().filter(|_| is_pure_test(condition));
                    let shell =
                        shell.map(|shell| if is_negated(condition) { format!("! {shell}") } else { shell });
                    let when = When { shell, ..when };
                    let when = if is_negated(condition) && when.variable.is_some() {
                        When { equals: !when.equals, ..when }
                    } else {
                        when
                    };
                    self.under(when.clone(), body, source);
                    self.when = Some(when.otherwise().within(self.when.as_ref()));
                }
            }
        }
        if let Some(list) = otherwise {
            match self.when.clone() {
                Some(when) if self.when != before => {
                    self.when.clone_from(&before);
                    self.under_whole(when, list, source);
                }
                _ => self.list(list, source),
            }
        }
        self.when = before;
    }

    pub(super) fn case(&mut self, arms: &[List], span: &Span, source: Source<'_>) {
        let text = source.text(span).lines().next().unwrap_or_default().trim().to_owned();
        for list in arms {
            let when = When { text: text.clone(), equals: true, ..When::default() };
            self.under(when, list, source);
        }
    }

    /// Follows a list that runs under a condition. The values that it changes are unknown afterwards.
    fn under(&mut self, when: When, list: &List, source: Source<'_>) {
        let whole = when.within(self.when.as_ref());
        self.under_whole(whole, list, source);
    }

    fn under_whole(&mut self, when: When, list: &List, source: Source<'_>) {
        let (before, dir) = (self.when.clone(), self.dir.clone());
        let effects = self.effects(list, source.text);
        self.enter_conditional(&effects);
        self.when = Some(when);
        self.list(list, source);
        let span = list.span();
        self.leave_conditional(&effects, dir, source.line(&span), source.text(&span));
        self.when = before;
    }

    /// Prepares for commands that may not run: keeps the values that they may change.
    pub(super) fn enter_conditional(&mut self, effects: &Effects) {
        self.keep_known_values(effects);
    }

    /// Continues after commands that may not run: the values that they may change are unknown.
    pub(super) fn leave_conditional(&mut self, effects: &Effects, dir: String, line: usize, text: &str) {
        let is_kept = self.when.as_ref().is_none_or(|when| when.shell.is_some());
        self.forget(effects, is_kept && self.loops_followed_once == 0);
        if self.dir != dir {
            let why = "whether the build changes its folder is only known in the build: check the folders of the later commands";
            self.leave_out(line, text, why);
            self.dir = dir;
        }
    }

    /// Follows a loop: once for each of its values if they are known, else once.
    pub(super) fn loop_(&mut self, of: &Loop, span: &Span, source: Source<'_>) {
        let mut effects = self.effects(&of.body, source.text);
        if let Some(condition) = &of.condition {
            let more = self.effects(condition, source.text);
            effects.names.extend(more.names);
            effects.any |= more.any;
        }
        if let (Some(name), Some(values)) = (&of.variable, self.values(of, source)) {
            for value in values {
                if self.calls > MAX_CALLS {
                    break;
                }
                self.variables.set(name, value, source.line(span));
                self.list(&of.body, source);
            }
            self.variables.forget(name, false);
            if effects.leaves {
                self.forget(&effects, false);
            }
            return;
        }
        self.keep_known_values(&effects);
        self.forget(&effects, false);
        if let Some(name) = &of.variable {
            if lists_stacks(source.text(span)) {
                // The loop iterates over all stacks.
                self.variables.set(name, "*".to_owned(), source.line(span));
            } else {
                self.variables.forget(name, false);
                let why =
                    "the values of the loop are only known in the build: its commands are taken over once";
                self.leave_out(source.line(span), source.text(span), why);
            }
        }
        let dir = self.dir.clone();
        self.loops_followed_once += 1;
        of.condition.iter().for_each(|list| self.list(list, source));
        self.list(&of.body, source);
        self.loops_followed_once -= 1;
        self.forget(&effects, false);
        self.dir = dir;
        if let Some(name) = &of.variable {
            self.variables.forget(name, false);
        }
    }

    /// The values of a loop, if they are known.
    fn values(&self, of: &Loop, source: Source<'_>) -> Option<Vec<String>> {
        // A loop without values iterates over the arguments.
        if of.condition.is_some() || of.values.is_empty() {
            return None;
        }
        let words: Vec<(String, bool)> = of.values.iter().flat_map(|word| self.words(word, source)).collect();
        words.into_iter().map(|(text, is_known)| is_known.then_some(text)).collect()
    }

    /// The words that the shell makes of a word, each with whether it is completely known.
    pub(super) fn words(&self, word: &Word, source: Source<'_>) -> Vec<(String, bool)> {
        let expanded = self.variables.expand(word, source.text);
        if !expanded.splits || !expanded.known {
            return vec![(expanded.text, expanded.known)];
        }
        let split = |at: &dyn Fn(char) -> bool| {
            let parts = expanded.text.split(at).filter(|part| !part.is_empty());
            parts.map(|text| (text.to_owned(), true)).collect()
        };
        match self.variables.get("IFS") {
            Some(separators) => split(&|c| separators.contains(c)),
            None if self.variables.is_unknown("IFS") => vec![(expanded.text, false)],
            None => split(&char::is_whitespace),
        }
    }

    /// Records lines that set the known values of variables that are about to become unknown.
    pub(super) fn keep_known_values(&mut self, effects: &Effects) {
        let names: Vec<String> =
            if effects.any { self.variables.all_known() } else { effects.names.iter().cloned().collect() };
        for name in names {
            if let Some((line, text)) = self.variables.setting(&name).filter(|_| name != "IFS") {
                let line = if line == 0 { self.line } else { line };
                let when = self.when.take();
                self.record(line, &text, ActionKind::Setup(vec![name]));
                self.when = when;
            }
        }
    }

    pub(super) fn forget(&mut self, effects: &Effects, is_kept: bool) {
        if effects.any {
            self.variables.forget_all();
        }
        for name in &effects.names {
            self.variables.forget(name, is_kept);
        }
    }

    /// Whether a text has the same meaning at the place where it is kept.
    pub(super) fn may_keep(&self, text: &str) -> bool {
        self.loops_followed_once == 0 && self.variables.may_keep(text)
    }
}

fn is_negated(condition: &List) -> bool {
    matches!(&condition.0[..], [only] if only.rest.is_empty() && only.first.negated)
}

fn lists_stacks(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    ["cdk ls", "cdk list"].iter().any(|call| first.contains(call))
}

/// Whether a statement makes a decision, by a test or by the status of a command.
pub(super) fn is_conditional(statement: &Statement) -> bool {
    let decides = |command: &Command| {
        matches!(command.kind, CommandKind::If { .. } | CommandKind::Loop(_) | CommandKind::Case(_))
    };
    let group_decides = |command: &Command| match &command.kind {
        CommandKind::Group(list) => list.commands().any(decides),
        _ => false,
    };
    let is_or = statement.rest.iter().any(|(and_or, _)| *and_or == AndOr::Or);
    let tests = !statement.rest.is_empty() && statement.pipelines().any(is_test);
    is_or || tests || statement.commands().any(|command| decides(command) || group_decides(command))
}
