//! Stacks that hold the time of their synthesis are named, with the place.

use serde_json::{Value, json};

use crate::build::{App, resources};

fn calls(id: &str) -> Value {
    let call = json!({ "service": "EC2", "action": "describeVpcs", "physicalResourceId": { "id": id } });
    resources(json!({ "Call": { "Type": "Custom::AWS", "Properties": {
        "ServiceToken": "arn", "Create": call.to_string(), "Update": call.to_string() } } }))
}

#[track_caller]
fn check(template: Value, expected: &[&str]) {
    let plan = App::default().stack("A", "us-east-1", template).plan();
    let places =
        plan.times.iter().flat_map(|of| of.places.iter().map(move |it| format!("{}: {it}", of.stack)));
    assert_eq!(places.collect::<Vec<_>>(), expected);
}

#[test]
fn a_physical_id_that_is_the_time_is_found_in_every_call() {
    check(calls("1795401174659"), &["A: Call.Properties.Create", "A: Call.Properties.Update"]);
    check(calls("/a/name"), &[]);
}

#[test]
fn a_property_that_is_the_time_is_found() {
    let stamped =
        |properties: Value| resources(json!({ "R": { "Type": "Custom::Seed", "Properties": properties } }));
    check(
        stamped(json!({ "ServiceToken": "arn", "At": "2026-11-23T10:32:54.659Z" })),
        &["A: R.Properties.At"],
    );
    // What is no custom resource does not run again for it.
    check(stamped(json!({ "StartDate": "2026-11-23T10:32:54.659Z" })), &[]);
}
