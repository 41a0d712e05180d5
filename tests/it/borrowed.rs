//! An asset that one stack registers and another uses by its address.

use serde_json::{Value, json};

use crate::harness::{Events, Place};

const DIGEST: &str = "1d7c5b4a39281706f5e4d3c2b1a09f8e7d6c5b4a392817060f6e0c0d9a1b4a0e";

/// `User` runs the image that `Maker` registers, and no edge leads from one to the other.
fn place() -> Place {
    let place = Place::new();
    let stack = |file: &str, needs: &[&str]| {
        json!({ "type": "aws:cloudformation:stack", "environment": "aws://111111111111/us-east-1",
            "properties": { "templateFile": file }, "dependencies": needs })
    };
    let assets = json!({ "type": "cdk:asset-manifest", "properties": { "file": "assets.json" } });
    let artifacts = json!({ "User": stack("u.json", &[]), "Maker": stack("m.json", &["Maker.assets"]), "Maker.assets": assets });
    place.write("cdk.out/manifest.json", &json!({ "version": "36.0.0", "artifacts": artifacts }).to_string());
    let image = json!({ "source": { "directory": "image" }, "destinations": { "here": {
        "repositoryName": "cdk-hnb659fds-container-assets-111111111111-us-east-1", "imageTag": DIGEST, "region": "us-east-1" } } });
    place.write(
        "cdk.out/assets.json",
        &json!({ "version": "36.0.0", "dockerImages": { "i": image } }).to_string(),
    );
    place.write("cdk.out/image/Dockerfile", "FROM scratch\n");
    place
        .write("cdk.out/m.json", &json!({ "Resources": { "T": { "Type": "AWS::SNS::Topic" } } }).to_string());
    let uri = format!(
        "${{AWS::AccountId}}.dkr.ecr.us-east-1.${{AWS::URLSuffix}}/cdk-hnb659fds-container-assets-111111111111-us-east-1:{DIGEST}"
    );
    let function = json!({ "Type": "AWS::Lambda::Function", "Properties": {
        "PackageType": "Image", "Role": "arn:aws:iam::111111111111:role/x", "Code": { "ImageUri": { "Fn::Sub": uri } } } });
    place.write("cdk.out/u.json", &json!({ "Resources": { "F": function } }).to_string());
    place
}

#[test]
fn a_stack_is_deployed_when_the_image_that_another_registers_is_there() {
    for only in [&[][..], &["--only", "User"]] {
        let place = place();
        place.paceline(["deploy", "--simulate", "--events", "events.jsonl"]).args(only).run().expect(0);
        let published = |line: &Value| line["event"] == "step.finished" && line["kind"] == "publish";
        let lines = place.read("events.jsonl");
        let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let published = lines.iter().position(published).unwrap();
        assert!(published < Events::read(&place.path("events.jsonl")).position("step.started", "User"));
    }
}

#[test]
fn explain_says_whose_image_it_is_and_that_the_stack_itself_is_not_waited_for() {
    let place = place();
    let ran = place.paceline(["explain", "User"]).run().expect(0);
    assert!(
        ran.stdout.contains(
            "only Maker registers; it does not wait for Maker\n    used at F.Properties.Code.ImageUri"
        ),
        "{}",
        ran.stdout
    );
}
