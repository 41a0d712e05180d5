//! What a run has prepared, for the person who reviews it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use paceline_engine::{ChangeEffect, Finding, Preparation, PreparedChangeSet, PreparedRun};
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

/// What CloudFormation found wrong with the change sets of all stacks, with the places in their templates. Empty if there is
/// nothing.
pub fn findings(found: &BTreeMap<String, Vec<Finding>>, style: Style) -> String {
    let mut out = String::new();
    let number = found.values().map(Vec::len).sum();
    if number == 0 {
        return out;
    }
    let headline = format!("CloudFormation's validation has {}", count(number, "finding"));
    // Writing to a string does not fail.
    let _ = writeln!(out, "\n{}", style.paint(Tone::Strong, &headline));
    let width = found.keys().map(|id| columns(id)).max().unwrap_or_default();
    for (id, finding) in found.iter().flat_map(|(id, all)| all.iter().map(move |it| (id, it))) {
        let (tone, word) = if finding.refuses { (Tone::Bad, "refused") } else { (Tone::Warn, "warning") };
        let room = style.room(width + 13);
        for (number, line) in wrap(&one_line(&finding.sentence()), room).iter().enumerate() {
            let head = match number {
                0 => format!("{id:width$}  {}", style.paint(tone, word)),
                _ => " ".repeat(width + 9),
            };
            let _ = writeln!(out, "  {head}  {line}");
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
        // All resources of a new stack are new.
        if names.is_empty() || set.creates && effect == ChangeEffect::Added {
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

#[cfg(test)]
mod tests {
    use paceline_engine::{PreparedChange, PreparedStack};

    use super::*;

    fn stack(id: &str, preparation: Preparation) -> (String, PreparedStack) {
        let (account, region) = ("111111111111".to_owned(), "eu-west-1".to_owned());
        let (schema, name) = (PreparedStack::SCHEMA, id.to_owned());
        (id.to_owned(), PreparedStack { schema, stack: id.to_owned(), name, account, region, preparation })
    }

    fn change(logical_id: &str, effect: ChangeEffect) -> PreparedChange {
        let resource_type = "AWS::SQS::Queue".to_owned();
        PreparedChange { nested: Vec::new(), logical_id: logical_id.to_owned(), resource_type, effect }
    }

    #[test]
    fn each_stack_is_told_with_what_changes_in_it() {
        let set = |creates, changes| {
            let (name, id, request) = Default::default();
            Preparation::Ready(PreparedChangeSet { name, id, request, creates, changes })
        };
        let api = [("A", ChangeEffect::Changed), ("B", ChangeEffect::Changed), ("C", ChangeEffect::Deleted)];
        let api = api.map(|(id, effect)| change(id, effect)).to_vec();
        let because = "it reads the parameter /shop/table, which was not there".to_owned();
        let stacks = [
            stack("Api", set(false, api)),
            stack("New", set(true, vec![change("Q", ChangeEffect::Added)])),
            stack("Web", Preparation::Later { because }),
        ];
        let run = PreparedRun { run: "20260102T030405Z-0123abcd".to_owned(), stacks: stacks.into() };
        let text = prepared(&run, 2, Style { color: false, width: Some(80) });
        let expected = "\
20260102T030405Z-0123abcd: 2 change sets ready, 1 made during the run, 2 stacks unchanged

Api (111111111111/eu-west-1) is updated: 2 changed, 1 deleted
  changed          A (AWS::SQS::Queue), B (AWS::SQS::Queue)
  deleted          C (AWS::SQS::Queue)

New (111111111111/eu-west-1) is created: 1 added

Web (111111111111/eu-west-1)
  its change set is made during the run, because it reads the parameter
  /shop/table, which was not there
";
        assert_eq!(text, expected);
    }

    #[test]
    fn the_findings_of_all_stacks_are_one_table() {
        let finding = |refuses| Finding {
            check: "PROPERTY_VALIDATION".to_owned(),
            refuses,
            reason: "expected type: String".to_owned(),
            path: "/Resources/Q/Properties/X".to_owned(),
        };
        let found = BTreeMap::from([
            ("Api".to_owned(), vec![finding(true)]),
            ("Storage".to_owned(), vec![finding(false)]),
        ]);
        let expected = "
CloudFormation's validation has 2 findings
  Api      refused  /Resources/Q/Properties/X: expected type: String
                    (PROPERTY_VALIDATION)
  Storage  warning  /Resources/Q/Properties/X: expected type: String
                    (PROPERTY_VALIDATION)
";
        assert_eq!(findings(&found, Style { color: false, width: Some(80) }), expected);
        assert_eq!(findings(&BTreeMap::new(), Style { color: false, width: None }), "");
    }
}
