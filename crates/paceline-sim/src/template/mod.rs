//! Templates as CloudFormation understands them: what it refuses, and what expressions come to.

mod check;
mod cidr;
mod dynamic;
mod evaluate;
mod graph;
mod loops;
mod made_up;
mod parameters;
mod scope;

pub(crate) use check::{capabilities, check, has_transform, parse};
pub(crate) use graph::{active_resources, conditions, imports, order, references_of};
pub(crate) use loops::transform;
pub(crate) use made_up::Known;
pub(crate) use parameters::{Given, Parameter, bind, check_rules};
pub(crate) use scope::{Scope, text_of};
