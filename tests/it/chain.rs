//! An app of stacks that wait for each other, on machines that share nothing but AWS. The first stack has an asset: so runs
//! keep their journal in its staging bucket.

use serde_json::{Map, Value, json};

use crate::harness::{Call, Place, Sim, until};

const BUCKET: &str = "cdk-hnb659fds-assets-111111111111-us-east-1";

/// Writes the app. Each stack has one resource, `It`, and waits for the stack before it.
pub(crate) fn write(place: &Place, stacks: &[(&str, &Value)]) {
    let first = stacks[0].0;
    let asset = json!({ "version": "36.0.0", "files": { "f": { "source": { "path": "f.json", "packaging": "file" },
        "destinations": { "d": { "bucketName": BUCKET, "objectKey": "f.json", "region": "us-east-1" } } } } });
    place.write("cdk.out/f.json", "{}");
    place.write(&format!("cdk.out/{first}.assets.json"), &asset.to_string());
    let mut before = format!("{first}.assets");
    let manifest =
        json!({ "type": "cdk:asset-manifest", "properties": { "file": format!("{before}.json") } });
    let mut artifacts = Map::from_iter([(before.clone(), manifest)]);
    for (name, resource) in stacks {
        place.write(&format!("cdk.out/{name}.json"), &json!({ "Resources": { "It": resource } }).to_string());
        let stack = json!({
            "type": "aws:cloudformation:stack",
            "environment": "aws://111111111111/us-east-1",
            "properties": { "templateFile": format!("{name}.json") },
            "dependencies": [before],
        });
        artifacts.insert((*name).to_owned(), stack);
        (*name).clone_into(&mut before);
    }
    place.write("cdk.out/manifest.json", &json!({ "version": "36.0.0", "artifacts": artifacts }).to_string());
}

/// A topic that another version changes.
pub(crate) fn topic(version: &str) -> Value {
    json!({ "Type": "AWS::SNS::Topic", "Properties": { "DisplayName": version } })
}

/// The three stacks of [`three`], sorted.
pub(crate) const THREE: [&str; 3] = ["Api", "Base", "Web"];

/// Writes an app of three topics: Base ← Api ← Web.
pub(crate) fn three(place: &Place, version: &str) {
    let topic = topic(version);
    write(place, &[("Base", &topic), ("Api", &topic), ("Web", &topic)]);
}

/// Kills a deployment of [`three`] when its first stack is done and the bucket has its journal. `deploy` writes its events to
/// `events.jsonl`. Gives the name of the run.
pub(crate) fn killed(place: &Place, sim: &Sim, deploy: Call<'_>) -> String {
    let running = deploy.args(["--lock", "none"]).start("deploy.log");
    let path = place.path("events.jsonl");
    until("a stack is done", || {
        let text = fs_err::read_to_string(&path).unwrap_or_default();
        text.lines().any(|line| line.contains("step.finished") && line.contains("\"kind\":\"deploy\""))
    });
    let run = place.runs()[0].clone();
    let elsewhere = Place::new();
    three(&elsewhere, "one");
    until("the bucket has the start", || {
        elsewhere.paceline(["report", &run]).aws_at(&sim.address).run().code == 0
    });
    running.signal("KILL");
    assert_eq!(running.end().0, None);
    assert!(sim.accepted("CreateStack").len() < THREE.len(), "it was killed too late to tell");
    run
}
