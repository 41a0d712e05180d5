//! Templates as CloudFormation understands them: checks, and the evaluation of expressions.

mod check;
mod cidr;
mod conditions;
mod dynamic;
mod evaluate;
mod functions;
mod graph;
mod loops;
mod made_up;
mod parameters;
mod references;
mod scope;

pub(crate) use check::{capabilities, check, has_transform, parse};
pub(crate) use graph::{active_resources, conditions, imports, order, references_of};
pub(crate) use loops::transform;
pub(crate) use parameters::{Given, bind, check_rules};
pub(crate) use scope::Scope;
