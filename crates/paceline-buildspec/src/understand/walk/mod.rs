//! Follows the commands of a buildspec the way a shell would, with what is known before anything runs.

mod calls;
mod look;

use std::collections::BTreeMap;

use super::cdk::Cdk;
use super::condition::{self, Asked};
use super::read::{Command as Item, Document};
use super::variables::Variables;
use super::{LeftOut, Line, Surroundings, When};
use crate::shell::{Command, Joint, Kind, List, Loop, Pipeline, Span, Statement, Trouble, Word};
use look::{Concern, assigned, ends_there, is_test, sets_only, span_of};

/// More calls than this nobody has written: loops in loops have made them.
const MAX_CALLS: usize = 5_000;
/// How deep functions and scripts of `package.json` may call each other.
const MAX_DEPTH: usize = 8;

/// Something that a build does, where, and when.
#[derive(Debug, Clone)]
pub(super) struct Act {
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
    pub(super) what: What,
}

#[derive(Debug, Clone)]
pub(super) enum What {
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
pub(super) struct Walk<'a> {
    surroundings: &'a dyn Surroundings,
    pub(super) acts: Vec<Act>,
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

impl<'a> Walk<'a> {
    pub(super) fn new(document: &Document, surroundings: &'a dyn Surroundings) -> Self {
        Self {
            surroundings,
            acts: Vec::new(),
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
            spent: false,
        }
    }

    pub(super) fn all(&mut self, document: &Document) {
        for item in &document.commands {
            self.always = item.always;
            let source = Source { text: &item.text, item: Some(item), line: item.line };
            self.list(&item.script.body, source);
            if let Some(trouble) = &item.script.trouble {
                let (at, why) = match trouble {
                    Trouble::Unclosed { what, at } => (at.clone(), format!("`{what}` is never closed")),
                    Trouble::Unexpected { what, at } => {
                        (at.clone(), format!("`{what}` is not expected here"))
                    }
                    Trouble::TooDeep => (0..0, "it is nested too deeply".to_owned()),
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
        match self.concern(statement) {
            Concern::Nothing => self.calls += 1,
            Concern::Kept => {
                self.calls += 1;
                self.act(source.line(&span), source.text(&span), What::Script);
            }
            Concern::Followed => self.joined(statement, source),
        }
        (self.background, self.may_fail, self.when) = before;
    }

    /// Whether there was more than can be followed, which is said once.
    fn is_spent(&mut self, span: &Span, source: Source<'_>) -> bool {
        let is_spent = self.calls > MAX_CALLS;
        if is_spent && !self.spent {
            self.spent = true;
            let why = "there is more than can be followed from here on";
            self.leave_out(source.line(span), source.text(span), why);
        }
        is_spent
    }

    /// Pipelines with `&&` and `||` between them.
    fn joined(&mut self, statement: &Statement, source: Source<'_>) {
        let ends: Vec<Option<Joint>> =
            statement.rest.iter().map(|(joint, _)| Some(*joint)).chain([None]).collect();
        let mut before = None;
        for (pipeline, next) in statement.pipelines().zip(ends) {
            let span = span_of(pipeline);
            if before == Some(Joint::Or) && !is_test(statement.pipelines().next()) {
                // What happens after a failure. A retry does the same again, which is found to be the same.
                if self.any_followed(pipeline) {
                    self.pipeline(pipeline, source);
                } else if !self.only_says(pipeline) {
                    let why = "it is for a failure, which a run reports itself";
                    self.leave_out(source.line(&span), source.text(&span), why);
                }
            } else if let (true, Some(joint)) = (is_test(Some(pipeline)), next) {
                let asked = condition::read(source.text(&span), &self.variables);
                match (asked, joint) {
                    (Asked::Known(is), _) if is == (joint == Joint::And) => {}
                    (Asked::Known(_), _) => return,
                    (Asked::Open(when), Joint::And) => self.when = Some(when.within(self.when.as_ref())),
                    (Asked::Open(when), Joint::Or) => {
                        self.when = Some(when.otherwise().within(self.when.as_ref()));
                    }
                }
            } else {
                self.may_fail = next == Some(Joint::Or) && !ends_there(statement);
                self.pipeline(pipeline, source);
            }
            before = next;
        }
    }

    fn pipeline(&mut self, pipeline: &Pipeline, source: Source<'_>) {
        if let [command] = &pipeline.commands[..] {
            return self.command(command, source);
        }
        // What is fed or filtered beside the call that matters is left.
        let mut any = false;
        for command in &pipeline.commands {
            if self.command_concerns(command) == Concern::Followed {
                any = true;
                self.command(command, source);
            }
        }
        if !any && !self.only_says(pipeline) {
            let span = span_of(pipeline);
            self.act(source.line(&span), source.text(&span), What::Script);
        }
    }

    fn command(&mut self, command: &Command, source: Source<'_>) {
        match &command.kind {
            Kind::Simple(simple) => self.simple(simple, &command.span, source),
            Kind::Group(list) => self.list(list, source),
            Kind::Subshell(list) => {
                let kept = (self.dir.clone(), self.variables.clone(), self.pushed.clone());
                self.list(list, source);
                (self.dir, self.variables, self.pushed) = kept;
            }
            Kind::If { arms, otherwise } => self.branches(arms, otherwise.as_ref(), &command.span, source),
            Kind::Loop(of) => self.each(of, &command.span, source),
            Kind::Case(arms) => {
                for list in arms {
                    let line =
                        source.text(&command.span).lines().next().unwrap_or_default().trim().to_owned();
                    self.under(
                        When { variable: None, value: String::new(), equals: true, text: line },
                        list,
                        source,
                    );
                }
            }
            Kind::Function { name, body } => {
                self.functions.insert(name.clone(), source.text(&body.span).to_owned());
            }
            Kind::Test => {}
        }
    }

    fn branches(&mut self, arms: &[(List, List)], otherwise: Option<&List>, span: &Span, source: Source<'_>) {
        // What only sets variables is run before whatever uses them.
        let all = arms.iter().map(|(_, body)| body).chain(otherwise);
        let mut set = Vec::new();
        if all.clone().all(|list| sets_only(list, &mut set)) && !set.is_empty() {
            self.forget(&set);
            return self.act(source.line(span), source.text(span), What::Setup(set));
        }
        let mut outer = Vec::new();
        for (condition, body) in arms {
            self.list(condition, source);
            let span = condition.0.first().map_or(span.clone(), |first| {
                first.span().start..condition.0.last().map_or(first.span().end, |last| last.span().end)
            });
            match condition::read(source.text(&span), &self.variables) {
                Asked::Known(true) => {
                    self.list(body, source);
                    self.when = outer.first().cloned().unwrap_or(self.when.take());
                    return;
                }
                Asked::Known(false) => {}
                Asked::Open(when) => {
                    self.under(when.clone(), body, source);
                    outer.push(self.when.clone());
                    self.when = Some(when.otherwise().within(self.when.as_ref()));
                }
            }
        }
        if let Some(list) = otherwise {
            self.list(list, source);
        }
        if let Some(first) = outer.into_iter().next() {
            self.when = first;
        }
    }

    /// Follows what only happens under a condition. What it changes is not known after it.
    fn under(&mut self, when: When, list: &List, source: Source<'_>) {
        let before = (self.when.clone(), self.dir.clone());
        self.when = Some(when.within(self.when.as_ref()));
        self.list(list, source);
        let mut set = Vec::new();
        assigned(list, &mut set);
        self.forget(&set);
        (self.when, self.dir) = before;
    }

    fn forget(&mut self, names: &[String]) {
        for name in names {
            self.variables.set(name, None);
        }
    }

    /// A loop with known values is followed once for each.
    fn each(&mut self, of: &Loop, span: &Span, source: Source<'_>) {
        let Some(name) = of.variable.as_ref().filter(|_| of.condition.is_none()) else {
            // `until cdk deploy …; do sleep; done` tries again.
            of.condition.iter().for_each(|list| self.list(list, source));
            return self.list(&of.body, source);
        };
        let words: Vec<(String, bool)> = of.values.iter().flat_map(|word| self.words(word, source)).collect();
        if words.iter().all(|(_, known)| *known) {
            for (value, _) in words {
                if self.calls > MAX_CALLS {
                    break;
                }
                self.variables.set(name, Some(value));
                self.list(&of.body, source);
            }
        } else {
            let lists_stacks = source
                .text(span)
                .lines()
                .next()
                .is_some_and(|line| ["cdk ls", "cdk list"].iter().any(|call| line.contains(call)));
            if lists_stacks {
                // All stacks, as they are listed.
                self.variables.set(name, Some("*".to_owned()));
                self.list(&of.body, source);
            } else {
                let why = "what it goes through is only known when it runs; name the stacks yourself";
                self.leave_out(source.line(span), source.text(span), why);
            }
        }
        self.variables.set(name, None);
    }

    /// The words that a word becomes, each with whether all of it is known.
    fn words(&self, word: &Word, source: Source<'_>) -> Vec<(String, bool)> {
        let expanded = self.variables.expand(word, source.text);
        if expanded.splits && expanded.known {
            return expanded.text.split_whitespace().map(|text| (text.to_owned(), true)).collect();
        }
        vec![(expanded.text, expanded.known)]
    }

    fn act(&mut self, line: usize, text: &str, what: What) {
        self.acts.push(Act {
            at: Line { line, text: text.to_owned() },
            dir: self.dir.clone(),
            when: self.when.clone(),
            always: self.always,
            may_fail: self.may_fail,
            background: self.background,
            env: self.variables.environment(),
            named: self.variables.named_in(text),
            what,
        });
    }

    fn leave_out(&mut self, line: usize, what: &str, why: &str) {
        self.left_out.push(LeftOut { line, what: shortened(what), why: why.to_owned() });
    }
}

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
