//! Assemblies of real apps, where they are at hand: they are kept beside this project and not in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use camino::Utf8PathBuf;
use paceline_assembly::Assembly;
use paceline_config::Config;
use paceline_plan::show::{self, TextOptions};
use paceline_plan::{Plan, PlanOptions, Reason};

use crate::build::forecast;

/// Where we find more, and why that is right.
const MORE: [(&str, &str); 3] = [
    // An environment-agnostic stack imports from fixed ones and is imported from.
    ("oow-local-2region", "import 5, manifest 4, ssm 2"),
    // In each region a stack overwrites a parameter that another creates.
    ("fis-workshop-multiregion", "ssm 17"),
    // A parameter that is named by its ARN.
    ("snapshots/aws-ssm--parameter-store-string-sharing", "manifest 2, ssm 1"),
];

/// The rows of the index: the assembly, and the pairs of stacks by kind of edge as an independent reader found.
fn index(text: &str) -> Vec<(String, String)> {
    let mut rows = Vec::new();
    let mut column = None;
    for line in text.lines().filter(|line| line.starts_with('|')) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        if cells[0] == "assembly" {
            column = cells.iter().position(|cell| cell.contains("edges"));
        } else if let Some(edges) = column.and_then(|column| cells.get(column))
            && !cells[0].starts_with("--")
        {
            rows.push((cells[0].to_owned(), (*edges).to_owned()));
        }
    }
    rows
}

/// As the index says it: `import 6, manifest 6`, or `none`.
fn pairs(plan: &Plan) -> String {
    let counts = [Reason::Import, Reason::Manifest, Reason::Ssm].map(|reason| {
        let edges = plan.stacks.iter().flat_map(|stack| &stack.depends_on);
        let pairs: BTreeSet<_> =
            edges.filter(|edge| edge.reason == reason).map(|edge| (&edge.from, &edge.to)).collect();
        (reason, pairs.len())
    });
    let shown = counts.into_iter().filter(|(_, n)| *n > 0).map(|(reason, n)| format!("{reason} {n}"));
    let shown = shown.collect::<Vec<_>>().join(", ");
    if shown.is_empty() { "none".to_owned() } else { shown }
}

/// The pairs of stacks with the number of edges of each kind between them, and what is read from elsewhere.
fn digest(name: &str, plan: &Plan) -> String {
    let mut pairs: BTreeMap<(&str, &str), BTreeMap<Reason, usize>> = BTreeMap::new();
    for edge in plan.stacks.iter().flat_map(|stack| &stack.depends_on) {
        *pairs.entry((&edge.from, &edge.to)).or_default().entry(edge.reason).or_default() += 1;
    }
    let mut out = format!("{name}: {} stacks\n", plan.stacks.len());
    for ((from, to), reasons) in pairs {
        let reasons: Vec<String> = reasons.iter().map(|(reason, n)| format!("{reason} {n}")).collect();
        writeln!(out, "  {from} -> {to}: {}", reasons.join(", ")).unwrap();
    }
    let external: BTreeSet<String> = plan
        .external
        .iter()
        .map(|it| format!("{} {}{}", it.reason, it.name, if it.unresolved { " (unresolved)" } else { "" }))
        .collect();
    if !external.is_empty() {
        writeln!(out, "  from elsewhere: {}", external.into_iter().collect::<Vec<_>>().join(", ")).unwrap();
    }
    out
}

/// The folder of real assemblies that nobody here wrote, for those who have them and say so.
pub(crate) fn real_assemblies() -> Option<Utf8PathBuf> {
    let folder = std::env::var("PACELINE_ASSEMBLIES").ok();
    if folder.is_none() {
        let why = "PACELINE_ASSEMBLIES names no folder of real assemblies";
        let _ = std::io::Write::write_fmt(&mut std::io::stderr().lock(), format_args!("\nSKIPPED: {why}\n"));
    }
    folder.map(Utf8PathBuf::from)
}

#[test]
fn the_edges_of_real_assemblies_are_those_that_an_independent_reader_found() {
    let Some(folder) = real_assemblies() else { return };
    let text = fs_err::read_to_string(folder.join("INDEX.md")).unwrap();
    let rows = index(&text);
    assert!(rows.len() > 20, "the index has another form now: {} rows", rows.len());
    let mut different = Vec::new();
    let mut digests = String::new();
    for (name, reader) in rows {
        let more = MORE.iter().find(|(assembly, _)| *assembly == name);
        let expected = more.map_or(reader, |(_, more)| (*more).to_owned());
        let assembly = Assembly::read(folder.join(&name).join("cdk.out")).unwrap();
        let plan = Plan::make(&assembly, &Config::default(), &PlanOptions::default()).unwrap();
        digests.push_str(&digest(&name, &plan));
        let found = pairs(&plan);
        if found != expected {
            different.push(format!("{name}: expected {expected}; found {found}"));
        }
        for color in [false, true] {
            let text = show::text(&plan, &forecast(), &TextOptions { color, width: 80 });
            assert!(text.lines().all(|line| line.trim_end() == line), "{name}");
        }
        let json: serde_json::Value = serde_json::from_str(&show::json(&plan, &forecast())).unwrap();
        assert_eq!(json["stacks"].as_array().unwrap().len(), plan.stacks.len());
        show::mermaid(&plan);
        show::dot(&plan);
        for stack in &plan.stacks {
            show::explain(&plan, &stack.id, None).unwrap();
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
    insta::assert_snapshot!("edges_of_real_assemblies", digests);
}
