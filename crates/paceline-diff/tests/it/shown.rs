//! A rendered example, and what must hold for every rendering.

use std::time::Duration;

use paceline_assembly::Assembly;
use paceline_diff::{
    AppDiff, COMMENT_LIMIT, Shown, TimeChange, edge_changes, json as json_of, json_schema, markdown, text,
};
use paceline_plan::price::Price;
use paceline_text::Style;
use serde_json::{Value, json};

use crate::app::{assembly, diff, plan};

/// An app before and after a change.
fn example() -> (Assembly, Assembly) {
    let storage = |key: &str, group: Value| {
        json!({
            "Resources": {
                "Orders": { "Type": "AWS::DynamoDB::Table", "Metadata": { "aws:cdk:path": "Shop/Storage/Orders/Resource" },
                    "Properties": { "TableName": "orders", "KeySchema": [{ "AttributeName": key, "KeyType": "HASH" }] } },
                "Archive": { "Type": "AWS::S3::Bucket", "UpdateReplacePolicy": "Retain",
                    "Properties": { "BucketName": { "Fn::Sub": format!("archive-{key}-${{AWS::Region}}") } } },
                "Group": { "Type": "AWS::EC2::SecurityGroup", "Properties": { "SecurityGroupIngress": group } },
                "Table": { "Type": "AWS::SSM::Parameter", "Properties": { "Name": "/shop/table", "Value": { "Ref": "Orders" } } },
            },
            "Outputs": { "Table": { "Value": { "Ref": "Orders" }, "Description": key } },
        })
    };
    let api = |policy: Value, environment: Value| {
        json!({ "Resources": {
            "Handler": { "Type": "AWS::Lambda::Function", "Metadata": { "aws:cdk:path": "Shop/Api/Handler/Resource" },
                "Properties": { "Environment": { "Variables": environment } } },
            "Policy": { "Type": "AWS::IAM::Policy", "Properties": { "Roles": [{ "Ref": "Role" }],
                "PolicyDocument": { "Statement": policy } } },
        } })
    };
    let queue =
        json!({ "Resources": { "Q": { "Type": "AWS::SQS::Queue" }, "R": { "Type": "AWS::SQS::Queue" } } });
    let read = json!({ "Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": "arn:a" });
    let all = json!({ "Effect": "Allow", "Action": "dynamodb:*", "Resource": "*" });
    let open = json!([{ "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "0.0.0.0/0" }]);
    let before = assembly(&[
        ("Shop/Storage", storage("id", json!([]))),
        ("Shop/Api", api(json!([read]), json!({ "MODE": "a" }))),
        ("Shop/Mail", queue.clone()),
        ("Shop/Old", queue.clone()),
    ]);
    let after = assembly(&[
        ("Shop/Storage", storage("orderId", open)),
        ("Shop/Api", api(json!([read, all]), json!({ "MODE": "b", "TABLE": "{{resolve:ssm:/shop/table}}" }))),
        ("Shop/Mail", queue.clone()),
        ("Shop/Jobs", queue),
    ]);
    (before, after)
}

fn compared() -> AppDiff {
    let (base, app) = example();
    let mut diff = diff(&base, &app);
    diff.edges = Some(edge_changes(&plan(&base), &plan(&app)));
    diff.time = Some(TimeChange {
        before: Duration::from_mins(10),
        after: Duration::from_secs(725),
        price: Price::of("medium", None),
    });
    diff
}

#[test]
fn the_text_of_an_example() {
    let diff = compared();
    let shown = Shown { diff: &diff, base: "what is deployed" };
    let text = text(&shown, Style { color: false, width: Some(80) });
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "too wide: {line}");
    }
    insta::assert_snapshot!(text);
}

#[test]
fn the_markdown_of_an_example() {
    let diff = compared();
    insta::assert_snapshot!(markdown(&Shown { diff: &diff, base: "main.out" }, COMMENT_LIMIT));
}

#[test]
fn the_json_of_an_example_has_the_fields_of_its_schema() {
    let diff = compared();
    let document: Value = serde_json::from_str(&json_of(&Shown { diff: &diff, base: "main.out" })).unwrap();
    assert_eq!(document["schema"], 1);
    check(&document, &json_schema(), "");
}

/// Whether a value is as a schema says, as far as the schemas of this crate go.
fn check(value: &Value, schema: &Value, at: &str) {
    if let Some(properties) = schema["properties"].as_object() {
        for required in schema["required"].as_array().unwrap() {
            assert!(value.get(required.as_str().unwrap()).is_some(), "{at}: {required} is missing");
        }
        for (key, field) in value.as_object().unwrap() {
            let schema = properties.get(key).unwrap_or_else(|| panic!("{at}.{key} is not in the schema"));
            check(field, schema, &format!("{at}.{key}"));
        }
    }
    if let Some(items) = schema.get("items") {
        value.as_array().unwrap().iter().for_each(|item| check(item, items, at));
    }
}

#[test]
fn nothing_differs_in_one_line_for_many_stacks() {
    let queue = json!({ "Resources": { "Q": { "Type": "AWS::SQS::Queue" } } });
    let names: Vec<String> = (0..30).map(|number| format!("S{number:02}")).collect();
    let stacks: Vec<(&str, Value)> = names.iter().map(|name| (name.as_str(), queue.clone())).collect();
    let app = assembly(&stacks);
    let diff = diff(&app, &app);
    let markdown = markdown(&Shown { diff: &diff, base: "main.out" }, COMMENT_LIMIT);
    assert!(markdown.contains("nothing differs in 30 stacks"), "{markdown}");
    assert!(markdown.ends_with("S18, S19 and 10 more\n"), "{markdown}");
}

#[test]
fn markdown_stays_below_the_limit_and_says_what_is_left_out() {
    let of = |text: &str| {
        let queues = (0..40).map(|number| {
            let policy = json!({ "Statement": { "Effect": "Allow", "Action": text, "Resource": "*" } });
            (
                format!("Q{number:02}"),
                json!({ "Type": "AWS::SQS::QueuePolicy", "Properties": { "P": policy, "T": text } }),
            )
        });
        let template = json!({ "Resources": Value::Object(queues.collect()) });
        let names: Vec<String> = (0..40).map(|number| format!("S{number:02}")).collect();
        let stacks: Vec<(&str, Value)> = names.iter().map(|name| (name.as_str(), template.clone())).collect();
        assembly(&stacks)
    };
    let diff = diff(&of("a:b"), &of("c:d"));
    let shown = Shown { diff: &diff, base: "main.out" };
    assert!(markdown(&shown, usize::MAX).len() > 3 * COMMENT_LIMIT);
    for limit in [1_000, 20_000, COMMENT_LIMIT] {
        let markdown = markdown(&shown, limit);
        assert!(markdown.len() <= limit, "{} > {limit}", markdown.len());
        let last = markdown.lines().last().unwrap();
        assert!(last.starts_with("Left out, because a comment has limited room: "), "{last}");
        assert_eq!(markdown.matches("<details>").count(), markdown.matches("</details>").count());
    }
}
