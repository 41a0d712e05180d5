//! A buildspec as the rules see it: the tree with its places, and every command as a parsed script.
//!
//! Rules do not rely on the typed model, because they also have something to say about a file that has errors.

use std::collections::BTreeMap;
use std::ops::Range;

use super::context::LintContext;
use crate::grammar::{Buildspec, PhaseName, Problem};
use crate::shell::{self, Call, Script};
use crate::yaml::{self, At, Key, Kind, Lines, Node, SourceMap, Style, YamlError};

#[derive(Debug)]
pub(super) struct Document<'a> {
    pub(super) lines: Lines<'a>,
    pub(super) context: &'a LintContext,
    /// What keeps the text from being read at all.
    pub(super) unreadable: Option<YamlError>,
    pub(super) duplicates: Vec<YamlError>,
    pub(super) problems: Vec<Problem>,
    root: Option<Node>,
    spans: BTreeMap<At, Range<usize>>,
    /// In the order in which they run.
    pub(super) steps: Vec<Step>,
}

/// One item of `commands` or `finally`.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) phase: PhaseName,
    pub(super) finally: bool,
    pub(super) text: String,
    pub(super) style: Style,
    /// The bytes of the file it was read from.
    pub(super) span: Range<usize>,
    pub(super) script: Script,
    map: SourceMap,
}

/// What runs the commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shell {
    Bash,
    /// `/bin/sh`, which is dash on some images: said so, or not said at all.
    Sh {
        chosen: bool,
    },
    Windows,
}

impl<'a> Document<'a> {
    pub(super) fn read(text: &'a str, context: &'a LintContext) -> Self {
        let mut document = Self {
            lines: Lines::of(text),
            context,
            unreadable: None,
            duplicates: Vec::new(),
            problems: Vec::new(),
            root: None,
            spans: BTreeMap::new(),
            steps: Vec::new(),
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
                document.steps = document.read_steps();
            }
        }
        document
    }

    pub(super) fn text(&self) -> &'a str {
        self.lines.text
    }

    /// The bytes that a problem of the reader is about.
    pub(super) fn span_at(&self, at: At) -> Range<usize> {
        let byte = self.lines.byte(at);
        let span = self.spans.get(&at).cloned().unwrap_or(byte..byte);
        self.first_line(span)
    }

    /// As much of a span as is on its first line.
    pub(super) fn first_line(&self, span: Range<usize>) -> Range<usize> {
        let text = self.text().get(span.clone()).unwrap_or_default();
        let line = text.split('\n').next().unwrap_or_default().trim_end();
        span.start..span.start + line.len()
    }

    /// The key and the value at the end of a path such as `env.variables`.
    pub(super) fn entry(&self, path: &str) -> Option<(&Key, &Node)> {
        let mut node = self.root.as_ref()?;
        let mut found = None;
        for part in path.split('.') {
            let Kind::Map(entries) = &node.kind else { return None };
            let (key, value) = entries.iter().find(|(key, _)| key.text == part)?;
            (found, node) = (Some((key, value)), value);
        }
        found
    }

    pub(super) fn node(&self, path: &str) -> Option<&Node> {
        self.entry(path).map(|(_, node)| node)
    }

    pub(super) fn text_of(&self, path: &str) -> Option<&str> {
        self.node(path).and_then(scalar)
    }

    pub(super) fn map(&self, path: &str) -> &[(Key, Node)] {
        match self.node(path).map(|node| &node.kind) {
            Some(Kind::Map(entries)) => entries,
            _ => &[],
        }
    }

    /// A list, or one value in place of a list of one.
    pub(super) fn list(&self, path: &str) -> &[Node] {
        self.node(path).map_or(&[], items)
    }

    pub(super) fn shell(&self) -> Shell {
        match self.text_of("env.shell").map(str::to_ascii_lowercase).as_deref() {
            Some("bash") => Shell::Bash,
            Some("powershell.exe" | "cmd.exe" | "powershell" | "pwsh") => Shell::Windows,
            other => Shell::Sh { chosen: other.is_some() },
        }
    }

    /// The variables whose values come from where secrets are kept.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &Key> {
        let kept = ["env.secrets-manager", "env.parameter-store"].into_iter();
        kept.flat_map(|path| self.map(path)).map(|(key, _)| key)
    }

    pub(super) fn has_phase(&self, phase: PhaseName) -> bool {
        self.steps.iter().any(|step| step.phase == phase)
    }

    /// Every call of every step, with its step.
    pub(super) fn calls(&self) -> impl Iterator<Item = (&Step, Call<'_>)> {
        self.steps.iter().flat_map(|step| step.calls().into_iter().map(move |call| (step, call)))
    }

    fn read_steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        if self.shell() == Shell::Windows {
            return steps;
        }
        for phase in PhaseName::ALL {
            for (key, finally) in [("commands", false), ("finally", true)] {
                for node in self.list(&format!("phases.{phase}.{key}")) {
                    let Kind::Scalar { text, style } = &node.kind else { continue };
                    if node.is_null() {
                        continue;
                    }
                    steps.push(Step {
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
        steps
    }
}

impl Step {
    /// The bytes of the file of a part of the script.
    pub(super) fn source(&self, span: &Range<usize>) -> Range<usize> {
        self.map.source(span)
    }

    pub(super) fn calls(&self) -> Vec<Call<'_>> {
        shell::calls(&self.script.body)
    }
}

pub(super) fn scalar(node: &Node) -> Option<&str> {
    match &node.kind {
        Kind::Scalar { text, .. } => Some(text),
        _ => None,
    }
}

pub(super) fn items(node: &Node) -> &[Node] {
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
                // A map starts where its first key does, and the key is what one wants to see.
                spans.insert(key.at, key.span.clone());
                note_spans(value, spans);
            }
        }
    }
}
