//! What would be deleted, as text and as JSON.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use paceline_assembly::{Assembly, Stack, Template};
use paceline_text::first_few;

use super::wording::{clean, count, show_duration};
use crate::build::destroy::Destruction;
use crate::model::PlannedStack;

mod json;

pub use json::{destruction_json, destruction_schema};

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
        let protected = if is_protected(stack, assembly) { "  termination protection is on" } else { "" };
        let _ = writeln!(out, "  {id:<id_width$}  {region:<14} {resources:>14}{protected}");
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
    let names = waits_for(stack);
    (!names.is_empty()).then(|| format!("after {}", first_few(names.into_iter().map(clean), LISTED)))
}

fn keeps(stack: &PlannedStack, assembly: &Assembly) -> Option<String> {
    let kept = retained(assembly.stack(&stack.id)?);
    let mut names =
        kept.map(|(id, resource_type)| format!("{} ({})", clean(id), clean(resource_type))).peekable();
    names.peek()?;
    Some(format!("keeps {}", first_few(names, LISTED)))
}

/// The ids of the stacks that must be gone before.
fn waits_for(stack: &PlannedStack) -> BTreeSet<&str> {
    stack.depends_on.iter().map(|edge| edge.to.as_str()).collect()
}

/// The logical ids and types of the resources that stay when their stack is deleted, those of nested stacks too.
fn retained(stack: &Stack) -> impl Iterator<Item = (&str, &str)> {
    let nested = stack.nested.iter().map(|nested| &nested.template);
    let resources = std::iter::once(&stack.template).chain(nested).flat_map(Template::resources);
    resources
        .filter(|(_, resource)| resource.is_retained())
        .map(|(id, resource)| (id, resource.resource_type))
}

fn is_protected(stack: &PlannedStack, assembly: &Assembly) -> bool {
    assembly.stack(&stack.id).is_some_and(|it| it.termination_protection == Some(true))
}
