//! Gates: which stacks are followed by a wait, and for what.

use std::collections::{BTreeMap, HashSet};

use crate::build::error::PlanError;
use crate::build::names::Names;
use crate::model::{Gate, PlannedStack, Warning};
use paceline_config::Config;

/// The gates of each stack, one of a kind.
pub(crate) type Gates = BTreeMap<String, Vec<Gate>>;

/// Matches the configured gates with the stacks.
pub(crate) fn gates(
    config: &Config,
    names: &Names<'_>,
    stacks: &[PlannedStack],
    warnings: &mut Vec<Warning>,
) -> Result<Gates, PlanError> {
    let planned: HashSet<&str> = stacks.iter().map(|stack| stack.id.as_str()).collect();
    let mut gates = Gates::new();
    for (number, config) in config.gates.iter().enumerate() {
        let gate = Gate::from(config);
        for id in names.matching(&config.after, &format!("gates[{number}]"))? {
            let Some(stack) = names.stack(id).filter(|_| planned.contains(id)) else { continue };
            let candidates = gate.candidates(stack);
            if candidates.is_empty() {
                warnings.push(Warning::GateWithoutRoles { gate: number, stack: id.to_owned() });
                continue;
            }
            for name in gate.names().iter().filter(|name| !candidates.contains(name.as_str())) {
                let (stack, role) = (id.to_owned(), name.clone());
                warnings.push(Warning::GateOfUnknownRole { gate: number, stack, role });
            }
            // Two gates of a kind after one stack wait for what either asks for.
            let of_stack = gates.entry(id.to_owned()).or_default();
            if !of_stack.iter_mut().any(|other| other.merge(&gate)) {
                of_stack.push(gate.clone());
            }
        }
    }
    Ok(gates)
}
