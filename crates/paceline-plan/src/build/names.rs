//! Finds stacks by what people write: an id, a name, or a pattern of either.

use std::collections::{BTreeSet, HashMap};

use camino::Utf8Path;
use globset::{GlobBuilder, GlobMatcher};
use paceline_assembly::{Assembly, Stack};
use paceline_text::near;

use super::error::PlanError;
use paceline_config::{Pattern, Patterns};

/// The ids of the stacks that patterns of the configuration mean. `config` is the file, and `used_in` the setting, for error
/// messages. A pattern that means no stack is an error.
pub fn stacks_of(
    assembly: &Assembly,
    patterns: &Patterns,
    config: &Utf8Path,
    used_in: &str,
) -> Result<BTreeSet<String>, PlanError> {
    let names = Names::new(assembly, config);
    let mut found = BTreeSet::new();
    for pattern in &patterns.0 {
        found.extend(names.matching(pattern, used_in)?.into_iter().map(str::to_owned));
    }
    Ok(found)
}

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

    /// Whether a text is the id or the name of a stack.
    pub(crate) fn is_exact(&self, text: &str) -> bool {
        self.stacks.contains_key(text) || self.by_name.contains_key(text)
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

pub(crate) fn matcher(text: &str, place: &str) -> Result<GlobMatcher, PlanError> {
    let glob = GlobBuilder::new(text).literal_separator(false).build();
    glob.map(|glob| glob.compile_matcher()).map_err(|error| PlanError::Pattern {
        place: place.to_owned(),
        pattern: text.to_owned(),
        message: error.kind().to_string(),
    })
}
