//! Finds stacks by what people write: an id, a name, or a pattern of either.

use std::collections::HashMap;

use camino::Utf8Path;
use globset::{GlobBuilder, GlobMatcher};
use paceline_assembly::{Assembly, Stack};

use super::error::PlanError;
use crate::config::Pattern;

/// The names of an assembly's stacks.
#[derive(Debug)]
pub(crate) struct Names<'a> {
    assembly: &'a Assembly,
    config: &'a Utf8Path,
    stacks: HashMap<&'a str, &'a Stack>,
    by_name: HashMap<&'a str, Vec<&'a str>>,
}

impl<'a> Names<'a> {
    /// `config` is the file that patterns come from, for error messages.
    pub(crate) fn new(assembly: &'a Assembly, config: &'a Utf8Path) -> Self {
        let stacks = assembly.stacks.iter().map(|stack| (stack.id.as_str(), stack)).collect();
        let mut by_name: HashMap<&str, Vec<&str>> = HashMap::new();
        for stack in &assembly.stacks {
            by_name.entry(&stack.name).or_default().push(&stack.id);
        }
        Self { assembly, config, stacks, by_name }
    }

    /// The stack with this id.
    pub(crate) fn stack(&self, id: &str) -> Option<&'a Stack> {
        self.stacks.get(id).copied()
    }

    /// The ids of the stacks that a pattern of the configuration means; at least one.
    pub(crate) fn matching(&self, pattern: &Pattern, used_in: &str) -> Result<Vec<&'a str>, PlanError> {
        self.find(&pattern.text, &self.place(pattern, used_in))
    }

    /// Where a pattern of the configuration stands, for messages.
    pub(crate) fn place(&self, pattern: &Pattern, used_in: &str) -> String {
        format!("{}:{}:{}: {used_in}", self.config, pattern.line, pattern.column)
    }

    /// The id of the one stack that a pattern of the configuration means.
    pub(crate) fn one(&self, pattern: &Pattern, used_in: &str) -> Result<&'a str, PlanError> {
        let found = self.matching(pattern, used_in)?;
        match found.as_slice() {
            [id] => Ok(id),
            _ => Err(PlanError::Ambiguous {
                place: self.place(pattern, used_in),
                pattern: pattern.text.clone(),
                stacks: found.into_iter().map(str::to_owned).collect(),
            }),
        }
    }

    /// The ids of the stacks that `text` means; at least one. An id means its stack, even if it is the
    /// name of another.
    pub(crate) fn find(&self, text: &str, place: &str) -> Result<Vec<&'a str>, PlanError> {
        if let Some(stack) = self.stack(text) {
            return Ok(vec![&stack.id]);
        }
        if let Some(ids) = self.by_name.get(text) {
            return Ok(ids.clone());
        }
        let matcher = matcher(text, place)?;
        let stacks = self.assembly.stacks.iter();
        let matching = stacks.filter(|stack| matcher.is_match(&stack.id) || matcher.is_match(&stack.name));
        let found: Vec<&str> = matching.map(|stack| stack.id.as_str()).collect();
        if found.is_empty() {
            return Err(PlanError::UnknownStack {
                place: place.to_owned(),
                pattern: text.to_owned(),
                meant: near(text, self.assembly.stacks.iter().map(|stack| stack.id.as_str()))
                    .map(str::to_owned),
            });
        }
        Ok(found)
    }
}

/// The name that a mistake in typing makes of `text`, or else the only one that it is a part of. None rather than one
/// that has little to do with it.
pub fn near<'a>(text: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let text = text.to_lowercase();
    let length = text.chars().count();
    // One letter of three may be wrong: `Nope` is not `Api`.
    let most = (length / 3).clamp(usize::from(length > 1), 3);
    let far = |name: &str| {
        let name = name.to_lowercase();
        let last = name.rsplit('/').next().unwrap_or_default();
        distance(&text, &name).min(distance(&text, last))
    };
    let names: Vec<(usize, &str)> = names.map(|name| (far(name), name)).collect();
    if let Some((_, name)) = names.iter().filter(|(distance, _)| *distance <= most).min() {
        return Some(name);
    }
    let mut holding = names.iter().filter(|(_, name)| length > 2 && name.to_lowercase().contains(&text));
    let (_, only) = holding.next()?;
    holding.next().is_none().then_some(*only)
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
    use super::{distance, near};

    #[test]
    fn the_nearest_name_is_meant_or_the_only_one_that_holds_the_text() {
        let of = |text| near(text, ["Dashboard", "UserSimulationStack", "Prod/Services"].into_iter());
        assert_eq!(of("Dashbord"), Some("Dashboard"));
        assert_eq!(of("usersimulation"), Some("UserSimulationStack"));
        assert_eq!(of("Services"), Some("Prod/Services"));
        assert_eq!(of("Servcies"), Some("Prod/Services"));
        for far in ["Frontend", "Nope", "Data", "s", ""] {
            assert_eq!(of(far), None, "{far}");
        }
        let of = |text| near(text, ["Api", "Web", "ApiBackend"].into_iter());
        assert_eq!(of("Nope"), None);
        assert_eq!(of("apo"), Some("Api"));
        assert_eq!(of("back"), Some("ApiBackend"));
        assert_eq!(of("ackend"), Some("ApiBackend"));
        let of = |text| near(text, ["FrontService", "BackService"].into_iter());
        assert_eq!(of("service"), None, "it is a part of two");
    }

    #[test]
    fn a_typing_mistake_is_near_and_another_word_is_far() {
        assert_eq!(distance("servces", "services"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert!(distance("network", "observability") > 3);
    }
}
