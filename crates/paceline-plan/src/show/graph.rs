//! A plan as a picture: Mermaid for Markdown pages, DOT for Graphviz.
//!
//! Arrows point from a stack to those that wait for it, which is the order of the work. The nodes are numbered
//! because ids hold characters that neither language allows in a name.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;

use super::wording::{clean, show_duration};
use crate::model::{Plan, PlannedStack, Reason, folded};

/// One arrow between two stacks, whatever the number of reasons.
struct Arrow {
    before: usize,
    after: usize,
    label: String,
    critical: bool,
}

/// The plan as a Mermaid flowchart.
pub fn mermaid(plan: &Plan) -> String {
    let mut out = String::from("flowchart LR\n");
    for (phase, stacks) in groups(plan) {
        let indent = if phase.is_some() { "    " } else { "  " };
        if let Some((number, name)) = phase {
            let _ = writeln!(out, "  subgraph phase{number}[\"{}\"]", mermaid_text(name));
        }
        for number in stacks {
            let (id, rest) = caption(&plan.stacks[number]);
            let _ = writeln!(out, "{indent}s{number}[\"{}<br>{}\"]", mermaid_text(&id), mermaid_text(&rest));
        }
        if phase.is_some() {
            out.push_str("  end\n");
        }
    }
    let arrows = arrows(plan);
    for Arrow { before, after, label, .. } in &arrows {
        let _ = writeln!(out, "  s{before} -->|\"{}\"| s{after}", mermaid_text(label));
    }
    let critical = critical(plan);
    let nodes: Vec<String> = (0..plan.stacks.len())
        .filter(|&number| critical.contains(plan.stacks[number].id.as_str()))
        .map(|number| format!("s{number}"))
        .collect();
    if !nodes.is_empty() {
        out.push_str("  classDef critical stroke:#c00,stroke-width:3px\n");
        let _ = writeln!(out, "  class {} critical", nodes.join(","));
    }
    let links = arrows.iter().enumerate().filter(|(_, arrow)| arrow.critical);
    let links: Vec<String> = links.map(|(number, _)| number.to_string()).collect();
    if !links.is_empty() {
        let _ = writeln!(out, "  linkStyle {} stroke:#c00,stroke-width:3px", links.join(","));
    }
    out
}

/// The plan as a DOT digraph.
pub fn dot(plan: &Plan) -> String {
    let critical = critical(plan);
    let mut out = String::from(
        "digraph plan {\n  rankdir=LR;\n  node [shape=box, style=rounded, fontname=\"sans-serif\"];\n  \
         edge [fontname=\"sans-serif\", fontsize=10];\n",
    );
    for (phase, stacks) in groups(plan) {
        let indent = if phase.is_some() { "    " } else { "  " };
        if let Some((number, name)) = phase {
            let name = dot_text(name);
            let _ = writeln!(out, "  subgraph cluster_{number} {{\n    label=\"{name}\";");
        }
        for number in stacks {
            let stack = &plan.stacks[number];
            let (id, rest) = caption(stack);
            let mark =
                if critical.contains(stack.id.as_str()) { ", color=\"#cc0000\", penwidth=3" } else { "" };
            let (id, rest) = (dot_text(&id), dot_text(&rest));
            let _ = writeln!(out, "{indent}s{number} [label=\"{id}\\n{rest}\"{mark}];");
        }
        if phase.is_some() {
            out.push_str("  }\n");
        }
    }
    for Arrow { before, after, label, critical } in arrows(plan) {
        let mark = if critical { ", color=\"#cc0000\", penwidth=3" } else { "" };
        let _ = writeln!(out, "  s{before} -> s{after} [label=\"{}\"{mark}];", dot_text(&label));
    }
    out.push_str("}\n");
    out
}

/// A phase's number and name, and the positions of its stacks.
type Group<'a> = (Option<(usize, &'a str)>, Vec<usize>);

/// The stacks by phase, and last those in none.
fn groups(plan: &Plan) -> Vec<Group<'_>> {
    let number: HashMap<&str, usize> =
        plan.stacks.iter().enumerate().map(|(number, stack)| (stack.id.as_str(), number)).collect();
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut placed = HashSet::new();
    for (at, phase) in plan.phases.iter().enumerate() {
        let mut stacks: Vec<usize> =
            phase.stacks.iter().filter_map(|id| number.get(id.as_str()).copied()).collect();
        stacks.sort_unstable();
        placed.extend(stacks.iter().copied());
        if !stacks.is_empty() {
            groups.push((Some((at, &phase.name)), stacks));
        }
    }
    let rest: Vec<usize> = (0..plan.stacks.len()).filter(|number| !placed.contains(number)).collect();
    if !rest.is_empty() {
        groups.push((None, rest));
    }
    groups
}

fn arrows(plan: &Plan) -> Vec<Arrow> {
    let number: HashMap<&str, usize> =
        plan.stacks.iter().enumerate().map(|(number, stack)| (stack.id.as_str(), number)).collect();
    let path: HashSet<(&str, &str)> =
        plan.critical_path.windows(2).map(|pair| (pair[0].as_str(), pair[1].as_str())).collect();
    let mut arrows = Vec::new();
    for (after, stack) in plan.stacks.iter().enumerate() {
        for (to, reasons) in folded(&stack.depends_on) {
            let Some(&before) = number.get(to) else { continue };
            let critical = path.contains(&(to, stack.id.as_str()));
            arrows.push(Arrow { before, after, label: label(&reasons), critical });
        }
    }
    arrows
}

fn label(reasons: &BTreeMap<Reason, usize>) -> String {
    reasons.keys().map(|reason| reason.as_str()).collect::<Vec<_>>().join(", ")
}

fn critical(plan: &Plan) -> HashSet<&str> {
    plan.critical_path.iter().map(String::as_str).collect()
}

fn caption(stack: &PlannedStack) -> (String, String) {
    let expected = show_duration(stack.expected);
    let rest = match &stack.region {
        Some(region) => format!("{region}, {expected}"),
        None => expected,
    };
    (clean(&stack.id), rest)
}

/// Mermaid's own escapes: what would end a label, start an entity, or be taken for markup.
fn mermaid_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in clean(text).chars() {
        match c {
            '"' => out.push_str("#quot;"),
            '#' => out.push_str("#35;"),
            '<' => out.push_str("#lt;"),
            '>' => out.push_str("#gt;"),
            '&' => out.push_str("#amp;"),
            '`' => out.push_str("#96;"),
            c => out.push(c),
        }
    }
    out
}

fn dot_text(text: &str) -> String {
    clean(text).replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_cannot_end_themselves() {
        assert_eq!(mermaid_text("a\"b#c<d>\n"), "a#quot;b#35;c#lt;d#gt; ");
        assert_eq!(dot_text("a\"b\\c"), "a\\\"b\\\\c");
    }
}
