//! What people write to choose stacks: a stack, a pattern, or a region, an account or a phase, with what the stacks need or
//! what needs them.

use std::collections::{BTreeSet, HashMap};

use paceline_assembly::{Assembly, Stack};

use super::error::PlanError;
use super::names::{Names, matcher};
use super::phases::Phases;
use crate::model::Edge;

/// Finds the stacks that people mean.
///
/// | text | means |
/// |---|---|
/// | `Web`, `Web*` | the stack, or those that the pattern matches |
/// | `region:eu-*` | the stacks in these regions; likewise `account:` and `phase:` |
/// | `+Web` | also all that it needs |
/// | `Web+` | also all that needs it |
pub(crate) struct Selectors<'a> {
    pub(crate) assembly: &'a Assembly,
    pub(crate) names: &'a Names<'a>,
    pub(crate) phases: &'a Phases,
    pub(crate) edges: &'a [Edge],
}

/// The kinds of things that stacks are in, with the word for several.
const KINDS: [(&str, &str); 3] = [("region", "regions"), ("account", "accounts"), ("phase", "phases")];

impl<'a> Selectors<'a> {
    /// The ids of all stacks that the texts mean. `place` is where they are written.
    pub(crate) fn all(&self, texts: &'a [String], place: &str) -> Result<BTreeSet<&'a str>, PlanError> {
        let mut ids = BTreeSet::new();
        for text in texts {
            ids.extend(self.one(text, place)?);
        }
        Ok(ids)
    }

    fn one(&self, text: &'a str, place: &str) -> Result<BTreeSet<&'a str>, PlanError> {
        // The name of a stack is never anything else.
        if self.names.is_exact(text) {
            return Ok(self.names.find(text, place)?.into_iter().collect());
        }
        let (needs, rest) = text.strip_prefix('+').map_or((false, text), |rest| (true, rest));
        let (needed, rest) = rest.strip_suffix('+').map_or((false, rest), |rest| (true, rest));
        let meant = self.plain(rest, place)?;
        let mut all = meant.clone();
        if needs {
            all.extend(closure(&meant, self.edges, false));
        }
        if needed {
            all.extend(closure(&meant, self.edges, true));
        }
        Ok(all)
    }

    /// The stacks that a text without `+` means; at least one.
    fn plain(&self, text: &'a str, place: &str) -> Result<BTreeSet<&'a str>, PlanError> {
        let kind = text.split_once(':').filter(|_| !self.names.is_exact(text));
        let kind = kind.and_then(|(kind, glob)| Some((KINDS.iter().find(|it| it.0 == kind)?, glob)));
        let Some((&(kind, kinds), glob)) = kind else {
            return Ok(self.names.find(text, place)?.into_iter().collect());
        };
        let matcher = matcher(glob, place)?;
        let stacks = self.assembly.stacks.iter();
        let found = stacks.filter(|stack| self.is_in(stack, kind).is_some_and(|it| matcher.is_match(it)));
        let found: BTreeSet<&str> = found.map(|stack| stack.id.as_str()).collect();
        if found.is_empty() {
            let known = self.assembly.stacks.iter().filter_map(|stack| self.is_in(stack, kind));
            let known: BTreeSet<&str> = known.collect();
            return Err(PlanError::NoStackIn {
                place: place.to_owned(),
                kind,
                kinds,
                pattern: glob.to_owned(),
                known: known.into_iter().map(str::to_owned).collect(),
            });
        }
        Ok(found)
    }

    /// The region, the account or the phase of a stack.
    fn is_in(&self, stack: &'a Stack, kind: &str) -> Option<&'a str> {
        match kind {
            "region" => stack.environment.region.as_deref(),
            "account" => stack.environment.account.as_deref(),
            _ => self.phases.of(&stack.id),
        }
    }
}

/// The stacks with all that they need; with `dependents`, with all that need them.
pub(crate) fn closure<'a>(
    stacks: &BTreeSet<&'a str>,
    edges: &'a [Edge],
    dependents: bool,
) -> BTreeSet<&'a str> {
    let mut next: HashMap<&str, Vec<&str>> = HashMap::new();
    for edge in edges {
        let (from, to) = if dependents { (&edge.to, &edge.from) } else { (&edge.from, &edge.to) };
        next.entry(from).or_default().push(to);
    }
    let mut all = stacks.clone();
    let mut open: Vec<&str> = stacks.iter().copied().collect();
    while let Some(stack) = open.pop() {
        open.extend(next.get(stack).into_iter().flatten().filter(|other| all.insert(other)));
    }
    all
}
