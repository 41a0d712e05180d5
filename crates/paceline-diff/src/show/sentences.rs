//! What happens to resources, data, names and time, in sentences.

use paceline_text::{cut, duration, quoted};
use serde_json::Value;
use std::fmt;

use crate::model::{
    Because, Collision, Effect, ElementDiff, Fate, NameConflict, Place, PropertyChange, ResourceDiff,
    TimeChange,
};
use crate::rendered::quoted_value;

/// A value is cut after so many characters.
const LONGEST_VALUE: usize = 120;

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} refers to `{}`, which is replaced", self.property, self.replaced)
    }
}

impl ResourceDiff {
    /// What happens to it.
    pub(super) fn verb(&self) -> &'static str {
        match self.effect {
            Effect::TemplateOnly => "changes in the template only",
            Effect::Update => "is changed",
            Effect::MayReplace => "may be replaced",
            Effect::Replace => "is replaced",
            Effect::Add => "is new",
            Effect::Remove => "is deleted",
        }
    }

    /// The sign before it in a list.
    pub(super) fn sign(&self) -> char {
        sign(self.effect)
    }

    /// What happens to its data, and whether that is a loss. `None` for a resource that holds none.
    pub(super) fn about_data(&self) -> Option<(bool, String)> {
        let data = self.data?;
        let it = format!("{} ({}) {}", quoted(&self.place.to_string()), self.resource_type, self.verb());
        let old = if self.effect == Effect::Remove { "it" } else { "the old one" };
        Some(match data.fate {
            Fate::Deleted => (true, format!("{it}: {old} and its data would be lost")),
            Fate::DeletedIfEmpty => (true, format!("{it}: {old} can only be deleted when it is empty")),
            Fate::Snapshot => (true, format!("{it}: a snapshot of {old} is kept")),
            Fate::Retained => {
                (false, format!("{it}: {old} stays in the account, and belongs to no stack any more"))
            }
        })
    }

    /// Why it is what it is, if no change says so.
    pub(super) fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        if let Some(before) = &self.type_before {
            remarks.push(format!(
                "it was {before}: CloudFormation refuses another type under the same logical id"
            ));
        }
        remarks.extend(self.because.as_ref().map(ToString::to_string));
        remarks
    }
}

pub(super) fn sign(effect: Effect) -> char {
    match effect {
        Effect::Add => '+',
        Effect::Remove => '-',
        Effect::Replace | Effect::MayReplace => '!',
        Effect::Update | Effect::TemplateOnly => '~',
    }
}

impl ElementDiff {
    /// `Outputs.Url`, `Nested/Outputs.Url`, `Description`.
    pub(super) fn name(&self) -> String {
        let id = self.id.as_ref().map(|id| format!(".{id}")).unwrap_or_default();
        let own = format!("{}{id}", self.section);
        let path: Vec<&str> = self.nested.iter().map(String::as_str).chain([own.as_str()]).collect();
        path.join("/")
    }

    pub(super) fn verb(&self) -> &'static str {
        match self.effect {
            Effect::Add => "is new",
            Effect::Remove => "is removed",
            _ => "is changed",
        }
    }
}

impl PropertyChange {
    /// `Properties.Name: "a" → "b" (replaces it)`.
    pub(super) fn line(&self) -> String {
        let path = if self.path.is_empty() { String::new() } else { format!("{}: ", self.path) };
        let change = match (&self.before, &self.after) {
            (Some(before), Some(after)) => format!("{} → {}", value(before), value(after)),
            (None, Some(after)) => format!("new: {}", value(after)),
            (Some(before), None) => format!("removed: {}", value(before)),
            (None, None) => String::new(),
        };
        let effect = match self.effect {
            Effect::Replace => " (replaces it)",
            Effect::MayReplace => " (may replace it)",
            _ => "",
        };
        format!("{path}{change}{effect}")
    }
}

fn value(value: &Value) -> String {
    cut(&paceline_text::one_line(&quoted_value(value)), LONGEST_VALUE)
}

/// The word of a conflict in JSON.
pub(super) fn conflict_kind(conflict: &NameConflict) -> &'static str {
    match conflict {
        NameConflict::Twice { .. } => "twice",
        NameConflict::StillThere { .. } => "still-there",
        NameConflict::Replaced => "replaced",
    }
}

impl Collision {
    pub(super) fn sentence(&self) -> String {
        let own = quoted(&self.place.to_string());
        let (kind, name) = (&self.kind, &self.name);
        let of = |stack: &str, place: &Place| {
            let place = quoted(&place.to_string());
            if stack == self.stack { place } else { format!("{place} of {stack}") }
        };
        match &self.conflict {
            NameConflict::Twice { stack, place } => {
                format!("{own} is called {name} ({kind}), and so is {}", of(stack, place))
            }
            NameConflict::StillThere { stack, place } => format!(
                "{own} is called {name} ({kind}), as {} is: that one is still there when the new one is created",
                of(stack, place)
            ),
            NameConflict::Replaced => format!(
                "{own} is replaced and keeps the name {name} ({kind}): CloudFormation refuses that, give it another name"
            ),
        }
    }
}

impl TimeChange {
    pub(super) fn sentence(&self) -> String {
        let (before, after) = (duration(self.before), duration(self.after));
        // A difference that the times do not show is none to a reader.
        if before == after {
            return format!("A first deployment of these stacks takes as long as before: about {after}.");
        }
        let change = if self.after > self.before {
            format!("{} longer", duration(self.after.abs_diff(self.before)))
        } else {
            format!("{} less", duration(self.after.abs_diff(self.before)))
        };
        let price = self.price.as_ref().and_then(|price| {
            let (before, after) = (price.for_time(self.before), price.for_time(self.after));
            let (before, after) = (before.to_string(), after.to_string());
            (before != after).then(|| format!(" The build costs about {after} instead of {before}."))
        });
        format!(
            "A first deployment of these stacks takes about {change}: {after} instead of {before}.{}",
            price.unwrap_or_default()
        )
    }
}
