//! The parts that text and Markdown share: the headline, what to look at first, and the names of unchanged stacks.

use std::collections::BTreeMap;

use paceline_text::{count, first_few, list};

use super::Shown;
use crate::model::{AppDiff, Effect, StackChange, StackDiff};

/// So many unchanged stacks are named.
const NAMED: usize = 20;

/// A line about a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// Whether somebody should look at it first.
    pub(super) is_alarm: bool,
    pub(super) stack: String,
    pub(super) sentence: String,
    /// The path of the construct.
    pub(super) construct: Option<String>,
}

impl Shown<'_> {
    /// `Compared with what is deployed: of 14 stacks, 1 is new, 2 change, 11 are unchanged`.
    pub(super) fn headline(&self) -> String {
        let number = |change: StackChange| self.diff.stacks.iter().filter(|it| it.change == change).count();
        let is = |number: usize, one: &str, many: &str| {
            (number > 0).then(|| format!("{number} {}", if number == 1 { one } else { many }))
        };
        let parts = [
            is(number(StackChange::Added), "is new", "are new"),
            is(number(StackChange::Changed), "changes", "change"),
            is(number(StackChange::Gone), "is no longer in the app", "are no longer in the app"),
            is(
                number(StackChange::Unchanged) + number(StackChange::Equivalent),
                "is unchanged",
                "are unchanged",
            ),
        ];
        let stacks = count(self.diff.stacks.len(), "stack");
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        if self.diff.is_different() {
            format!("Compared with {}: of {stacks}, {}.", self.base, list(parts))
        } else {
            format!("Compared with {}: nothing differs in {stacks}.", self.base)
        }
    }

    /// What happens to data.
    pub(super) fn data(&self) -> Vec<Line> {
        self.lines(|stack| {
            let lines = stack.resources.iter().filter_map(|it| {
                let (is_alarm, sentence) = it.about_data()?;
                Some((is_alarm, sentence, it.place.construct.clone()))
            });
            lines.collect()
        })
    }

    /// What is newly allowed.
    pub(super) fn access(&self) -> Vec<Line> {
        self.lines(|stack| {
            let lines = stack.widenings.iter();
            lines.map(|it| (it.access.is_broad(), it.sentence(), it.place.construct.clone())).collect()
        })
    }

    /// Names that would collide.
    pub(super) fn collisions(&self) -> Vec<Line> {
        let lines = self.diff.collisions.iter().map(|it| Line {
            is_alarm: true,
            stack: it.stack.clone(),
            sentence: it.sentence(),
            construct: it.place.construct.clone(),
        });
        lines.collect()
    }

    /// The lines of all stacks, the alarms first.
    fn lines(&self, of: impl Fn(&StackDiff) -> Vec<(bool, String, Option<String>)>) -> Vec<Line> {
        let mut all: Vec<Line> = Vec::new();
        for stack in &self.diff.stacks {
            let lines = of(stack).into_iter();
            all.extend(lines.map(|(is_alarm, sentence, construct)| Line {
                is_alarm,
                stack: stack.id.clone(),
                sentence,
                construct,
            }));
        }
        all.sort_by_key(|line| !line.is_alarm);
        all
    }
}

impl AppDiff {
    /// The stacks to show one by one.
    pub(super) fn changed(&self) -> impl Iterator<Item = &StackDiff> {
        self.stacks.iter().filter(|stack| matches!(stack.change, StackChange::Added | StackChange::Changed))
    }

    /// What is said about stacks with nothing to show, one sentence a line.
    pub(super) fn others(&self) -> Vec<String> {
        let names = |change: StackChange| -> Vec<&str> {
            self.stacks.iter().filter(|it| it.change == change).map(|it| it.id.as_str()).collect()
        };
        let named = |title: &str, all: &[&str]| {
            (!all.is_empty()).then(|| format!("{title}: {}", first_few(all, NAMED)))
        };
        let sentences = [
            named("No longer in the app; a deployment does not delete them", &names(StackChange::Gone)),
            named("Unchanged", &names(StackChange::Unchanged)),
            named(
                "Unchanged but for spelling and what the CDK writes for itself (--strict compares that)",
                &names(StackChange::Equivalent),
            ),
        ];
        sentences.into_iter().flatten().collect()
    }
}

impl StackDiff {
    /// `is new`, `changes`.
    pub(super) fn verb(&self) -> &'static str {
        if self.change == StackChange::Added { "is new" } else { "changes" }
    }

    /// `111111111111/eu-west-1`.
    pub(super) fn target(&self) -> String {
        let parts = [&self.account, &self.region].into_iter().flatten();
        parts.map(String::as_str).collect::<Vec<_>>().join("/")
    }

    /// `3 new, 1 replaced, 2 changed`.
    pub(super) fn counts(&self) -> String {
        let words = [
            (Effect::Add, "new"),
            (Effect::Remove, "deleted"),
            (Effect::Replace, "replaced"),
            (Effect::MayReplace, "may be replaced"),
            (Effect::Update, "changed"),
            (Effect::TemplateOnly, "in the template only"),
        ];
        let parts = words.iter().filter_map(|(effect, word)| {
            let number = self.resources.iter().filter(|it| it.effect == *effect).count();
            (number > 0).then(|| format!("{number} {word}"))
        });
        let parts: Vec<String> = parts.collect();
        if parts.is_empty() { "no resource".to_owned() } else { parts.join(", ") }
    }

    /// The resources that may be replaced only because another one is, in one sentence.
    pub(super) fn caused(&self) -> Option<String> {
        let caused = self.resources.iter().filter(|it| it.is_only_caused());
        let caused: Vec<String> = caused.map(|it| it.place.to_string()).collect();
        let they = match caused.len() {
            0 => return None,
            1 => "1 more resource may be replaced, because it refers to one that is".to_owned(),
            more => format!("{more} more resources may be replaced, because they refer to one that is"),
        };
        Some(format!("{they}: {}", caused.join(", ")))
    }

    /// How many resources there are of each type, the most frequent type first.
    pub(super) fn types(&self) -> Vec<(&str, usize)> {
        let mut types: BTreeMap<&str, usize> = BTreeMap::new();
        for resource in &self.resources {
            *types.entry(&resource.resource_type).or_default() += 1;
        }
        let mut types: Vec<(&str, usize)> = types.into_iter().collect();
        types.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
        types
    }
}
