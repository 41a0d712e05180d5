//! Finds stacks by what people write: an id, a name, or a pattern of either.

use camino::Utf8Path;
use globset::{GlobBuilder, GlobMatcher};
use paceline_assembly::Assembly;

use crate::config::Pattern;
use crate::error::PlanError;

/// The names of an assembly's stacks.
#[derive(Debug)]
pub(crate) struct Names<'a> {
    assembly: &'a Assembly,
    config: &'a Utf8Path,
}

impl<'a> Names<'a> {
    /// `config` is the file that patterns come from, for error messages.
    pub(crate) fn new(assembly: &'a Assembly, config: &'a Utf8Path) -> Self {
        Self { assembly, config }
    }

    /// The ids of the stacks that a pattern of the configuration means; at least one.
    pub(crate) fn matching(&self, pattern: &Pattern, used_in: &str) -> Result<Vec<&'a str>, PlanError> {
        let place = format!("{}:{}:{}", self.config, pattern.line, pattern.column);
        self.find(&pattern.text, &format!("{place}: {used_in}"))
    }

    /// The id of the one stack that a pattern of the configuration means.
    pub(crate) fn one(&self, pattern: &Pattern, used_in: &str) -> Result<&'a str, PlanError> {
        let found = self.matching(pattern, used_in)?;
        match found.as_slice() {
            [id] => Ok(id),
            _ => Err(PlanError::Ambiguous {
                place: format!("{}:{}:{}: {used_in}", self.config, pattern.line, pattern.column),
                pattern: pattern.text.clone(),
                stacks: found.join(", "),
            }),
        }
    }

    /// The ids of the stacks that `text` means; at least one.
    pub(crate) fn find(&self, text: &str, place: &str) -> Result<Vec<&'a str>, PlanError> {
        let matcher = matcher(text, place)?;
        let exact = |stack: &&paceline_assembly::Stack| stack.id == text || stack.name == text;
        let mut found: Vec<&str> = self.assembly.stacks.iter().filter(exact).map(|s| s.id.as_str()).collect();
        if found.is_empty() {
            let stacks = self.assembly.stacks.iter();
            found = stacks
                .filter(|stack| matcher.is_match(&stack.id) || matcher.is_match(&stack.name))
                .map(|stack| stack.id.as_str())
                .collect();
        }
        if found.is_empty() {
            return Err(PlanError::UnknownStack {
                place: place.to_owned(),
                pattern: text.to_owned(),
                hint: self.suggestion(text),
            });
        }
        Ok(found)
    }

    fn suggestion(&self, text: &str) -> String {
        let names = self.assembly.stacks.iter().map(|stack| stack.id.as_str());
        let nearest = names.min_by_key(|name| distance(&text.to_lowercase(), &name.to_lowercase()));
        match nearest {
            Some(name)
                if distance(&text.to_lowercase(), &name.to_lowercase()) <= 3
                    || name.to_lowercase().contains(&text.to_lowercase()) =>
            {
                format!("did you mean `{name}`?")
            }
            _ => "`paceline plan` lists the stacks of the assembly".to_owned(),
        }
    }
}

fn matcher(text: &str, place: &str) -> Result<GlobMatcher, PlanError> {
    let glob = GlobBuilder::new(text).literal_separator(false).build();
    glob.map(|glob| glob.compile_matcher()).map_err(|error| PlanError::Pattern {
        place: place.to_owned(),
        pattern: text.to_owned(),
        message: error.kind().to_string(),
    })
}

/// The number of insertions, deletions and replacements that turn one word into the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, &y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn a_typing_mistake_is_near_and_another_word_is_far() {
        assert_eq!(distance("servces", "services"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert!(distance("network", "observability") > 3);
    }
}
