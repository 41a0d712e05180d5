//! Assets whose addresses stand in a template and that only other stacks register.
//!
//! The CDK registers an asset with the stack in which its construct stands. A stack that is given the address as a
//! text, and has nothing else of that stack, has no edge to it: it needs the asset and not the stack.

use std::collections::{BTreeMap, HashSet};

use paceline_assembly::{Stack, Text};

use super::place::construct_of;
use super::uses::Uses;
use crate::build::assets::{Catalogue, Destination, PUBLISH};
use crate::model::{Borrowed, Publish, TemplatePlace};

/// An asset that a stack uses and that only another stack registers.
#[derive(Debug)]
pub(crate) struct BorrowedOffer<'a> {
    /// The place it goes to.
    pub(crate) place: String,
    /// The stacks that make that place.
    pub(crate) after: &'a [String],
    pub(crate) title: String,
    manifest: &'a str,
    asset: &'a str,
    destination: &'a str,
    image: bool,
    read_at: TemplatePlace,
}

impl<'a> BorrowedOffer<'a> {
    pub(crate) fn of(uses: &Uses, catalogue: &Catalogue<'a>) -> Vec<Self> {
        let found =
            uses.borrowed.iter().filter_map(|(number, place)| Some((catalogue.offer(*number)?, place)));
        let found = found.map(|(offer, read_at)| Self {
            place: offer.place.clone(),
            after: &offer.manifest.assets.depends_on,
            title: offer.to.title.clone(),
            manifest: &offer.manifest.id,
            asset: offer.to.asset,
            destination: offer.to.id,
            image: offer.to.image,
            read_at: read_at.clone(),
        });
        found.collect()
    }

    /// The work that publishes it, for the stack at this position of the plan.
    pub(crate) fn publish(&self, stack: usize) -> Publish {
        Publish {
            stack,
            manifest: self.manifest.to_owned(),
            asset: self.asset.to_owned(),
            destination: self.destination.to_owned(),
            image: self.image,
            title: self.title.clone(),
        }
    }

    /// The same as a value of the plan; `stack` is the one that uses it.
    pub(crate) fn in_plan(&self, stack: &Stack) -> Borrowed {
        let mut read_at = self.read_at.clone();
        construct_of(&mut read_at, stack);
        Borrowed {
            stack: stack.id.clone(),
            manifest: self.manifest.to_owned(),
            asset: self.title.clone(),
            image: self.image,
            step: format!("{PUBLISH}{}", self.place),
            read_at,
        }
    }
}

/// The assets that one stack may use, while its templates are read.
pub(super) struct Assets<'a> {
    stack: &'a Stack,
    catalogue: &'a Catalogue<'a>,
    /// Where its own assets go.
    own: HashSet<String>,
    /// The assets that the current resource may name, and where.
    named: BTreeMap<usize, TemplatePlace>,
    pub(super) borrowed: BTreeMap<usize, TemplatePlace>,
}

impl<'a> Assets<'a> {
    pub(super) fn new(stack: &'a Stack, catalogue: &'a Catalogue<'a>) -> Self {
        let own = Destination::of(stack).map(|to| to.place()).collect();
        Self { stack, catalogue, own, named: BTreeMap::new(), borrowed: BTreeMap::new() }
    }

    /// Whether there are any that it could use.
    pub(super) fn are_looked_for(&self) -> bool {
        self.catalogue.offer(0).is_some()
    }

    pub(super) fn are_named(&self) -> bool {
        !self.named.is_empty()
    }

    /// The numbers of the assets that a text may name, if another stack's are among them.
    pub(super) fn named_in(&self, text: &str) -> Vec<usize> {
        let numbers = self.catalogue.named_in(text);
        if numbers.iter().all(|number| self.is_own(*number)) { Vec::new() } else { numbers }
    }

    fn is_own(&self, number: usize) -> bool {
        self.catalogue.offer(number).is_none_or(|offer| self.own.contains(&offer.place))
    }

    /// Notes what a text at `place` may name.
    pub(super) fn named(&mut self, numbers: Vec<usize>, place: &TemplatePlace) {
        for number in numbers {
            self.named.entry(number).or_insert_with(|| place.clone());
        }
    }

    /// Decides which of the noted assets a resource with these texts uses. An asset of its own stack comes first.
    pub(super) fn borrow(&mut self, texts: &[Text]) {
        let named = std::mem::take(&mut self.named);
        let meant = named.into_iter().filter_map(|(number, place)| {
            let offer = self.catalogue.offer(number)?;
            let is_meant = self.catalogue.is_meant(offer, texts, &self.stack.environment);
            is_meant.then_some((number, offer, place))
        });
        let (own, others): (Vec<_>, Vec<_>) = meant.partition(|(number, ..)| self.is_own(*number));
        for (number, offer, place) in others {
            if !own.iter().any(|(_, own, _)| own.is_named_as(offer)) {
                self.borrowed.entry(number).or_insert(place);
            }
        }
    }
}
