//! The parameters of a stack and of its nested stacks, as far as they are known before the deployment.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::Stack;
use crate::template::Template;
use crate::values::Known;

/// The type of a nested stack.
pub(crate) const NESTED_STACK: &str = "AWS::CloudFormation::Stack";

impl Stack {
    /// Adds parameters with which the stack will be deployed, and which the assembly does not state.
    pub fn give(&mut self, parameters: &BTreeMap<String, String>) {
        let mut known = self.template.known().clone();
        let given = parameters.iter().map(|(name, value)| (name.clone(), Some(value.clone())));
        known.given.extend(given);
        self.template = self.template.clone().knowing(known);
        inform(self);
    }

    /// The template that these logical ids of nested stacks lead to, outermost first: without ids, that of the stack.
    /// `None` if the assembly does not have it.
    pub fn template_at(&self, nested: &[String]) -> Option<&Template> {
        if nested.is_empty() {
            return Some(&self.template);
        }
        self.nested.iter().find(|it| it.logical_ids().eq(nested)).map(|it| &it.template)
    }
}

/// Updates the known parameters of nested stacks from the templates around them.
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

/// The facts that are known about a nested stack with these properties: the parameters that the outer
/// template passes to it.
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
