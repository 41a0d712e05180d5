//! What a stack provides to others and reads from them.

use std::collections::BTreeMap;

use paceline_assembly::Text;

use super::named::Physical;
use crate::model::{Reason, Section, TemplatePlace};

/// A name that a stack provides or reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::build) struct Use {
    pub(in crate::build) reason: Reason,
    pub(in crate::build) name: Text,
    pub(in crate::build) at: At,
    /// Whether it is every name below this one, as in a path of Parameter Store.
    pub(in crate::build) below: bool,
    /// Whether it matters only if a stack of the app provides it.
    pub(in crate::build) only_here: bool,
    /// Whether it is written by a call that succeeds even if the parameter exists already.
    pub(in crate::build) overwrites: bool,
    pub(in crate::build) place: TemplatePlace,
}

/// The account and region of a name. `None` is the stack's own.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::build) struct At {
    pub(in crate::build) account: Option<Text>,
    pub(in crate::build) region: Option<Text>,
}

impl Use {
    /// What a template reads or provides in the usual way.
    pub(in crate::build) fn new(reason: Reason, name: Text, at: At, place: TemplatePlace) -> Self {
        Self { reason, name, at, below: false, only_here: false, overwrites: false, place }
    }
}

impl At {
    pub(in crate::build) fn region(region: Text) -> Self {
        Self { account: None, region: Some(region) }
    }
}

/// What a stack provides to others and reads from them.
#[derive(Debug, Default)]
pub(crate) struct Uses {
    pub(in crate::build) provided: Vec<Use>,
    pub(in crate::build) read: Vec<Use>,
    /// The physical names that it gives and those that it uses.
    pub(crate) physical: Physical,
    /// The names that it gives to its resources. Other stacks can use them literally.
    pub(crate) given_names: Vec<String>,
    /// The assets that it uses and that only other stacks register, by their numbers in the catalogue, and where.
    pub(in crate::build) borrowed: BTreeMap<usize, TemplatePlace>,
    /// Where its custom resources hold the time of the synthesis.
    pub(crate) times: Vec<TemplatePlace>,
    /// Where something is too large to be resolved.
    pub(crate) too_large: Vec<TemplatePlace>,
}

impl Uses {
    /// Whether it creates the parameter, or the other thing, that is looked up by this name, in any place.
    pub(crate) fn makes(&self, name: &str) -> bool {
        let mut made = self.provided.iter().filter(|it| matches!(it.reason, Reason::Ssm | Reason::Synth));
        made.any(|it| it.name.raw() == name)
    }

    /// The parameters that were to be looked up while the app was synthesized and were not found, or may be another
    /// now, and where what stands for them is baked in.
    pub(crate) fn looked_up(&self) -> impl Iterator<Item = (&str, &TemplatePlace)> {
        let read = self.read.iter().filter(|read| read.reason == Reason::Synth);
        read.map(|read| (read.name.raw(), &read.place))
    }

    /// The resources of the stack's own template that provide something.
    pub(crate) fn provided_by_resources(&self) -> impl Iterator<Item = &str> {
        let own = |place: &&TemplatePlace| place.section == Section::Resources && place.nested.is_empty();
        self.provided
            .iter()
            .map(|provided| &provided.place)
            .filter(own)
            .map(|place| place.logical_id.as_str())
    }
}
