//! The values of a template's functions, as far as they are known before the deployment.

mod bounds;
mod resolver;
mod text;

use std::collections::BTreeMap;

pub(crate) use bounds::size;
pub use resolver::Resolver;
pub use text::{Text, UNKNOWN};

use crate::environment::Environment;

/// The parameters with which a template is deployed. A value is `None` if it is only known at deployment.
pub type Given = BTreeMap<String, Option<String>>;

/// The known facts about a stack, apart from its template.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    pub environment: Environment,
    /// The name of the stack. The name of a nested stack is only known at deployment.
    pub stack_name: Option<String>,
    pub given: Given,
}
