//! What a run has prepared, for the person who reviews it.

use std::fmt::Write as _;

use paceline_engine::{ChangeEffect, Preparation, PreparedChangeSet, PreparedRun};
use paceline_text::{Style, Tone, columns, count, first_few, one_line, wrap};

/// So many resources of one kind are named.
const NAMED: usize = 12;

/// A summary of a prepared run: each stack with what its change set changes.
pub fn prepared(run: &PreparedRun, unchanged: usize, style: Style) -> String {
    let mut out = String::new();
    let ready = |it: &Preparation| matches!(it, Preparation::Ready(_));
    let number = run.stacks.values().filter(|stack| ready(&stack.preparation)).count();
    let later = run.stacks.len() - number;
    let mut parts = vec![format!("{} ready", count(number, "change set"))];
    if later > 0 {
        parts.push(format!("{later} made during the run"));
    }
    if unchanged > 0 {
        parts.push(format!("{} unchanged", count(unchanged, "stack")));
    }
    let headline = format!("{}: {}", run.run, parts.join(", "));
    // Writing to a string does not fail.
    let _ = writeln!(out, "{}", style.paint(Tone::Strong, &headline));
    for (id, stack) in &run.stacks {
        let place = format!("{}/{}", stack.account, stack.region);
        match &stack.preparation {
            Preparation::Ready(set) => {
                let verb = if set.creates { "is created" } else { "is updated" };
                let _ = writeln!(out, "\n{id} ({place}) {verb}: {}", set.counts());
                effects(&mut out, set, style);
            }
            Preparation::Later { because } => {
                let text = format!("its change set is made during the run, because {}", one_line(because));
                let _ = writeln!(out, "\n{id} ({place})");
                for line in wrap(&text, style.room(2)) {
                    let _ = writeln!(out, "  {line}");
                }
            }
        }
    }
    out
}

fn effects(out: &mut String, set: &PreparedChangeSet, style: Style) {
    let width = ChangeEffect::ALL.iter().map(|effect| columns(effect.words())).max().unwrap_or_default();
    for effect in ChangeEffect::ALL {
        let of = set.changes.iter().filter(|change| change.effect == effect);
        let names: Vec<String> =
            of.map(|change| format!("{} ({})", change.place(), change.resource_type)).collect();
        if names.is_empty() {
            continue;
        }
        let tone = match effect {
            ChangeEffect::Added | ChangeEffect::Imported => Tone::Good,
            ChangeEffect::Changed => Tone::Plain,
            ChangeEffect::MayBeReplaced | ChangeEffect::Released => Tone::Warn,
            ChangeEffect::Replaced | ChangeEffect::Deleted => Tone::Bad,
        };
        let word = format!("{:width$}", effect.words());
        for (number, line) in wrap(&first_few(&names, NAMED), style.room(width + 4)).iter().enumerate() {
            let word = if number == 0 { style.paint(tone, &word) } else { " ".repeat(width) };
            // Writing to a string does not fail.
            let _ = writeln!(out, "  {word}  {line}");
        }
    }
}
