//! What a rollback would do, what it leaves as it is, and what it cannot undo, as text and as JSON.

use std::fmt::{self, Write as _};
use std::time::Duration;

use paceline_assembly::Precious;
use paceline_text::{first_few, shell_word, wrap};

use super::wording::{clean, count, show_duration};
use crate::build::rollback::Rollback;
use crate::model::{Loss, Plan, PlannedStack, Stays, StaysReason, Work};

mod json;

pub use json::{rollback_json, rollback_schema};

/// A list of names ends after so many.
const LISTED: usize = 4;

/// The stacks in the order in which they are undone, what stays, and what is lost; `total` is how long the whole takes.
pub fn rollback(rollback: &Rollback, total: Duration, width: usize) -> String {
    let plan = &rollback.plan;
    let run = clean(plan.undoes.as_deref().unwrap_or_default());
    let mut out = String::new();
    let deleted = (0..plan.stacks.len()).filter(|&stack| deletes(plan, stack)).count();
    let what = match (plan.stacks.len() - deleted, deleted) {
        (0, 0) => "nothing to restore".to_owned(),
        (restored, 0) => format!("{} to restore", count(restored, "stack")),
        (0, deleted) => format!("{} to delete", count(deleted, "stack")),
        (restored, deleted) => format!("{} to restore and {deleted} to delete", count(restored, "stack")),
    };
    // Writing to a string does not fail.
    let _ = if plan.stacks.is_empty() {
        writeln!(out, "rollback of {run}: {what}")
    } else {
        writeln!(out, "rollback of {run}: {what}; about {}\n", show_duration(total))
    };
    let id_width = plan.stacks.iter().map(|stack| clean(&stack.id).chars().count()).max().unwrap_or(0);
    let id_width = id_width.min(width.saturating_sub(40).max(12));
    for (number, stack) in plan.stacks.iter().enumerate() {
        let (id, region) = (clean(&stack.id), stack.region.as_deref().unwrap_or("-"));
        let what = if deletes(plan, number) { "delete: the run created it" } else { "restore" };
        let _ = writeln!(out, "  {id:<id_width$}  {region:<14} {what}");
        if let Some(after) = after(stack) {
            let _ = writeln!(out, "      {after}");
        }
    }
    let (lost, doubtful): (Vec<&Loss>, Vec<&Loss>) =
        rollback.losses.iter().partition(|loss| loss.is_certain());
    list(&mut out, "Stays as it is:", &rollback.stays, width);
    list(&mut out, "Cannot be undone:", &lost, width);
    list(&mut out, "May not be undone:", &doubtful, width);
    out
}

/// Whether the rollback deletes a stack, and does not restore it.
fn deletes(plan: &Plan, stack: usize) -> bool {
    plan.steps.iter().any(|step| step.work == Work::Delete { stack })
}

fn list(out: &mut String, title: &str, lines: &[impl fmt::Display], width: usize) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{title}");
    for line in lines {
        for (number, part) in wrap(&clean(&line.to_string()), width.saturating_sub(6)).iter().enumerate() {
            let _ = writeln!(out, "{}{part}", if number == 0 { "  " } else { "      " });
        }
    }
}

fn after(stack: &PlannedStack) -> Option<String> {
    let names = first_few(stack.depends_on.iter().map(|edge| clean(&edge.to)), LISTED);
    (!names.is_empty()).then(|| format!("after {names}"))
}

impl fmt::Display for Stays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stack = &self.stack;
        match &self.why {
            StaysReason::Created => write!(f, "{stack}: the run created it; --delete-created deletes it"),
            StaysReason::CreatedWith(precious) => write!(
                f,
                "{stack}: the run created it, with {}; --including {} deletes it",
                shown(precious),
                shell_word(stack)
            ),
            StaysReason::WouldLose(precious) => write!(
                f,
                "{stack}: to restore it would delete what the run created in it: {}; --including {} restores it",
                shown(precious),
                shell_word(stack)
            ),
        }
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secret { stack, parameter } => write!(
                f,
                "{stack}: the value of the secret parameter {parameter} from before the run is unknown; it keeps its \
                 present value, or give it: --parameters {}=VALUE",
                shell_word(&format!("{stack}:{parameter}"))
            ),
            Self::Replaced { stack, resource, resource_type } => {
                write!(f, "{stack}: {resource} ({resource_type}) was replaced: what the old one held is gone")
            }
            Self::Removed { stack, resource: Precious { id, resource_type, retained: true } } => write!(
                f,
                "{stack}: {id} ({resource_type}) was given up by the stack and still exists; a resource of the same name \
                 cannot be created"
            ),
            Self::Removed { stack, resource: Precious { id, resource_type, retained: false } } => {
                write!(f, "{stack}: {id} ({resource_type}) was deleted, and comes back empty")
            }
            Self::Role { stack } => {
                write!(f, "{stack}: it had no role for CloudFormation before, and keeps the one of the run")
            }
            Self::NeededBy { stack, by } => write!(
                f,
                "{stack}: {} came after it and stays, and may use what the run added to {stack}; CloudFormation does not \
                 remove exports that are in use",
                first_few(by, LISTED)
            ),
            Self::Uses { stack, of } => write!(
                f,
                "{stack}: before the run it used what {} provided, which may not be there any more",
                first_few(of, LISTED)
            ),
            Self::WaitsFor { stack, doubtful } => {
                write!(f, "{stack}: it is skipped if {} cannot be undone", first_few(doubtful, LISTED))
            }
            Self::NotCaptured { stack } => {
                write!(f, "{stack}: the run kept nothing of what it was before")
            }
            Self::Deleted { stack } => write!(f, "{stack}: the run deleted it"),
            Self::Command { name } => write!(f, "the command {name} ran"),
            Self::Published { count: number } => {
                let stay = if *number == 1 { "stays where it is" } else { "stay where they are" };
                write!(f, "{} published, and {stay}", was(*number))
            }
        }
    }
}

fn was(number: usize) -> String {
    if number == 1 { "1 asset was".to_owned() } else { format!("{number} assets were") }
}

fn shown(precious: &[Precious]) -> String {
    let name = |it: &Precious| {
        let retained = if it.retained { ", retained" } else { "" };
        format!("{} ({}{retained})", it.id, it.resource_type)
    };
    first_few(precious.iter().map(name), LISTED)
}
