//! Expands the loops of a template: `Fn::ForEach` under the transform `AWS::LanguageExtensions`.
//!
//! `"Fn::ForEach::Name": ["Identifier", collection, { "Key${Identifier}": value, … }]` stands for the entries
//! of its fragment, repeated for each element of the collection. The element replaces `${Identifier}` and `{
//! "Ref": "Identifier" }`. The letters and digits of the element replace `&{Identifier}`. Under the
//! transform, functions may also compute the names in `Ref`, `Fn::GetAtt` and `Condition`.
//!
//! Sources: CloudFormation Template Reference, `Fn::ForEach` and `AWS::LanguageExtensions`. Details that
//! these leave open follow RFC 9 of aws-cloudformation/cfn-language-discussion (five loops in each other; no
//! key twice) and the expansion of the AWS SAM CLI (`cfn_language_extensions`: placeholders in every string,
//! several identifiers with a list of lists).

mod expander;

use std::fmt;

use serde_json::Value;

use crate::sections::count_resources;
use crate::values::{Resolver, Text, size};
use expander::{Expander, Goes};

/// The transform that expands loops.
pub(crate) const TRANSFORM: &str = "AWS::LanguageExtensions";
/// The prefix of every loop's key.
pub(crate) const LOOP: &str = "Fn::ForEach";
/// The sections in which loops are allowed.
const SECTIONS: [&str; 3] = ["Conditions", "Resources", "Outputs"];
/// The growth of a template that is allowed in addition to ten times its size, in bytes of memory.
/// CloudFormation accepts 500 resources and 1 MB after the expansion, which take about half of this.
const SPARE: usize = 8 << 20;

/// Provides the values in loops.
pub trait LoopValues {
    /// The elements of a collection, each a text or a list of texts. `None` if they are not known.
    fn collection(&self, collection: &Value) -> Option<Vec<Value>>;

    /// The text of a function in the place of a name, or null for no value. `None` if it is not known.
    fn name(&self, function: &Value) -> Option<Value>;
}

/// A template whose loops are expanded.
#[derive(Debug, Clone)]
pub struct Expansion {
    pub template: Value,
    /// The number of resources. It is higher than in `template` if the full expansion would be too large.
    pub resources: usize,
    /// The problems of loops, without duplicates.
    pub troubles: Vec<LoopTrouble>,
}

/// A problem of a loop, and its place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LoopTrouble {
    /// The place, such as `Resources.Fn::ForEach::Topics`.
    pub place: String,
    pub kind: LoopTroubleKind,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum LoopTroubleKind {
    /// The loop is not `[identifier, collection, fragment]`. It is left out.
    Malformed,
    /// The collection is only known at deployment. The fragment appears once, with
    /// [`UNKNOWN`](crate::UNKNOWN) in the place of the element.
    NotKnown,
    /// The template would become too large. All loops are treated as if their collections were not known.
    TooLarge,
    /// The loop is nested too deeply. It is treated as if its collection was not known.
    TooDeep,
    /// The identifier is that of a loop around this one, or the name of a parameter.
    Taken(String),
    /// Another entry has this key already, and is kept.
    Twice(String),
}

impl fmt::Display for LoopTrouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = &self.place;
        match &self.kind {
            LoopTroubleKind::Malformed => {
                write!(f, "the loop at `{place}` is not [identifier, collection, fragment]")
            }
            LoopTroubleKind::NotKnown => {
                write!(f, "the loop at `{place}` goes through what is only known at deployment")
            }
            LoopTroubleKind::TooLarge => {
                write!(f, "the loop at `{place}` makes the template far larger than CloudFormation takes")
            }
            LoopTroubleKind::TooDeep => {
                write!(f, "the loop at `{place}` is inside of more than {} others", expander::MAX_DEPTH - 1)
            }
            LoopTroubleKind::Taken(name) => {
                write!(f, "the identifier `{name}` of the loop at `{place}` is the name of something else")
            }
            LoopTroubleKind::Twice(key) => {
                write!(f, "the loop at `{place}` makes `{key}`, which is there already")
            }
        }
    }
}

/// Expands the loops of a template that [has the transform](Template::has_loops).
pub fn expand(template: &Value, values: &dyn LoopValues) -> Expansion {
    let bound = SPARE + 10 * size(template);
    let (mut expanded, mut troubles, exceeded) = Expander::new(template, values, Goes::Through(bound)).all();
    let mut resources = count_resources(&expanded);
    if let Some(place) = exceeded {
        let (once, more, _) = Expander::new(template, values, Goes::Once).all();
        expanded = once;
        resources = count_resources(&expanded).max(expander::count(&template["Resources"], values));
        troubles = more;
        troubles.push(LoopTrouble { place, kind: LoopTroubleKind::TooLarge });
    }
    troubles.sort_unstable();
    troubles.dedup();
    Expansion { template: expanded, resources, troubles }
}

impl LoopValues for Resolver<'_> {
    fn collection(&self, collection: &Value) -> Option<Vec<Value>> {
        let text = |value: &Value| match value {
            Value::Object(_) => self.resolve(value).raw().into(),
            other => other.clone(),
        };
        match collection {
            Value::Array(items) => Some(items.iter().map(text).collect()),
            other => Some(self.list(other)?.iter().map(|item| item.raw().into()).collect()),
        }
    }

    fn name(&self, function: &Value) -> Option<Value> {
        let chosen = self.chosen(function);
        if chosen.get("Ref").is_some_and(|name| name == "AWS::NoValue") {
            return Some(Value::Null);
        }
        let text = self.resolve(chosen);
        (text != Text::unknown()).then(|| text.raw().into())
    }
}
