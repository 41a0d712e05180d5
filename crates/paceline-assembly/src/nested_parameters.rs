//! The parameters of a stack and of the stacks nested in it, as far as they are known before deployment.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::Stack;
use crate::template::Template;
use crate::values::Known;

/// The type of a nested stack.
pub(crate) const NESTED_STACK: &str = "AWS::CloudFormation::Stack";

impl Stack {
    /// Lets more parameters of the stack be known, those that it is deployed with though the assembly does not say so.
    pub fn give(&mut self, parameters: &BTreeMap<String, String>) {
        let mut known = self.template.known().clone();
        let given = parameters.iter().map(|(name, value)| (name.clone(), Some(value.clone())));
        known.given.extend(given);
        self.template = self.template.clone().knowing(known);
        inform(self);
    }
}

/// Has the templates of nested stacks know what those around them give them.
fn inform(stack: &mut Stack) {
    for at in 0..stack.nested.len() {
        let nested = &stack.nested[at];
        let outer = match nested.parents.split_last() {
            None => Some(&stack.template),
            Some((id, parents)) => stack.nested[..at]
                .iter()
                .find(|outer| outer.logical_id == *id && outer.parents == parents)
                .map(|outer| &outer.template),
        };
        let Some(outer) = outer else { continue };
        let properties = outer.resource(&nested.logical_id).and_then(|resource| resource.properties);
        let known = known_of_nested(outer, properties);
        let template = nested.template.clone().knowing(known);
        stack.nested[at].template = template;
    }
}

/// What is known of a nested stack with these properties: the parameters that the template around it gives it.
pub(crate) fn known_of_nested(outer: &Template, properties: Option<&Value>) -> Known {
    let resolver = outer.resolver();
    let given = properties.and_then(|properties| properties.get("Parameters")?.as_object());
    let given = given.into_iter().flatten();
    Known {
        environment: outer.known().environment.clone(),
        stack_name: None,
        given: given.map(|(name, value)| (name.clone(), resolver.resolve(value).known())).collect(),
    }
}
