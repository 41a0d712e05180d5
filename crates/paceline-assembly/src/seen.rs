//! A template as CloudFormation will process it, as far as the template alone shows this.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use crate::loops::{LOOP, LoopTrouble, LoopTroubleKind, TRANSFORM, expand};
use crate::sections::{MACRO, count_resources};
use crate::values::Resolver;

/// The macro that inserts a file. Other macros of AWS only add to the template.
const INCLUDE: &str = "AWS::Include";

#[derive(Debug)]
pub(crate) struct Seen {
    /// The processed template, if it differs from the written one.
    pub(crate) value: Option<Arc<Value>>,
    /// The lowest possible number of resources.
    pub(crate) resources: usize,
    pub(crate) unseen: Vec<Unseen>,
}

/// A part of a template that is unknown until CloudFormation has processed it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unseen {
    Loop(LoopTrouble),
    /// The template has loops, but not the transform that expands them: CloudFormation refuses it.
    LoopsNotEnabled,
    /// A macro, which is a program, or a file that is included.
    Macro {
        name: String,
        /// The place, such as `Resources.Topic.Properties`. It is empty for the whole template.
        place: String,
    },
}

impl fmt::Display for Unseen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loop(trouble) => trouble.fmt(f),
            Self::LoopsNotEnabled => write!(f, "it has loops, which need `Transform: {TRANSFORM}`"),
            Self::Macro { name, place } if place.is_empty() => {
                write!(f, "the macro `{name}` makes it another template")
            }
            Self::Macro { name, place } => {
                write!(f, "only deployment knows what `{name}` puts in at `{place}`")
            }
        }
    }
}

impl Unseen {
    /// Whether the unknown part may contain resources.
    fn may_be_resources(&self) -> bool {
        match self {
            Self::Loop(LoopTrouble { place, kind }) => {
                let is_lost = matches!(kind, LoopTroubleKind::Malformed | LoopTroubleKind::NotKnown);
                is_lost && place.starts_with("Resources.")
            }
            Self::LoopsNotEnabled => true,
            Self::Macro { place, .. } => place.is_empty() || place == "Resources",
        }
    }
}

impl Seen {
    /// For a template without loops and macros.
    pub(crate) fn plain(template: &Value) -> Self {
        Self { value: None, resources: count_resources(template), unseen: Vec::new() }
    }

    pub(crate) fn of(template: &Value, resolver: &Resolver<'_>) -> Self {
        let mut seen = Self::plain(template);
        let transforms = Transforms::of(template);
        seen.unseen.extend(transforms.unknown().map(|name| Unseen::Macro { name, place: String::new() }));
        if transforms.has_loops() {
            let expansion = expand(template, resolver);
            seen.resources = expansion.resources;
            seen.unseen.extend(expansion.troubles.into_iter().map(Unseen::Loop));
            seen.value = Some(Arc::new(expansion.template));
        } else if has_loop(template) {
            seen.unseen.push(Unseen::LoopsNotEnabled);
        }
        includes(seen.value.as_deref().unwrap_or(template), &mut Vec::new(), &mut seen.unseen);
        seen.unseen.sort_unstable();
        seen.unseen.dedup();
        // If resources may be hidden in an unknown part, the number must not be 0.
        let may_be_more = seen.unseen.iter().any(Unseen::may_be_resources);
        seen.resources = seen.resources.max(usize::from(may_be_more));
        seen
    }
}

/// The transforms that apply to a whole template.
pub(crate) struct Transforms<'a>(Vec<&'a Value>);

impl<'a> Transforms<'a> {
    pub(crate) fn of(template: &'a Value) -> Self {
        Self(match template.get("Transform") {
            Some(Value::Array(all)) => all.iter().collect(),
            Some(one) => vec![one],
            None => Vec::new(),
        })
    }

    pub(crate) fn has_loops(&self) -> bool {
        self.0.iter().any(|name| *name == TRANSFORM)
    }

    /// The names of the transforms with an unknown result.
    fn unknown(&self) -> impl Iterator<Item = String> {
        let names = self.0.iter().filter_map(|it| it.as_str().or_else(|| it.get("Name")?.as_str()));
        names.filter(|name| *name == INCLUDE || !name.starts_with("AWS::")).map(str::to_owned)
    }
}

fn has_loop(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(has_loop),
        Value::Object(fields) => fields.iter().any(|(key, field)| key.starts_with(LOOP) || has_loop(field)),
        _ => false,
    }
}

/// Finds the macros inside a template.
fn includes<'v>(value: &'v Value, path: &mut Vec<&'v str>, found: &mut Vec<Unseen>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| includes(item, path, found)),
        Value::Object(fields) => {
            for (key, field) in fields {
                if key == MACRO {
                    let all = field.as_array().map_or(std::slice::from_ref(field), Vec::as_slice);
                    let names = all.iter().filter_map(|it| it.as_str().or_else(|| it.get("Name")?.as_str()));
                    found.extend(
                        names.map(|name| Unseen::Macro { name: name.to_owned(), place: path.join(".") }),
                    );
                } else {
                    path.push(key);
                    includes(field, path, found);
                    path.pop();
                }
            }
        }
        _ => {}
    }
}
