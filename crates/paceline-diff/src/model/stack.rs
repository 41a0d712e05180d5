//! A stack, and what changes in it.

use super::access::Widening;
use super::resource::{Effect, PropertyChange, ResourceDiff};

/// A stack, and what changes in it.
#[derive(Debug, Clone, PartialEq)]
pub struct StackDiff {
    /// The hierarchical id.
    pub id: String,
    /// The name of the CloudFormation stack.
    pub name: String,
    pub account: Option<String>,
    pub region: Option<String>,
    pub change: StackChange,
    /// The resources that change, those of nested stacks too.
    pub resources: Vec<ResourceDiff>,
    /// The changes in the other sections of the template.
    pub elements: Vec<ElementDiff>,
    /// The changes of what the template does not show: tags, values of parameters, termination protection.
    pub settings: Vec<PropertyChange>,
    /// What policies and security groups newly allow.
    pub widenings: Vec<Widening>,
}

/// What happens to a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StackChange {
    /// It is new.
    Added,
    Changed,
    Unchanged,
    /// It differs only in spelling, or in what the CDK writes for itself.
    Equivalent,
    /// Only the base has it. A deployment does not delete it.
    Gone,
}

impl StackChange {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Unchanged => "unchanged",
            Self::Equivalent => "equivalent",
            Self::Gone => "gone",
        }
    }

    /// Whether there is something to look at.
    pub fn is_change(self) -> bool {
        matches!(self, Self::Added | Self::Changed | Self::Gone)
    }
}

/// A change outside of the resources: an output, a parameter, a condition, the description.
#[derive(Debug, Clone, PartialEq)]
pub struct ElementDiff {
    /// The logical ids of the nested stacks that lead to the template, outermost first.
    pub nested: Vec<String>,
    /// The section, such as `Outputs`.
    pub section: String,
    /// The id in that section. `None` for a section that is one value, such as `Description`.
    pub id: Option<String>,
    /// [`Effect::Add`], [`Effect::Remove`] or [`Effect::Update`].
    pub effect: Effect,
    /// The changes inside of it. Empty for one that is new or removed.
    pub changes: Vec<PropertyChange>,
}
