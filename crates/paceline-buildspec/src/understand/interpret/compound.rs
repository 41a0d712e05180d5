//! Commands that hold commands: conditions, loops, alternatives.

use super::classify::{commands, is_pure_test, span_of_list};
use super::effects::{Effects, only_sets};
use super::{ActionKind, Interpreter, MAX_CALLS, Source};
use crate::shell::{Command, List, Loop, Pipeline, Span, Statement, Word};
use crate::understand::When;
use crate::understand::condition::{self, Asked};
use crate::understand::programs::Role;

impl Interpreter<'_> {
    /// Keeps a whole statement as it is written, where nothing of it has to be followed.
    pub(super) fn keep(&mut self, statement: &Statement, source: Source<'_>) {
        self.calls += 1;
        let span = statement.span();
        let (line, text) = (source.line(&span), source.text(&span));
        let effects = self.effects_of(statement, source.text);
        let all = || statement.pipelines().flat_map(|pipeline| &pipeline.commands);
        let mut roles = Vec::new();
        all().for_each(|command| Self::roles_in(command, &mut roles));
        let is = |wanted: fn(&Role) -> bool| roles.iter().any(wanted);
        let only = |wanted: fn(&Role) -> bool| roles.iter().all(|it| wanted(it) || *it == Role::Says);
        if effects.dir {
            let why =
                "where the build is after this is only known when it runs: check the folders of what follows";
            self.leave_out(line, text, why);
        }
        self.retire(&effects);
        let is_kept = self.may_keep(text);
        if effects.sets() && is_kept {
            let names = effects.names.iter().cloned().collect();
            self.record(line, text, ActionKind::Setup(if effects.any { Vec::new() } else { names }));
        }
        if all().all(only_sets) {
            // It is said already, or says nothing.
        } else if is(|role| matches!(role, Role::Install | Role::Tool | Role::Cli(_))) {
            self.record(line, text, ActionKind::Install);
        } else if is(|role| matches!(role, Role::Build | Role::PackageScript(_))) {
            self.record(line, text, ActionKind::Build);
        } else if only(|role| *role == Role::Daemon) {
            self.leave_out(line, text, "a privileged build has a Docker daemon already");
        } else if only(|role| *role == Role::Runtime) {
            self.leave_out(line, text, "the build image has the runtime");
        } else {
            self.record(line, text, ActionKind::Script);
        }
        self.lose(&effects, is_kept);
    }

    pub(super) fn branches(
        &mut self,
        arms: &[(List, List)],
        otherwise: Option<&List>,
        span: &Span,
        source: Source<'_>,
    ) {
        let before = self.when.clone();
        for (condition, body) in arms {
            self.list(condition, source);
            let asked = condition.0.first().map_or(span.clone(), |_| span_of_list(condition));
            let text = source.text(&asked);
            match condition::read(text, &self.variables) {
                Asked::Known(true) => {
                    self.list(body, source);
                    self.when = before;
                    return;
                }
                Asked::Known(false) => {}
                Asked::Open(when) => {
                    // What is not a mere question is not asked a second time.
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

    pub(super) fn alternatives(&mut self, arms: &[List], span: &Span, source: Source<'_>) {
        let text = source.text(span).lines().next().unwrap_or_default().trim().to_owned();
        for list in arms {
            let when = When { text: text.clone(), equals: true, ..When::default() };
            self.under(when, list, source);
        }
    }

    /// Follows what only happens under a condition. What it changes is not known after it.
    fn under(&mut self, when: When, list: &List, source: Source<'_>) {
        let whole = when.within(self.when.as_ref());
        self.under_whole(whole, list, source);
    }

    fn under_whole(&mut self, when: When, list: &List, source: Source<'_>) {
        let (before, dir) = (self.when.clone(), self.dir.clone());
        let effects = self.effects(list, source.text);
        self.begin_maybe(&effects);
        self.when = Some(when);
        self.list(list, source);
        let span = span_of_list(list);
        self.end_maybe(&effects, dir, source.line(&span), source.text(&span));
        self.when = before;
    }

    /// Before something is followed that may not be run: what it may change is set by lines that are kept.
    pub(super) fn begin_maybe(&mut self, effects: &Effects) {
        self.retire(effects);
    }

    /// After it: nobody knows whether it was run.
    pub(super) fn end_maybe(&mut self, effects: &Effects, dir: String, line: usize, text: &str) {
        let is_kept = self.when.as_ref().is_none_or(|when| when.shell.is_some());
        self.lose(effects, is_kept && self.fleeting == 0);
        if self.dir != dir {
            let why =
                "whether the build goes there is only known when it runs: check the folders of what follows";
            self.leave_out(line, text, why);
            self.dir = dir;
        }
    }

    /// Every loop that something has to be followed in: once for each of its values where these are known, else once.
    pub(super) fn each(&mut self, of: &Loop, span: &Span, source: Source<'_>) {
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
            self.variables.lose(name, false);
            if effects.leaves {
                self.lose(&effects, false);
            }
            return;
        }
        self.retire(&effects);
        self.lose(&effects, false);
        if let Some(name) = &of.variable {
            if lists_stacks(source.text(span)) {
                // All stacks, as they are listed.
                self.variables.set(name, "*".to_owned(), source.line(span));
            } else {
                self.variables.lose(name, false);
                let why = "what it goes through is only known when it runs: its commands are taken over once";
                self.leave_out(source.line(span), source.text(span), why);
            }
        }
        let dir = self.dir.clone();
        self.fleeting += 1;
        of.condition.iter().for_each(|list| self.list(list, source));
        self.list(&of.body, source);
        self.fleeting -= 1;
        self.lose(&effects, false);
        self.dir = dir;
        if let Some(name) = &of.variable {
            self.variables.lose(name, false);
        }
    }

    /// What a loop goes through, if that is known.
    fn values(&self, of: &Loop, source: Source<'_>) -> Option<Vec<String>> {
        // Without values it goes through the arguments.
        if of.condition.is_some() || of.values.is_empty() {
            return None;
        }
        let words: Vec<(String, bool)> = of.values.iter().flat_map(|word| self.words(word, source)).collect();
        words.into_iter().map(|(text, is_known)| is_known.then_some(text)).collect()
    }

    /// The words that a word becomes, each with whether all of it is known.
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
            None if self.variables.is_lost("IFS") => vec![(expanded.text, false)],
            None => split(&char::is_whitespace),
        }
    }

    pub(super) fn effects_of_pipeline(&self, pipeline: &Pipeline, text: &str) -> Effects {
        match &pipeline.commands[..] {
            [command] => self.effects_of_command(command, text),
            _ => Effects::default(),
        }
    }

    fn effects_of_command(&self, command: &Command, text: &str) -> Effects {
        let mut effects = Effects::default();
        self.in_command(command, text, 0, &mut effects);
        effects
    }

    /// Keeps lines that set what is known so far of variables that are about to change in a way that is not.
    pub(super) fn retire(&mut self, effects: &Effects) {
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

    pub(super) fn lose(&mut self, effects: &Effects, is_kept: bool) {
        if effects.any {
            self.variables.lose_all();
        }
        for name in &effects.names {
            self.variables.lose(name, is_kept);
        }
    }

    /// Whether a text says the same where it is kept.
    pub(super) fn may_keep(&self, text: &str) -> bool {
        self.fleeting == 0 && self.variables.may_keep(text)
    }
}

fn is_negated(condition: &List) -> bool {
    matches!(&condition.0[..], [only] if only.rest.is_empty() && only.first.negated)
}

fn lists_stacks(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    ["cdk ls", "cdk list"].iter().any(|call| first.contains(call))
}

/// Whether something in it is decided: what is kept of it is kept whole.
pub(super) fn is_conditional(statement: &Statement) -> bool {
    use crate::shell::{AndOr, CommandKind};
    let decides = |command: &Command| {
        matches!(command.kind, CommandKind::If { .. } | CommandKind::Loop(_) | CommandKind::Case(_))
    };
    let in_lists = |command: &Command| match &command.kind {
        CommandKind::Group(list) => commands(list).any(decides),
        _ => false,
    };
    let is_or = statement.rest.iter().any(|(joint, _)| *joint == AndOr::Or);
    let mut all = statement.pipelines().flat_map(|pipeline| &pipeline.commands);
    let tests = !statement.rest.is_empty()
        && statement.pipelines().any(|pipeline| super::classify::is_test(Some(pipeline)));
    is_or || tests || all.any(|command| decides(command) || in_lists(command))
}
