//! What is known about resource types.

mod data;
mod replacement;

pub(crate) use data::data_loss;
pub(crate) use replacement::{effect, name_property};
