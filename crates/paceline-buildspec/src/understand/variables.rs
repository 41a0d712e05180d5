//! The variables of a shell, as far as their values are known before it runs.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::generate::shell_word;
use crate::shell::{Word, WordPart};

/// How long a word may become. `A=$A$A` makes one twice as long with every line.
const LONGEST: usize = 8 << 10;
/// How long all values together may be: they are copied for every shell in the shell.
const ALL_VALUES: usize = 256 << 10;
/// How much may be put in place of variables in a whole buildspec.
const ROOM: usize = 16 << 20;

/// Stands for the folder of the source, wherever that will be.
pub(super) const ROOT: &str = "/codebuild/source";

#[derive(Debug, Clone, Default)]
pub(super) struct Variables {
    values: BTreeMap<String, Value>,
    /// How long they are together.
    length: usize,
    exported: BTreeSet<String>,
    /// What is left of the room, for all shells together.
    room: Rc<Cell<usize>>,
}

#[derive(Debug, Clone)]
struct Value {
    /// `None` where only the run knows it.
    text: Option<String>,
    /// Set by the script itself, so that nobody outside can have set another.
    certain: bool,
    /// Where the value is not known: whether a line that is kept sets it.
    is_kept: bool,
    /// Where it is set, if that is in a command.
    line: usize,
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
    /// Whether what is not known is found out by lines that are kept, or comes from outside.
    pub(super) is_kept: bool,
}

impl Value {
    fn len(&self) -> usize {
        self.text.as_ref().map_or(0, String::len)
    }
}

impl Variables {
    /// The variables that the buildspec sets: in a project they may have other values.
    pub(super) fn given(variables: &[(String, String)]) -> Self {
        let root = ("CODEBUILD_SRC_DIR".to_owned(), ROOT.to_owned());
        let mut all = Self { room: Rc::new(Cell::new(ROOM)), ..Self::default() };
        for (name, text) in variables.iter().chain([&root]) {
            all.put(name, Value { text: Some(text.clone()), certain: false, is_kept: true, line: 0 });
        }
        all.exported = variables.iter().map(|(name, _)| name.clone()).collect();
        all
    }

    /// A value for which there is no room is not known.
    fn put(&mut self, name: &str, mut value: Value) {
        self.length -= self.values.get(name).map_or(0, Value::len);
        if value.len() > LONGEST || self.length + value.len() > ALL_VALUES {
            value.text = None;
        }
        self.length += value.len();
        self.values.insert(name.to_owned(), value);
    }

    /// Whether there is no more room to put values in place of variables.
    pub(super) fn are_spent(&self) -> bool {
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

    /// From here on only the run knows the value. `is_kept` says whether a line that is kept sets it.
    pub(super) fn lose(&mut self, name: &str, is_kept: bool) {
        self.put(name, Value { text: None, certain: true, is_kept, line: 0 });
    }

    /// As it was in another state of the same script.
    pub(super) fn restore(&mut self, name: &str, before: &Self) {
        match before.values.get(name) {
            Some(value) => self.put(name, value.clone()),
            None => self.length -= self.values.remove(name).map_or(0, |value| value.len()),
        }
    }

    /// From here on only the run knows anything that the script has set, or was given.
    pub(super) fn lose_all(&mut self) {
        for (name, value) in &mut self.values {
            if name != "CODEBUILD_SRC_DIR" {
                self.length -= value.len();
                *value = Value { text: None, certain: true, is_kept: true, line: 0 };
            }
        }
    }

    /// The variables whose values are known, with these values and where they are set.
    pub(super) fn all_known(&self) -> Vec<String> {
        let known = self.values.iter().filter(|(_, value)| value.text.is_some());
        known.map(|(name, _)| name.clone()).collect()
    }

    /// What sets a variable to the value that is known, if it is the script that does so: its line and a command.
    pub(super) fn setting(&self, name: &str) -> Option<(usize, String)> {
        let value = self.values.get(name)?;
        let text = value.text.as_deref().filter(|text| !text.contains(ROOT))?;
        let export = if self.exported.contains(name) { "export " } else { "" };
        // What the buildspec sets, somebody outside may have set already.
        let text =
            if value.certain { shell_word(text) } else { format!("\"${{{name}:-{}}}\"", escaped(text)) };
        Some((value.line, format!("{export}{name}={text}")))
    }

    pub(super) fn is_exported(&self, name: &str) -> bool {
        self.exported.contains(name)
    }

    /// Whether the script has set it, or the buildspec, to something that is not known.
    pub(super) fn is_lost(&self, name: &str) -> bool {
        self.values.get(name).is_some_and(|value| value.text.is_none())
    }

    /// Whether a text that names variables says the same where it is kept: what it names is set by lines that are kept
    /// too, or comes from outside.
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
        // A long word may name one variable many times.
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
        // `"$@"` is as many words as there are, for all its quotes.
        let parts =
            word.parts.iter().filter(|part| !matches!(part, WordPart::Text { text, .. } if text.is_empty()));
        expanded.splits = match &parts.collect::<Vec<_>>()[..] {
            [WordPart::Variable { name }] => name == "@" || word.parts.len() == 1,
            _ => false,
        };
        // `~` and globs are for the machine that runs it.
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

/// What stands in double quotes for the text itself.
fn escaped(text: &str) -> String {
    let escape = |c: char| if "\\\"$`".contains(c) { vec!['\\', c] } else { vec![c] };
    text.chars().flat_map(escape).collect()
}

/// Whether a variable stands there as it is, without `:-`, `%` and such.
fn is_plain(written: &str, name: &str) -> bool {
    let braced = format!("${{{name}");
    let mut found = written.match_indices(&braced).map(|(at, text)| &written[at + text.len()..]);
    found.all(|rest| !rest.starts_with([':', '-', '%', '#', '/', '^', ',', '@', '[', '+', '=', '?']))
}
