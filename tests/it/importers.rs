//! A cross-stack reference that is removed: the export can only go when the import is gone.

use serde_json::{Value, json};

use crate::deploy::tiny_manifest;
use crate::harness::{Events, Place, Sim};

fn topics(labels: &[Value]) -> Value {
    let topics = labels.iter().enumerate().map(|(number, label)| {
        let topic = json!({ "Type": "AWS::SNS::Topic", "Properties": { "DisplayName": label } });
        // One after another, so that the stack is expected to take the longer the more there are.
        let after = number.checked_sub(1).map(|before| json!([format!("T{before}")]));
        let topic = match after {
            Some(after) => {
                json!({ "Type": topic["Type"], "Properties": topic["Properties"], "DependsOn": after })
            }
            None => topic,
        };
        (format!("T{number}"), topic)
    });
    json!({ "Resources": Value::Object(topics.collect()) })
}

#[test]
fn a_reference_is_removed_in_one_run() {
    let (place, sim) = (Place::new(), Sim::start(1000));
    place.write("cdk.out/manifest.json", &tiny_manifest(&["App", "Shared"]));
    let deploy = |app: Value, shared: Value| {
        place.write("cdk.out/App.template.json", &app.to_string());
        place.write("cdk.out/Shared.template.json", &shared.to_string());
        // Only one at a time has room, and the one that is expected to take longest goes first: that which exports.
        drop(fs_err::remove_file(place.path(".paceline/history.jsonl")));
        let call = ["deploy", "--concurrency", "1", "--events", "events.jsonl"];
        place.paceline(call).aws_at(&sim.address).run().expect(0)
    };
    let mut shared = topics(&[json!("a"), json!("b"), json!("c")]);
    shared["Outputs"] = json!({ "O": { "Value": "v", "Export": { "Name": "shared:v" } } });
    let import = json!({ "Fn::ImportValue": "shared:v" });
    deploy(topics(&[import]), shared);

    let ran = deploy(topics(&[json!("own")]), topics(&[json!("a, alone"), json!("b"), json!("c")]));
    assert!(
        ran.stderr.contains("Export shared:v cannot be deleted as it is in use by App"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("attempt 2 when App (us-east-1) has ended"), "{}", ran.stderr);
    let events = Events::read(&place.path("events.jsonl"));
    assert!(events.position("step.finished", "App") < events.position("step.finished", "Shared"));
    let lines = place.read("events.jsonl");
    let mut lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let retried = lines.find(|line| line["event"] == "step.retried").unwrap();
    assert_eq!((&retried["stack"], &retried["after"]), (&json!("Shared"), &json!(["deploy:App"])));
}
