//! Hints about what one stack names and another makes.

use paceline_plan::show::{TextOptions, json, text};
use serde_json::{Value, json};

use crate::build::{ACCOUNT, App, forecast, holds, resources};

fn makes(kind: &str, property: &str, name: Value) -> Value {
    resources(json!({ "Made": { "Type": kind, "Properties": { property: name } } }))
}

fn role() -> Value {
    makes("AWS::IAM::Role", "RoleName", json!("shop-runner"))
}

#[track_caller]
fn check(app: &App, expected: &[&str]) {
    let plan = app.plan();
    let shown =
        plan.by_name.iter().map(|it| format!("{} names the {} {} of {}", it.from, it.kind, it.name, it.to));
    assert_eq!(shown.collect::<Vec<_>>(), expected);
}

#[test]
fn what_another_stack_makes_under_a_literal_name_is_a_hint_and_no_edge() {
    let arn = json!({ "Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/shop-runner" });
    let app = App::pair(role(), holds(arn));
    check(&app, &["Consumer names the role shop-runner of Producer"]);
    app.check_edges(&[]);
    for (kind, property, name, value) in [
        ("AWS::S3::Bucket", "BucketName", "shop-files", json!({ "Bucket": "shop-files" })),
        (
            "AWS::SQS::Queue",
            "QueueName",
            "jobs",
            json!({ "Fn::Sub": "arn:aws:sqs:${AWS::Region}:${AWS::AccountId}:jobs" }),
        ),
        (
            "AWS::SNS::Topic",
            "TopicName",
            "alarms",
            json!({ "Fn::Join": [":", ["arn:aws:sns", { "Ref": "AWS::Region" }, ACCOUNT, "alarms"]] }),
        ),
        ("AWS::DynamoDB::Table", "TableName", "orders", json!({ "Variables": { "TABLE_NAME": "orders" } })),
        ("AWS::Logs::LogGroup", "LogGroupName", "/shop/api", json!({ "LogGroupName": "/shop/api" })),
    ] {
        let plan = App::pair(makes(kind, property, json!(name)), holds(value)).plan();
        let [hint] = plan.by_name.as_slice() else { panic!("{kind}: {:?}", plan.by_name) };
        assert_eq!(
            (hint.from.as_str(), hint.to.as_str(), hint.name.as_str()),
            ("Consumer", "Producer", name)
        );
    }
}

#[test]
fn what_is_elsewhere_or_its_own_is_none() {
    let arn = |account: &str, region: &str| json!(format!("arn:aws:sqs:{region}:{account}:jobs"));
    let queue = || makes("AWS::SQS::Queue", "QueueName", json!("jobs"));
    check(&App::pair(queue(), holds(arn("222222222222", "us-east-1"))), &[]);
    check(&App::pair(queue(), holds(arn(ACCOUNT, "us-west-2"))), &[]);
    check(&App::pair(queue(), holds(json!({ "QueueName": "others" }))), &[]);
    let mut both = queue();
    both["Resources"]["R"] = holds(json!({ "QueueName": "jobs" }))["Resources"]["R"].clone();
    check(&App::pair(queue(), both), &[]);
    // Roles are the same in every region.
    let app = App::default().stack("A", "us-east-1", role()).stack(
        "B",
        "us-west-2",
        holds(json!({ "RoleName": "shop-runner" })),
    );
    check(&app, &["B names the role shop-runner of A"]);
}

#[test]
fn stacks_that_have_an_order_need_no_hint() {
    let named = || holds(json!({ "RoleName": "shop-runner" }));
    let declared = "edges: [{ from: Consumer, to: Producer, because: it needs the role }]";
    check(&App::pair(role(), named()).config(declared), &[]);
    let reversed = "edges: [{ from: Producer, to: Consumer, because: it has to }]";
    check(&App::pair(role(), named()).config(reversed), &[]);
}

#[test]
fn the_line_to_paste_is_an_edge() {
    let app = || App::pair(role(), holds(json!({ "Role": "arn:aws:iam::111111111111:role/shop-runner" })));
    let shown = text(&app().plan(), &forecast(), &TextOptions::default());
    let line = shown.lines().find(|line| line.contains("- { from:")).unwrap();
    let plan = app().config(&format!("edges:\n{line}\n")).plan();
    assert_eq!(plan.by_name, []);
    assert!(text(&plan, &forecast(), &TextOptions::default()).contains("waits for Producer (config)"));
    let document: Value = serde_json::from_str(&json(&app().plan(), &forecast())).unwrap();
    let hint = &document["hints"][0];
    assert_eq!([&hint["stack"], &hint["made_by"], &hint["kind"]], ["Consumer", "Producer", "role"]);
    assert_eq!(hint["edge"], line.trim_start().trim_start_matches("- "));
}

#[test]
fn many_hints_are_folded() {
    let app = (0..9).fold(App::default().stack("Roles", "us-east-1", role()), |app, number| {
        app.stack(&format!("S{number}"), "us-east-1", holds(json!({ "RoleName": "shop-runner" })))
    });
    let shown = text(&app.plan(), &forecast(), &TextOptions::default());
    assert_eq!(shown.matches("names the role").count(), 4);
    assert!(shown.contains("and 5 more pairs of stacks"), "{shown}");
}
