//! What can be known before a run is told before anything is touched: all of it, each cause once.

use serde_json::{Value, json};

use crate::fake_aws::{self, FakeAws};
use crate::harness::{Call, Place, Sim};

const FAST: u32 = 2000;
const BUCKET: &str = "cdk-hnb659fds-assets-111111111111-us-east-1";

/// An assembly of stacks, each with its asset manifest.
fn assembly(place: &Place, stacks: &[(&str, Value)]) {
    let mut artifacts = serde_json::Map::new();
    for (name, assets) in stacks {
        place.write(&format!("cdk.out/{name}.assets.json"), &assets.to_string());
        template(place, name, &json!({}));
        let manifest =
            json!({ "type": "cdk:asset-manifest", "properties": { "file": format!("{name}.assets.json") } });
        artifacts.insert(format!("{name}.assets"), manifest);
        let stack = json!({
            "type": "aws:cloudformation:stack",
            "environment": "aws://111111111111/us-east-1",
            "properties": { "templateFile": format!("{name}.template.json") },
            "dependencies": [format!("{name}.assets")],
        });
        artifacts.insert((*name).to_owned(), stack);
    }
    place.write("cdk.out/manifest.json", &json!({ "version": "36.0.0", "artifacts": artifacts }).to_string());
}

fn template(place: &Place, stack: &str, parameters: &Value) {
    let template = json!({ "Parameters": parameters, "Resources": { "T": { "Type": "AWS::SNS::Topic" } } });
    place.write(&format!("cdk.out/{stack}.template.json"), &template.to_string());
}

/// A file asset of such a source.
fn file(key: &str, source: &Value) -> Value {
    let to = json!({ "d": { "bucketName": BUCKET, "objectKey": key } });
    json!({ "version": "36.0.0", "files": { key: { "source": source, "destinations": to } } })
}

fn image(source: &Value) -> Value {
    let to = json!({ "d": {
        "repositoryName": "cdk-hnb659fds-container-assets-111111111111-us-east-1", "imageTag": "i" } });
    json!({ "version": "36.0.0", "dockerImages": { "i": { "source": source, "destinations": to } } })
}

fn deploy<'a>(place: &'a Place, sim: &Sim) -> Call<'a> {
    place.paceline(["deploy"]).aws_at(&sim.address)
}

#[cfg(unix)]
#[test]
fn sources_that_cannot_be_published_are_told_all_at_once() {
    let (place, sim) = (Place::new(), Sim::start(FAST));
    assembly(
        &place,
        &[
            ("A", json!({ "version": "36.0.0" })),
            ("B", file("b", &json!({ "path": "z", "packaging": "zip" }))),
            ("C", file("c", &json!({ "path": "gone" }))),
            ("D", file("d", &json!({ "executable": ["no-such-maker", "x"] }))),
            ("E", file("e", &json!({ "path": "lost", "packaging": "zip" }))),
        ],
    );
    place.write("cdk.out/z/index.js", "");
    std::os::unix::fs::symlink("nowhere", place.path("cdk.out/z/dangling")).unwrap();
    let told = [
        "the sources of 2 assets are not there\n  cdk.out/gone, for C\n  cdk.out/lost, for E\n",
        "what is published cannot be read: cdk.out/z/dangling is a link to nowhere, which is not there, for B\n",
        "the program `no-such-maker`, which makes an asset, is not there\n",
    ];
    let ran = deploy(&place, &sim).env("CDK_DOCKER", "true").run().expect(3);
    for told in told {
        assert!(ran.stderr.contains(&format!("error: {told} hint: ")), "{told}: {}", ran.stderr);
    }
    assert_eq!(sim.accepted("CreateStack"), [""; 0]);
    assert_eq!(place.runs(), [""; 0], "a run that did not start leaves no journal");
    let ran = place.paceline(["plan"]).run().expect(0);
    for told in told {
        assert!(ran.stderr.contains(&format!("warning: {told}")), "{told}: {}", ran.stderr);
    }
}

// The simulator has every image, so it is the plan that shows this.
#[test]
fn a_dockerfile_that_is_missing_is_told() {
    let place = Place::new();
    let source = json!({ "directory": "app", "dockerFile": "Dockerfile.prod" });
    assembly(&place, &[("A", image(&source))]);
    place.write("cdk.out/app/Dockerfile", "FROM scratch\n");
    let ran = place.paceline(["plan"]).run().expect(0);
    let told = "warning: the source of an asset is not there: cdk.out/app/Dockerfile.prod, for A\n";
    assert!(ran.stderr.contains(told), "{}", ran.stderr);
}

#[test]
fn a_source_that_is_missing_is_no_hindrance_where_its_object_is_there() {
    let (place, sim) = (Place::new(), Sim::start(FAST));
    assembly(&place, &[("A", file("a", &json!({ "path": "a", "packaging": "zip" })))]);
    place.write("cdk.out/a/index.js", "");
    deploy(&place, &sim).run().expect(0);
    fs_err::remove_dir_all(place.path("cdk.out/a")).unwrap();
    template(&place, "A", &json!({ "P": { "Type": "String", "Default": "x" } }));
    deploy(&place, &sim).run().expect(0);
    assert_eq!(sim.accepted("UpdateStack"), ["A"]);
}

#[test]
fn parameters_without_a_value_are_told_all_at_once_and_what_was_given_once_is_kept() {
    let (place, sim) = (Place::new(), Sim::start(FAST));
    let nothing = json!({ "version": "36.0.0" });
    assembly(&place, &[("A", nothing.clone()), ("B", nothing.clone()), ("C", nothing)]);
    template(
        &place,
        "B",
        &json!({ "Arn": { "Type": "String" }, "Size": { "Type": "Number", "Default": 1 } }),
    );
    template(&place, "C", &json!({ "Name": { "Type": "String" } }));
    for flags in [&[][..], &["--simulate"]] {
        let ran = deploy(&place, &sim).args(flags).run().expect(3);
        let told = "error: 2 parameters need a value: B:Arn, C:Name\n hint: give each one: \
                    --parameters B:Arn=VALUE --parameters C:Name=VALUE\n";
        assert!(ran.stderr.contains(told), "{}", ran.stderr);
    }
    let ran = deploy(&place, &sim).args(["--parameters", "C:Name=n"]).run().expect(3);
    let told =
        "error: B needs a value for its parameter `Arn`\n hint: give it one: --parameters B:Arn=VALUE\n";
    assert!(ran.stderr.contains(told), "{}", ran.stderr);
    assert_eq!(sim.accepted("CreateStack"), [""; 0]);
    deploy(&place, &sim).args(["--parameters", "Name=n", "--parameters", "Arn=a"]).run().expect(0);
    // A stack that is there has its values.
    deploy(&place, &sim).run().expect(0);
}

#[test]
fn rehearsals_take_values_for_parameters_as_deployments_do() {
    let place = Place::new();
    assembly(&place, &[("A", json!({ "version": "36.0.0" }))]);
    template(&place, "A", &json!({ "Name": { "Type": "String" } }));
    for command in [&["plan", "--simulate"][..], &["deploy", "--simulate"], &["destroy", "--simulate"]] {
        let ran = place.paceline(command).run().expect(3);
        assert!(ran.stderr.contains("--parameters A:Name=VALUE"), "{command:?}: {}", ran.stderr);
        place.paceline(command).args(["--parameters", "A:Name=n"]).run().expect(0);
        let ran = place.paceline(command).args(["--parameters", "A:Mane=secret"]).run().expect(2);
        assert!(ran.stderr.contains("--parameters A:Mane=…: `A` has no parameter `Mane`"), "{}", ran.stderr);
    }
}

#[test]
fn a_value_that_its_template_excludes_is_refused_without_asking_aws() {
    let place = Place::new();
    assembly(&place, &[("A", json!({ "version": "36.0.0" }))]);
    let size = json!({ "Type": "String", "AllowedValues": ["s", "m"] });
    let secret = json!({ "Type": "String", "NoEcho": true, "AllowedPattern": "[a-z]+" });
    template(&place, "A", &json!({ "Size": size, "Secret": secret }));
    let flags = ["--parameters", "A:Size=xl", "--parameters", "Secret=X1"];
    let ran = place.paceline(["deploy", "--simulate"]).args(flags).run().expect(2);
    let told =
        "error: parameter `Size` of A: `xl` is none of its AllowedValues: s, m\n hint: give it another";
    assert!(ran.stderr.contains(told), "{}", ran.stderr);
    assert!(ran.stderr.contains("of A: its value does not match"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("X1"), "{}", ran.stderr);
}

#[test]
fn roles_that_cannot_be_assumed_are_told_once_with_their_number() {
    let place = Place::new();
    let mut stacks = Vec::new();
    for name in ["A", "B", "C", "D"] {
        let mut assets = file(name, &json!({ "path": "a" }));
        let role = format!("arn:aws:iam::111111111111:role/publish-{}", if name < "C" { "x" } else { "y" });
        assets["files"][name]["destinations"]["d"]["assumeRoleArn"] = json!(role);
        stacks.push((name, assets));
    }
    assembly(&place, &stacks);
    place.write("cdk.out/a", "");
    let aws = FakeAws::start(|call| match call {
        "GetCallerIdentity" => fake_aws::caller(),
        "DescribeStacks" => fake_aws::result(call, "<Stacks/>"),
        _ => fake_aws::error(403, "AccessDenied", "not authorized to perform: sts:AssumeRole"),
    });
    let ran = place.paceline(["deploy"]).aws_at(&aws.address).run().expect(3);
    let told = "error: AssumeRole: cannot assume arn:aws:iam::111111111111:role/publish-x: AccessDenied: not \
                authorized to perform: sts:AssumeRole; the same of arn:aws:iam::111111111111:role/publish-y\n hint: ";
    assert!(ran.stderr.contains(told), "{}", ran.stderr);
    assert_eq!(ran.stderr.matches("error: ").count(), 1, "{}", ran.stderr);
}

#[test]
fn docker_is_looked_for_where_an_image_has_to_be_built() {
    let (place, sim) = (Place::new(), Sim::start_with(FAST, &["--images", "absent"]));
    assembly(&place, &[("A", json!({ "version": "36.0.0" })), ("I", image(&json!({ "directory": "app" })))]);
    place.write("cdk.out/app/Dockerfile", "FROM scratch\n");
    let ran = deploy(&place, &sim).env("CDK_DOCKER", "no-such-docker").run().expect(3);
    let told = "the image i has to be built, and the program `no-such-docker` is not there\n hint: ";
    assert!(ran.stderr.contains(told), "{}", ran.stderr);
    assert_eq!(sim.accepted("CreateStack"), [""; 0]);
}

#[test]
fn a_simulation_runs_no_command_of_an_asset() {
    let place = Place::new();
    let command = json!({ "executable": ["sh", "-c", "touch ran; echo made.zip"] });
    assembly(&place, &[("A", file("a", &command)), ("I", image(&command))]);
    let ran = place.paceline(["deploy", "--simulate"]).run().expect(0);
    assert!(ran.stderr.contains("the commands that make 2 assets are not run"), "{}", ran.stderr);
    assert!(!place.path("ran").exists() && !place.path("cdk.out/ran").exists());
}
