//! Edges that the manifest declares and that nothing uses.

use serde_json::{Value, json};

use crate::build::{App, empty, exports, holds, resources};

/// A stack that takes as long as a database.
fn slow() -> Value {
    resources(json!({ "Db": { "Type": "AWS::RDS::DBInstance" } }))
}

fn after(before: &[&str]) -> Value {
    json!({ "dependencies": before })
}

/// Every declared edge that nothing uses, and whether removing it saves time.
#[track_caller]
fn check(app: &App, expected: &[&str]) {
    let plan = app.plan();
    let shown = plan.declared_only.iter().map(|edge| {
        let saves = if edge.saves.is_zero() { "saves nothing" } else { "saves time" };
        format!("{} -> {} {saves}", edge.from, edge.to)
    });
    assert_eq!(shown.collect::<Vec<_>>(), expected);
}

#[test]
fn an_edge_that_a_template_uses_is_not_only_declared() {
    let consumer = || holds(json!({ "Fn::ImportValue": "x" }));
    let app = App::default().artifact("A", json!({}), exports(json!("x")));
    check(&app.artifact("B", after(&["A"]), consumer()), &[]);
}

#[test]
fn an_edge_that_nothing_uses_is_shown_and_the_one_that_costs_most_comes_first() {
    let app = App::default()
        .artifact("A", json!({}), empty())
        .artifact("B", after(&["A"]), empty())
        .artifact("Slow", json!({}), slow())
        .artifact("Late", after(&["Slow"]), slow());
    check(&app, &["Late -> Slow saves time", "B -> A saves nothing"]);
}

#[test]
fn an_edge_beside_another_chain_saves_nothing() {
    let app = App::default()
        .artifact("A", json!({}), exports(json!("a")))
        .artifact("B", json!({}), {
            let mut both = exports(json!("b"));
            both["Resources"] = holds(json!({ "Fn::ImportValue": "a" }))["Resources"].clone();
            both
        })
        .artifact("C", after(&["A"]), holds(json!({ "Fn::ImportValue": "b" })));
    check(&app, &["C -> A saves nothing"]);
}

#[test]
fn what_the_team_declares_again_is_meant() {
    let app = App::default().artifact("A", json!({}), empty()).artifact("B", after(&["A"]), empty());
    check(&app.config("edges: [{ from: B, to: A, because: calls it }]"), &[]);
}

#[test]
fn a_resource_that_is_used_by_its_name_ties_two_stacks() {
    let bucket = resources(json!({ "B": { "Type": "AWS::S3::Bucket", "Properties": {
        "BucketName": { "Fn::Join": ["-", ["artifacts", { "Ref": "AWS::Region" }]] } } } }));
    let app = |name: &str| {
        App::default().artifact("A", json!({}), bucket.clone()).artifact(
            "B",
            after(&["A"]),
            holds(json!(format!("arn:aws:s3:::{name}/*"))),
        )
    };
    check(&app("artifacts-us-east-1"), &[]);
    check(&app("artifacts-eu-west-1"), &["B -> A saves time"]);
}
