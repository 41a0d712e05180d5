//! The builds of a batch, and their dependencies.

use std::collections::{BTreeMap, BTreeSet};

use crate::grammar::{Document, list_items, scalar, value};
use crate::lint::rule::{Checker, rule};

rule!(GRAPH, "PL110", Error, "a batch whose builds have no valid order", graph);

fn graph(document: &Document<'_>, checker: &mut Checker<'_>) {
    for list in ["batch.build-graph", "batch.build-list"] {
        let tasks = document.list(list);
        let mut lines: BTreeMap<&str, usize> = BTreeMap::new();
        for node in tasks.iter().filter_map(|task| value(task, "identifier")) {
            let Some(identifier) = scalar(node) else { continue };
            if let Some(line) = lines.get(identifier) {
                let message = format!("`{identifier}` is already the name of the build on line {line}");
                checker.report(node.span.clone()).message(message);
            } else {
                lines.insert(identifier, node.at.line);
            }
        }
        if list == "batch.build-list" {
            for node in tasks.iter().filter_map(|task| value(task, "depend-on")) {
                let finding = checker.report(document.first_line(node.span.clone()));
                finding.message("the builds of a `build-list` cannot depend on each other");
                finding.hint("use `build-graph`");
            }
            continue;
        }
        let mut waits: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for task in tasks {
            let identifier = value(task, "identifier").and_then(scalar);
            for node in value(task, "depend-on").map_or(&[][..], list_items) {
                let Some(on) = scalar(node) else { continue };
                if !lines.contains_key(on) {
                    let known: Vec<_> = lines.keys().copied().collect();
                    let finding = checker.report(node.span.clone());
                    finding.message(format!("there is no build with the identifier `{on}`"));
                    finding.hint(format!("the identifiers are: {}", known.join(", ")));
                } else if let Some(identifier) = identifier {
                    waits.entry(identifier).or_default().push(on);
                }
            }
        }
        for task in tasks {
            let Some(node) = value(task, "identifier") else { continue };
            let Some(identifier) = scalar(node) else { continue };
            if reaches(identifier, identifier, &waits) {
                checker
                    .report(node.span.clone())
                    .message(format!("`{identifier}` depends on itself, through other builds"));
            }
        }
    }
}

fn reaches<'a>(from: &'a str, to: &str, waits: &BTreeMap<&'a str, Vec<&'a str>>) -> bool {
    let mut seen = BTreeSet::new();
    let mut ahead = vec![from];
    while let Some(at) = ahead.pop() {
        for next in waits.get(at).map_or(&[][..], Vec::as_slice) {
            if *next == to {
                return true;
            }
            if seen.insert(*next) {
                ahead.push(next);
            }
        }
    }
    false
}
