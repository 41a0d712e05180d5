//! `paceline bootstrap`: the CDK CLI is run for the environments that need it, and for no other.

use serde_json::{Value, json};

use crate::fake_aws::{self, FakeAws};
use crate::harness::{Call, Place, Sim, skipped};
use crate::workshop;

/// The CDK CLI: writes down what it is called with.
const CDK: &str = "#!/bin/sh\necho \"$@\" >> \"$HOME/calls\"\necho bootstrapping\n";

/// A folder of its own with the example in it. What somebody has installed beside the example is not of it.
fn example() -> Place {
    let place = Place::new();
    std::os::unix::fs::symlink(workshop::path("cdk.out"), place.path("example.out")).unwrap();
    place
}

/// The same, and Node has installed a CDK CLI in it.
fn place(cdk: &str) -> Place {
    let place = example();
    place.program("node_modules/.bin/cdk", cdk);
    place
}

fn calls(place: &Place) -> Vec<String> {
    let text = fs_err::read_to_string(place.path("calls")).unwrap_or_default();
    let mut calls: Vec<String> = text.lines().map(ToOwned::to_owned).collect();
    calls.sort();
    calls
}

fn bootstrap<'a>(place: &'a Place, address: &str) -> Call<'a> {
    let config = workshop::path("paceline.yaml");
    place.paceline(["bootstrap", "--app", "example.out", "--config", &config]).multi_region().aws_at(address)
}

/// An AWS whose environments are bootstrapped as soon as the CLI was called for them.
fn until_called(place: &Place) -> FakeAws {
    let calls = place.path("calls");
    FakeAws::answering(move |request| {
        let scope = request.header("authorization").unwrap_or_default();
        let region = scope.split('/').nth(2).unwrap_or_default().to_owned();
        let called = fs_err::read_to_string(&calls).unwrap_or_default();
        let operation = request.header("x-amz-target").and_then(|target| target.rsplit('.').next());
        let action = request.body.split('&').find_map(|pair| pair.strip_prefix("Action="));
        match operation.or(action).unwrap_or_default() {
            "GetCallerIdentity" => fake_aws::caller(),
            "AssumeRole" => fake_aws::error(403, "AccessDenied", "there is no such role"),
            "GetParameter" if called.contains(&format!("/{region} ")) => {
                (200, r#"{"Parameter":{"Name":"n","Value":"30"}}"#.to_owned())
            }
            "GetParameter" => (400, r#"{"__type":"ParameterNotFound","message":""}"#.to_owned()),
            "DescribeStacks" if request.body.contains("StackName") => {
                fake_aws::error(400, "ValidationError", "Stack with id CDKToolkit does not exist")
            }
            // Someone else's bootstrap has the usual name in one of the regions.
            "DescribeStacks" if region == "us-west-2" => fake_aws::result(
                "DescribeStacks",
                "<Stacks><member><StackName>CDKToolkit</StackName><Parameters><member>\
                 <ParameterKey>Qualifier</ParameterKey><ParameterValue>other</ParameterValue>\
                 </member></Parameters></member></Stacks>",
            ),
            "DescribeStacks" => fake_aws::result("DescribeStacks", "<Stacks/>"),
            other => fake_aws::error(400, "InvalidAction", other),
        }
    })
}

#[test]
fn environments_that_need_it_are_bootstrapped() {
    let place = place(CDK);
    let aws = until_called(&place);
    let ran = bootstrap(&place, &aws.address).args(["--", "--trust", "222222222222"]).run().expect(0);
    assert_eq!(
        calls(&place),
        [
            "bootstrap aws://111111111111/us-east-1 --app example.out --qualifier hnb659fds --toolkit-stack-name CDKToolkit --trust 222222222222",
            "bootstrap aws://111111111111/us-west-2 --app example.out --qualifier hnb659fds --toolkit-stack-name CDKToolkit-hnb659fds --trust 222222222222",
        ]
    );
    for line in ["aws://111111111111/us-east-1 is not bootstrapped", "bootstrapping", "done"] {
        let line = format!("[bootstrap 111111111111/us-east-1] {line}");
        assert!(ran.stderr.lines().any(|it| it == line), "no {line} in {}", ran.stderr);
    }
    let again = bootstrap(&place, &aws.address).run().expect(0);
    assert_eq!(calls(&place).len(), 2, "{}", again.stderr);
}

#[test]
fn environments_that_need_nothing_are_left_alone() {
    let (place, sim) = (place(CDK), Sim::start(1000));
    let ran = bootstrap(&place, &sim.address).run().expect(0);
    assert_eq!(calls(&place), [""; 0]);
    assert!(ran.stderr.contains("us-east-1 is bootstrapped as its stacks need it"), "{}", ran.stderr);
}

#[test]
fn a_dry_run_says_which_and_why_and_runs_nothing() {
    let place = place(CDK);
    for (version, why) in
        [("missing", "is not bootstrapped"), ("5", "is bootstrapped with version 5, the app needs 6")]
    {
        let sim = Sim::start_with(1000, &["--bootstrap", version]);
        let ran =
            bootstrap(&place, &sim.address).args(["--dry-run", "--exclude", "*Secondary"]).run().expect(0);
        let line = format!("aws://111111111111/us-east-1 {why}");
        assert!(ran.stdout.lines().any(|it| it == line), "no {line} in {}", ran.stdout);
        assert!(ran.stdout.contains("\n  cdk bootstrap aws://111111111111/us-east-1 "), "{}", ran.stdout);
        let arguments = ["--dry-run", "--exclude", "*Secondary", "--format", "json"];
        let json = bootstrap(&place, &sim.address).args(arguments).run().expect(0).document("bootstrap");
        let environment = &json["environments"][0];
        assert_eq!(environment["environment"], "aws://111111111111/us-east-1");
        assert_eq!(environment["lacks"], line);
        assert!(environment["command"].as_str().unwrap().starts_with("cdk bootstrap aws://"), "{json:#}");
    }
    assert_eq!(calls(&place), [""; 0]);
}

#[test]
fn every_failure_is_said() {
    let place = place("#!/bin/sh\necho \"no rights in $2\" >&2; exit 1\n");
    let sim = Sim::start_with(1000, &["--bootstrap", "missing"]);
    let ran = bootstrap(&place, &sim.address).run().expect(1);
    for region in ["us-east-1", "us-west-2"] {
        let said = format!("error: aws://111111111111/{region}: `cdk bootstrap` failed: ");
        assert!(ran.stderr.contains(&said), "no {said} in {}", ran.stderr);
        assert!(ran.stderr.contains(&format!("no rights in aws://111111111111/{region}")), "{}", ran.stderr);
    }
}

#[test]
fn a_cli_that_changes_nothing_is_found_out() {
    let (place, sim) = (place(CDK), Sim::start_with(1000, &["--bootstrap", "5"]));
    let ran = bootstrap(&place, &sim.address).run().expect(1);
    assert!(ran.stderr.contains("with version 5, the app needs 6 still"), "{}", ran.stderr);
    assert!(ran.stderr.contains("aws-cdk@latest"), "{}", ran.stderr);
}

#[test]
fn a_cli_that_is_not_there_is_asked_for() {
    let (place, sim) = (example(), Sim::start_with(1000, &["--bootstrap", "missing"]));
    let ran = bootstrap(&place, &sim.address).args(["--cdk", "no-such-cdk"]).run().expect(1);
    assert!(ran.stderr.contains("hint: install the CDK CLI"), "{}", ran.stderr);
}

#[test]
fn a_stack_of_any_environment_is_bootstrapped_where_the_credentials_are() {
    let (place, sim) =
        (place(CDK), Sim::start_with(1000, &["--bootstrap", "missing", "--account", "333333333333"]));
    let manifest: Value = json!({ "version": "36.0.0", "artifacts": { "S": {
        "type": "aws:cloudformation:stack",
        "environment": "aws://unknown-account/unknown-region",
        "properties": {
            "templateFile": "t.json",
            "requiresBootstrapStackVersion": 6,
            "bootstrapStackVersionSsmParameter": "/cdk-bootstrap/mine/version",
        },
    } } });
    place.write("cdk.out/manifest.json", &manifest.to_string());
    place.write("cdk.out/t.json", r#"{"Resources":{"Q":{"Type":"AWS::SQS::Queue"}}}"#);
    let ran = place.paceline(["bootstrap", "--dry-run"]).aws_at(&sim.address).run().expect(0);
    let line = "  cdk bootstrap aws://333333333333/us-east-1 --app cdk.out --qualifier mine --toolkit-stack-name CDKToolkit";
    assert!(ran.stdout.lines().any(|it| it == line), "{}", ran.stdout);
}

/// The CDK itself: it synthesizes an app only once at a time in one folder.
#[test]
fn the_cdk_bootstraps_two_regions_side_by_side() {
    if !std::path::Path::new(&workshop::path("node_modules/.bin/cdk")).exists() {
        skipped(
            "the CDK is not installed in tests/fixtures/workshop (npm ci): no bootstrap with it is tested",
        );
        return;
    }
    let (place, sim) = (Place::new(), Sim::start_with(1000, &["--bootstrap", "missing"]));
    std::os::unix::fs::symlink(workshop::path("node_modules"), place.path("node_modules")).unwrap();
    for entry in fs_err::read_dir(workshop::path("cdk.out")).unwrap() {
        let path = entry.unwrap().path();
        if let (true, Some(name)) = (path.is_file(), path.file_name().and_then(|name| name.to_str())) {
            place.write(&format!("cdk.out/{name}"), &fs_err::read_to_string(&path).unwrap());
        }
    }
    place.write("cdk.json", r#"{ "app": "echo the app is synthesized >&2; exit 1", "notices": false }"#);
    let ran = place.paceline(["bootstrap", "--app", "cdk.out"]).aws_at(&sim.address).run().expect(0);
    for region in ["us-east-1", "us-west-2"] {
        let done = format!("[bootstrap 111111111111/{region}] done");
        assert!(ran.stderr.contains(&done), "{}", ran.stderr);
    }
    assert!(!ran.stderr.contains("the app is synthesized"), "{}", ran.stderr);
}
