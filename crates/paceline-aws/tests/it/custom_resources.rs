//! What the functions behind custom resources say while these hang, and when they have failed.

use std::time::Duration;

use paceline_engine::Outcome;
use paceline_sim::{Calls, Faults, Hanging, Mishap, SimOptions};
use serde_json::{Value, json};

use crate::app::{App, topic};
use crate::why::{counts, stuck};
use crate::world::{Ran, World};

const FAILED: &str = "AccessDenied: it may not read the table";

/// A world in which the custom resource never gets an answer, and its function logs these errors.
fn world(errors: &[&str]) -> World {
    let reasons = errors.iter().map(|&error| error.to_owned()).collect();
    let (stack, logical_id) = ("S".to_owned(), "It".to_owned());
    let hanging = Hanging { stack, logical_id, reasons, patience: Duration::from_hours(1) };
    World::new(SimOptions {
        faults: Faults { hanging: vec![hanging], ..Faults::default() },
        ..SimOptions::default()
    })
}

fn app(token: &Value) -> App {
    let mut template = topic("t");
    template["Resources"]["It"] = json!({
        "Type": "Custom::Thing",
        "Metadata": {"aws:cdk:path": "App/Stack/It/Default"},
        "Properties": {"ServiceToken": token},
    });
    template["Resources"]["Function"] = json!({
        "Type": "AWS::Lambda::Function",
        "Properties": {"FunctionName": "maker", "Code": {"ZipFile": "x"}},
    });
    template["Resources"]["Logs"] =
        json!({"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "own-logs"}});
    template["Resources"]["Other"] = json!({
        "Type": "AWS::Lambda::Function",
        "Properties": {"Code": {"ZipFile": "x"}, "LoggingConfig": {"LogGroup": {"Ref": "Logs"}}},
    });
    App::of("S", &template)
}

fn warning(ran: &Ran) -> String {
    let [warning] = ran.warnings()[..] else { panic!("{:?}", ran.warnings()) };
    warning.to_owned()
}

fn own() -> Value {
    json!({"Fn::GetAtt": ["Function", "Arn"]})
}

#[tokio::test(start_paused = true)]
async fn a_custom_resource_without_an_answer_is_named_with_the_errors_in_the_log_of_its_function() {
    let world = world(&[FAILED]);
    let ran = world.deploy(&app(&own())).await;
    ran.check(&[("S", Outcome::RolledBack)]);
    let warning = warning(&ran);
    let named = "App/Stack/It/Default (Custom::Thing) has been in CREATE_IN_PROGRESS for ";
    assert!(warning.starts_with(named), "{warning}");
    let said = format!(
        "AWS Lambda says: the function maker has not answered, for which CloudFormation waits 1 h at most; \
         its log group is /aws/lambda/maker; ERROR {FAILED} (6 times)"
    );
    assert!(warning.ends_with(&said), "{warning}");
    assert_eq!(stuck(&ran)[0].physical_id, None);
    let cause = ran.cause("S");
    assert!(
        cause.message.starts_with("CloudFormation did not receive a response from your Custom Resource"),
        "{cause:?}"
    );
    let said = format!(
        "; AWS Lambda says: the function is maker; its log group is /aws/lambda/maker; ERROR {FAILED} ("
    );
    assert!(cause.message.contains(&said), "{cause:?}");
    assert_eq!(counts(cause.service.as_ref().unwrap()), [(format!("ERROR {FAILED}").as_str(), 80)]);
}

#[tokio::test(start_paused = true)]
async fn the_log_group_is_that_of_the_function_that_the_template_names() {
    let arn = "arn:aws:lambda:us-east-1:111111111111:function:elsewhere:live";
    for (token, group) in
        [(json!(arn), "/aws/lambda/elsewhere"), (json!({"Fn::GetAtt": ["Other", "Arn"]}), "own-logs")]
    {
        let world = world(&[FAILED]);
        let ran = world.deploy(&app(&token)).await;
        let said = format!("; its log group is {group}; ERROR {FAILED} (6 times)");
        assert!(warning(&ran).ends_with(&said), "{:?}", ran.warnings());
    }
}

#[tokio::test(start_paused = true)]
async fn a_log_without_errors_is_said() {
    let world = world(&[]);
    let ran = world.deploy(&app(&own())).await;
    let said = "; its log group /aws/lambda/maker has no error since the operation began";
    assert!(warning(&ran).ends_with(said), "{:?}", ran.warnings());
}

#[tokio::test(start_paused = true)]
async fn a_log_that_may_not_be_read_is_named_and_stops_nothing() {
    let world = world(&[FAILED]);
    world.proxy.on(Calls::of("FilterLogEvents"), Mishap::denied());
    let ran = world.deploy(&app(&own())).await;
    ran.check(&[("S", Outcome::RolledBack)]);
    let said = "; its log group is /aws/lambda/maker (it could not be asked for more: FilterLogEvents: ";
    assert!(warning(&ran).contains(said), "{:?}", ran.warnings());
    assert!(ran.cause("S").message.contains(said), "{:?}", ran.cause("S"));
}

#[tokio::test(start_paused = true)]
async fn secrets_in_the_log_of_a_function_are_hidden() {
    let url = "https://example.com/answer?X-Amz-Credential=AKIAhunter2&X-Amz-Signature=hunter2";
    let world = world(&[&format!("cannot send the answer to {url}")]);
    let ran = world.deploy(&app(&own())).await;
    let events = serde_json::to_string(&ran.events).unwrap();
    assert!(events.contains("cannot send the answer to https://example.com/answer?X-Amz-Credential="));
    assert!(!events.contains("hunter2"), "{}", warning(&ran));
}

#[tokio::test(start_paused = true)]
async fn a_custom_resource_behind_a_topic_is_named_with_what_to_look_at() {
    let world = world(&[]);
    let ran = world.deploy(&app(&json!("arn:aws:sns:us-east-1:111111111111:topic"))).await;
    let said = ": look at the log of the function behind it; a function that never answers is waited for up to an hour";
    assert!(warning(&ran).ends_with(said), "{:?}", ran.warnings());
    assert_eq!(world.count("FilterLogEvents"), 0);
}
