//! Templates as CloudFormation understands them: what it refuses, and what expressions come to.

mod check;
mod evaluate;
mod graph;
mod parameters;

pub(crate) use check::{capabilities, parse};
pub(crate) use evaluate::{Scope, text_of};
pub(crate) use graph::{active_resources, conditions, imports, order, references_of};
pub(crate) use parameters::{Given, Parameter, bind, check_rules};
