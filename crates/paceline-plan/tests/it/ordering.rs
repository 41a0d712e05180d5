//! Order, levels, expected times and the critical path.

use serde_json::json;

use crate::build::{App, empty, ids, resources};

#[test]
fn stacks_come_after_what_they_wait_for_and_ties_keep_the_manifests_order() {
    let plan = App::default()
        .after("A", &["C"])
        .stack("B", "us-east-1", empty())
        .stack("C", "us-east-1", empty())
        .plan();
    assert_eq!(ids(&plan), ["B", "C", "A"]);
    assert_eq!(plan.stacks.iter().map(|stack| stack.level).collect::<Vec<_>>(), [0, 0, 1]);
}

#[test]
fn the_critical_path_is_the_heaviest_chain() {
    let slow = resources(json!({ "Cluster": { "Type": "AWS::EKS::Cluster" } }));
    let plan = App::default()
        .stack("A", "us-east-1", empty())
        .after("B", &["A"])
        .after("C", &["B"])
        .stack("Slow", "us-east-1", slow)
        .after("AfterSlow", &["Slow"])
        .plan();
    assert_eq!(plan.critical_path, ["Slow", "AfterSlow"]);
}

#[test]
fn a_stack_takes_as_long_as_its_heaviest_chain_of_resources() {
    let topics = |depends_on| {
        let topic = json!({ "Type": "AWS::SNS::Topic", "DependsOn": depends_on });
        resources(json!({ "A": { "Type": "AWS::SNS::Topic" }, "B": topic }))
    };
    let expected =
        |depends_on| App::default().stack("A", "us-east-1", topics(depends_on)).plan().stacks[0].expected;
    assert!(expected(json!("A")) > expected(json!([])));
    assert_eq!(expected(json!("A")), expected(json!(["A", "Missing"])));
    // CloudFormation will say that this is a circle.
    assert_eq!(expected(json!("B")), expected(json!([])));
}

#[test]
fn nested_stacks_count_with_what_is_in_them() {
    let nested = |id: &str, file: &str| {
        resources(json!({ id: {
            "Type": "AWS::CloudFormation::Stack",
            "Properties": { "TemplateURL": "x" },
            "Metadata": { "aws:asset:path": file, "aws:asset:property": "TemplateURL" },
        } }))
    };
    let slow = resources(json!({ "Cluster": { "Type": "AWS::EKS::Cluster" } }));
    let plan = App::default()
        .stack("A", "us-east-1", nested("Child", "child.json"))
        .file("child.json", nested("Grandchild", "grandchild.json"))
        .file("grandchild.json", slow)
        .plan();
    assert_eq!(plan.stacks[0].resources, 3);
    assert!(plan.stacks[0].expected.as_secs() > 300, "{:?}", plan.stacks[0].expected);
}
