//! Two stacks that write one parameter: who overwrites it comes after who creates it.

use serde_json::{Value, json};

use crate::build::{App, exports, holds, resources, warnings, writes};

fn puts(call: Value) -> Value {
    resources(
        json!({ "Put": { "Type": "Custom::AWS", "Properties": { "ServiceToken": "arn", "Create": call } } }),
    )
}

fn put_parameter(name: &str, region: Option<&str>) -> String {
    let parameters = json!({ "Name": name, "Value": "v", "Type": "String", "Overwrite": true });
    json!({ "service": "SSM", "action": "putParameter", "parameters": parameters, "region": region })
        .to_string()
}

const EDGE: &str =
    "Consumer -> Producer ssm: overwrites the parameter /app/x (Consumer: Put.Properties.Create)";

#[test]
fn who_overwrites_a_parameter_comes_after_who_creates_it() {
    let put = || puts(put_parameter("/app/x", None).into());
    App::pair(writes(json!("/app/x")), put()).check_edges(&[EDGE]);
    App::pair(
        writes(json!({ "Fn::Sub": "/${AWS::StackName}/x" })),
        puts(put_parameter("/Producer/x", None).into()),
    )
    .check_edges(&[&EDGE.replace("/app/x", "/Producer/x")]);
    // The order in which the app names them is of no importance.
    App::default()
        .stack("Consumer", "us-east-1", put())
        .stack("Producer", "us-east-1", writes(json!("/app/x")))
        .check_edges(&[EDGE]);
}

#[test]
fn a_call_that_is_put_together_counts_too() {
    let [start, end] =
        ["{\"service\":\"SSM\",\"action\":\"putParameter\",\"parameters\":{\"Name\":\"/app/", "\"}}"];
    let call = json!({ "Fn::Join": ["", [start, { "Ref": "Name" }, end]] });
    let mut consumer = puts(call);
    consumer["Parameters"] = json!({ "Name": { "Type": "String", "Default": "x" } });
    App::pair(writes(json!("/app/x")), consumer).check_edges(&[EDGE]);
}

#[test]
fn the_parameter_of_another_region_or_name_is_another() {
    for call in [put_parameter("/app/x", Some("us-west-2")), put_parameter("/app/xy", None)] {
        App::pair(writes(json!("/app/x")), puts(call.into())).check_edges(&[]);
    }
    App::default()
        .stack("Producer", "us-west-2", writes(json!("/app/x")))
        .stack("Consumer", "us-east-1", puts(put_parameter("/app/x", Some("us-west-2")).into()))
        .check_edges(&[EDGE]);
}

#[test]
fn two_that_overwrite_and_one_that_does_both_have_no_order() {
    let put = || puts(put_parameter("/app/x", None).into());
    App::pair(put(), put()).check_edges(&[]);
    let mut both = put();
    both["Resources"]["P"] = writes(json!("/app/x"))["Resources"]["P"].clone();
    App::default().stack("Both", "us-east-1", both).check_edges(&[]);
}

#[test]
fn who_has_to_come_first_for_another_reason_is_warned_of_and_not_refused() {
    let mut consumer = puts(put_parameter("/app/x", None).into());
    consumer["Outputs"] = exports(json!("shared"))["Outputs"].clone();
    let mut producer = writes(json!("/app/x"));
    producer["Resources"]["R"] = holds(json!({ "Fn::ImportValue": "shared" }))["Resources"]["R"].clone();
    let app = App::pair(producer, consumer);
    app.check_edges(&["Producer -> Consumer import: imports shared (Producer: R.Properties.Value)"]);
    assert_eq!(
        warnings(&app.plan()),
        [
            "`Consumer` overwrites the parameter /app/x, which `Producer` makes, and is deployed before it: on a fresh \
          account `Producer` then fails, as the parameter is there already"
        ]
    );
}

#[test]
fn the_order_can_be_relaxed_as_that_of_who_reads() {
    let config = "edges: [{ from: Consumer, to: Producer, relax: when-present, because: it is there }]";
    let app =
        || App::pair(writes(json!("/app/x")), puts(put_parameter("/app/x", None).into())).config(config);
    app().check_edges(&[EDGE]);
    let present = [("Consumer".to_owned(), "Producer".to_owned())].into();
    app().options(|options| options.present = present).check_edges(&[]);
}

#[test]
fn a_parameter_that_two_stacks_create_is_warned_of() {
    let app = App::pair(writes(json!("/app/x")), writes(json!("/app/x")));
    assert_eq!(
        warnings(&app.plan()),
        ["`Consumer` and `Producer` both make the parameter /app/x: whichever comes second fails"]
    );
    let alone = app.options(|options| options.only = vec!["Consumer".to_owned()]);
    assert_eq!(warnings(&alone.plan()), [""; 0]);
    let apart = App::default().stack("A", "us-east-1", writes(json!("/x"))).stack(
        "B",
        "us-west-2",
        writes(json!("/x")),
    );
    assert_eq!(warnings(&apart.plan()), [""; 0]);
}
