//! Readers of a database cluster, which are only created when its writer is there.

use std::collections::BTreeSet;

use super::{Proposal, Scene, Split};
use crate::outlook::advice::scene::INSTANCES;
use crate::show::show_duration;

pub(super) fn find<'s>(scene: &'s Scene<'_>) -> Vec<Proposal<'s>> {
    let mut found = Vec::new();
    for (stack, inside) in scene.insides() {
        let instances = inside.of_type(|kind| INSTANCES.contains(&kind));
        // CDK lets a reader depend on the writer, so that the writer is the first.
        let readers = instances.iter().copied().filter(|&instance| inside.follows_instance(instance));
        let readers: BTreeSet<usize> = readers.collect();
        let Some(&first) = readers.first() else { continue };
        let late = inside.with_dependents(&readers);
        let users: Vec<usize> = scene
            .dependents(stack)
            .into_iter()
            .filter(|&other| scene.provided(stack, other).is_some_and(|taken| !taken.is_disjoint(&late)))
            .collect();
        let (kept, off) = (inside.time_if_instant(&late), inside.time_of(&late));
        let what = format!(
            "the reader is created after the writer and takes {} more: make it in a stack of its own that nothing \
             waits for, or leave it out where one instance is enough",
            show_duration(inside.time_of_one(first)),
        );
        let cost = "until it is there the cluster has one instance: no failover, and reads go to the writer"
            .to_owned();
        let id = inside.resources.ids[first];
        found.push(scene.propose("serial-reader", stack, Some(id), [what, cost], move |plan| {
            plan.split_off(&Split { stack, kept, off, off_waits: true, wait_for_both: &users });
        }));
    }
    found
}
