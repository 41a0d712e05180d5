//! Gates: which stacks are followed by a wait until their roles are usable.

use std::collections::{BTreeMap, HashSet};

use paceline_assembly::{Stack, Template};

use crate::build::error::PlanError;
use crate::build::names::Names;
use crate::model::{PlannedStack, Warning};
use paceline_config::{Config, IamRoles};

/// Which stacks have a gate, and for which roles.
pub(crate) type Gates = BTreeMap<String, IamRoles>;

/// Matches the configured gates with the stacks.
pub(crate) fn gates(
    config: &Config,
    names: &Names<'_>,
    stacks: &[PlannedStack],
    warnings: &mut Vec<Warning>,
) -> Result<Gates, PlanError> {
    let planned: HashSet<&str> = stacks.iter().map(|stack| stack.id.as_str()).collect();
    let mut gates = Gates::new();
    for (number, gate) in config.gates.iter().enumerate() {
        for id in names.matching(&gate.after, &format!("gates[{number}]"))? {
            let Some(stack) = names.stack(id).filter(|_| planned.contains(id)) else { continue };
            let roles = roles(stack);
            if roles.is_empty() {
                warnings.push(Warning::GateWithoutRoles { gate: number, stack: id.to_owned() });
                continue;
            }
            if let IamRoles::Named(wanted) = &gate.iam_roles {
                for name in wanted.iter().filter(|name| !roles.contains(name.as_str())) {
                    let (stack, role) = (id.to_owned(), name.clone());
                    warnings.push(Warning::GateOfUnknownRole { gate: number, stack, role });
                }
            }
            match (gates.get_mut(id), &gate.iam_roles) {
                // Two gates after one stack wait for what either asks for.
                (Some(IamRoles::Named(before)), IamRoles::Named(more)) => before.extend(more.iter().cloned()),
                (Some(IamRoles::All), _) => {}
                (_, roles) => {
                    gates.insert(id.to_owned(), roles.clone());
                }
            }
        }
    }
    Ok(gates)
}

/// The logical ids of a stack's roles and instance profiles, and their names as far as the templates say them.
fn roles(stack: &Stack) -> HashSet<&str> {
    let templates = std::iter::once(&stack.template).chain(stack.nested.iter().map(|n| &n.template));
    let mut roles = HashSet::new();
    for (id, resource) in templates.flat_map(Template::resources) {
        let name = match resource.resource_type {
            "AWS::IAM::Role" => "RoleName",
            "AWS::IAM::InstanceProfile" => "InstanceProfileName",
            _ => continue,
        };
        roles.insert(id);
        roles.extend(resource.properties.and_then(|properties| properties.get(name)?.as_str()));
    }
    roles
}
