//! `paceline doctor`: what can stop a run is found before it.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::deploy::tiny_manifest;
use crate::fake_aws::{self, FakeAws};
use crate::harness::{Place, Ran, Sim};
use crate::schemas::assert_is;

/// An app of one stack with a queue.
fn app(place: &Place) {
    place.write("cdk.out/manifest.json", &tiny_manifest(&["Shop"]));
    let queue = r#"{"Resources":{"Q":{"Type":"AWS::SQS::Queue","Properties":{}}}}"#;
    place.write("cdk.out/Shop.template.json", queue);
}

/// The findings of a call, each as severity, check, place and message.
fn findings(stdout: &str) -> Vec<[String; 4]> {
    let document: Value = serde_json::from_str(stdout).unwrap();
    assert_is("doctor", &document);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let all = document["findings"].as_array().unwrap().iter();
    all.map(|it| ["severity", "check", "where", "why"].map(|key| text(&it[key]))).collect()
}

#[test]
fn an_app_that_can_be_deployed_has_no_errors() {
    let (place, sim) = (Place::new(), Sim::start(2000));
    app(&place);
    let ran = place.paceline(["doctor"]).aws_at(&sim.address).run().expect(0);
    assert!(ran.stdout.ends_with(": nothing that stops a run\n"), "{}", ran.stdout);
    assert_eq!(sim.accepted("CreateStack"), [""; 0]);
    assert_eq!(place.runs(), [""; 0]);
}

#[test]
fn errors_of_constructs_stop_a_run_and_are_found() {
    let place = Place::new();
    app(&place);
    let reported = r#""metadata":{"/Shop/Q":[{"type":"aws:cdk:error","data":"a queue needs encryption"}]},"type":"aws:cloudformation:stack""#;
    let manifest = tiny_manifest(&["Shop"]).replacen(r#""type":"aws:cloudformation:stack""#, reported, 1);
    place.write("cdk.out/manifest.json", &manifest);
    place.paceline(["deploy", "--simulate"]).run().expect(2);
    let ran = place.paceline(["doctor", "--offline", "--format", "json"]).run().expect(3);
    let errors: Vec<_> = findings(&ran.stdout).into_iter().filter(|it| it[0] == "error").collect();
    let [[_, check, _, why]] = &errors[..] else { panic!("{errors:?}") };
    assert!(check == "app" && why.contains("a queue needs encryption"), "{check}: {why}");
}

#[test]
fn missing_credentials_are_a_finding_beside_the_others() {
    let place = Place::new();
    app(&place);
    let ran = place.paceline(["doctor", "--format", "json"]).env("AWS_REGION", "us-east-1").run().expect(3);
    let [severity, check, _, why] = &findings(&ran.stdout)[0];
    assert_eq!((severity.as_str(), check.as_str()), ("error", "aws"));
    assert!(why.contains("no AWS credentials were found"), "{why}");
}

#[test]
fn a_clock_that_is_far_from_that_of_aws_is_the_first_finding() {
    let found = |minutes: i64| {
        let place = Place::new();
        app(&place);
        let theirs = Timestamp::now() + SignedDuration::from_mins(minutes);
        let date = theirs.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let aws = FakeAws::at(&date, |_| fake_aws::error(403, "MissingAuthenticationToken", "no signature"));
        let ran = place.paceline(["doctor", "--format", "json"]).aws_at(&aws.address).run().expect(3);
        findings(&ran.stdout)
    };
    let behind = found(10);
    let [severity, check, where_it_is, why] = &behind[0];
    assert_eq!([severity.as_str(), check, where_it_is], ["error", "clock", "this machine"]);
    assert!(
        why.starts_with("the clock of this machine is ") && why.contains("min behind that of AWS"),
        "{why}"
    );
    let ahead = found(-3);
    let is_it = |it: &&[String; 4]| it[0] == "warning" && it[1] == "clock" && it[3].contains(" ahead of ");
    assert_eq!(ahead.iter().filter(is_it).count(), 1, "{ahead:?}");
    assert!(found(0).iter().all(|it| it[1] != "clock"));
}

#[test]
fn a_role_for_the_builds_that_lacks_rights_is_found_before_a_build_fails() {
    let (place, sim) = (Place::new(), Sim::start(2000));
    let role = |name: &str, statements: Value| {
        let policy = json!({ "PolicyName": "rights", "PolicyDocument": { "Statement": statements } });
        let trust = json!({ "Statement": { "Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": { "Service": "codebuild.amazonaws.com" } } });
        let properties = json!({ "RoleName": name, "Policies": [policy], "AssumeRolePolicyDocument": trust });
        json!({ "Type": "AWS::IAM::Role", "Properties": properties })
    };
    let allow = |action: &str| json!({ "Effect": "Allow", "Action": action, "Resource": "*" });
    let deny = json!({ "Effect": "Deny", "Action": "cloudformation:deletestack", "Resource": "*" });
    let resources = json!({
        "Good": role("Good", json!([allow("*")])),
        "Poor": role("Poor", json!([allow("cloudformation:*"), deny])),
    });
    place.write("cdk.out/manifest.json", &tiny_manifest(&["Shop"]));
    place.write("cdk.out/Shop.template.json", &json!({ "Resources": resources }).to_string());
    place.paceline(["deploy"]).aws_at(&sim.address).run().expect(0);
    let doctor = |role: &str| {
        place.write("paceline.yaml", &format!("codebuild: {{ service-role: '{role}' }}\n"));
        place.paceline(["doctor", "--format", "json"]).aws_at(&sim.address).run().expect(0)
    };
    let of_role = |ran: &Ran| -> Vec<[String; 4]> {
        findings(&ran.stdout).into_iter().filter(|it| it[2].contains(":role/")).collect()
    };
    assert_eq!(of_role(&doctor("arn:aws:iam::111111111111:role/Good")), [[""; 4]; 0]);
    let poor = "arn:aws:iam::111111111111:role/Poor";
    let found = of_role(&doctor(poor));
    for lacks in [
        "do not allow cloudformation:DeleteStack on arn:aws:cloudformation:us-east-1:111111111111:stack/Shop/*",
        "do not allow codebuild:BatchGetBuilds on arn:aws:codebuild:us-east-1:111111111111:project/",
    ] {
        let is_it = |it: &&[String; 4]| it[..3] == ["warning", "build", poor] && it[3].contains(lacks);
        assert_eq!(found.iter().filter(is_it).count(), 1, "{lacks}: {found:#?}");
    }
    // What cannot be simulated is said.
    for (role, why) in [
        ("arn:aws:iam::222222222222:role/Good", "it is in another account than that of the credentials"),
        ("arn:aws:iam::111111111111:role/Absent", "The role with name Absent cannot be found"),
    ] {
        let left_out = doctor(role).document("doctor")["left_out"].clone();
        let is_it = |it: &&Value| it["check"] == "build" && it["why"].as_str().unwrap().contains(why);
        assert_eq!(left_out.as_array().unwrap().iter().filter(is_it).count(), 1, "{left_out}");
    }
}

#[test]
fn what_needs_no_aws_is_found_without_it() {
    let place = Place::new();
    app(&place);
    let resource = |number: usize| format!(r#""Q{number}":{{"Type":"AWS::SQS::Queue","Properties":{{}}}}"#);
    let resources: Vec<String> = (0..501).map(resource).collect();
    place.write("cdk.out/Shop.template.json", &format!(r#"{{"Resources":{{{}}}}}"#, resources.join(",")));
    place.write(
        "paceline.yaml",
        "codebuild: { timeout: 5m }
runner: { from: npm }
commands:
  - name: seed
    after: Shop
    run: ./seed.sh
    env:
      DB_PASSWORD: hunter2
      API_TOKEN: $API_TOKEN
      DB_SECRET_ARN: arn:aws:secretsmanager:us-east-1:111122223333:secret:db
      DEPLOY: token ghp_0123456789abcdefghij
",
    );
    let ran = place.paceline(["doctor", "--offline", "--format", "json"]).run().expect(3);
    let found = findings(&ran.stdout);
    for [severity, check, place, why] in [
        ["error", "templates", "cdk.out/Shop.template.json", "the template of Shop has 501 resources"],
        ["warning", "build", "", "there is no package-lock.json"],
        ["warning", "secrets", "paceline.yaml:8:20", "the value of DB_PASSWORD is written"],
        ["warning", "secrets", "paceline.yaml:11:15", "a token of GitHub is written"],
    ] {
        let is_it =
            |it: &&[String; 4]| it[0] == severity && it[1] == check && it[2] == place && it[3].contains(why);
        assert_eq!(found.iter().filter(is_it).count(), 1, "{why}: {found:#?}");
    }
    assert_eq!(found.iter().filter(|it| it[1] == "secrets").count(), 2, "{found:#?}");
    assert!(!ran.stdout.contains("hunter2") && !ran.stdout.contains("ghp_0123"), "{}", ran.stdout);
    // As text, the worst comes first, and what was not checked is said.
    let ran = place.paceline(["doctor", "--offline"]).run().expect(3);
    assert!(ran.stdout.starts_with("error[templates]: cdk.out/Shop.template.json: "), "{}", ran.stdout);
    assert!(ran.stdout.contains("\nnot checked: aws: "), "{}", ran.stdout);
    assert!(ran.stdout.lines().all(|line| line.chars().count() <= 80), "{}", ran.stdout);
}

#[test]
fn settings_of_a_build_that_contradict_each_other_are_told_with_their_place() {
    let place = Place::new();
    app(&place);
    place.write("paceline.yaml", "codebuild: { timeout: 1h, timeouts: { outside: 30m } }\n");
    let ran = place.paceline(["doctor", "--offline", "--format", "json"]).run().expect(3);
    let found = findings(&ran.stdout);
    let is_it =
        |it: &[String; 4]| it[0] == "error" && it[1] == "build" && it[2].starts_with("paceline.yaml:1:");
    assert!(found.iter().any(is_it), "{found:#?}");
}
