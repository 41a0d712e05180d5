//! Names that would collide.

use paceline_assembly::Assembly;
use paceline_diff::{Shown, json as json_of};
use serde_json::{Value, json};

use crate::app::{assembly, diff, resources};

fn queue(name: &str) -> Value {
    json!({ "Type": "AWS::SQS::Queue", "Properties": { "QueueName": name } })
}

fn app(stacks: &[(&str, Value)]) -> Assembly {
    let stacks: Vec<_> = stacks.iter().map(|(id, it)| (*id, resources(it.clone()))).collect();
    assembly(&stacks)
}

fn sentences(base: &Assembly, app: &Assembly) -> Vec<String> {
    let diff = diff(base, app);
    let document: Value = serde_json::from_str(&json_of(&Shown { diff: &diff, base: "the base" })).unwrap();
    let collisions = document["collisions"].as_array().unwrap().clone();
    collisions
        .iter()
        .map(|it| format!("{}: {}", it["stack"].as_str().unwrap(), it["sentence"].as_str().unwrap()))
        .collect()
}

#[test]
fn two_resources_with_one_name_are_told_once() {
    let base = app(&[("A", json!({})), ("B", json!({}))]);
    let after = app(&[("A", json!({ "Q": queue("jobs") })), ("B", json!({ "R": queue("jobs") }))]);
    assert_eq!(sentences(&base, &after), ["B: `R` is called jobs (AWS::SQS::Queue), and so is `Q` of A"]);
    assert_eq!(sentences(&after, &after), [""; 0]);
}

#[test]
fn a_new_logical_id_for_the_same_name_collides() {
    let base = app(&[("A", json!({ "Q": queue("jobs") }))]);
    let after = app(&[("A", json!({ "Renamed": queue("jobs") }))]);
    assert_eq!(
        sentences(&base, &after),
        [
            "A: `Renamed` is called jobs (AWS::SQS::Queue), as `Q` is: that one is still there when the new one is created"
        ]
    );
}

#[test]
fn a_move_to_another_stack_collides_unless_the_old_stack_comes_first() {
    let base = app(&[("A", json!({ "Q": queue("jobs") })), ("B", json!({ "X": queue("x") }))]);
    let mut after =
        app(&[("A", json!({ "Y": queue("y") })), ("B", json!({ "X": queue("x"), "Q": queue("jobs") }))]);
    assert_eq!(sentences(&base, &after).len(), 1);
    after.stacks[1].depends_on.push("A".to_owned());
    assert_eq!(sentences(&base, &after), [""; 0]);
}

#[test]
fn a_name_of_a_stack_that_is_no_longer_in_the_app_is_still_there() {
    let base = app(&[("Old", json!({ "Q": queue("jobs") }))]);
    let after = app(&[("New", json!({ "Q": queue("jobs") }))]);
    assert_eq!(
        sentences(&base, &after),
        [
            "New: `Q` is called jobs (AWS::SQS::Queue), as `Q` of Old is: that one is still there when the new one is created"
        ]
    );
}

#[test]
fn a_replaced_resource_cannot_keep_its_name() {
    let table = |key: &str| json!({ "T": { "Type": "AWS::DynamoDB::Table", "Properties": { "TableName": "orders", "KeySchema": [key] } } });
    let (base, after) = (app(&[("A", table("id"))]), app(&[("A", table("key"))]));
    assert_eq!(
        sentences(&base, &after),
        [
            "A: `T` is replaced and keeps the name orders (AWS::DynamoDB::Table): CloudFormation refuses that, give it another name"
        ]
    );
}

#[test]
fn names_of_other_regions_do_not_collide_except_those_of_buckets_and_roles() {
    let of = |resource_type: &str, property: &str| {
        let named = |id: &str| json!({ id: { "Type": resource_type, "Properties": { property: "same" } } });
        let mut after = app(&[("A", named("One")), ("B", named("Two"))]);
        after.stacks[1].environment.region = Some("us-east-1".to_owned());
        sentences(&app(&[("A", json!({}))]), &after).len()
    };
    assert_eq!(of("AWS::SQS::Queue", "QueueName"), 0);
    assert_eq!(of("AWS::S3::Bucket", "BucketName"), 1);
    assert_eq!(of("AWS::IAM::Role", "RoleName"), 1);
}

#[test]
fn an_export_that_moves_collides() {
    let of = |id: &str| {
        assembly(&[(
            "A",
            json!({ "Resources": {}, "Outputs": { id: { "Value": "v", "Export": { "Name": "Shared" } } } }),
        )])
    };
    assert_eq!(
        sentences(&of("One"), &of("Two")),
        [
            "A: `Outputs.Two` is called Shared (export), as `Outputs.One` is: that one is still there when the new one is created"
        ]
    );
}
