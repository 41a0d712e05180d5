//! The state of the interpreter, and the recording of actions.

use std::collections::BTreeMap;

use super::variables::Variables;
use crate::grammar::{CommandItem, Document};
use crate::shell::Span;
use crate::shell::programs::cdk::CdkCall;
use crate::understand::{LeftOut, Line, SourceTree, When};

/// The number of calls that are followed at most. Only nested loops reach it.
pub(super) const MAX_CALLS: usize = 5_000;
/// The depth to which functions and scripts of `package.json` may call each other.
pub(super) const MAX_DEPTH: usize = 8;

/// The variables that name the region of a deployment.
pub(in crate::understand) const REGIONS: [&str; 2] = ["AWS_REGION", "AWS_DEFAULT_REGION"];

/// One action of a build, with its place and its conditions.
#[derive(Debug, Clone)]
pub(in crate::understand) struct Action {
    pub(in crate::understand) at: Line,
    pub(in crate::understand) dir: String,
    pub(in crate::understand) when: Option<When>,
    /// Whether the action also runs after a failure.
    pub(in crate::understand) always: bool,
    pub(in crate::understand) may_fail: bool,
    pub(in crate::understand) background: bool,
    /// The environment variables with known values.
    pub(in crate::understand) env: BTreeMap<String, String>,
    /// The variables that the text names and whose values are known.
    pub(in crate::understand) named: BTreeMap<String, String>,
    /// The environment variables with regions whose values are not known.
    pub(in crate::understand) unknown_regions: Vec<UnknownRegion>,
    pub(in crate::understand) kind: ActionKind,
}

/// An environment variable with a region that is only known in the build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::understand) struct UnknownRegion {
    pub(in crate::understand) name: String,
    /// The value as written in the script.
    pub(in crate::understand) written: String,
    /// A command that sets the variable, if the variable is set for this call alone and the command also
    /// works elsewhere.
    pub(in crate::understand) setting: Option<String>,
}

#[derive(Debug, Clone)]
pub(in crate::understand) enum ActionKind {
    InstallPackages,
    Build,
    /// A command that prepares the shell for later commands, and sets these variables.
    Setup(Vec<String>),
    Cdk(Box<CdkCall>),
    /// An installation of the CDK CLI for the whole machine, in this version if one is named.
    InstallCdk(Option<String>),
    Bootstrap,
    /// A signal of the result to the address in this variable.
    Signal(String),
    Script,
}

/// Follows the commands of a buildspec, and tracks the state of the shell.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(in crate::understand) struct Interpreter<'a> {
    pub(super) source_tree: &'a dyn SourceTree,
    pub(in crate::understand) actions: Vec<Action>,
    pub(in crate::understand) left_out: Vec<LeftOut>,
    /// The number of calls that were followed.
    pub(in crate::understand) calls: usize,
    pub(super) dir: String,
    /// The folder that `cd -` goes back to.
    pub(super) dir_before: String,
    /// The folders of `pushd`.
    pub(super) pushed: Vec<String>,
    pub(super) variables: Variables,
    /// The bodies of functions.
    pub(super) functions: BTreeMap<String, String>,
    pub(super) when: Option<When>,
    pub(super) always: bool,
    pub(super) may_fail: bool,
    pub(super) background: bool,
    /// The number of functions and other scripts that call each other at this place.
    pub(super) depth: usize,
    /// The number of enclosing loops that are followed once, although they may run often or never.
    pub(super) loops_followed_once: usize,
    /// The first line of the item that is being followed.
    pub(super) line: usize,
    /// The regions that are set for one call alone.
    pub(super) unknown_regions: Vec<UnknownRegion>,
    limit_is_reported: bool,
}

/// A text that is being followed.
#[derive(Clone, Copy)]
pub(super) struct Source<'s> {
    pub(super) text: &'s str,
    /// The item that contains this text. A text from elsewhere, such as `package.json`, counts as one line.
    pub(super) item: Option<(&'s Document<'s>, &'s CommandItem)>,
    pub(super) line: usize,
}

/// The part of the state that a subshell does not change.
pub(super) struct ShellState {
    dir: String,
    variables: Variables,
    pushed: Vec<String>,
}

impl Source<'_> {
    pub(super) fn line(&self, span: &Span) -> usize {
        self.item.map_or(self.line, |(document, item)| document.line_of(item, span))
    }

    pub(super) fn text(&self, span: &Span) -> &str {
        self.text.get(span.clone()).unwrap_or_default().trim()
    }
}

impl<'a> Interpreter<'a> {
    pub(in crate::understand) fn new(
        variables: &[(String, String)],
        source_tree: &'a dyn SourceTree,
    ) -> Self {
        Self {
            source_tree,
            actions: Vec::new(),
            left_out: Vec::new(),
            calls: 0,
            dir: String::new(),
            dir_before: String::new(),
            pushed: Vec::new(),
            variables: Variables::given(variables),
            functions: BTreeMap::new(),
            when: None,
            always: false,
            may_fail: false,
            background: false,
            depth: 0,
            loops_followed_once: 0,
            line: 1,
            unknown_regions: Vec::new(),
            limit_is_reported: false,
        }
    }

    /// Whether the script exceeds the limits of the interpreter. The first time, this is reported.
    pub(super) fn is_over_limit(&mut self, span: &Span, source: Source<'_>) -> bool {
        let is_over = self.calls > MAX_CALLS || self.variables.are_over_limit();
        if is_over && !self.limit_is_reported {
            self.limit_is_reported = true;
            let why = "the script is too long to follow from here on";
            self.leave_out(source.line(span), source.text(span), why);
        }
        is_over
    }

    pub(super) fn shell_state(&self) -> ShellState {
        ShellState { dir: self.dir.clone(), variables: self.variables.clone(), pushed: self.pushed.clone() }
    }

    pub(super) fn restore(&mut self, state: ShellState) {
        ShellState { dir: self.dir, variables: self.variables, pushed: self.pushed } = state;
    }

    pub(super) fn record(&mut self, line: usize, text: &str, kind: ActionKind) {
        let is_moved = matches!(
            kind,
            ActionKind::InstallPackages | ActionKind::Build | ActionKind::Setup(_) | ActionKind::Script
        );
        if is_moved && self.depth > 0 && names_arguments(text) {
            let why = "it uses the arguments of a function: write the command out at this place";
            return self.leave_out(line, text, why);
        }
        let is_kept = is_moved && !matches!(kind, ActionKind::Setup(_));
        if is_kept && (self.loops_followed_once > 0 || self.depth > 0) && !self.variables.may_keep(text) {
            let why = "it uses values that are only known in the build: write the command out at this place";
            return self.leave_out(line, text, why);
        }
        let unknown_regions = self.all_unknown_regions();
        self.actions.push(Action {
            unknown_regions,
            at: Line { line, order: self.actions.len(), text: text.to_owned() },
            dir: self.dir.clone(),
            when: self.when.clone(),
            always: self.always,
            may_fail: self.may_fail,
            background: self.background,
            env: self.variables.environment(),
            named: self.variables.named_in(text),
            kind,
        });
    }

    pub(super) fn leave_out(&mut self, line: usize, what: &str, why: &str) {
        self.left_out.push(LeftOut { line, what: shortened(what), why: why.to_owned(), may_deploy: false });
    }

    /// Leaves out a command that may deploy something.
    pub(super) fn leave_out_deployment(&mut self, line: usize, what: &str, why: &str) {
        self.leave_out(line, what, why);
        if let Some(last) = self.left_out.last_mut() {
            last.may_deploy = true;
        }
    }

    /// The environment variables of a call with regions whose values are not known.
    fn all_unknown_regions(&self) -> Vec<UnknownRegion> {
        let is_unknown = |name: &&&str| self.variables.is_exported(name) && self.variables.is_unknown(name);
        let is_for_call = |name: &&&str| self.unknown_regions.iter().any(|region| region.name == **name);
        let unknown = REGIONS.iter().filter(is_unknown).filter(|name| !is_for_call(name));
        let unknown = unknown.map(|name| UnknownRegion {
            name: (*name).to_owned(),
            written: format!("${name}"),
            setting: None,
        });
        self.unknown_regions.iter().cloned().chain(unknown).collect()
    }
}

/// The first line of a text, cut to the length that fits into a message.
pub(in crate::understand) fn shortened(text: &str) -> String {
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
