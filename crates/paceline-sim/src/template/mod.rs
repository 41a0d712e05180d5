//! Templates as CloudFormation understands them: what it refuses, and what expressions come to.

mod check;
mod evaluate;
mod graph;
mod loops;
mod parameters;

pub(crate) use check::{capabilities, check, has_transform, parse};
pub(crate) use evaluate::{Scope, text_of};
pub(crate) use graph::{active_resources, conditions, imports, order, references_of};
pub(crate) use loops::transform;
pub(crate) use parameters::{Given, Parameter, bind, check_rules};
