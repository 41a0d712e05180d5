//! The variables of a shell, as far as their values are known before it runs.

use std::collections::{BTreeMap, BTreeSet};

use crate::shell::{Part, Word};

/// Stands for the folder of the source, wherever that will be.
pub(super) const ROOT: &str = "/codebuild/source";

#[derive(Debug, Clone, Default)]
pub(super) struct Variables {
    values: BTreeMap<String, Value>,
    exported: BTreeSet<String>,
}

#[derive(Debug, Clone)]
struct Value {
    /// `None` where only the run knows it.
    text: Option<String>,
    /// Set by the script itself, so that nobody outside can have set another.
    certain: bool,
}

/// A word with what is known in place of its variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Expanded {
    /// With `$NAME` where a value is not known.
    pub(super) text: String,
    /// Whether all of it is known.
    pub(super) known: bool,
    /// Whether the shell splits it at blanks: an unquoted variable on its own.
    pub(super) splits: bool,
}

impl Variables {
    /// The variables that the buildspec sets: in a project they may have other values.
    pub(super) fn given(variables: &[(String, String)]) -> Self {
        let value = |text: &String| Value { text: Some(text.clone()), certain: false };
        let mut all = Self {
            values: variables.iter().map(|(name, text)| (name.clone(), value(text))).collect(),
            exported: variables.iter().map(|(name, _)| name.clone()).collect(),
        };
        all.values
            .insert("CODEBUILD_SRC_DIR".to_owned(), Value { text: Some(ROOT.to_owned()), certain: false });
        all
    }

    pub(super) fn set(&mut self, name: &str, value: Option<String>) {
        self.values.insert(name.to_owned(), Value { text: value, certain: true });
    }

    pub(super) fn export(&mut self, name: &str) {
        self.exported.insert(name.to_owned());
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name)?.text.as_deref()
    }

    /// The value, if nobody outside can have set another.
    pub(super) fn certain(&self, name: &str) -> Option<&str> {
        self.values.get(name).filter(|value| value.certain)?.text.as_deref()
    }

    /// What programs see, as far as it is known.
    pub(super) fn environment(&self) -> BTreeMap<String, String> {
        self.known(self.exported.iter())
    }

    /// Those that a text names and whose values are known.
    pub(super) fn named_in(&self, text: &str) -> BTreeMap<String, String> {
        let is_named = |name: &str| {
            let after = text.match_indices('$').map(|(at, _)| text[at + 1..].trim_start_matches('{'));
            let mut names = after.map(|rest| {
                let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
                &rest[..end.unwrap_or(rest.len())]
            });
            names.any(|used| used == name)
        };
        self.known(self.values.keys().filter(|name| is_named(name)))
    }

    fn known<'a>(&self, names: impl Iterator<Item = &'a String>) -> BTreeMap<String, String> {
        let known = names.filter_map(|name| Some((name.clone(), self.get(name)?.to_owned())));
        known.filter(|(_, value)| !value.contains(ROOT)).collect()
    }

    pub(super) fn expand(&self, word: &Word, source: &str) -> Expanded {
        let written = source.get(word.span.clone()).unwrap_or_default();
        let mut expanded = Expanded { text: String::new(), known: true, splits: false };
        for part in &word.parts {
            match part {
                Part::Text { text, .. } => expanded.text.push_str(text),
                Part::Variable { name } => {
                    if let Some(value) = self.get(name).filter(|_| is_plain(written, name)) {
                        expanded.text.push_str(value);
                    } else {
                        expanded.known = false;
                        expanded.text.push('$');
                        expanded.text.push_str(name);
                    }
                }
                Part::Commands(_) | Part::Arithmetic => {
                    expanded.known = false;
                    expanded.text.push_str("$()");
                }
            }
        }
        expanded.splits = matches!(&word.parts[..], [Part::Variable { .. }]);
        // `~` and globs are for the machine that runs it.
        expanded
    }
}

/// Whether a variable stands there as it is, without `:-`, `%` and such.
fn is_plain(written: &str, name: &str) -> bool {
    let braced = format!("${{{name}");
    let mut found = written.match_indices(&braced).map(|(at, text)| &written[at + text.len()..]);
    found.all(|rest| !rest.starts_with([':', '-', '%', '#', '/', '^', ',', '@', '[', '+', '=', '?']))
}
