//! The rules, one for each kind of thing that makes a run longer than necessary.

mod barrier;
mod cloudfront;
mod concurrency;
mod custom_resources;
mod gate;
mod image;
mod nat_gateways;
mod serial_reader;
pub(crate) mod slow_resource;
mod split_consumer;
mod split_provider;
mod unused_edge;

use super::input::AdviceInput;
use super::proposal::Proposal;

/// Every rule. Those for one kind of thing come before those that say the same in general.
pub(super) const ALL: [for<'s> fn(&'s AdviceInput<'_>) -> Vec<Proposal<'s>>; 12] = [
    unused_edge::find,
    cloudfront::find,
    serial_reader::find,
    split_provider::find,
    split_consumer::find,
    nat_gateways::find,
    custom_resources::find,
    slow_resource::find,
    barrier::find,
    gate::find,
    image::find,
    concurrency::find,
];
