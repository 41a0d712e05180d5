//! What would be deleted, for people.

use std::fmt::Write as _;
use std::time::Duration;

use paceline_assembly::{Assembly, Stack, Template};
use paceline_text::first_few;

use super::wording::{clean, count, show_duration};
use crate::build::destroy::Destruction;
use crate::model::PlannedStack;

/// A list of names ends after so many.
const LISTED: usize = 4;

/// The stacks in the order in which they can go, what each waits for, and what stays; `total` is how long the
/// whole takes.
pub fn destruction(destruction: &Destruction, assembly: &Assembly, total: Duration, width: usize) -> String {
    let plan = &destruction.plan;
    let mut out = String::new();
    let number = count(plan.stacks.len(), "stack");
    // Writing to a string does not fail.
    let _ = writeln!(out, "{number} to delete, if they are there; about {}\n", show_duration(total));
    let id_width = plan.stacks.iter().map(|stack| clean(&stack.id).chars().count()).max().unwrap_or(0);
    let id_width = id_width.min(width.saturating_sub(40).max(12));
    for stack in &plan.stacks {
        let (id, region) = (clean(&stack.id), stack.region.as_deref().unwrap_or("-"));
        let resources = count(stack.resources, "resource");
        let _ =
            writeln!(out, "  {id:<id_width$}  {region:<14} {resources:>14}{}", protected(stack, assembly));
        for line in [after(stack), keeps(stack, assembly)].into_iter().flatten() {
            let _ = writeln!(out, "      {line}");
        }
    }
    if !plan.left_out.is_empty() {
        let _ = writeln!(out, "\nNot deleted:");
        for left in &plan.left_out {
            let _ = writeln!(out, "  {}: {}", clean(&left.stack), clean(&left.why.to_string()));
        }
    }
    for warning in &plan.warnings {
        let _ = writeln!(out, "\nwarning: {}", clean(&warning.to_string()));
    }
    out
}

fn after(stack: &PlannedStack) -> Option<String> {
    let mut names: Vec<String> = stack.depends_on.iter().map(|edge| clean(&edge.to)).collect();
    names.sort_unstable();
    names.dedup();
    (!names.is_empty()).then(|| format!("after {}", first_few(&names, LISTED)))
}

fn keeps(stack: &PlannedStack, assembly: &Assembly) -> Option<String> {
    let source = assembly.stack(&stack.id)?;
    let names: Vec<String> = templates(source).flat_map(retained).collect();
    (!names.is_empty()).then(|| format!("keeps {}", first_few(&names, LISTED)))
}

fn templates(stack: &Stack) -> impl Iterator<Item = &Template> {
    std::iter::once(&stack.template).chain(stack.nested.iter().map(|nested| &nested.template))
}

/// The resources that stay when their stack is deleted.
fn retained(template: &Template) -> impl Iterator<Item = String> {
    let resources = template.resources().filter(|(_, resource)| resource.is_retained());
    resources.map(|(id, resource)| format!("{} ({})", clean(id), clean(resource.resource_type)))
}

fn protected(stack: &PlannedStack, assembly: &Assembly) -> &'static str {
    let is_protected = assembly.stack(&stack.id).is_some_and(|it| it.termination_protection == Some(true));
    if is_protected { "  termination protection is on" } else { "" }
}
