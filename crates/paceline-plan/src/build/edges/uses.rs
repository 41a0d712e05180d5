//! What a stack provides to others and reads from them.

use std::collections::BTreeMap;

use paceline_assembly::Text;

use super::named::Physical;
use super::{Place, Reason, Section};

/// A name that a stack provides or reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Use {
    pub(super) reason: Reason,
    pub(super) name: Text,
    pub(super) at: At,
    /// Whether it is every name below this one, as in a path of Parameter Store.
    pub(super) below: bool,
    /// Whether it is of no interest where no stack provides it.
    pub(super) only_here: bool,
    /// Whether it is written by a call, which takes no offence if somebody else has made it before.
    pub(super) overwrites: bool,
    pub(super) place: Place,
}

/// Where a name lives. What is `None` is the stack's own.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct At {
    pub(super) account: Option<Text>,
    pub(super) region: Option<Text>,
}

impl At {
    pub(super) fn region(region: Text) -> Self {
        Self { account: None, region: Some(region) }
    }
}

/// What a stack provides to others and reads from them.
#[derive(Debug, Default)]
pub(crate) struct Uses {
    pub(super) provided: Vec<Use>,
    pub(super) read: Vec<Use>,
    /// The physical names that it gives and those that it uses.
    pub(crate) physical: Physical,
    /// The names that it gives to its resources, which others can use as they are.
    pub(crate) given_names: Vec<String>,
    /// The assets that it uses and that only other stacks register, by their numbers in the catalogue, and where.
    pub(super) borrowed: BTreeMap<usize, Place>,
    /// Where its custom resources hold the time of the synthesis.
    pub(crate) times: Vec<Place>,
    /// Where something is too large to be resolved.
    pub(crate) too_large: Vec<Place>,
}

impl Uses {
    /// Whether it makes this parameter, or what else is looked up by this name, wherever that is.
    pub(crate) fn makes(&self, name: &str) -> bool {
        let mut made = self.provided.iter().filter(|it| matches!(it.reason, Reason::Ssm | Reason::Synth));
        made.any(|it| it.name.raw() == name)
    }

    /// The parameters that were to be looked up while the app was synthesized and were not found, or may be another
    /// now, and where what stands for them is baked in.
    pub(crate) fn looked_up(&self) -> impl Iterator<Item = (&str, &Place)> {
        let read = self.read.iter().filter(|read| read.reason == Reason::Synth);
        read.map(|read| (read.name.raw(), &read.place))
    }

    /// The resources of the stack's own template that provide something.
    pub(crate) fn provided_by_resources(&self) -> impl Iterator<Item = &str> {
        let own = |place: &&Place| place.section == Section::Resources && place.nested.is_empty();
        self.provided
            .iter()
            .map(|provided| &provided.place)
            .filter(own)
            .map(|place| place.logical_id.as_str())
    }
}
