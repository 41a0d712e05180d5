//! Follows the commands of a buildspec the way a shell would, with what is known before anything runs.

mod and_or;
mod calls;
mod classify;
mod compound;
mod effects;

use std::collections::BTreeMap;

use super::cdk::Cdk;
use super::read::{Command as Item, Document};
use super::variables::Variables;
use super::{LeftOut, Line, SourceTree, When};
use crate::shell::{Command, CommandKind, List, Pipeline, Span, Statement, SyntaxError};
use classify::{Concern, span_of};
use compound::is_conditional;

/// More calls than this nobody has written: loops in loops have made them.
const MAX_CALLS: usize = 5_000;
/// How deep functions and scripts of `package.json` may call each other.
const MAX_DEPTH: usize = 8;

/// Something that a build does, where, and when.
#[derive(Debug, Clone)]
pub(super) struct Action {
    pub(super) at: Line,
    pub(super) dir: String,
    pub(super) when: Option<When>,
    pub(super) always: bool,
    pub(super) may_fail: bool,
    pub(super) background: bool,
    /// What programs see, as far as it is known.
    pub(super) env: BTreeMap<String, String>,
    /// Variables that the text names and whose values are known.
    pub(super) named: BTreeMap<String, String>,
    /// The regions that programs see and that only the run knows: the variable, how it is set, and whether a line that is
    /// kept can set it.
    pub(super) open: Vec<UnknownRegion>,
    pub(super) kind: ActionKind,
}

/// A variable for programs, of which only the run knows the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UnknownRegion {
    pub(super) name: String,
    /// As it is set.
    pub(super) written: String,
    /// What sets it, where that is for this call alone and can be kept.
    pub(super) setting: Option<String>,
}

#[derive(Debug, Clone)]
pub(super) enum ActionKind {
    Install,
    Build,
    /// What later commands need before them, and the variables that it sets.
    Setup(Vec<String>),
    Cdk(Box<Cdk>),
    /// The version of the CDK CLI that is installed for all, if one is named.
    Cli(Option<String>),
    Bootstrap,
    Signal(String),
    Script,
}

#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Interpreter<'a> {
    source_tree: &'a dyn SourceTree,
    pub(super) actions: Vec<Action>,
    pub(super) left_out: Vec<LeftOut>,
    /// How many calls were followed.
    pub(super) calls: usize,
    dir: String,
    dir_before: String,
    pushed: Vec<String>,
    variables: Variables,
    /// The bodies of functions.
    functions: BTreeMap<String, String>,
    when: Option<When>,
    always: bool,
    may_fail: bool,
    background: bool,
    depth: usize,
    /// How deep it is in what is taken once, though it may run often or not at all.
    fleeting: usize,
    /// The line of the item that is followed.
    line: usize,
    /// What is set for one call alone and not known.
    open: Vec<UnknownRegion>,
    spent: bool,
}

/// A text that is being followed.
#[derive(Clone, Copy)]
struct Source<'s> {
    text: &'s str,
    /// The item it is. Without one, all of it is on the line.
    item: Option<&'s Item>,
    line: usize,
}

impl Source<'_> {
    fn line(&self, span: &Span) -> usize {
        self.item.map_or(self.line, |item| item.line_of(span))
    }

    fn text(&self, span: &Span) -> &str {
        self.text.get(span.clone()).unwrap_or_default().trim()
    }
}

impl<'a> Interpreter<'a> {
    pub(super) fn new(document: &Document, source_tree: &'a dyn SourceTree) -> Self {
        Self {
            source_tree,
            actions: Vec::new(),
            left_out: Vec::new(),
            calls: 0,
            dir: String::new(),
            dir_before: String::new(),
            pushed: Vec::new(),
            variables: Variables::given(&document.variables),
            functions: BTreeMap::new(),
            when: None,
            always: false,
            may_fail: false,
            background: false,
            depth: 0,
            fleeting: 0,
            line: 1,
            open: Vec::new(),
            spent: false,
        }
    }

    pub(super) fn all(&mut self, document: &Document) {
        for item in &document.commands {
            self.always = item.always;
            self.line = item.line;
            let source = Source { text: &item.text, item: Some(item), line: item.line };
            self.list(&item.script.body, source);
            if let Some(error) = &item.script.error {
                let (at, why) = match error {
                    SyntaxError::Unclosed { what, at } => (at.clone(), format!("`{what}` is never closed")),
                    SyntaxError::Unexpected { what, at } => {
                        (at.clone(), format!("`{what}` is not expected here"))
                    }
                    SyntaxError::TooDeep => (0..0, "it is nested too deeply".to_owned()),
                };
                self.leave_out(
                    source.line(&at),
                    &item.text,
                    &format!("the script cannot be read from here on: {why}"),
                );
            }
        }
    }

    fn list(&mut self, list: &List, source: Source<'_>) {
        for statement in &list.0 {
            self.statement(statement, source);
        }
    }

    fn statement(&mut self, statement: &Statement, source: Source<'_>) {
        let span = statement.span();
        if self.is_spent(&span, source) {
            return;
        }
        let before = (self.background, self.may_fail, self.when.clone());
        self.background |= statement.background;
        // What runs beside runs in a shell of its own.
        let shell = statement.background.then(|| self.shell());
        match self.concern(statement) {
            Concern::Nothing => self.calls += 1,
            Concern::Kept => {
                self.calls += 1;
                self.record(source.line(&span), source.text(&span), ActionKind::Script);
            }
            Concern::Followed if is_conditional(statement) && !self.is_deep(statement) => {
                self.keep(statement, source);
            }
            Concern::Followed => self.joined(statement, source),
        }
        if let Some(shell) = shell {
            self.back_to(shell);
        }
        (self.background, self.may_fail, self.when) = before;
    }

    /// Whether there was more than can be followed, which is said once.
    fn is_spent(&mut self, span: &Span, source: Source<'_>) -> bool {
        let is_spent = self.calls > MAX_CALLS || self.variables.are_spent();
        if is_spent && !self.spent {
            self.spent = true;
            let why = "there is more than can be followed from here on";
            self.leave_out(source.line(span), source.text(span), why);
        }
        is_spent
    }

    /// The state of a shell that another is started from.
    fn shell(&self) -> (String, Variables, Vec<String>) {
        (self.dir.clone(), self.variables.clone(), self.pushed.clone())
    }

    fn back_to(&mut self, shell: (String, Variables, Vec<String>)) {
        (self.dir, self.variables, self.pushed) = shell;
    }

    fn pipeline(&mut self, pipeline: &Pipeline, source: Source<'_>) {
        if let [command] = &pipeline.commands[..] {
            return self.command(command, source);
        }
        // What is fed or filtered beside the call that matters is left.
        let mut any = false;
        let shell = self.shell();
        for command in &pipeline.commands {
            if self.command_concerns(command) == Concern::Followed {
                any = true;
                self.command(command, source);
            }
        }
        self.back_to(shell);
        if !any && !self.only_says(pipeline) {
            let span = span_of(pipeline);
            self.record(source.line(&span), source.text(&span), ActionKind::Script);
        }
    }

    fn command(&mut self, command: &Command, source: Source<'_>) {
        match &command.kind {
            CommandKind::Simple(simple) => self.simple(simple, &command.span, source),
            CommandKind::Group(list) => self.list(list, source),
            CommandKind::Subshell(list) => {
                let shell = self.shell();
                self.list(list, source);
                self.back_to(shell);
            }
            CommandKind::If { arms, otherwise } => {
                self.branches(arms, otherwise.as_ref(), &command.span, source)
            }
            CommandKind::Loop(of) => self.each(of, &command.span, source),
            CommandKind::Case(arms) => self.alternatives(arms, &command.span, source),
            CommandKind::Function { name, body } => {
                self.functions.insert(name.clone(), source.text(&body.span).to_owned());
            }
            CommandKind::Test => {}
        }
    }

    fn record(&mut self, line: usize, text: &str, kind: ActionKind) {
        let is_run_elsewhere = matches!(
            what,
            ActionKind::Install | ActionKind::Build | ActionKind::Setup(_) | ActionKind::Script
        ) && self.depth > 0;
        if is_run_elsewhere && names_arguments(text) {
            let why = "it uses what a function is given: put what it does there in its place";
            return self.leave_out(line, text, why);
        }
        let is_own = matches!(what, ActionKind::Install | ActionKind::Build | ActionKind::Script);
        if is_own && (self.fleeting > 0 || self.depth > 0) && !self.variables.may_keep(text) {
            let why = "it uses what is only known there when it runs: put what it does in its place";
            return self.leave_out(line, text, why);
        }
        let open = self.open_regions();
        self.actions.push(Action {
            open,
            at: Line { line, order: self.actions.len(), text: text.to_owned() },
            dir: self.dir.clone(),
            when: self.when.clone(),
            always: self.always,
            may_fail: self.may_fail,
            background: self.background,
            env: self.variables.environment(),
            named: self.variables.named_in(text),
            kind: what,
        });
    }

    fn leave_out(&mut self, line: usize, what: &str, why: &str) {
        self.left_out.push(LeftOut { line, what: shortened(what), why: why.to_owned(), may_deploy: false });
    }

    /// Leaves out what may deploy something.
    fn leave_out_deployment(&mut self, line: usize, what: &str, why: &str) {
        self.leave_out(line, what, why);
        if let Some(last) = self.left_out.last_mut() {
            last.may_deploy = true;
        }
    }

    /// The regions that a call sees and that only the run knows.
    fn open_regions(&self) -> Vec<UnknownRegion> {
        let exported = REGIONS.iter().filter(|name| self.variables.is_exported(name));
        let lost = exported.filter(|name| self.variables.is_lost(name));
        let for_call = |name: &&&str| self.open.iter().any(|open| open.name == **name);
        let lost = lost.filter(|name| !for_call(name)).map(|name| UnknownRegion {
            name: (*name).to_owned(),
            written: format!("${name}"),
            setting: None,
        });
        self.open.iter().cloned().chain(lost).collect()
    }
}

/// The variables that say where an app is deployed to.
pub(super) const REGIONS: [&str; 2] = ["AWS_REGION", "AWS_DEFAULT_REGION"];

/// The first line of a text, or as much of it as a message has room for.
pub(super) fn shortened(text: &str) -> String {
    const WIDTH: usize = 60;
    let line = text.trim().lines().next().unwrap_or_default();
    let more = text.trim().lines().nth(1).is_some();
    if line.chars().count() <= WIDTH && !more {
        return line.to_owned();
    }
    let short: String = line.chars().take(WIDTH).collect();
    format!("{}…", short.trim_end())
}

/// Whether a text names the arguments of a script or a function.
fn names_arguments(text: &str) -> bool {
    let after = text.match_indices('$').map(|(at, _)| text[at + 1..].trim_start_matches('{'));
    let mut after = after.filter_map(|rest| rest.chars().next());
    after.any(|c| matches!(c, '@' | '*') || c.is_ascii_digit())
}
