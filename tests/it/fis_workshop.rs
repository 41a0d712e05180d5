//! The deployment that the project was made for, with a configuration of its own: `tests/workshop`. Its assembly is not
//! part of this project.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::Value;

use crate::assemblies::collection;
use crate::harness::{Events, Place, Ran};
use crate::workshop::repository;

/// What waits for what by the parameters in its templates.
const PAIRS: [(&str, &[&str]); 9] = [
    ("Applications", &["Services"]),
    ("ApplicationsSecondary", &["Services", "ServicesSecondary"]),
    ("NetworkRoutesMain", &["NetworkRegionPeering", "Services", "ServicesSecondary"]),
    ("NetworkRoutesSecondary", &["NetworkRegionPeering", "Services", "ServicesSecondary"]),
    // These two overwrite a parameter, all others read.
    ("Observability", &["Services"]),
    ("ObservabilitySecondary", &["ServicesSecondary"]),
    ("ObservabilityDashboard", &["NetworkRegionPeering", "Services", "ServicesSecondary"]),
    ("S3Replica", &["Services", "ServicesSecondary"]),
    ("ServicesSecondary", &["Services"]),
];

fn assembly() -> Option<PathBuf> {
    Some(collection()?.join("fis-workshop-multiregion/cdk.out"))
}

fn config(name: &str) -> String {
    fs_err::read_to_string(repository().join("tests/workshop").join(name)).unwrap()
}

/// Calls a command with the assembly and a configuration, in both regions.
fn call(place: &Place, command: &[&str], config: &str) -> Option<Ran> {
    let app = assembly()?;
    place.write("paceline.yaml", config);
    Some(place.paceline(command).args(["--app"]).args([app]).multi_region().run())
}

fn plan(config: &str) -> Option<Value> {
    let ran = call(&Place::new(), &["plan", "--format", "json"], config)?;
    Some(ran.expect(0).stdout_json())
}

fn warnings(plan: &Value) -> Vec<&str> {
    plan["warnings"].as_array().unwrap().iter().map(|warning| warning.as_str().unwrap()).collect()
}

#[test]
fn the_plan_finds_all_seventeen_pairs_and_the_parameter_of_the_other_app() {
    let Some(plan) = plan("") else { return };
    let mut pairs = BTreeSet::new();
    for stack in plan["stacks"].as_array().unwrap() {
        for edge in stack["depends_on"].as_array().unwrap() {
            assert_eq!(edge["reason"], "ssm", "{stack}");
            pairs.insert((stack["id"].as_str().unwrap(), edge["stack"].as_str().unwrap()));
        }
    }
    let expected = PAIRS.iter().flat_map(|(from, all)| all.iter().map(move |to| (*from, *to)));
    assert_eq!(pairs, expected.collect());
    assert_eq!(pairs.len(), 17);
    let external = plan["external"].as_array().unwrap();
    let external: BTreeSet<_> =
        external.iter().map(|it| (it["stack"].as_str(), it["name"].as_str())).collect();
    let name = Some("/vscode/vsiamrolearn");
    assert_eq!(external, [(Some("Services"), name), (Some("ServicesSecondary"), name)].into());
}

#[test]
fn the_first_phase_of_the_design_is_explained() {
    let Some(designed) = plan(&config("as-designed.yaml")) else { return };
    let [warning] = warnings(&designed)[..] else { panic!("not one warning: {}", designed["warnings"]) };
    for part in [
        "phase `services` deploys `ServicesSecondary` after `Services` and not at the same time (ssm ×8)",
        "a fresh account",
        "`relax: when-present`",
    ] {
        assert!(warning.contains(part), "{warning}");
    }
    // Whoever has done as it says hears of it no more, but of what it saves.
    let relaxed = plan(&config("paceline.yaml")).unwrap();
    assert_eq!(warnings(&relaxed), [""; 0]);
    let forecast = &relaxed["forecast"];
    let [redeployed, graph] = ["redeployed_s", "graph_s"].map(|key| forecast[key].as_u64().unwrap());
    assert!(redeployed < graph * 3 / 4, "{forecast}");
}

#[test]
fn a_region_in_a_phase_before_the_one_it_reads_from_contradicts_the_graph() {
    let phases =
        "phases: [{ name: west, stacks: [ServicesSecondary] }, { name: east, stacks: [Services] }]\n";
    let Some(ran) = call(&Place::new(), &["plan"], phases) else { return };
    let ran = ran.expect(2);
    let expected = "phase `west` comes before phase `east`, but its stack `ServicesSecondary` waits for `Services`: \
                    ssm: reads the parameter /petstore/";
    assert!(ran.stderr.contains(expected), "{}", ran.stderr);
    assert_eq!(ran.stdout, "");
}

#[test]
fn the_simulated_deployment_gets_to_its_end_in_the_order_of_the_edges() {
    let place = Place::new();
    let command = ["deploy", "--simulate", "--events", "events.jsonl"];
    let Some(ran) = call(&place, &command, &config("paceline.yaml")) else { return };
    let ran = ran.expect(0);
    // Whether sources outside of the assembly are there is up to the machine, and so is what is said of them.
    let pretence = "/vscode/vsiamrolearn";
    let lines = ran.stderr.lines().filter(|line| line.starts_with("warning: ") && line.contains(pretence));
    assert_eq!(lines.count(), 1, "{}", ran.stderr);
    let events = Events::read(&place.path("events.jsonl"));
    assert_eq!(events.outcomes().len(), 14);
    assert!(events.outcomes().iter().all(|(_, outcome)| outcome == "deployed"), "{:?}", events.outcomes());
    let plan = plan(&config("paceline.yaml")).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let edges = plan["stacks"].as_array().unwrap().iter().flat_map(|stack| {
        let edges = stack["depends_on"].as_array().unwrap().iter();
        edges.map(|edge| (text(&stack["id"]), text(&edge["stack"]), text(&edge["reason"])))
    });
    events.assert_order(&edges.collect::<Vec<_>>());
}

#[test]
fn without_the_edge_that_no_file_shows_the_peering_finds_no_attachment() {
    let place = Place::new();
    let Some(ran) = call(&place, &["deploy", "--simulate", "--events", "events.jsonl"], "") else { return };
    ran.expect(1);
    let events = Events::read(&place.path("events.jsonl"));
    let outcomes = events.outcomes();
    let peering = outcomes.iter().find(|(stack, _)| stack == "NetworkRegionPeering").unwrap();
    assert_eq!(peering.1, "rolled-back");
    let failed =
        events.of_stacks("step.finished").find(|event| event["stack"] == "NetworkRegionPeering").unwrap();
    let message = failed["cause"]["message"].as_str().unwrap();
    assert!(message.contains("TransitGatewayPeeringAttachments.0.TransitGatewayAttachmentId"), "{message}");
}

#[test]
fn with_one_region_nothing_of_the_other_is_deployed() {
    let Some(app) = assembly() else { return };
    let place = Place::new();
    place.write("paceline.yaml", &config("paceline.yaml"));
    let ran = place.paceline(["deploy", "--simulate", "--events", "events.jsonl", "--app"]).args([app]).run();
    ran.expect(0);
    let deployed = Events::read(&place.path("events.jsonl")).outcomes();
    let stacks: Vec<&str> = deployed.iter().map(|(stack, _)| stack.as_str()).collect();
    assert_eq!(stacks, ["Applications", "FisServerless", "Observability", "Services", "UserSimulationStack"]);
}
