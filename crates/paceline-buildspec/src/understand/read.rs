//! The commands of a buildspec with their places.

use std::collections::BTreeMap;

use super::{LeftOut, Runtime};
use crate::grammar::{Buildspec, PhaseName};
use crate::shell::{Script, Span};
use crate::yaml::{self, Kind, Lines, Node, SourceMap};

/// No buildspec comes near this.
pub const MAX_BYTES: usize = crate::lint::MAX_BYTES;

/// A buildspec as far as it matters here.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) commands: Vec<Command>,
    pub(super) variables: Vec<(String, String)>,
    pub(super) runtimes: Vec<Runtime>,
    /// What the build has beside commands, that is not taken over.
    pub(super) left_out: Vec<LeftOut>,
    pub(super) problems: Vec<LeftOut>,
}

/// One item of `commands` or `finally`.
#[derive(Debug)]
pub(super) struct Command {
    pub(super) text: String,
    pub(super) script: Script,
    /// Runs whether what was before has failed or not.
    pub(super) always: bool,
    /// The line of each byte of the text.
    lines: BTreeMap<usize, usize>,
    pub(super) line: usize,
}

impl Command {
    /// The line of the file that a part of the text starts on.
    pub(super) fn line_of(&self, span: &Span) -> usize {
        self.lines.range(..=span.start).next_back().map_or(self.line, |(_, line)| *line)
    }
}

pub(super) fn document(bytes: &[u8]) -> Result<Document, LeftOut> {
    let refused = |line, why: String| LeftOut { line, what: "the file".to_owned(), why, may_deploy: false };
    if bytes.len() > MAX_BYTES {
        return Err(refused(1, format!("it is larger than any buildspec: {} bytes", bytes.len())));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        let line = String::from_utf8_lossy(before).matches('\n').count() + 1;
        refused(line, "it is not UTF-8 text from here on".to_owned())
    })?;
    let parsed = yaml::parse_with_duplicates(text)
        .map_err(|error| refused(error.at.line, format!("it is no YAML: {}", error.message)))?;
    let examined = Buildspec::examine(&parsed.root);
    let problem =
        |line, path: &str, why: String| LeftOut { line, what: format!("`{path}`"), why, may_deploy: false };
    let mut problems: Vec<LeftOut> = examined
        .invalid
        .iter()
        .chain(&examined.unknown)
        .map(|it| problem(it.at.line, &it.path, it.message.clone()))
        .collect();
    problems.extend(
        parsed
            .duplicates
            .iter()
            .map(|it| problem(it.at.line, "key", format!("{}: the first is taken", it.message))),
    );
    let lines = Lines::of(text);
    let root = &parsed.root;
    let shell = node(root, "env.shell").and_then(text_of).unwrap_or_default().to_ascii_lowercase();
    let is_windows = ["powershell", "pwsh", "cmd"].iter().any(|name| shell.starts_with(name));
    let mut left_out = beside(root);
    let mut commands = Vec::new();
    for phase in PhaseName::ALL {
        for key in ["commands", "finally"] {
            let path = format!("phases.{phase}.{key}");
            let Some(list) = node(root, &path) else { continue };
            if is_windows {
                let why = format!("the commands are for {shell}, which is not a shell that can be read here");
                left_out.push(LeftOut {
                    line: list.at.line,
                    what: format!("`{path}`"),
                    why,
                    may_deploy: true,
                });
                continue;
            }
            let always = key == "finally" || phase == PhaseName::PostBuild;
            commands.extend(items(list).iter().filter_map(|item| command(text, &lines, item, always)));
        }
    }
    let runtimes = map(root, "phases.install.runtime-versions").iter().filter_map(|(key, value)| {
        Some(Runtime { line: key.at.line, name: key.text.clone(), version: text_of(value)?.to_owned() })
    });
    let variables = map(root, "env.variables").iter();
    let variables = variables.filter_map(|(key, value)| Some((key.text.clone(), text_of(value)?.to_owned())));
    Ok(Document {
        commands,
        runtimes: runtimes.collect(),
        variables: variables.collect(),
        left_out,
        problems,
    })
}

fn command(file: &str, lines: &Lines<'_>, item: &Node, always: bool) -> Option<Command> {
    let Kind::Scalar { text, style } = &item.kind else { return None };
    if item.is_null() {
        return None;
    }
    let map = SourceMap::of(file, item, *style, text);
    let line_at = |byte: usize| lines.at(map.source(&(byte..byte + 1)).start).line;
    let starts = std::iter::once(0).chain(text.match_indices(char::is_whitespace).map(|(at, _)| at + 1));
    let by_byte = starts.filter(|at| *at < text.len()).map(|at| (at, line_at(at))).collect();
    Some(Command {
        text: text.clone(),
        script: Script::parse(text),
        always,
        lines: by_byte,
        line: line_at(0),
    })
}

/// What a buildspec has beside its commands and has no counterpart in a configuration.
fn beside(root: &Node) -> Vec<LeftOut> {
    const WHY: [(&str, &str); 7] = [
        (
            "env.parameter-store",
            "give the variable to the CodeBuild project: its builds run the generated buildspec",
        ),
        (
            "env.secrets-manager",
            "give the variable to the CodeBuild project: its builds run the generated buildspec",
        ),
        ("env.exported-variables", "the generated buildspec exports none"),
        ("cache", "the generated buildspec has a cache of its own"),
        ("artifacts", "the generated buildspec keeps the journal, the plan and the reports"),
        ("reports", "the generated buildspec has the report of the run"),
        ("batch", "`codebuild.batch` makes a batch by regions or by images"),
    ];
    let mut found = Vec::new();
    for (path, why) in WHY {
        let Some((line, value)) = entry(root, path) else { continue };
        let mut names: Vec<&str> = match &value.kind {
            Kind::Map(entries) if path.starts_with("env.") => {
                entries.iter().map(|(key, _)| key.text.as_str()).collect()
            }
            _ => Vec::new(),
        };
        names.truncate(8);
        let names = if names.is_empty() { String::new() } else { format!(": {}", names.join(", ")) };
        found.push(LeftOut {
            line,
            what: format!("`{path}`{names}"),
            why: why.to_owned(),
            may_deploy: false,
        });
    }
    found
}

fn entry<'a>(root: &'a Node, path: &str) -> Option<(usize, &'a Node)> {
    let mut found = (0, root);
    for part in path.split('.') {
        let Kind::Map(entries) = &found.1.kind else { return None };
        let (key, value) = entries.iter().find(|(key, _)| key.text == part)?;
        found = (key.at.line, value);
    }
    Some(found)
}

fn node<'a>(root: &'a Node, path: &str) -> Option<&'a Node> {
    entry(root, path).map(|(_, node)| node)
}

fn map<'a>(root: &'a Node, path: &str) -> &'a [(yaml::Key, Node)] {
    match node(root, path).map(|node| &node.kind) {
        Some(Kind::Map(entries)) => entries,
        _ => &[],
    }
}

fn text_of(node: &Node) -> Option<&str> {
    match &node.kind {
        Kind::Scalar { text, .. } => Some(text),
        _ => None,
    }
}

fn items(node: &Node) -> &[Node] {
    match &node.kind {
        Kind::List(items) => items,
        Kind::Scalar { .. } => std::slice::from_ref(node),
        Kind::Map(_) => &[],
    }
}
