//! Exports that other stacks still import.
//!
//! When an app stops using what another stack exports, the stack that exports it can only drop the export when the stack
//! that imports it has been updated. No template says so any more: CloudFormation does, at the end of the update.

use std::collections::BTreeSet;

use paceline_engine::StepContext;
use paceline_plan::{Plan, PlannedStack};

use super::failure::Failure;

/// What stands between an export and the stacks that import it.
const IN_USE: &str = " as it is in use by ";

/// The exports of one stack that others stand in the way of, as far as they have been met.
#[derive(Debug, Default)]
pub(super) struct Importers {
    /// The steps that have been waited for.
    seen: BTreeSet<usize>,
}

impl Importers {
    /// Waits until the stacks of this run have changed that import what cannot go. Says no if that is not why the
    /// operation failed, or if waiting is in vain; then the failure says what to do.
    pub(super) async fn wait(&mut self, context: &StepContext, failure: &mut Failure, attempt: u32) -> bool {
        let Some(names) = importers(&failure.cause.message) else { return false };
        let plan = context.plan();
        let own = plan.stack_of(context.step());
        let steps: Option<BTreeSet<usize>> = names.iter().map(|name| step_of(plan, own, name)).collect();
        // Those that are not in this run have to be changed first.
        let Some(steps) = steps.filter(|steps| !steps.is_subset(&self.seen)) else { return false };
        self.seen.extend(&steps);
        let at = failure.cause.at.clone().unwrap_or_default();
        if context.try_after(steps.clone(), format!("{at}: {}", failure.cause.message), attempt).await {
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

/// The names of the stacks that import an export which can therefore not be deleted or updated.
fn importers(message: &str) -> Option<Vec<&str>> {
    let (export, names) = message.split_once(IN_USE)?;
    if !export.contains("xport ") {
        return None;
    }
    let names = names.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    let names: Vec<&str> = names.filter(|name| !name.is_empty() && *name != "and").collect();
    (!names.is_empty()).then_some(names)
}

/// The step that changes a stack of this name where `own` is. A nested stack is named after the one around it.
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
    fn the_stacks_that_import_are_told_from_the_words_around_them() {
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
