//! Resources that the options let hang: CloudFormation waits for long until they are ready, and then gives up.

use std::time::Duration;

use paceline_assembly::is_custom;

use super::effects::handler;
use super::run::Run;
use crate::world::{Hung, Resource};

/// Lets a resource hang if the options say so. Returns how long CloudFormation waits for it.
pub(super) fn begin(run: &mut Run<'_>, id: &str) -> Option<Duration> {
    let stack = &run.stack.name;
    let hanging = &run.world.options.faults.hanging;
    let hanging = hanging.iter().find(|it| it.stack == *stack && it.logical_id == id)?;
    let (reasons, patience) = (hanging.reasons.clone(), hanging.patience);
    let physical = run.stack.resources.get(id)?.physical.clone();
    let hung = Hung { since: run.world.now, until: None, reasons };
    run.world.region_mut(&run.stack.key.place).hung.insert(physical, hung);
    Some(patience)
}

/// Whether a resource hangs until its function tells its physical id.
pub(super) fn is_unanswered(run: &Run<'_>, resource: &Resource) -> bool {
    let hung = run.world.region(&run.stack.key.place).and_then(|region| region.hung.get(&resource.physical));
    is_custom(&resource.kind) && hung.is_some_and(|hung| hung.until.is_none())
}

/// The reason why a resource that hung until now has failed.
pub(super) fn failed(run: &mut Run<'_>, id: &str) -> Option<String> {
    let resource = run.stack.resources.get(id)?;
    end(run, &resource.physical.clone())?;
    let resource = run.stack.resources.get(id)?;
    if is_custom(&resource.kind) {
        let request = run.draws(&["custom", &run.stack.key.arn, id]).uuid();
        return Some(format!(
            "CloudFormation did not receive a response from your Custom Resource. Please check your logs for requestId [{request}]."
        ));
    }
    Some(handler(run.world, run.stack, resource, "Exceeded attempts to wait", "NotStabilized"))
}

/// Ends the attempts of a service, because its resource is given up. `None` if it made none.
pub(super) fn end(run: &mut Run<'_>, physical: &str) -> Option<()> {
    let now = run.world.now;
    let hung = run.world.region_mut(&run.stack.key.place).hung.get_mut(physical)?;
    if hung.until.is_some() {
        return None;
    }
    hung.until = Some(now);
    Some(())
}
