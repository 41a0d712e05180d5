//! `paceline plan` and `paceline explain`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::harness::{Place, Ran};
use crate::workshop::{self, STACKS};

fn plan(more: &[&str]) -> Ran {
    Place::new().paceline(["plan"]).args(workshop::app()).args(more).multi_region().run().expect(0)
}

fn plan_json(more: &[&str]) -> Value {
    plan(&[&["--format", "json"], more].concat()).document("plan")
}

fn ids(plan: &Value) -> Vec<&str> {
    plan["stacks"].as_array().unwrap().iter().map(|stack| stack["id"].as_str().unwrap()).collect()
}

#[test]
fn json_has_the_fields_of_the_contract() {
    let plan = plan_json(&[]);
    assert_eq!(plan["schema"], 1);
    assert_eq!(ids(&plan).len(), STACKS);
    for stack in plan["stacks"].as_array().unwrap() {
        for text in ["id", "name", "account", "region", "phase"] {
            assert!(stack[text].is_string(), "{text} of {stack}");
        }
        for number in ["level", "resources"] {
            assert!(stack[number].is_u64(), "{number} of {stack}");
        }
        for edge in stack["depends_on"].as_array().unwrap() {
            for text in ["stack", "reason", "detail"] {
                assert!(edge[text].is_string(), "{text} of {edge}");
            }
        }
    }
    for seconds in ["sequential_s", "phased_s", "graph_s"] {
        assert!(plan["forecast"][seconds].as_f64().unwrap() > 0.0, "{seconds}");
    }
}

#[test]
fn levels_follow_from_the_edges() {
    let plan = plan_json(&[]);
    let levels: BTreeMap<&str, u64> = plan["stacks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|stack| (stack["id"].as_str().unwrap(), stack["level"].as_u64().unwrap()))
        .collect();
    for stack in plan["stacks"].as_array().unwrap() {
        let before =
            stack["depends_on"].as_array().unwrap().iter().map(|edge| edge["stack"].as_str().unwrap());
        let level = before.map(|id| levels[id] + 1).max().unwrap_or(0);
        assert_eq!(stack["level"], level, "{}", stack["id"]);
    }
}

#[test]
fn stacks_come_after_what_they_wait_for() {
    let plan = plan_json(&[]);
    let mut seen = BTreeSet::new();
    for stack in plan["stacks"].as_array().unwrap() {
        for edge in stack["depends_on"].as_array().unwrap() {
            assert!(seen.contains(edge["stack"].as_str().unwrap()), "{} is listed too early", stack["id"]);
        }
        seen.insert(stack["id"].as_str().unwrap());
    }
}

#[test]
fn the_critical_path_is_a_chain_of_stacks_from_start_to_end() {
    let plan = plan_json(&[]);
    let path: Vec<&str> =
        plan["critical_path"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    assert!(path.len() > 1, "{path:?}");
    let stack = |id: &str| plan["stacks"].as_array().unwrap().iter().find(|stack| stack["id"] == id).unwrap();
    assert_eq!(stack(path[0])["level"], 0);
    for pair in path.windows(2) {
        let waits =
            stack(pair[1])["depends_on"].as_array().unwrap().iter().any(|edge| edge["stack"] == pair[0]);
        assert!(waits, "{} does not wait for {}", pair[1], pair[0]);
    }
}

#[test]
fn the_forecast_of_the_graph_is_the_shortest() {
    let forecast = &plan_json(&[])["forecast"];
    let [sequential, phased, graph] =
        ["sequential_s", "phased_s", "graph_s"].map(|key| forecast[key].as_u64().unwrap());
    assert!(graph <= phased && phased < sequential, "{forecast}");
}

#[test]
fn phases_are_those_of_the_configuration() {
    let plan = plan_json(&[]);
    let mut phases: Vec<&str> =
        plan["stacks"].as_array().unwrap().iter().map(|s| s["phase"].as_str().unwrap()).collect();
    phases.dedup();
    assert_eq!(phases, ["services", "network", "applications", "dashboard"]);
}

#[test]
fn edges_that_only_the_configuration_declares_are_in_the_plan_with_their_because() {
    let plan = plan_json(&[]);
    let peering =
        plan["stacks"].as_array().unwrap().iter().find(|s| s["id"] == "NetworkRegionPeering").unwrap();
    let edge =
        peering["depends_on"].as_array().unwrap().iter().find(|edge| edge["reason"] == "config").unwrap();
    assert_eq!(edge["stack"], "ServicesSecondary");
    assert!(edge["detail"].as_str().unwrap().contains("transit gateway"), "{edge}");
}

#[test]
fn every_kind_of_link_of_the_example_is_found() {
    let reasons: BTreeSet<String> =
        workshop::edges(&workshop::app()).into_iter().map(|edge| edge.2).collect();
    for reason in ["manifest", "import", "ssm", "cross-region", "config"] {
        assert!(reasons.contains(reason), "{reason} is not among {reasons:?}");
    }
}

#[test]
fn without_the_switch_only_the_primary_region_is_planned_and_the_plan_says_so() {
    let place = Place::new();
    for value in [None, Some("false"), Some("")] {
        let with = |format: &str| {
            let call = place.paceline(["plan", "--format", format]).args(workshop::app());
            match value {
                Some(value) => call.env("ENABLE_MULTI_REGION", value).run().expect(0),
                None => call.run().expect(0),
            }
        };
        let plan = with("json").stdout_json();
        assert!(ids(&plan).contains(&"Services"));
        for stack in plan["stacks"].as_array().unwrap() {
            assert_eq!(stack["region"], "us-east-1", "{}", stack["id"]);
        }
        let text = with("text").stdout;
        assert!(text.contains("ServicesSecondary") && text.contains("ENABLE_MULTI_REGION"), "{text}");
    }
}

#[test]
fn only_and_exclude_choose_stacks_by_pattern() {
    assert_eq!(ids(&plan_json(&["--only", "Services*"])), ["Services", "ServicesSecondary"]);
    assert_eq!(ids(&plan_json(&["--only", "Services", "--only", "S3Replica"])), ["Services", "S3Replica"]);
    assert_eq!(ids(&plan_json(&["--only", "Services*", "--exclude", "*Secondary"])), ["Services"]);
    let rest = plan_json(&["--exclude", "Observability*"]);
    assert_eq!(ids(&rest).len(), STACKS - 3);
}

#[test]
fn mermaid_and_dot_have_every_stack_and_no_more_arrows_than_pairs() {
    let pairs: BTreeSet<_> = workshop::edges(&workshop::app()).into_iter().map(|(a, b, _)| (a, b)).collect();
    let plan = plan_json(&[]);
    for (format, start, arrow) in [("mermaid", "flowchart ", " -->"), ("dot", "digraph ", " -> ")] {
        let text = plan_text(format);
        assert!(text.starts_with(start), "{format}: {text}");
        for id in ids(&plan) {
            assert!(
                text.contains(&format!("\"{id}")) || text.contains(&format!("[\"{id}")),
                "{format}: {id}"
            );
        }
        let arrows = text.lines().filter(|line| line.contains(arrow)).count();
        assert_eq!(arrows, pairs.len(), "{format}: one arrow for each pair\n{text}");
    }
}

fn plan_text(format: &str) -> String {
    plan(&["--format", format]).stdout
}

#[test]
fn every_form_of_the_plan_goes_to_stdout_and_notes_go_to_stderr() {
    for format in ["text", "json", "mermaid", "dot"] {
        let ran = plan(&["--format", format]);
        assert!(ran.stdout.ends_with('\n') && ran.stdout.len() > 500, "{format}");
        assert_eq!(ran.stderr, "", "{format}");
    }
    // A configuration beside the app that is not used is worth a note, and the note must not be in the data.
    let ran = Place::new()
        .paceline(["plan", "--format", "json", "--app", &workshop::path("cdk.out")])
        .run()
        .expect(0);
    assert!(ran.stderr.contains("paceline.yaml is not used"), "{}", ran.stderr);
    assert_eq!(ids(&ran.stdout_json()).len(), STACKS);
}

#[test]
fn the_plan_of_the_current_folder_needs_no_arguments() {
    let place = Place::new();
    let config = fs_err::read_to_string(workshop::path("paceline.yaml")).unwrap();
    place.write(
        "paceline.yaml",
        &config.replace("app: cdk.out", &format!("app: {}", workshop::path("cdk.out"))),
    );
    let ran = place.paceline(["plan", "--format", "json"]).multi_region().run().expect(0);
    assert_eq!(ids(&ran.stdout_json()).len(), STACKS);
}

#[test]
fn the_text_fits_80_columns_and_has_no_colour_codes() {
    let text = plan_text("text");
    let long: Vec<&str> = text.lines().filter(|line| line.chars().count() > 80).collect();
    assert!(long.is_empty(), "{long:#?}");
    assert!(!text.contains('\u{1b}'));
}

#[test]
fn two_plans_of_the_same_app_are_the_same_bytes() {
    assert_eq!(plan(&["--format", "json"]).stdout, plan(&["--format", "json"]).stdout);
}

fn explain(stacks: &[&str]) -> Ran {
    Place::new().paceline(["explain"]).args(workshop::app()).args(stacks).multi_region().run()
}

#[test]
fn explain_says_what_a_stack_waits_for_and_where_the_template_says_so() {
    let text = explain(&["NetworkRoutesMain"]).expect(0).stdout;
    for on in ["Services", "ServicesSecondary", "NetworkRegionPeering"] {
        assert!(text.contains(&format!("NetworkRoutesMain waits for {on} (")), "{text}");
    }
    assert!(text.contains("/workshop/network/route-table-a (NetworkRoutesMain: Parameters."), "{text}");
}

#[test]
fn explain_of_two_stacks_shows_the_chain_between_them() {
    let text = explain(&["FisServerless", "Services"]).expect(0).stdout;
    assert!(text.contains("imports ") && text.contains("(FisServerless: "), "{text}");
    // The chain of two that are tied only by way of a third.
    let text = explain(&["ObservabilitySecondary", "Services"]).expect(0).stdout;
    let via = text.find("ObservabilitySecondary waits for ApplicationsSecondary").unwrap();
    assert!(text[via..].contains("ApplicationsSecondary waits for Services"), "{text}");
}

#[test]
fn explain_as_json_has_the_chain_with_the_reasons_and_their_places() {
    let json =
        |stacks: &[&str]| explain(&[stacks, &["--format", "json"]].concat()).expect(0).document("explain");
    let two = json(&["ObservabilitySecondary", "Services"]);
    assert_eq!(two["chain"], json!(["ObservabilitySecondary", "ApplicationsSecondary", "Services"]));
    let waits = two["waits_for"].as_array().unwrap();
    assert_eq!((&waits[1]["stack"], &waits[1]["on"]), (&two["chain"][1], &two["chain"][2]));
    assert!(waits[1]["edges"][0]["read_at"][0]["logical_id"].is_string(), "{two:#}");
    assert_eq!((&two["waits"], &two["reversed"]), (&json!(true), &json!(false)));
    // The other way round it is the same chain.
    let reversed = json(&["Services", "ObservabilitySecondary"]);
    assert_eq!((&reversed["waits"], &reversed["reversed"]), (&json!(false), &json!(true)));
    assert_eq!(reversed["chain"], two["chain"]);

    let one = json(&["NetworkRoutesMain"]);
    let on: BTreeSet<&str> =
        one["waits_for"].as_array().unwrap().iter().map(|wait| wait["on"].as_str().unwrap()).collect();
    assert_eq!(on, BTreeSet::from(["NetworkRegionPeering", "Services", "ServicesSecondary"]));
    let place = Place::new();
    let call = place.paceline(["explain", "ServicesSecondary", "--format", "json"]).args(workshop::app());
    let left_out = call.run().expect(0).document("explain");
    assert_eq!(left_out["left_out"]["stack"], "ServicesSecondary");
}

#[test]
fn explain_says_when_there_is_no_chain() {
    let text = explain(&["Services", "ServicesSecondary"]).expect(0).stdout;
    assert!(text.contains("does not wait for"), "{text}");
    let text = explain(&["Services"]).expect(0).stdout;
    assert!(text.contains("waits for no other stack"), "{text}");
}
