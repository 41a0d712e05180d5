//! `paceline project`: the generated CodeBuild project and the live one, and its builds.

use serde_json::json;

use crate::fake_aws::FakeAws;
use crate::harness::{Call, Events, Place, Ran, Sim, until};
use crate::workshop;

const ROLE: &str = "arn:aws:iam::111111111111:role/build";

#[test]
fn a_project_is_created_compared_and_updated() {
    let (place, sim) = (Place::new(), Sim::start(1));
    let example = fs_err::read_to_string(workshop::path("paceline.yaml")).unwrap();
    let project = |timeout: &str, arguments: &[&str]| -> Ran {
        place.write("mine.yaml", &example.replace("timeout: 240m", timeout));
        let call = place.paceline(["project"]).args(arguments);
        call.args(["--app", &workshop::path("cdk.out"), "--config", "mine.yaml"]).aws_at(&sim.address).run()
    };
    let ran = project("timeout: 240m", &["diff", "--format", "json"]).expect(5);
    assert!(ran.stderr.contains("the project workshop is not there"), "{}", ran.stderr);
    assert_eq!(ran.document("project-diff")["exists"], false);
    let ran = project("timeout: 240m", &["apply"]).expect(3);
    assert!(ran.stderr.contains("service role") && ran.stderr.contains(" hint: "), "{}", ran.stderr);

    project("timeout: 240m", &["apply", "--service-role", ROLE]).expect(0);
    assert_eq!(project("timeout: 240m", &["diff"]).expect(0).stdout, "");

    let ran = project("timeout: 120m", &["diff"]).expect(5);
    assert_eq!(ran.stdout, "timeoutInMinutes: 240 -> 120\n");
    let json = ["--format", "json"];
    let diff = || project("timeout: 120m", &["diff", json[0], json[1]]);
    let differs = json!([{ "field": "timeoutInMinutes", "live": "240", "wanted": "120" }]);
    assert_eq!(diff().expect(5).document("project-diff")["differences"], differs);
    for result in ["updated", "unchanged"] {
        let ran = project("timeout: 120m", &["apply", json[0], json[1]]).expect(0);
        assert_eq!(ran.document("project-apply")["result"], result);
    }
    assert_eq!(diff().expect(0).document("project-diff")["differences"], json!([]));
}

#[test]
fn without_credentials_the_live_project_is_not_looked_for() {
    let ran = Place::new().paceline(["project", "diff"]).args(workshop::app()).run().expect(3);
    assert!(ran.stderr.contains("no AWS credentials were found"), "{}", ran.stderr);
}

/// So fast that a build of nine minutes ends at once.
const FAST: u32 = 5000;

/// A place and an AWS in which the project is there.
fn created(time_scale: u32) -> (Place, Sim) {
    let (place, sim) = (Place::new(), Sim::start(time_scale));
    let apply = place.paceline(["project", "apply", "--service-role", ROLE]).args(workshop::app());
    apply.aws_at(&sim.address).run().expect(0);
    (place, sim)
}

fn start<'a>(place: &'a Place, sim: &Sim) -> Call<'a> {
    place.paceline(["project", "start"]).args(workshop::app()).aws_at(&sim.address)
}

#[test]
fn a_build_is_started_and_followed_to_its_end() {
    let (place, sim) = created(FAST);
    let ran = start(&place, &sim).args(["--env", "ENABLE_MULTI_REGION=true"]).run().expect(0);
    assert!(ran.stdout.contains("[Container] Entering phase INSTALL\n"), "the log: {}", ran.stdout);
    assert!(!ran.stdout.contains("provisioning"), "and nothing else: {}", ran.stdout);
    assert!(ran.stderr.starts_with("started the build workshop:"), "{}", ran.stderr);
    for row in ["provisioning     succeeded       14 s", "build            succeeded      8 min"] {
        assert!(ran.stderr.contains(row), "{}", ran.stderr);
    }
}

#[test]
fn a_build_is_followed_as_lines_of_json() {
    let (place, sim) = created(FAST);
    let lines = start(&place, &sim).args(["--format", "json"]).run().expect(0).documents("project-start");
    assert_eq!(lines[0]["event"], "build.started");
    let of = |event: &'static str| lines.iter().filter(move |line| line["event"] == event);
    assert!(of("log").any(|line| line["line"] == "[Container] Entering phase INSTALL"), "{lines:#?}");
    let build = of("phase.finished").find(|line| line["phase"] == "BUILD").unwrap();
    assert_eq!((&build["status"], &build["duration_s"]), (&json!("SUCCEEDED"), &json!(480.0)));
    let last = lines.last().unwrap();
    assert_eq!((&last["event"], &last["status"]), (&json!("build.finished"), &json!("SUCCEEDED")));
}

#[test]
fn a_build_that_does_not_succeed_is_a_failure() {
    let (place, sim) = created(FAST);
    let ran = start(&place, &sim).args(["--timeout", "5m", "--compute", "small"]).run().expect(1);
    assert!(ran.stderr.contains(": timed out\n"), "{}", ran.stderr);
    let ran = start(&place, &sim).args(["--compute", "huge"]).run().expect(2);
    assert!(ran.stderr.contains("not a compute type"), "{}", ran.stderr);
    let ran = start(&place, &sim).args(["--env", "novalue"]).run().expect(2);
    assert!(ran.stderr.contains("KEY=VALUE"), "{}", ran.stderr);
}

#[test]
fn a_project_is_started_by_its_name_without_an_app() {
    let (place, sim) = created(FAST);
    let by_name =
        |name: &str| place.paceline(["project", "start", "--name", name]).aws_at(&sim.address).run();
    by_name("workshop").expect(0);
    let ran = by_name("another").expect(3);
    assert!(ran.stderr.contains(" hint: create the project first: paceline project apply"), "{}", ran.stderr);
}

#[test]
fn interrupted_it_leaves_the_build_alone_and_says_how_to_stop_it() {
    let (place, sim) = created(1);
    let running = start(&place, &sim).start("start.log");
    let log = place.path("start.log");
    until("it has started", || fs_err::read_to_string(&log).unwrap_or_default().contains("phase queued"));
    running.signal("INT");
    let (code, said) = running.end();
    assert_eq!(code, Some(4), "{said}");
    assert!(
        said.contains(
            " continues\n hint: stop it: aws codebuild stop-build --region us-east-1 --id workshop:"
        ),
        "{said}"
    );
    assert!(!sim.calls().iter().any(|call| call.1 == "StopBuild"), "it goes on");

    let running = start(&place, &sim).args(["--stop-on-interrupt"]).start("stop.log");
    let log = place.path("stop.log");
    until("it has started", || fs_err::read_to_string(&log).unwrap_or_default().contains("phase queued"));
    running.signal("TERM");
    let (code, said) = running.end();
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains(" is being stopped\n"), "{said}");
    assert!(sim.calls().iter().any(|call| call.1 == "StopBuild"), "CodeBuild is asked to stop it");
}

#[test]
fn a_run_in_a_build_tells_what_the_build_did_before() {
    let (place, sim) = created(FAST);
    let ran = start(&place, &sim).run().expect(0);
    let id = ran.stderr.split_whitespace().find(|word| word.starts_with("workshop:")).unwrap();
    let deploy = |events: &str, build: &str| {
        let call = place.paceline(["deploy", "--events", events]).args(workshop::app_without_gates(&place));
        call.aws_at(&sim.address).env("CODEBUILD_BUILD_ID", build).run().expect(0)
    };
    let ran = deploy("events.jsonl", id);
    assert!(ran.stderr.contains(&format!("Before the run, the build {id} took")), "{}", ran.stderr);
    let events = Events::read(&place.path("events.jsonl"));
    let build = events.of("build.phases").next().unwrap();
    assert_eq!((build["build"].as_str(), build["seq"].as_u64()), (Some(id), Some(2)));
    assert_eq!(build["phases"][2]["name"], "PROVISIONING");
    assert_eq!(build["phases"][2]["duration_s"], 14.0);

    // Not to know it stops nothing.
    let ran = deploy("other.jsonl", "workshop:none");
    assert_eq!(
        ran.stderr.matches("note: the phases of this build are not known").count(),
        1,
        "{}",
        ran.stderr
    );
    assert_eq!(Events::count(&place.path("other.jsonl"), "build.phases"), 0);
}

#[test]
fn a_look_that_is_refused_is_no_verdict_on_the_build() {
    let build = r#"{"id": "workshop:1", "buildStatus": "IN_PROGRESS", "buildComplete": false}"#;
    let aws = FakeAws::start(move |operation| match operation {
        "StartBuild" => (200, format!(r#"{{"build": {build}}}"#)),
        _ => (400, r#"{"__type": "AccessDeniedException", "message": "no"}"#.to_owned()),
    });
    let place = Place::new();
    let ran = place.paceline(["project", "start"]).args(workshop::app()).aws_at(&aws.address).run().expect(4);
    assert!(
        ran.stderr.contains("cannot follow the build workshop:1 any more, which continues: "),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("stop-build"), "{}", ran.stderr);
}
