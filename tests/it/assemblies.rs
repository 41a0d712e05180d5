//! Real assemblies that nobody here wrote, where they are at hand.

use std::path::PathBuf;

use crate::harness::{Events, Place, skipped};

/// The folder of a collection of real assemblies, for those who have one and say so. No test looks for one by itself:
/// what it finds would depend on the machine.
pub(crate) fn collection() -> Option<PathBuf> {
    let folder = std::env::var_os("PACELINE_ASSEMBLIES");
    if folder.is_none() {
        skipped("PACELINE_ASSEMBLIES names no folder of real assemblies");
    }
    folder.map(PathBuf::from)
}

/// Every assembly of the collection with its name; none where there is no collection.
pub(crate) fn assemblies() -> Vec<(String, PathBuf)> {
    let Some(root) = collection() else { return Vec::new() };
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        if folder.join("cdk.out/manifest.json").is_file() {
            let name = folder.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
            found.push((name, folder.join("cdk.out")));
        } else if let Ok(entries) = folder.read_dir() {
            folders.extend(entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()));
        }
    }
    found.sort();
    assert!(!found.is_empty(), "no assemblies in {}", root.display());
    found
}

#[test]
fn every_assembly_can_be_planned() {
    for (name, app) in assemblies() {
        for format in ["text", "json", "mermaid", "dot"] {
            let ran = Place::new().paceline(["plan", "--format", format, "--app"]).args([&app]).run();
            assert_eq!(ran.code, 0, "{name}: {}", ran.stderr);
            if format == "json" {
                assert!(!ran.stdout_json()["stacks"].as_array().unwrap().is_empty(), "{name}");
            }
        }
    }
}

/// Why a stack of someone else's app may fail in a simulation: each is about the app or this machine.
const REASONS: [&str; 7] = [
    // Two stacks write one parameter, in an order that is in no file.
    "'/petstore/rumscript' already exists",
    // Parameters have to be given with --parameters.
    "need a value",
    "needs a value",
    // What is not of this app, or was left out, is not in a simulated account.
    "Unable to fetch parameters",
    "from parameter store",
    "No export named",
    // What a custom resource finds depends on an order that is in no file.
    "CustomResource attribute error",
];

#[test]
fn what_can_be_deployed_in_a_simulation_is_deployed() {
    let mut deployed = Vec::new();
    for (name, app) in assemblies() {
        let place = Place::new();
        let call = place.paceline(["deploy", "--simulate", "--events", "events.jsonl", "--app"]).args([&app]);
        let ran = call.run();
        assert!(!ran.stderr.contains("panicked"), "{name}: {}", ran.stderr);
        let path = place.path("events.jsonl");
        if ran.code == 2 {
            assert!(ran.stderr.contains("refused the assembly"), "{name}: {}", ran.stderr);
            skipped(&format!("{name} cannot be deployed: its constructs reported errors"));
            continue;
        }
        let causes: Vec<String> = if Events::count(&path, "run.finished") == 0 {
            ran.stderr.lines().filter(|line| line.starts_with("error: ")).map(ToOwned::to_owned).collect()
        } else {
            let events = Events::read(&path);
            let message =
                |event: &serde_json::Value| event["cause"]["message"].as_str().map(ToOwned::to_owned);
            events.of("step.finished").filter_map(message).collect()
        };
        match causes.first() {
            None => {
                assert_eq!(ran.code, 0, "{name}: {}", ran.stderr);
                deployed.push(name);
            }
            Some(first) => {
                assert!(ran.code == 1 || ran.code == 3, "{name} exited with {}: {}", ran.code, ran.stderr);
                for cause in &causes {
                    let is_known = REASONS.iter().any(|reason| cause.contains(reason));
                    assert!(is_known, "{name} fails for a reason of ours: {cause}");
                }
                skipped(&format!("{name} cannot be deployed here: {first}"));
            }
        }
    }
    if !assemblies().is_empty() {
        for name in ["cross-stack-load-balancer", "insurancelake", "opensearch-metrics"] {
            assert!(deployed.iter().any(|deployed| deployed == name), "{name} is not among {deployed:?}");
        }
    }
}
