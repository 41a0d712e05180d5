//! Waits for stacks that still import an export which another stack drops.
//!
//! An app may stop using an export. Then the exporting stack can drop the export only after the importing
//! stack has been updated. No template shows this order any more. CloudFormation reports it at the end of the
//! update.

use std::collections::BTreeSet;
use std::time::Duration;

use paceline_engine::StepContext;
use paceline_plan::{Plan, PlannedStack};

use super::failure::Failure;
use crate::environment::{Environment, find};

/// The text between the export and the stacks that import it.
const IN_USE: &str = " as it is in use by ";

/// The pause between two looks at a stack that is cleaning up.
const CLEANUP: Duration = Duration::from_secs(5);

/// The steps of importing stacks that one stack has already waited for.
#[derive(Debug, Default)]
pub(super) struct Importers {
    /// The positions of these steps.
    seen: BTreeSet<usize>,
}

impl Importers {
    /// Waits until the stacks of this run that import the export have changed. Returns false if the operation
    /// failed for another reason, or if waiting does not help. In the second case, the failure may get a
    /// hint.
    pub(super) async fn wait(
        &mut self,
        environment: &Environment,
        context: &StepContext,
        failure: &mut Failure,
        attempt: u32,
    ) -> bool {
        let Some(names) = importers(&failure.cause.message) else { return false };
        let plan = context.plan();
        let own = plan.stack_of(context.step());
        let steps: Option<BTreeSet<usize>> = names.iter().map(|name| step_of(plan, own, name)).collect();
        // If an importing stack is not in this run, it must be changed first.
        let Some(steps) = steps.filter(|steps| !steps.is_subset(&self.seen)) else { return false };
        self.seen.extend(&steps);
        let at = failure.cause.at.clone().unwrap_or_default();
        if context.try_after(steps.clone(), format!("{at}: {}", failure.cause.message), attempt).await {
            for name in names {
                rest(environment, name).await;
            }
            return true;
        }
        let needs = plan.step_graph();
        let circular = steps.iter().filter(|&&step| needs.all_needs(step)[context.index()]);
        let ids: Vec<&str> = circular.map(|&step| plan.stack_of(&plan.steps[step]).id.as_str()).collect();
        if let [id, ..] = ids.as_slice() {
            let (ids, own) = (ids.join(" "), &own.id);
            failure.cause.hint = Some(format!(
                "`{id}` drops this import in the same run, but waits for `{own}` there: deploy it by itself first \
                 (`paceline deploy --exclusively {ids}`), then run the same command again"
            ));
        }
        false
    }
}

/// Waits until a stack is at rest. A stack imports an export until it has also deleted the resources that its update
/// replaced or removed, and its step ends before that. A stack that cannot be read is not waited for.
async fn rest(environment: &Environment, name: &str) {
    while let Ok(Some(view)) = find(environment, name).await {
        if view.status.is_settled() {
            break;
        }
        tokio::time::sleep(CLEANUP).await;
    }
}

/// The names of the stacks that import an export, from a message that the export cannot be deleted or
/// updated.
fn importers(message: &str) -> Option<Vec<&str>> {
    let (export, names) = message.split_once(IN_USE)?;
    if !export.contains("xport ") {
        return None;
    }
    let names = names.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    let names: Vec<&str> = names.filter(|name| !name.is_empty() && *name != "and").collect();
    (!names.is_empty()).then_some(names)
}

/// The step that changes the stack with this name in the environment of `own`. The name of a nested stack
/// begins with that of its parent.
fn step_of(plan: &Plan, own: &PlannedStack, name: &str) -> Option<usize> {
    let is_it = |stack: &PlannedStack| {
        let rest = name.strip_prefix(&stack.name);
        (&stack.account, &stack.region) == (&own.account, &own.region)
            && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    let steps = plan.steps.iter().enumerate().filter_map(|(number, step)| {
        let stack = plan.stacks.get(step.work.changes()?)?;
        is_it(stack).then_some((stack.name.len(), number))
    });
    steps.max().map(|(_, number)| number)
}

#[cfg(test)]
mod tests {
    use super::importers;

    #[test]
    fn the_importing_stacks_are_found_in_the_message() {
        let of = |message| importers(message).unwrap_or_default();
        assert_eq!(of("Export Net:Vpc cannot be deleted as it is in use by App"), ["App"]);
        assert_eq!(
            of("Export a cannot be updated as it is in use by App, Web-2 and Jobs."),
            ["App", "Web-2", "Jobs"]
        );
        assert_eq!(of("Delete canceled. Cannot delete export a as it is in use by App."), ["App"]);
        assert_eq!(of("Subnet cannot be deleted as it is in use by eni-1"), [""; 0]);
        assert_eq!(of("Export a cannot be deleted as it is in use by "), [""; 0]);
        assert_eq!(of("No export named a found"), [""; 0]);
    }
}
