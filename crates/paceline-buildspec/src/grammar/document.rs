//! A buildspec as written: the tree with positions, every problem, and each command as a parsed script.
//!
//! The linter and the reader of existing buildspecs both start here. They do not use the typed [`Buildspec`],
//! because they also have to work on a file with errors.

use std::collections::BTreeMap;
use std::ops::Range;

use super::read::Problem;
use super::{Buildspec, PhaseName};
use crate::shell::{self, Call, Script};
use crate::yaml::{self, At, Key, Kind, Lines, Node, SourceMap, Style, YamlError};

/// The largest file that is read. CodeBuild accepts inline buildspecs of up to about a fifth of this size.
pub const MAX_BYTES: usize = 1 << 20;

/// The reason why bytes are not the text of a buildspec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NotText {
    /// The end of the text that could be decoded.
    pub(crate) byte: usize,
    /// The message, which continues a sentence that begins with "the file".
    pub(crate) message: String,
}

/// Decodes the text of a buildspec.
pub(crate) fn decode(bytes: &[u8]) -> Result<&str, NotText> {
    if bytes.len() > MAX_BYTES {
        let message = format!("is larger than any buildspec: {} bytes", bytes.len());
        return Err(NotText { byte: 0, message });
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let message = match bytes {
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "is UTF-16 text, and CodeBuild reads UTF-8",
            _ => "is not UTF-8 text from here on",
        };
        NotText { byte: error.valid_up_to(), message: message.to_owned() }
    })
}

#[derive(Debug)]
pub(crate) struct Document<'a> {
    pub(crate) lines: Lines<'a>,
    /// The reason why the text is not YAML.
    pub(crate) unreadable: Option<YamlError>,
    pub(crate) duplicates: Vec<YamlError>,
    pub(crate) problems: Vec<Problem>,
    root: Option<Node>,
    spans: BTreeMap<At, Range<usize>>,
    /// The items in the order in which they run.
    pub(crate) items: Vec<CommandItem>,
}

/// One item of `commands` or `finally`.
#[derive(Debug)]
pub(crate) struct CommandItem {
    pub(crate) phase: PhaseName,
    pub(crate) finally: bool,
    pub(crate) text: String,
    pub(crate) style: Style,
    /// The bytes of the item in the file.
    pub(crate) span: Range<usize>,
    pub(crate) script: Script,
    map: SourceMap,
}

/// The shell that runs the commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CommandShell {
    Bash,
    /// `/bin/sh`, which is dash on some images. `chosen` says whether `env.shell` names it.
    Sh {
        chosen: bool,
    },
    Windows,
}

impl<'a> Document<'a> {
    pub(crate) fn read(text: &'a str) -> Self {
        let mut document = Self {
            lines: Lines::of(text),
            unreadable: None,
            duplicates: Vec::new(),
            problems: Vec::new(),
            root: None,
            spans: BTreeMap::new(),
            items: Vec::new(),
        };
        match yaml::parse_with_duplicates(text) {
            Err(error) => document.unreadable = Some(error),
            Ok(parsed) => {
                document.duplicates = parsed.duplicates;
                let examined = Buildspec::examine(&parsed.root);
                document.problems = examined.invalid;
                document.problems.extend(examined.unknown);
                note_spans(&parsed.root, &mut document.spans);
                document.root = Some(parsed.root);
                document.items = document.read_items();
            }
        }
        document
    }

    pub(crate) fn text(&self) -> &'a str {
        self.lines.text
    }

    /// The bytes of the key or value at the position of a problem.
    pub(crate) fn span_at(&self, at: At) -> Range<usize> {
        let byte = self.lines.byte(at);
        let span = self.spans.get(&at).cloned().unwrap_or(byte..byte);
        self.first_line(span)
    }

    /// The line of a part of an item, counted from 1.
    pub(crate) fn line_of(&self, item: &CommandItem, span: &Range<usize>) -> usize {
        self.lines.at(item.source(span).start).line
    }

    /// The part of a span that is on its first line.
    pub(crate) fn first_line(&self, span: Range<usize>) -> Range<usize> {
        let text = self.text().get(span.clone()).unwrap_or_default();
        let line = text.split('\n').next().unwrap_or_default().trim_end();
        span.start..span.start + line.len()
    }

    /// The key and the value at the end of a path such as `env.variables`.
    pub(crate) fn entry(&self, path: &str) -> Option<(&Key, &Node)> {
        let mut node = self.root.as_ref()?;
        let mut found = None;
        for part in path.split('.') {
            let (key, value) = entry(node, part)?;
            (found, node) = (Some((key, value)), value);
        }
        found
    }

    pub(crate) fn node(&self, path: &str) -> Option<&Node> {
        self.entry(path).map(|(_, node)| node)
    }

    pub(crate) fn text_of(&self, path: &str) -> Option<&str> {
        self.node(path).and_then(scalar)
    }

    pub(crate) fn map(&self, path: &str) -> &[(Key, Node)] {
        match self.node(path).map(|node| &node.kind) {
            Some(Kind::Map(entries)) => entries,
            _ => &[],
        }
    }

    /// The items of a list. A single value counts as a list of one.
    pub(crate) fn list(&self, path: &str) -> &[Node] {
        self.node(path).map_or(&[], list_items)
    }

    pub(crate) fn shell(&self) -> CommandShell {
        match self.text_of("env.shell").map(str::to_ascii_lowercase).as_deref() {
            Some("bash") => CommandShell::Bash,
            Some("powershell.exe" | "cmd.exe" | "powershell" | "pwsh" | "cmd") => CommandShell::Windows,
            other => CommandShell::Sh { chosen: other.is_some() },
        }
    }

    /// The variables that get their values from Secrets Manager or the Parameter Store.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &Key> {
        let sources = ["env.secrets-manager", "env.parameter-store"].into_iter();
        sources.flat_map(|path| self.map(path)).map(|(key, _)| key)
    }

    pub(crate) fn has_phase(&self, phase: PhaseName) -> bool {
        self.items.iter().any(|item| item.phase == phase)
    }

    /// Every call of every item, with its item.
    pub(crate) fn calls(&self) -> impl Iterator<Item = (&CommandItem, Call<'_>)> {
        self.items.iter().flat_map(|item| item.calls().into_iter().map(move |call| (item, call)))
    }

    fn read_items(&self) -> Vec<CommandItem> {
        let mut items = Vec::new();
        if self.shell() == CommandShell::Windows {
            return items;
        }
        for phase in PhaseName::ALL {
            for (key, finally) in [("commands", false), ("finally", true)] {
                for node in self.list(&format!("phases.{phase}.{key}")) {
                    let Kind::Scalar { text, style } = &node.kind else { continue };
                    if node.is_null() {
                        continue;
                    }
                    items.push(CommandItem {
                        phase,
                        finally,
                        text: text.clone(),
                        style: *style,
                        span: node.span.clone(),
                        script: Script::parse(text),
                        map: SourceMap::of(self.text(), node, *style, text),
                    });
                }
            }
        }
        items
    }
}

impl CommandItem {
    /// The bytes in the file for a part of the script.
    pub(crate) fn source(&self, span: &Range<usize>) -> Range<usize> {
        self.map.source(span)
    }

    /// Whether the item also runs after a failure.
    pub(crate) fn runs_always(&self) -> bool {
        self.finally || self.phase == PhaseName::PostBuild
    }

    pub(crate) fn calls(&self) -> Vec<Call<'_>> {
        shell::calls(&self.script.body)
    }
}

/// The key and the value of a field of a map.
pub(crate) fn entry<'a>(node: &'a Node, field: &str) -> Option<(&'a Key, &'a Node)> {
    let Kind::Map(entries) = &node.kind else { return None };
    entries.iter().find(|(key, _)| key.text == field).map(|(key, value)| (key, value))
}

/// The value of a field of a map.
pub(crate) fn value<'a>(node: &'a Node, field: &str) -> Option<&'a Node> {
    entry(node, field).map(|(_, value)| value)
}

pub(crate) fn scalar(node: &Node) -> Option<&str> {
    match &node.kind {
        Kind::Scalar { text, .. } => Some(text),
        _ => None,
    }
}

pub(crate) fn list_items(node: &Node) -> &[Node] {
    match &node.kind {
        Kind::List(items) => items,
        Kind::Scalar { .. } if !node.is_null() => std::slice::from_ref(node),
        _ => &[],
    }
}

fn note_spans(node: &Node, spans: &mut BTreeMap<At, Range<usize>>) {
    spans.entry(node.at).or_insert_with(|| node.span.clone());
    match &node.kind {
        Kind::Scalar { .. } => {}
        Kind::List(items) => items.iter().for_each(|item| note_spans(item, spans)),
        Kind::Map(entries) => {
            for (key, value) in entries {
                // A map starts at its first key, and a message points at that key.
                spans.insert(key.at, key.span.clone());
                note_spans(value, spans);
            }
        }
    }
}
