//! What the functions of a template come to, as far as that is known before it is deployed.

mod bounds;
mod resolver;
mod text;

use std::collections::BTreeMap;

pub(crate) use bounds::size;
pub use resolver::Resolver;
pub use text::{Text, UNKNOWN};

use crate::environment::Environment;

/// The parameters that a template is deployed with; what is `None` is only known at deployment.
pub type Given = BTreeMap<String, Option<String>>;

/// What is known about a stack, except its template.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    pub environment: Environment,
    /// The name of the stack, which for a nested one only deployment knows.
    pub stack_name: Option<String>,
    pub given: Given,
}
