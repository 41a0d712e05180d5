//! Expands the loops of a template: what `Fn::ForEach` comes to under the transform `AWS::LanguageExtensions`.
//!
//! `"Fn::ForEach::Name": ["Identifier", collection, { "Key${Identifier}": value, … }]` stands for the entries of its
//! fragment, once for each element of the collection, with the element in place of `${Identifier}`, of its letters and
//! digits in place of `&{Identifier}`, and of `{ "Ref": "Identifier" }`. Under the transform, functions may name what
//! `Ref`, `Fn::GetAtt` and `Condition` refer to.
//!
//! Sources: CloudFormation Template Reference, `Fn::ForEach` and `AWS::LanguageExtensions`; what these leave
//! open is taken from RFC 9 of aws-cloudformation/cfn-language-discussion (five loops in each other; no key twice) and
//! from the expansion that the AWS SAM CLI does (`cfn_language_extensions`: placeholders in every string, several
//! identifiers with a list of lists).

mod expander;

use std::fmt;

use serde_json::Value;

use crate::values::{Resolver, Text, size};
use expander::{Expander, Goes};

/// The transform under which there are loops.
pub(crate) const TRANSFORM: &str = "AWS::LanguageExtensions";
/// What every loop's key begins with.
pub(crate) const LOOP: &str = "Fn::ForEach";
/// The sections in which there may be loops.
const SECTIONS: [&str; 3] = ["Conditions", "Resources", "Outputs"];
/// How large a template may become beside ten times its size, in bytes of memory. CloudFormation takes 500 resources and
/// 1 MB after the expansion, which is about half of it.
const SPARE: usize = 8 << 20;

/// Knows what stands in loops.
pub trait LoopValues {
    /// The elements of a collection, each a text or a list of texts; `None` if they are not known.
    fn collection(&self, collection: &Value) -> Option<Vec<Value>>;

    /// The text that a function in the place of a name comes to, or null for none; `None` if it is not known.
    fn name(&self, function: &Value) -> Option<Value>;
}

/// A template without loops.
#[derive(Debug, Clone)]
pub struct Expansion {
    pub template: Value,
    /// How many resources it has; more than `template` has where that would be too large.
    pub resources: usize,
    /// What is not expanded as it should be, each once.
    pub troubles: Vec<LoopTrouble>,
}

/// What is wrong with a loop, or not known of it, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LoopTrouble {
    /// Reads like `Resources.Fn::ForEach::Topics`.
    pub place: String,
    pub kind: LoopTroubleKind,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum LoopTroubleKind {
    /// It is not `[identifier, collection, fragment]`. It is left out.
    Malformed,
    /// Its collection is only known at deployment. Its fragment is there once, with [`UNKNOWN`](crate::UNKNOWN) in place
    /// of the element.
    NotKnown,
    /// The template would become too large. All loops are as if their collections were not known.
    TooLarge,
    /// It is inside of too many others, and is as if its collection was not known.
    TooDeep,
    /// Its identifier is that of a loop around it, or a parameter's name.
    Taken(String),
    /// Something else has this key already, and is kept.
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

/// Expands the loops of a template that [asks for it](Template::has_loops).
pub fn expand(template: &Value, values: &dyn LoopValues) -> Expansion {
    let bound = SPARE + 10 * size(template);
    let (mut expanded, mut troubles, exceeded) = Expander::new(template, values, Goes::Through(bound)).all();
    let mut resources = entries(&expanded);
    if let Some(place) = exceeded {
        let (once, more, _) = Expander::new(template, values, Goes::Once).all();
        expanded = once;
        resources = entries(&expanded).max(expander::count(&template["Resources"], values));
        troubles = more;
        troubles.push(LoopTrouble { place, kind: LoopTroubleKind::TooLarge });
    }
    troubles.sort_unstable();
    troubles.dedup();
    Expansion { template: expanded, resources, troubles }
}

fn entries(template: &Value) -> usize {
    let resources = template.get("Resources").and_then(Value::as_object);
    resources.map_or(0, |all| all.values().filter(|body| body.is_object()).count())
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
