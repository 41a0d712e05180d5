//! A stack that rolls back while another one could already have started.

use serde_json::json;

use crate::harness::{Place, Sim};

/// `Reader` reads a parameter that `Writer` makes first, before something else that may fail.
fn assembly(place: &Place, version: &str) {
    let writer = json!({ "Resources": {
        "Parameter": { "Type": "AWS::SSM::Parameter",
            "Properties": { "Type": "String", "Name": "/rollback/value", "Value": version } },
        "Late": { "Type": "AWS::SNS::Topic", "DependsOn": "Parameter", "Properties": { "DisplayName": version } },
    } });
    let reader = json!({ "Resources": { "Topic": { "Type": "AWS::SNS::Topic",
        "Properties": { "DisplayName": format!("{{{{resolve:ssm:/rollback/value}}}}-{version}") } } } });
    let mut artifacts = serde_json::Map::new();
    for (name, template) in [("Writer", writer), ("Reader", reader)] {
        place.write(&format!("cdk.out/{name}.template.json"), &template.to_string());
        let stack = json!({
            "type": "aws:cloudformation:stack",
            "environment": "aws://111111111111/us-east-1",
            "properties": { "templateFile": format!("{name}.template.json") },
        });
        artifacts.insert(name.to_owned(), stack);
    }
    place.write("cdk.out/manifest.json", &json!({ "version": "36.0.0", "artifacts": artifacts }).to_string());
    place.write(
        "paceline.yaml",
        "edges: [{ from: Reader, to: Writer, until: resource, because: the parameter is enough }]\n",
    );
}

#[test]
fn a_stack_that_was_released_early_and_waits_for_room_does_not_start_after_a_rollback() {
    let (place, sim) = (Place::new(), Sim::start_with(200, &["--fail", "Writer:Late:update"]));
    let deploy = || place.paceline(["deploy", "--concurrency", "1"]).aws_at(&sim.address);
    assembly(&place, "one");
    deploy().run().expect(0);
    assembly(&place, "two");
    let ran = deploy().run().expect(1);
    assert_eq!(sim.accepted("UpdateStack"), ["Writer"], "{}", ran.stderr);
    assert!(ran.stderr.contains("Late (AWS::SNS::Topic): it was made to fail"), "{}", ran.stderr);

    // What failed once works now, and the reader gets the new value.
    deploy().run().expect(0);
    assert_eq!(sim.accepted("UpdateStack"), ["Reader", "Writer", "Writer"]);
}

#[test]
fn a_failure_that_is_asked_for_is_a_resource_and_an_operation() {
    let place = Place::new();
    for (fail, told) in [("A", ":create, :update or :delete"), ("A:create", "MyStack:MyTable:update")] {
        let ran = place.paceline(["sim", "serve", "--fail", fail]).run().expect(2);
        assert!(ran.stderr.contains(told), "{}", ran.stderr);
    }
}
