//! The vocabulary of reading: a map of which every key is asked for once, and values in all their forms.

use std::collections::{BTreeMap, BTreeSet};

use super::Problem;
use crate::yaml::{At, Key, Kind, Node};

/// Collects what is wrong while reading goes on.
#[derive(Default)]
pub(super) struct Reader {
    pub(super) invalid: Vec<Problem>,
    pub(super) unknown: Vec<Problem>,
}

/// A map being read. What nobody asked for when it is finished is unknown.
pub(super) struct Fields<'a> {
    path: String,
    at: At,
    entries: &'a [(Key, Node)],
    known: BTreeSet<String>,
}

impl Reader {
    pub(super) fn invalid(&mut self, at: At, path: &str, message: &str, hint: Option<&str>) {
        self.invalid.push(Problem {
            at,
            path: path.to_owned(),
            message: message.to_owned(),
            hint: hint.map(str::to_owned),
        });
    }

    pub(super) fn map<'a>(&mut self, node: &'a Node, path: &str) -> Option<Fields<'a>> {
        let fields = |entries| Fields { path: path.to_owned(), at: node.at, entries, known: BTreeSet::new() };
        if let Kind::Map(entries) = &node.kind {
            return Some(fields(entries));
        }
        let what = if path.is_empty() { "a buildspec is a map" } else { "must be a map" };
        self.invalid(node.at, path, &format!("{what}, and this is {}", node.describe()), None);
        None
    }

    pub(super) fn text(&mut self, node: &Node, path: &str) -> Option<String> {
        match &node.kind {
            // A value that is not there is the empty text: `FOO:` in `variables`.
            Kind::Scalar { .. } if node.is_null() => Some(String::new()),
            Kind::Scalar { text, .. } => Some(text.clone()),
            _ => {
                self.invalid(node.at, path, &format!("must be text, and this is {}", node.describe()), None);
                None
            }
        }
    }

    /// A list of texts, or one text in place of a list of one.
    pub(super) fn texts(&mut self, node: &Node, path: &str) -> Vec<String> {
        match &node.kind {
            Kind::Scalar { .. } => self.text(node, path).into_iter().collect(),
            _ => self.list(node, path, Reader::text),
        }
    }

    pub(super) fn list<T>(
        &mut self,
        node: &Node,
        path: &str,
        mut item: impl FnMut(&mut Self, &Node, &str) -> Option<T>,
    ) -> Vec<T> {
        let Kind::List(items) = &node.kind else {
            self.invalid(node.at, path, &format!("must be a list, and this is {}", node.describe()), None);
            return Vec::new();
        };
        let each = items.iter().enumerate();
        each.filter_map(|(index, node)| item(self, node, &format!("{path}[{index}]"))).collect()
    }

    /// Commands, where the likeliest mistake is a colon that turns a command into a map.
    pub(super) fn commands(&mut self, node: &Node, path: &str) -> Option<Vec<String>> {
        if let Kind::Scalar { .. } = node.kind {
            return Some(vec![self.text(node, path)?]);
        }
        Some(self.list(node, path, |r, node, path| match node.kind {
            Kind::Map(_) => {
                let message = "is a command that YAML reads as a map, because of the colon in it";
                r.invalid(node.at, path, message, Some("write it below a `- |`, or quote it"));
                None
            }
            _ => r.text(node, path),
        }))
    }

    pub(super) fn flag(&mut self, node: &Node, path: &str) -> Option<bool> {
        let text = self.text(node, path)?;
        match text.to_ascii_lowercase().as_str() {
            "yes" | "true" | "on" | "y" => Some(true),
            "no" | "false" | "off" | "n" => Some(false),
            _ => {
                self.invalid(node.at, path, &format!("is `{text}` and neither yes nor no"), None);
                None
            }
        }
    }

    /// One of a few words, in any case.
    pub(super) fn one_of<T: Copy>(
        &mut self,
        node: &Node,
        path: &str,
        all: &[T],
        name: fn(T) -> &'static str,
    ) -> Option<T> {
        let text = self.text(node, path)?;
        let found = all.iter().copied().find(|candidate| name(*candidate).eq_ignore_ascii_case(&text));
        if found.is_none() {
            let names: Vec<_> = all.iter().map(|candidate| format!("`{}`", name(*candidate))).collect();
            self.invalid(node.at, path, &format!("is `{text}`, and not one of {}", names.join(", ")), None);
        }
        found
    }
}

impl<'a> Fields<'a> {
    pub(super) fn peek(&self, key: &str) -> Option<&'a (Key, Node)> {
        self.entries.iter().find(|(candidate, _)| candidate.text == key)
    }

    /// The value of a key, if it is there and not null.
    fn take(&mut self, key: &str) -> Option<(&'a Node, String)> {
        self.known.insert(key.to_owned());
        let (_, node) = self.peek(key)?;
        (!node.is_null()).then(|| (node, join(&self.path, key)))
    }

    pub(super) fn required(&mut self, r: &mut Reader, key: &str) -> Option<(&'a Node, String)> {
        let taken = self.take(key);
        if taken.is_none() {
            r.invalid(self.at, &join(&self.path, key), "is missing", None);
        }
        taken
    }

    pub(super) fn with<T>(
        &mut self,
        r: &mut Reader,
        key: &str,
        read: impl FnOnce(&mut Reader, &Node, &str) -> Option<T>,
    ) -> Option<T> {
        let (node, path) = self.take(key)?;
        read(r, node, &path)
    }

    pub(super) fn text(&mut self, r: &mut Reader, key: &str) -> Option<String> {
        self.with(r, key, Reader::text)
    }

    pub(super) fn flag(&mut self, r: &mut Reader, key: &str) -> bool {
        self.with(r, key, Reader::flag).unwrap_or(false)
    }

    pub(super) fn texts(&mut self, r: &mut Reader, key: &str) -> Vec<String> {
        self.with(r, key, |r, node, path| Some(r.texts(node, path))).unwrap_or_default()
    }

    pub(super) fn required_texts(&mut self, r: &mut Reader, key: &str) -> Vec<String> {
        self.required(r, key).map(|(node, path)| r.texts(node, &path)).unwrap_or_default()
    }

    pub(super) fn map_of<T>(
        &mut self,
        r: &mut Reader,
        key: &str,
        mut read: impl FnMut(&mut Reader, &Node, &str) -> Option<T>,
    ) -> BTreeMap<String, T> {
        let read_all = |r: &mut Reader, node: &Node, path: &str| {
            let fields = r.map(node, path)?;
            let each = fields.entries.iter();
            Some(
                each.filter_map(|(key, node)| {
                    Some((key.text.clone(), read(r, node, &join(path, &key.text))?))
                })
                .collect(),
            )
        };
        self.with(r, key, read_all).unwrap_or_default()
    }

    pub(super) fn texts_by_name(&mut self, r: &mut Reader, key: &str) -> BTreeMap<String, String> {
        self.map_of(r, key, Reader::text)
    }

    pub(super) fn finish(&mut self, r: &mut Reader) {
        for (key, _) in self.entries {
            if !self.known.contains(&key.text) {
                let known: Vec<_> = self.known.iter().map(|key| format!("`{key}`")).collect();
                r.unknown.push(Problem {
                    at: key.at,
                    path: join(&self.path, &key.text),
                    message: "is not a key of the buildspec grammar".to_owned(),
                    hint: Some(format!("known here: {}", known.join(", "))),
                });
            }
        }
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}
