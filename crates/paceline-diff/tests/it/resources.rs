//! What happens to resources, and to the other sections of a template.

use paceline_diff::{Effect, StackChange, StackDiff};
use serde_json::{Value, json};

use crate::app::{assembly, diff, nest, resources, stack_diff};

fn shown(diff: &StackDiff) -> Vec<String> {
    let of = |it: &paceline_diff::ResourceDiff| {
        let changes = it.changes.iter().map(|change| format!(" {} {}", change.path, change.effect.as_str()));
        format!("{} {}{}", it.place, it.effect.as_str(), changes.collect::<String>())
    };
    diff.resources.iter().map(of).collect()
}

fn table(key: &str) -> Value {
    let schema = json!([{ "AttributeName": key, "KeyType": "HASH" }]);
    json!({ "Type": "AWS::DynamoDB::Table", "Properties": { "KeySchema": schema, "BillingMode": "PAY_PER_REQUEST" } })
}

#[test]
fn resources_are_added_removed_replaced_and_updated() {
    let topic = |name: &str| json!({ "Type": "AWS::SNS::Topic", "Properties": { "DisplayName": name } });
    let diff = stack_diff(
        json!({ "Old": topic("a"), "Same": topic("a"), "Table": table("id"), "Topic": topic("a") }),
        json!({ "New": topic("a"), "Same": topic("a"), "Table": table("key"), "Topic": topic("b") }),
    );
    assert_eq!(diff.change, StackChange::Changed);
    assert_eq!(
        shown(&diff),
        [
            "Old remove",
            "Table replace Properties.KeySchema[0].AttributeName replace",
            "New add",
            "Topic update Properties.DisplayName update",
        ]
    );
}

#[test]
fn attributes_that_are_only_for_cloudformation_change_the_template_only() {
    let queue = |more: Value| {
        let mut queue = json!({ "Type": "AWS::SQS::Queue" });
        queue.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "Q": queue, "A": { "Type": "X" } })
    };
    let diff = stack_diff(queue(json!({})), queue(json!({ "DependsOn": "A", "DeletionPolicy": "Retain" })));
    assert_eq!(shown(&diff), ["Q template-only DeletionPolicy template-only DependsOn template-only"]);
}

#[test]
fn a_condition_that_changes_decides_whether_the_resource_is_there() {
    let of = |on: &str| {
        json!({
            "Conditions": { "On": { "Fn::Equals": [on, "yes"] } },
            "Resources": { "Q": { "Type": "AWS::SQS::Queue", "Condition": "On", "Properties": { "X": on } } }
        })
    };
    let change = |before: &str, after: &str| {
        let diff = diff(&assembly(&[("S", of(before))]), &assembly(&[("S", of(after))]));
        diff.stacks[0].resources[0].effect
    };
    assert_eq!(change("no", "yes"), Effect::Add);
    assert_eq!(change("yes", "no"), Effect::Remove);
    assert_eq!(change("no", "never"), Effect::TemplateOnly);
}

#[test]
fn another_type_under_the_same_id_is_told() {
    let diff = stack_diff(
        json!({ "R": { "Type": "AWS::SQS::Queue" } }),
        json!({ "R": { "Type": "AWS::SNS::Topic" } }),
    );
    assert_eq!(shown(&diff), ["R replace"]);
    assert_eq!(diff.resources[0].type_before.as_deref(), Some("AWS::SQS::Queue"));
}

#[test]
fn what_refers_to_a_replaced_resource_may_be_replaced_too() {
    let of = |range: &str| {
        let vpc = |more: Value| {
            let mut properties = json!({ "VpcId": { "Ref": "Vpc" } });
            properties.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            properties
        };
        json!({
            "Vpc": { "Type": "AWS::EC2::VPC", "Properties": { "CidrBlock": range } },
            "Subnet": { "Type": "AWS::EC2::Subnet", "Properties": vpc(json!({ "CidrBlock": "10.0.0.0/24" })) },
            "Mount": { "Type": "AWS::EFS::MountTarget", "Properties": { "SubnetId": { "Fn::Sub": "${Subnet}" } } },
            "Fleet": { "Type": "AWS::SSM::Parameter", "Properties": { "Value": { "Ref": "Subnet" } } },
        })
    };
    let diff = stack_diff(of("10.0.0.0/16"), of("10.1.0.0/16"));
    assert_eq!(
        shown(&diff),
        ["Vpc replace Properties.CidrBlock replace", "Mount may-replace", "Subnet may-replace"]
    );
    let because = diff.resources[1].because.as_ref().unwrap();
    assert_eq!((because.property.as_str(), because.replaced.as_str()), ("Properties.SubnetId", "Subnet"));
}

#[test]
fn outputs_parameters_and_single_values_are_compared() {
    let of = |value: &str, description: Value| {
        let mut template = json!({ "Resources": {}, "Outputs": { "Url": { "Value": value } } });
        if description.is_string() {
            template["Description"] = description;
        }
        assembly(&[("S", template)])
    };
    let diff = diff(&of("a", json!("x")), &of("b", json!(null)));
    let elements = diff.stacks[0].elements.iter();
    let elements: Vec<_> = elements
        .map(|it| (it.section.as_str(), it.id.as_deref(), it.effect, it.changes[0].path.as_str()))
        .collect();
    assert_eq!(
        elements,
        [("Description", None, Effect::Remove, ""), ("Outputs", Some("Url"), Effect::Update, "Value"),]
    );
}

#[test]
fn tags_and_values_of_parameters_are_compared_and_secrets_are_not_shown() {
    let template =
        json!({ "Resources": {}, "Parameters": { "Secret": { "Type": "String", "NoEcho": true } } });
    let of = |value: &str| {
        let mut app = assembly(&[("S", template.clone())]);
        app.stacks[0].tags.insert("team".to_owned(), value.to_owned());
        app.stacks[0].parameters.insert("Secret".to_owned(), value.to_owned());
        app
    };
    let diff = diff(&of("one"), &of("two"));
    assert_eq!(diff.stacks[0].change, StackChange::Changed);
    let settings = diff.stacks[0].settings.iter();
    let settings: Vec<String> =
        settings.map(|it| format!("{} {}", it.path, it.after.as_ref().unwrap())).collect();
    assert_eq!(settings, [r#"Tags.team "two""#, r#"ParameterValues.Secret "(secret)""#]);
}

#[test]
fn resources_of_nested_stacks_are_compared() {
    let of = |size: u32| {
        let mut app =
            assembly(&[("S", resources(json!({ "Inner": { "Type": "AWS::CloudFormation::Stack" } })))]);
        let queue = json!({ "Type": "AWS::SQS::Queue", "Properties": { "DelaySeconds": size },
                            "Metadata": { "aws:cdk:path": "S/Inner/Q" } });
        nest(&mut app.stacks[0], "Inner", &resources(json!({ "Q": queue })));
        app
    };
    let diff = diff(&of(1), &of(2));
    assert_eq!(shown(&diff.stacks[0]), ["Inner/Q update Properties.DelaySeconds update"]);
    assert_eq!(diff.stacks[0].resources[0].place.construct.as_deref(), Some("S/Inner/Q"));
}

#[test]
fn stacks_are_new_or_gone_as_a_whole() {
    let queue = resources(json!({ "Q": { "Type": "AWS::SQS::Queue" } }));
    let diff = diff(
        &assembly(&[("Both", queue.clone()), ("Old", queue.clone())]),
        &assembly(&[("Both", queue.clone()), ("New", queue.clone())]),
    );
    let changes: Vec<_> = diff.stacks.iter().map(|it| (it.id.as_str(), it.change)).collect();
    assert_eq!(
        changes,
        [("Both", StackChange::Unchanged), ("New", StackChange::Added), ("Old", StackChange::Gone)]
    );
    assert!(diff.is_different());
}
