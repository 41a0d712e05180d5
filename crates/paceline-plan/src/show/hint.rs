//! The line of `edges:` that a hint proposes.

use crate::model::ByName;
use paceline_yaml::inline::word;

impl ByName {
    /// What to add to `edges:` if the one needs the other.
    pub(crate) fn edge(&self) -> String {
        let because = word_or_words(&format!("needs the {} {}", self.kind, self.name));
        format!("{{ from: {}, to: {}, because: {because} }}", word(&self.from), word(&self.to))
    }
}

/// A text of words is plain YAML if each of them is.
fn word_or_words(text: &str) -> String {
    let is_plain = text.split(' ').all(|part| word(part) == part || part.starts_with('/'));
    if is_plain { text.to_owned() } else { word(text) }
}
