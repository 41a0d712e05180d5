//! The variables of a shell, as far as their values are known before the build runs.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::shell::{Word, WordPart, shell_word};

/// The longest word that is expanded. `A=$A$A` doubles its length with every line.
const LONGEST: usize = 8 << 10;
/// The greatest length of all values together, because every subshell copies them.
const ALL_VALUES: usize = 256 << 10;
/// The greatest length of text that the expansions of a whole buildspec may produce.
const ROOM: usize = 16 << 20;

/// Stands for the folder of the source, whose real path is not known.
pub(super) const ROOT: &str = "/codebuild/source";

#[derive(Debug, Clone, Default)]
pub(super) struct Variables {
    values: BTreeMap<String, Value>,
    /// The length of all values together.
    length: usize,
    exported: BTreeSet<String>,
    /// The length of text that expansions may still produce, in all shells together.
    room: Rc<Cell<usize>>,
}

#[derive(Debug, Clone)]
struct Value {
    /// The value. `None` if it is only known in the build.
    text: Option<String>,
    /// Whether the script itself sets the variable, so that the project cannot override it.
    certain: bool,
    /// For an unknown value: whether a line that is kept sets it.
    is_kept: bool,
    /// The line of the command that sets it.
    line: usize,
}

/// A word with the known values in place of its variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Expanded {
    /// The text, with `$NAME` in the place of an unknown value.
    pub(super) text: String,
    /// Whether all values are known.
    pub(super) known: bool,
    /// Whether the shell splits the word at blanks, because it is a single unquoted variable.
    pub(super) splits: bool,
    /// Whether lines that are kept, or the project, set the unknown values.
    pub(super) is_kept: bool,
}

impl Value {
    fn len(&self) -> usize {
        self.text.as_ref().map_or(0, String::len)
    }
}

impl Variables {
    /// The variables that the buildspec sets. The project may override them.
    pub(super) fn given(variables: &[(String, String)]) -> Self {
        let root = ("CODEBUILD_SRC_DIR".to_owned(), ROOT.to_owned());
        let mut all = Self { room: Rc::new(Cell::new(ROOM)), ..Self::default() };
        for (name, text) in variables.iter().chain([&root]) {
            all.put(name, Value { text: Some(text.clone()), certain: false, is_kept: true, line: 0 });
        }
        all.exported = variables.iter().map(|(name, _)| name.clone()).collect();
        all
    }

    /// A value that is too long counts as unknown.
    fn put(&mut self, name: &str, mut value: Value) {
        self.length -= self.values.get(name).map_or(0, Value::len);
        if value.len() > LONGEST || self.length + value.len() > ALL_VALUES {
            value.text = None;
        }
        self.length += value.len();
        self.values.insert(name.to_owned(), value);
    }

    /// Whether the expansions reached their limit.
    pub(super) fn are_over_limit(&self) -> bool {
        self.room.get() == 0
    }

    fn spend(&self, length: usize) -> bool {
        let left = self.room.get().checked_sub(length);
        self.room.set(left.unwrap_or_default());
        left.is_some()
    }

    pub(super) fn set(&mut self, name: &str, value: String, line: usize) {
        self.put(name, Value { text: Some(value), certain: true, is_kept: false, line });
    }

    /// Marks a value as unknown from here on. `is_kept` says whether a line that is kept sets it.
    pub(super) fn forget(&mut self, name: &str, is_kept: bool) {
        self.put(name, Value { text: None, certain: true, is_kept, line: 0 });
    }

    /// Sets a variable to its value in an earlier state of the script.
    pub(super) fn restore(&mut self, name: &str, before: &Self) {
        match before.values.get(name) {
            Some(value) => self.put(name, value.clone()),
            None => self.length -= self.values.remove(name).map_or(0, |value| value.len()),
        }
    }

    /// Marks the values of all variables as unknown from here on.
    pub(super) fn forget_all(&mut self) {
        for (name, value) in &mut self.values {
            if name != "CODEBUILD_SRC_DIR" {
                self.length -= value.len();
                *value = Value { text: None, certain: true, is_kept: true, line: 0 };
            }
        }
    }

    /// The variables with known values.
    pub(super) fn all_known(&self) -> Vec<String> {
        let known = self.values.iter().filter(|(_, value)| value.text.is_some());
        known.map(|(name, _)| name.clone()).collect()
    }

    /// A command that sets a variable to its known value, and the line where the script sets it.
    pub(super) fn setting(&self, name: &str) -> Option<(usize, String)> {
        let value = self.values.get(name)?;
        let text = value.text.as_deref().filter(|text| !text.contains(ROOT))?;
        let export = if self.exported.contains(name) { "export " } else { "" };
        // The project may override a variable of the buildspec.
        let text =
            if value.certain { shell_word(text) } else { format!("\"${{{name}:-{}}}\"", escaped(text)) };
        Some((value.line, format!("{export}{name}={text}")))
    }

    pub(super) fn is_exported(&self, name: &str) -> bool {
        self.exported.contains(name)
    }

    /// Whether the script or the buildspec sets the variable to an unknown value.
    pub(super) fn is_unknown(&self, name: &str) -> bool {
        self.values.get(name).is_some_and(|value| value.text.is_none())
    }

    /// Whether a text has the same meaning at the place where it is kept, because its variables are set by
    /// lines that are also kept, or by the project.
    pub(super) fn may_keep(&self, text: &str) -> bool {
        named(text).all(|name| {
            let is_argument = name.starts_with(|c: char| !c.is_ascii_alphabetic() && c != '_');
            !is_argument && self.values.get(name).is_none_or(|value| value.text.is_some() || value.is_kept)
        })
    }

    pub(super) fn export(&mut self, name: &str) {
        self.exported.insert(name.to_owned());
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name)?.text.as_deref()
    }

    /// The value, if it is known and the project cannot override it.
    pub(super) fn certain(&self, name: &str) -> Option<&str> {
        self.values.get(name).filter(|value| value.certain)?.text.as_deref()
    }

    /// The environment variables with known values.
    pub(super) fn environment(&self) -> BTreeMap<String, String> {
        self.known(self.exported.iter())
    }

    /// The variables that a text names and whose values are known.
    pub(super) fn named_in(&self, text: &str) -> BTreeMap<String, String> {
        let used: BTreeSet<&str> = named(text).collect();
        self.known(self.values.keys().filter(|name| used.contains(name.as_str())))
    }

    fn known<'a>(&self, names: impl Iterator<Item = &'a String>) -> BTreeMap<String, String> {
        let known = names.filter_map(|name| Some((name, self.get(name)?)));
        let known =
            known.filter(|(name, value)| !value.contains(ROOT) && self.spend(name.len() + value.len()));
        known.map(|(name, value)| (name.clone(), value.to_owned())).collect()
    }

    pub(super) fn expand(&self, word: &Word, source: &str) -> Expanded {
        let written = source.get(word.span.clone()).unwrap_or_default();
        let mut expanded =
            Expanded { text: String::new(), known: true, splits: false, is_kept: self.may_keep(written) };
        // A long word may name the same variable many times.
        let mut plain: BTreeMap<&str, bool> = BTreeMap::new();
        for part in &word.parts {
            match part {
                WordPart::Text { text, .. } => expanded.text.push_str(text),
                WordPart::Variable { name } => {
                    let is_plain = *plain.entry(name).or_insert_with(|| is_plain(written, name));
                    let value = self.get(name).filter(|_| is_plain);
                    let length = expanded.text.len();
                    let fits = |value: &&str| length + value.len() <= LONGEST && self.spend(value.len());
                    if let Some(value) = value.filter(fits) {
                        expanded.text.push_str(value);
                    } else {
                        expanded.known = false;
                        expanded.text.push('$');
                        expanded.text.push_str(name);
                    }
                }
                WordPart::Commands(_) | WordPart::Arithmetic => {
                    expanded.known = false;
                    expanded.text.push_str("$()");
                }
            }
        }
        // The shell makes any number of words of `"$@"`, in spite of the quotes.
        let parts =
            word.parts.iter().filter(|part| !matches!(part, WordPart::Text { text, .. } if text.is_empty()));
        expanded.splits = match &parts.collect::<Vec<_>>()[..] {
            [WordPart::Variable { name }] => name == "@" || word.parts.len() == 1,
            _ => false,
        };
        // `~` and globs stay as they are: only the build can expand them.
        expanded
    }
}

/// The variables that a text names.
fn named(text: &str) -> impl Iterator<Item = &str> {
    let after = text.match_indices('$').map(|(at, _)| text[at + 1..].trim_start_matches('{'));
    let names = after.map(|rest| {
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        match rest.chars().next() {
            Some('@' | '*' | '#') => &rest[..1],
            Some(digit) if digit.is_ascii_digit() => &rest[..1],
            _ => &rest[..rest.find(|c| !is_word(c)).unwrap_or(rest.len())],
        }
    });
    names.filter(|name| !name.is_empty())
}

/// The text with its special characters escaped, for double quotes.
fn escaped(text: &str) -> String {
    let escape = |c: char| if "\\\"$`".contains(c) { vec!['\\', c] } else { vec![c] };
    text.chars().flat_map(escape).collect()
}

/// Whether a variable is expanded without an operator such as `:-` or `%`.
fn is_plain(written: &str, name: &str) -> bool {
    let braced = format!("${{{name}");
    let mut found = written.match_indices(&braced).map(|(at, text)| &written[at + text.len()..]);
    found.all(|rest| !rest.starts_with([':', '-', '%', '#', '/', '^', ',', '@', '[', '+', '=', '?']))
}
