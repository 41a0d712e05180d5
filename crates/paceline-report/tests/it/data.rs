//! The reports for programs: JSON with its schema, and the trace.

use std::collections::{BTreeMap, BTreeSet};

use paceline_report::{Record, json, json_schema, trace};
use serde_json::Value;

use crate::runs;

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn json_of_a_run() {
    insta::assert_snapshot!("json_bad", json(&Record::of(&runs::bad())));
}

#[test]
fn every_json_report_fits_the_schema_and_every_field_of_the_schema_is_used() {
    let schema = json_schema();
    let mut used = BTreeSet::new();
    for (_, events) in runs::all() {
        conforms(&parsed(&json(&Record::of(&events))), &schema, "report", &mut used);
    }
    let mut known = BTreeSet::new();
    fields(&schema, "report", &mut known);
    let never: Vec<&String> = known.difference(&used).collect();
    // No run of these is at another endpoint, or has two stacks that must be shortened together.
    assert_eq!(never, ["report.endpoint", "report.to_shorten.twin"]);
}

/// Checks the keywords that the schema uses.
fn conforms(value: &Value, schema: &Value, at: &str, used: &mut BTreeSet<String>) {
    let is_of_type = match schema["type"].as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64(),
        "number" => value.as_f64().is_some_and(|number| number >= 0.0),
        other => panic!("a type that the schema should not use: {other}"),
    };
    assert!(is_of_type, "{at}: {value}");
    if let Some(constant) = schema.get("const") {
        assert_eq!(constant, value, "{at}");
    }
    for item in value.as_array().into_iter().flatten() {
        conforms(item, &schema["items"], at, used);
    }
    for name in schema["required"].as_array().into_iter().flatten() {
        assert!(value.get(name.as_str().unwrap()).is_some(), "{at} has no {name}");
    }
    for (name, field) in value.as_object().into_iter().flatten() {
        let place = format!("{at}.{name}");
        if let Some(schema) = schema.get("additionalProperties") {
            conforms(field, schema, &place, used);
        } else {
            let schema =
                schema["properties"].get(name).unwrap_or_else(|| panic!("{place} is not in the schema"));
            conforms(field, schema, &place, used);
            used.insert(place);
        }
    }
}

fn fields(schema: &Value, at: &str, known: &mut BTreeSet<String>) {
    if let Some(items) = schema.get("items") {
        fields(items, at, known);
    }
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        assert!(field["description"].as_str().is_some_and(|text| text.ends_with('.')), "{at}.{name}");
        known.insert(format!("{at}.{name}"));
        fields(field, &format!("{at}.{name}"), known);
    }
}

fn events(trace: &Value) -> &Vec<Value> {
    trace["traceEvents"].as_array().unwrap()
}

#[test]
fn a_trace_has_a_track_for_each_region_with_every_step() {
    let record = Record::of(&runs::good());
    let trace = parsed(&trace(&record));
    let names = events(&trace).iter().filter(|event| event["name"] == "process_name");
    let names: Vec<&str> = names.map(|event| event["args"]["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["run", "us-east-1", "us-west-2"]);
    let secondary = events(&trace).iter().find(|event| event["name"] == "ServicesSecondary").unwrap();
    assert_eq!(secondary["pid"], 2);
    assert_eq!((&secondary["ts"], &secondary["dur"]), (&909_000_000.into(), &591_000_000.into()));
    let steps = events(&trace).iter().filter(|event| event["ph"] == "X" && event["cat"] != "run").count();
    assert_eq!(steps, record.steps.iter().map(|step| step.spans.len()).sum::<usize>());
}

#[test]
fn the_events_of_a_thread_of_a_trace_do_not_overlap() {
    for (name, events_of_run) in runs::all().into_iter().chain([("many", runs::many(200))]) {
        let trace = parsed(&trace(&Record::of(&events_of_run)));
        let mut threads: BTreeMap<(u64, u64), Vec<(u64, u64)>> = BTreeMap::new();
        for event in events(&trace).iter().filter(|event| event["ph"] == "X") {
            let number = |key: &str| event[key].as_u64().unwrap();
            let times = (number("ts"), number("ts") + number("dur"));
            threads.entry((number("pid"), number("tid"))).or_default().push(times);
        }
        for times in threads.values_mut() {
            times.sort_unstable();
            assert!(times.windows(2).all(|pair| pair[0].1 <= pair[1].0), "{name}: {times:?}");
        }
    }
}

#[test]
fn what_begins_in_a_trace_ends_in_it() {
    for (name, events_of_run) in runs::all() {
        let trace = parsed(&trace(&Record::of(&events_of_run)));
        for (begin, end) in [("b", "e"), ("s", "f")] {
            let ids = |phase: &str| -> Vec<String> {
                let of = events(&trace).iter().filter(|event| event["ph"] == phase);
                of.map(|event| event["id"].to_string()).collect()
            };
            assert_eq!(ids(begin), ids(end), "{name}");
        }
    }
    let trace = trace(&Record::of(&runs::good()));
    assert!(trace.contains("Services/PetSiteCluster"), "{trace}");
}
