//! Resources that the options let hang: CloudFormation waits for long until they are ready, and then gives up.

use std::time::Duration;

use super::effects::handler;
use super::run::Run;
use crate::world::Hung;

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

/// The reason why a resource that hung until now has failed.
pub(super) fn failed(run: &mut Run<'_>, id: &str) -> Option<String> {
    let resource = run.stack.resources.get(id)?;
    end(run, &resource.physical.clone())?;
    let resource = run.stack.resources.get(id)?;
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
