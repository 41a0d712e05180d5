//! The functions of the reader: maps in which every key is asked for once, and values in all their forms.

use std::collections::{BTreeMap, BTreeSet};

use super::{Problem, ProblemKind, Recorder};
use crate::yaml::{At, Key, Kind, Node};

/// Collects problems and continues to read. In recording mode it reads no values: every request becomes a
/// part of the grammar, so that the grammar and the reader cannot differ.
#[derive(Default)]
pub(super) struct Reader {
    pub(super) invalid: Vec<Problem>,
    pub(super) unknown: Vec<Problem>,
    pub(super) recorder: Option<Recorder>,
}

/// A map that is being read. Keys that were not asked for by the end are unknown.
pub(super) struct Fields<'a> {
    path: String,
    at: At,
    entries: &'a [(Key, Node)],
    known: BTreeSet<String>,
}

impl Reader {
    pub(super) fn recording() -> Self {
        Self { recorder: Some(Recorder::default()), ..Self::default() }
    }

    pub(super) fn invalid(&mut self, at: At, path: &str, message: &str, hint: Option<&str>) {
        self.problem(ProblemKind::Value, at, path, message, hint);
    }

    fn problem(&mut self, kind: ProblemKind, at: At, path: &str, message: &str, hint: Option<&str>) {
        self.invalid.push(Problem {
            at,
            path: path.to_owned(),
            message: message.to_owned(),
            hint: hint.map(str::to_owned),
            kind,
        });
    }

    pub(super) fn map<'a>(&mut self, node: &'a Node, path: &str) -> Option<Fields<'a>> {
        let fields = |entries| Fields { path: path.to_owned(), at: node.at, entries, known: BTreeSet::new() };
        if let Some(recorder) = &mut self.recorder {
            recorder.object();
            return Some(fields(&[]));
        }
        if let Kind::Map(entries) = &node.kind {
            return Some(fields(entries));
        }
        let what = if path.is_empty() { "a buildspec is a map" } else { "must be a map" };
        self.invalid(node.at, path, &format!("{what}, and this is {}", node.describe()), None);
        None
    }

    pub(super) fn text(&mut self, node: &Node, path: &str) -> Option<String> {
        if let Some(recorder) = &mut self.recorder {
            recorder.text();
            return None;
        }
        match &node.kind {
            // A missing value is the empty text, such as `FOO:` in `variables`.
            Kind::Scalar { .. } if node.is_null() => Some(String::new()),
            Kind::Scalar { text, .. } => Some(text.clone()),
            _ => {
                self.invalid(node.at, path, &format!("must be text, and this is {}", node.describe()), None);
                None
            }
        }
    }

    /// A text that should match a pattern of the grammar. The caller checks the pattern.
    pub(super) fn text_like(&mut self, node: &Node, path: &str, pattern: &str) -> Option<String> {
        if let Some(recorder) = &mut self.recorder {
            recorder.pattern(pattern);
            return None;
        }
        self.text(node, path)
    }

    /// A number of at least 1.
    pub(super) fn count(&mut self, node: &Node, path: &str, what: &str) -> Option<u32> {
        if let Some(recorder) = &mut self.recorder {
            recorder.count();
            return None;
        }
        let text = self.text(node, path)?;
        let number = text.parse().ok().filter(|number| *number > 0);
        if number.is_none() {
            self.invalid(node.at, path, &format!("is `{text}` and not {what}"), None);
        }
        number
    }

    /// A list of texts. A single text counts as a list of one.
    pub(super) fn texts(&mut self, node: &Node, path: &str) -> Vec<String> {
        if let Some(recorder) = &mut self.recorder {
            recorder.texts();
            return Vec::new();
        }
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
        if self.recorder.is_some() {
            self.record_within(|r| item(r, node, &format!("{path}[]")), Recorder::list);
            return Vec::new();
        }
        let Kind::List(items) = &node.kind else {
            self.invalid(node.at, path, &format!("must be a list, and this is {}", node.describe()), None);
            return Vec::new();
        };
        let each = items.iter().enumerate();
        each.filter_map(|(index, node)| item(self, node, &format!("{path}[{index}]"))).collect()
    }

    /// A list of commands. The most likely mistake is a colon, which turns a command into a map.
    pub(super) fn commands(&mut self, node: &Node, path: &str) -> Option<Vec<String>> {
        if self.recorder.is_some() {
            self.texts(node, path);
            return None;
        }
        if let Kind::Scalar { .. } = node.kind {
            return Some(vec![self.text(node, path)?]);
        }
        Some(self.list(node, path, |r, node, path| match node.kind {
            Kind::Map(_) => {
                let message = "is a command that YAML reads as a map, because of the colon in it";
                let hint = "write it below a `- |`, or quote it";
                r.problem(ProblemKind::Colon, node.at, path, message, Some(hint));
                None
            }
            _ => r.text(node, path),
        }))
    }

    pub(super) fn flag(&mut self, node: &Node, path: &str) -> Option<bool> {
        if let Some(recorder) = &mut self.recorder {
            recorder.flag();
            return None;
        }
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

    /// One of a few words, in upper or lower case.
    pub(super) fn one_of<T: Copy>(
        &mut self,
        node: &Node,
        path: &str,
        all: &[T],
        name: fn(T) -> &'static str,
    ) -> Option<T> {
        if let Some(recorder) = &mut self.recorder {
            recorder.one_of(all.iter().map(|candidate| name(*candidate)));
            return None;
        }
        let text = self.text(node, path)?;
        let found = all.iter().copied().find(|candidate| name(*candidate).eq_ignore_ascii_case(&text));
        if found.is_none() {
            let names: Vec<_> = all.iter().map(|candidate| format!("`{}`", name(*candidate))).collect();
            self.invalid(node.at, path, &format!("is `{text}`, and not one of {}", names.join(", ")), None);
        }
        found
    }

    /// Records the requests of `read` in a new recorder, and inserts its result into the outer one.
    fn record_within<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> T,
        insert: impl FnOnce(&mut Recorder, Recorder),
    ) -> T {
        let outer = self.recorder.replace(Recorder::default());
        let read = read(self);
        let inner = std::mem::replace(&mut self.recorder, outer).unwrap_or_default();
        if let Some(outer) = &mut self.recorder {
            insert(outer, inner);
        }
        read
    }
}

impl<'a> Fields<'a> {
    fn peek(&self, key: &str) -> Option<&'a (Key, Node)> {
        self.entries.iter().find(|(candidate, _)| candidate.text == key)
    }

    /// The value of a key, if it exists and is not null.
    fn take(&mut self, key: &str) -> Option<(&'a Node, String)> {
        self.known.insert(key.to_owned());
        let (_, node) = self.peek(key)?;
        (!node.is_null()).then(|| (node, join(&self.path, key)))
    }

    pub(super) fn required<T>(
        &mut self,
        r: &mut Reader,
        key: &str,
        read: impl FnOnce(&mut Reader, &Node, &str) -> Option<T>,
    ) -> Option<T> {
        if let Some(recorder) = &mut r.recorder {
            recorder.require(key);
        } else if self.peek(key).is_none_or(|(_, node)| node.is_null()) {
            r.problem(ProblemKind::Missing, self.at, &join(&self.path, key), "is missing", None);
        }
        self.with(r, key, read)
    }

    pub(super) fn with<T>(
        &mut self,
        r: &mut Reader,
        key: &str,
        read: impl FnOnce(&mut Reader, &Node, &str) -> Option<T>,
    ) -> Option<T> {
        if r.recorder.is_some() {
            let path = join(&self.path, key);
            let nothing = super::nothing();
            return r.record_within(
                |r| read(r, &nothing, &path),
                |outer, inner| outer.property(key, &path, inner),
            );
        }
        let (node, path) = self.take(key)?;
        read(r, node, &path)
    }

    /// Reports a key that is known, but that belongs in another place.
    pub(super) fn misplaced<T: Default>(
        &mut self,
        r: &mut Reader,
        key: &str,
        message: &str,
        hint: &str,
    ) -> T {
        if let Some((found, _)) = self.peek(key) {
            self.known.insert(key.to_owned());
            let path = join(&self.path, key);
            r.problem(ProblemKind::Misplaced, found.at, &path, message, Some(hint));
        }
        T::default()
    }

    pub(super) fn exactly_one(&self, r: &mut Reader, keys: &[&str]) {
        if let Some(recorder) = &mut r.recorder {
            return recorder.exactly_one(keys);
        }
        let here = |key: &&&str| self.peek(key).is_some_and(|(_, node)| !node.is_null());
        let there = keys.iter().filter(here).count();
        if there != 1 {
            let keys: Vec<_> = keys.iter().map(|key| format!("`{key}`")).collect();
            let (last, others) =
                keys.split_last().map_or(("", &[][..]), |(last, rest)| (last.as_str(), rest));
            let hint = format!("have one of {} and {last}", others.join(", "));
            let message = "does not say in exactly one way which builds there are";
            r.problem(ProblemKind::Conflict, self.at, &self.path, message, Some(&hint));
        }
    }

    pub(super) fn not_both(&self, r: &mut Reader, [one, other]: [&str; 2], hint: &str) {
        if let Some(recorder) = &mut r.recorder {
            return recorder.not_both(one, other);
        }
        let here = |key: &str| self.peek(key).is_some_and(|(_, node)| !node.is_null());
        if here(one) && here(other) {
            let message = format!("has both `{one}` and `{other}`");
            r.problem(ProblemKind::Conflict, self.at, &self.path, &message, Some(hint));
        }
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
        self.required(r, key, |r, node, path| Some(r.texts(node, path))).unwrap_or_default()
    }

    pub(super) fn map_of<T>(
        &mut self,
        r: &mut Reader,
        key: &str,
        mut read: impl FnMut(&mut Reader, &Node, &str) -> Option<T>,
    ) -> BTreeMap<String, T> {
        let read_all = |r: &mut Reader, node: &Node, path: &str| {
            if r.recorder.is_some() {
                r.record_within(|r| read(r, node, &format!("{path}.*")), Recorder::map);
                return None;
            }
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
                let candidates: Vec<&str> = self.known.iter().map(String::as_str).collect();
                let meant = meant(&key.text, &candidates);
                let hint = match &meant {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => format!("known here: `{}`", candidates.join("`, `")),
                };
                r.unknown.push(Problem {
                    at: key.at,
                    path: join(&self.path, &key.text),
                    message: "is not a key of the buildspec grammar".to_owned(),
                    hint: Some(hint),
                    kind: ProblemKind::Unknown { meant },
                });
            }
        }
    }
}

/// The known word that is closest to an unknown one, if any is close. Differences in case and in the kind of
/// dash do not count.
fn meant(word: &str, known: &[&str]) -> Option<String> {
    let folded = |word: &str| word.to_ascii_lowercase().replace(['-', ' '], "_");
    let word = folded(word);
    if word.len() > 64 {
        return None;
    }
    let closeness = |known: &&&str| {
        let known = folded(known);
        let ratio = similar::TextDiff::from_chars(&word, &known).ratio();
        (ratio >= 0.8).then_some(ratio)
    };
    let ranked = known.iter().filter_map(|known| Some((closeness(&known)?, *known)));
    ranked.max_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, known)| known.to_owned())
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}
