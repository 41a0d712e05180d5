//! What a condition is sure to leave out ties no stacks together.

use serde_json::{Value, json};

use crate::build::{App, exports, holds};

const IMPORTS: &str = "Consumer -> Producer import: imports x (Consumer: R.Properties.Value)";

fn import() -> Value {
    json!({ "Fn::ImportValue": "x" })
}

/// A consumer in us-east-1 with this condition, `C`.
fn under(condition: Value, mut template: Value) -> Value {
    template["Conditions"] = json!({ "C": condition });
    template["Parameters"] = json!({
        "Stage": { "Type": "String", "Default": "prod" },
        "Asked": { "Type": "String" },
    });
    template["Mappings"] =
        json!({ "Primary": { "us-east-1": { "is": "yes" }, "eu-west-1": { "is": "no" } } });
    template
}

fn is_region(region: &str) -> Value {
    json!({ "Fn::Equals": [{ "Ref": "AWS::Region" }, region] })
}

fn resource_under(condition: Value) -> Value {
    let mut template = holds(import());
    template["Resources"]["R"]["Condition"] = json!("C");
    under(condition, template)
}

#[test]
fn a_resource_that_is_not_made_reads_nothing() {
    App::pair(exports(json!("x")), resource_under(is_region("eu-west-1"))).check_edges(&[]);
    App::pair(exports(json!("x")), resource_under(is_region("us-east-1"))).check_edges(&[IMPORTS]);
}

#[test]
fn conditions_are_known_from_literals_mappings_pseudo_parameters_and_defaults() {
    for (condition, is_known_to_fail) in [
        (json!({ "Fn::Equals": ["a", "b"] }), true),
        (json!({ "Fn::Equals": [{ "Ref": "Stage" }, "test"] }), true),
        (json!({ "Fn::Equals": [{ "Ref": "AWS::AccountId" }, "222222222222"] }), true),
        (json!({ "Fn::Equals": [{ "Ref": "AWS::Partition" }, "aws-cn"] }), true),
        (
            json!({ "Fn::Equals": [{ "Fn::FindInMap": ["Primary", { "Ref": "AWS::Region" }, "is"] }, "no"] }),
            true,
        ),
        (json!({ "Fn::Not": [is_region("us-east-1")] }), true),
        (json!({ "Fn::And": [{ "Fn::Equals": [{ "Ref": "Asked" }, "x"] }, is_region("eu-west-1")] }), true),
        // What only deployment knows is taken for possible.
        (json!({ "Fn::Equals": [{ "Ref": "Asked" }, "x"] }), false),
        (json!({ "Fn::Or": [{ "Fn::Equals": [{ "Ref": "Asked" }, "x"] }, is_region("eu-west-1")] }), false),
        (json!({ "Fn::Equals": [{ "Ref": "AWS::StackId" }, "x"] }), false),
    ] {
        let expected: &[&str] = if is_known_to_fail { &[] } else { &[IMPORTS] };
        App::pair(exports(json!("x")), resource_under(condition)).check_edges(expected);
    }
}

#[test]
fn the_value_that_the_manifest_gives_a_parameter_decides() {
    let condition = json!({ "Fn::Equals": [{ "Ref": "Stage" }, "prod"] });
    let fields = json!({ "properties": { "parameters": { "Stage": "test" } } });
    App::default()
        .stack("Producer", "us-east-1", exports(json!("x")))
        .artifact("Consumer", fields, resource_under(condition))
        .check_edges(&[]);
}

#[test]
fn a_branch_that_is_not_taken_reads_nothing() {
    let branches =
        |yes: Value, no: Value| under(is_region("eu-west-1"), holds(json!({ "Fn::If": ["C", yes, no] })));
    App::pair(exports(json!("x")), branches(import(), json!("local"))).check_edges(&[]);
    App::pair(exports(json!("x")), branches(json!("local"), import())).check_edges(&[IMPORTS]);
    let joined = json!({ "Fn::Join": ["", ["a", { "Fn::If": ["C", import(), "b"] }]] });
    App::pair(exports(json!("x")), under(is_region("eu-west-1"), holds(joined))).check_edges(&[]);
}

#[test]
fn an_output_that_is_not_made_neither_provides_nor_reads() {
    let output = |condition: Value, value: Value| {
        let mut template = exports(json!("x"));
        template["Outputs"]["Out"]["Condition"] = json!("C");
        template["Outputs"]["Out"]["Value"] = value;
        under(condition, template)
    };
    let not_made = App::pair(output(is_region("eu-west-1"), json!("v")), holds(import()));
    not_made.check_edges(&[]);
    not_made.check_external(&["Consumer import: x (Consumer: R.Properties.Value)"]);
    App::pair(output(is_region("us-east-1"), json!("v")), holds(import())).check_edges(&[IMPORTS]);
    let reads = output(is_region("eu-west-1"), json!({ "Fn::ImportValue": "y" }));
    App::pair(exports(json!("y")), reads).check_edges(&[]);
}

#[test]
fn one_template_for_two_regions_is_no_circle() {
    let both = |name: &str, other: &str| {
        let mut template = exports(json!(name));
        let only_elsewhere = json!({ "Fn::If": ["C", { "Fn::ImportValue": other }, "local"] });
        template["Resources"]["Topic"]["Properties"] = json!({ "DisplayName": only_elsewhere });
        template["Resources"]["Only"] = json!({
            "Type": "AWS::SNS::Topic",
            "Condition": "C",
            "Properties": { "DisplayName": { "Fn::ImportValue": other } },
        });
        under(is_region("us-west-2"), template)
    };
    let mut edge = exports(json!("edge"));
    edge["Resources"]["Topic"]["Properties"] = json!({ "DisplayName": { "Fn::ImportValue": "core" } });
    App::default()
        .stack("Core", "us-east-1", both("core", "edge"))
        .stack("Edge", "us-east-1", edge)
        .check_edges(&["Edge -> Core import: imports core (Edge: Topic.Properties.DisplayName)"]);
}

#[test]
fn what_is_nested_in_a_stack_that_is_not_made_is_not_made_either() {
    let nested = |condition: Value| {
        let mut outer = json!({ "Resources": { "Inner": {
            "Type": "AWS::CloudFormation::Stack",
            "Condition": "C",
            "Metadata": { "aws:asset:path": "Inner.nested.json", "aws:asset:property": "TemplateURL" },
            "Properties": { "TemplateURL": "x" },
        } } });
        outer["Resources"]["Topic"] = json!({ "Type": "AWS::SNS::Topic" });
        App::pair(exports(json!("x")), under(condition, outer)).file("Inner.nested.json", holds(import()))
    };
    nested(is_region("eu-west-1")).check_edges(&[]);
    nested(is_region("us-east-1"))
        .check_edges(&["Consumer -> Producer import: imports x (Consumer: Inner/R.Properties.Value)"]);
}

#[test]
fn what_is_not_made_takes_no_time() {
    let slow = |condition: Value| {
        let mut template = under(condition, holds(json!("v")));
        template["Resources"]["Database"] = json!({ "Type": "AWS::RDS::DBInstance", "Condition": "C" });
        App::default().stack("S", "us-east-1", template).plan().stacks[0].expected
    };
    assert!(slow(is_region("eu-west-1")) * 10 < slow(is_region("us-east-1")));
}
