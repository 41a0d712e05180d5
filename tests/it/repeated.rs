//! A build that CodeBuild starts by itself because the build before it failed.

use serde_json::json;

use crate::aws_json::codebuild;
use crate::chain::{killed, three};
use crate::harness::{Call, Events, Place, Sim, until};

const FAST: u32 = 5000;
/// Slow enough to be killed.
const MEDIUM: u32 = 100;
const PROJECT: &str = "shop";
/// A reason of AWS that stays, and one that disappears by itself.
const STAYS: &str = "Api:It:create=Invalid parameter: Topic Name";
const DISAPPEARS: &str = "Api:It:create=Rate exceeded";
const CALLS_THAT_READ: [&str; 5] =
    ["AssumeRole", "BatchGetBuilds", "GetCallerIdentity", "GetObject", "ListObjectsV2"];

/// The machine of a build: a folder with the source, and nothing of the builds before.
fn machine(version: &str, settings: &str) -> Place {
    let place = Place::new();
    three(&place, version);
    let project =
        "codebuild: { source: github, location: 'https://github.com/acme/shop.git', auto-retry-limit: 2 }";
    place.write("paceline.yaml", &format!("{project}\n{settings}\n"));
    place
}

/// An AWS in which a project has started a build that has failed, and the ids of that build and of its repetition.
fn failed_build(time_scale: u32, fails: &str) -> (Sim, String, String) {
    let sim = Sim::start_with(time_scale, &["--builds-fail", "--fail", fails]);
    let place = machine("one", "");
    let role = "arn:aws:iam::111111111111:role/build";
    let apply = place.paceline(["project", "apply", "--name", PROJECT, "--service-role", role]);
    apply.aws_at(&sim.address).run().expect(0);
    let first = start(&sim);
    let second = repetition_of(&sim, &first);
    (sim, first, second)
}

/// Starts a build, as a person does.
fn start(sim: &Sim) -> String {
    let started = codebuild(sim, "StartBuild", &json!({ "projectName": PROJECT }));
    started["build"]["id"].as_str().unwrap().to_owned()
}

/// The id of the build that CodeBuild starts after this one has failed.
fn repetition_of(sim: &Sim, build: &str) -> String {
    let mut next = None;
    until("the build is repeated", || {
        let answer = codebuild(sim, "BatchGetBuilds", &json!({ "ids": [build] }));
        let arn = answer["builds"][0]["autoRetryConfig"]["nextAutoRetry"].as_str();
        next = arn.map(|arn| arn.split_once(":build/").unwrap().1.to_owned());
        next.is_some()
    });
    next.unwrap()
}

/// `paceline deploy` as a build runs it.
fn deploy<'a>(place: &'a Place, sim: &Sim, build: &str) -> Call<'a> {
    let call = place.paceline(["deploy", "--events", "events.jsonl", "--report", "reports"]);
    call.aws_at(&sim.address).env("CODEBUILD_BUILD_ID", build)
}

/// The operations that were called since there were so many calls.
fn since(sim: &Sim, calls: usize) -> Vec<String> {
    let mut operations: Vec<String> = sim.calls().into_iter().skip(calls).map(|call| call.1).collect();
    operations.sort();
    operations.dedup();
    operations
}

#[test]
fn a_repeated_build_says_a_cause_that_stays_again_and_touches_nothing() {
    let (sim, first, second) = failed_build(FAST, STAYS);
    let third = repetition_of(&sim, &second);
    let before = machine("one", "");
    deploy(&before, &sim, &first).run().expect(1);
    let run = &before.runs()[0];
    for build in [&second, &third] {
        let (place, calls) = (machine("one", ""), sim.calls().len());
        let ran = deploy(&place, &sim, build).run().expect(1);
        let said = format!(
            "CodeBuild has repeated the failed build {first}. Nothing is done: the run {run} of that build"
        );
        assert!(ran.stderr.contains(&said), "{}", ran.stderr);
        assert!(ran.stderr.contains("\nFailed: 1 of 3 stacks done"), "{}", ran.stderr);
        assert!(ran.stderr.contains("Invalid parameter: Topic Name"), "{}", ran.stderr);
        let called = since(&sim, calls);
        assert!(called.iter().all(|it| CALLS_THAT_READ.contains(&it.as_str())), "{called:?}");
        // The reports of the build are those of the run that failed.
        assert_eq!(place.read("events.jsonl"), before.read("events.jsonl"));
        assert!(place.read("reports/junit.xml").contains("Invalid parameter: Topic Name"));
    }
    // The resource fails once. So somebody has removed the cause, and starts a build.
    deploy(&machine("one", ""), &sim, &start(&sim)).run().expect(0);
    assert_eq!(sim.accepted("CreateStack"), ["Api", "Api", "Base", "Web"]);
}

#[test]
fn a_repeated_build_continues_a_run_whose_cause_may_disappear() {
    let (sim, first, second) = failed_build(FAST, DISAPPEARS);
    let log = Place::new();
    let count = format!(
        "on-failure: {{ retries: 0 }}\ncommands: [{{ name: count, after: Base, run: 'echo once >> {}' }}]",
        log.path("log").display()
    );
    let before = machine("one", &count);
    deploy(&before, &sim, &first).run().expect(1);
    let run = &before.runs()[0];
    let place = machine("one", &count);
    let ran = deploy(&place, &sim, &second).run().expect(0);
    let said = format!(
        "CodeBuild has repeated the failed build {first}. Continuing its run {run}, which failed because of Api: "
    );
    assert!(ran.stderr.contains(&said), "{}", ran.stderr);
    assert_eq!(place.runs(), [run.as_str()]);
    assert_eq!(sim.accepted("CreateStack"), ["Api", "Api", "Base", "Web"], "Base stayed done");
    assert_eq!(log.read("log"), "once\n", "what was done is not done twice");
    let events = Events::read(&place.path("events.jsonl"));
    assert_eq!(events.of("run.started").count(), 2, "the report covers both builds");
    assert!(events.0.iter().zip(1..).all(|(event, seq)| event["seq"].as_u64() == Some(seq)));
    // The run has ended well. Another machine does not take it for a failed one.
    let report = machine("one", "").paceline(["report", run, "--format", "json"]).aws_at(&sim.address).run();
    assert_eq!(report.expect(0).stdout_json()["status"], "done");
}

#[test]
fn a_repeated_build_runs_a_command_again_that_failed() {
    let (sim, first, second) = failed_build(FAST, "Nothing:It:create");
    let log = Place::new();
    let fails_once = format!(
        "commands: [{{ name: check, after: Web, run: 'echo x >> {0}; [ $(wc -l < {0}) = 2 ]' }}]",
        log.path("log").display()
    );
    deploy(&machine("one", &fails_once), &sim, &first).run().expect(1);
    let ran = deploy(&machine("one", &fails_once), &sim, &second).run().expect(0);
    assert!(ran.stderr.contains("which failed because of check: "), "{}", ran.stderr);
    assert_eq!(log.read("log"), "x\nx\n");
    assert_eq!(sim.accepted("CreateStack"), ["Api", "Base", "Web"]);
}

#[test]
fn a_repeated_build_continues_the_run_of_a_build_that_was_killed() {
    let (sim, first, second) = failed_build(MEDIUM, "Nothing:It:create");
    let before = machine("one", "");
    let run = killed(&before, &sim, deploy(&before, &sim, &first));
    let place = machine("one", "");
    let ran = deploy(&place, &sim, &second).args(["--lock", "none"]).run().expect(0);
    assert!(ran.stderr.contains(&format!("continuing the interrupted run {run}")), "{}", ran.stderr);
    assert_eq!(sim.accepted("CreateStack"), ["Api", "Base", "Web"], "each stack was created once");
}

#[test]
fn a_repeated_build_of_another_plan_begins_a_new_run() {
    let (sim, first, second) = failed_build(FAST, STAYS);
    deploy(&machine("one", ""), &sim, &first).run().expect(1);
    let ran = deploy(&machine("two", ""), &sim, &second).run().expect(0);
    assert!(!ran.stderr.contains("CodeBuild has repeated"), "{}", ran.stderr);
    assert_eq!(
        sim.accepted("UpdateStack"),
        ["Base"],
        "the first stack of the failed run gets the other template"
    );
}

#[test]
fn a_run_that_is_rolled_back_is_not_rolled_back_again_by_a_repeated_build() {
    let (sim, first, second) = failed_build(FAST, STAYS);
    let undone = "on-failure: { run: rollback }";
    deploy(&machine("one", undone), &sim, &first).run().expect(1);
    let calls = sim.calls().len();
    let ran = deploy(&machine("one", undone), &sim, &second).run().expect(1);
    assert!(!ran.stderr.contains("rolling back"), "{}", ran.stderr);
    let called = since(&sim, calls);
    assert!(called.iter().all(|it| CALLS_THAT_READ.contains(&it.as_str())), "{called:?}");
}

#[test]
fn a_repeated_build_begins_a_new_run_if_failed_runs_are_rolled_back() {
    let (sim, first, second) = failed_build(FAST, DISAPPEARS);
    let undone = "on-failure: { run: rollback, retries: 0 }";
    let before = machine("one", undone);
    deploy(&before, &sim, &first).run().expect(1);
    let place = machine("one", undone);
    let ran = deploy(&place, &sim, &second).run().expect(0);
    assert!(ran.stderr.contains("A new run begins"), "{}", ran.stderr);
    let continued = place.runs();
    let new = continued.iter().find(|run| !before.runs().contains(run));
    assert!(new.is_some(), "{continued:?}");
}
