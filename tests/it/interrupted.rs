//! Runs that are killed, stopped or out of time, and going on with them.

use crate::deploy::tiny_manifest;
use crate::harness::{Call, Events, Place, Sim, until};
use crate::workshop::{self, STACKS};

/// Slow enough to be interrupted, fast enough to be waited for.
const MEDIUM: u32 = 500;

fn deploy<'a>(place: &'a Place, sim: &Sim, events: &str) -> Call<'a> {
    let app = workshop::app_without_gates(place);
    place.paceline(["deploy", "--events", events]).args(app).multi_region().aws_at(&sim.address)
}

/// Waits until some stacks are done and others are going on.
fn until_half_way(place: &Place, events: &str) {
    let path = place.path(events);
    until("some stacks are done", || {
        let text = fs_err::read_to_string(&path).unwrap_or_default();
        let done = text
            .lines()
            .filter(|line| line.contains("step.finished") && line.contains("\"kind\":\"deploy\""));
        done.count() >= 3
    });
}

/// Every stack was created by one accepted call, and none was updated.
fn assert_started_once(sim: &Sim) {
    let mut created = sim.accepted("CreateStack");
    assert_eq!(created.len(), STACKS, "{created:?}");
    created.dedup();
    assert_eq!(created.len(), STACKS, "one was started twice");
    assert_eq!(sim.accepted("UpdateStack"), [""; 0]);
}

#[test]
fn a_killed_run_is_finished_by_the_same_command_and_nothing_is_started_twice() {
    let (place, sim) = (Place::new(), Sim::start(MEDIUM));
    let running = deploy(&place, &sim, "first.jsonl").start("first.log");
    until_half_way(&place, "first.jsonl");
    running.signal("KILL");
    assert_eq!(running.end().0, None);
    assert!(sim.accepted("CreateStack").len() < STACKS, "it was killed too late to tell");

    let ran = deploy(&place, &sim, "second.jsonl").run().expect(0);
    assert!(ran.stderr.contains("continuing the interrupted run"), "{}", ran.stderr);
    assert_started_once(&sim);
    let (first, second) =
        (Events::read(&place.path("first.jsonl")), Events::read(&place.path("second.jsonl")).last_part());
    let outcomes = second.outcomes();
    assert_eq!(outcomes.len(), STACKS);
    assert!(
        outcomes.iter().all(|(_, outcome)| outcome == "deployed"),
        "the whole run deployed them: {outcomes:?}"
    );
    assert_eq!(first.0[0]["run"], second.0[0]["run"], "it is one run");
    let seq = |events: &Events, index: usize| events.0[index]["seq"].as_u64().unwrap();
    assert!(seq(&second, 0) > seq(&first, first.0.len() - 1), "the numbers go on");

    deploy(&place, &sim, "third.jsonl").run().expect(0);
    let third = Events::read(&place.path("third.jsonl"));
    assert!(third.outcomes().iter().all(|(_, outcome)| outcome == "unchanged"), "{:?}", third.outcomes());
    assert_ne!(third.0[0]["run"], second.0[0]["run"], "a finished run is not gone on with");
}

#[test]
fn a_kill_before_the_first_stack_is_done_loses_nothing() {
    let (place, sim) = (Place::new(), Sim::start(MEDIUM));
    let running = deploy(&place, &sim, "first.jsonl").start("first.log");
    let path = place.path("first.jsonl");
    until("a stack is submitted", || Events::count(&path, "stack.submitted") > 0);
    running.signal("KILL");
    running.end();
    deploy(&place, &sim, "second.jsonl").run().expect(0);
    assert_started_once(&sim);
}

#[test]
fn sigterm_stops_the_run_and_the_same_command_goes_on() {
    for resume in [&[][..], &["--resume"][..]] {
        let (place, sim) = (Place::new(), Sim::start(MEDIUM));
        let running = deploy(&place, &sim, "first.jsonl").start("first.log");
        until_half_way(&place, "first.jsonl");
        running.signal("TERM");
        let (code, said) = running.end();
        assert_eq!(code, Some(4), "{said}");
        assert!(said.contains("SIGTERM"), "{said}");
        let first = Events::read(&place.path("first.jsonl"));
        assert_eq!(first.outcomes().len(), STACKS, "every stack has an outcome");
        assert!(first.outcomes().iter().any(|(_, outcome)| outcome == "interrupted"));
        assert_eq!(first.0.last().unwrap()["exit_code"], 4);

        deploy(&place, &sim, "second.jsonl").args(resume).run().expect(0);
        assert_started_once(&sim);
    }
}

#[test]
fn ctrl_c_is_told_once_and_a_second_one_still_names_what_goes_on_in_aws() {
    let (place, sim) = (Place::new(), Sim::start(1));
    place.write("cdk.out/manifest.json", &tiny_manifest(&["One", "Two"]));
    for stack in ["One", "Two"] {
        let template = r#"{"Resources":{"Q":{"Type":"AWS::SQS::Queue"}}}"#;
        place.write(&format!("cdk.out/{stack}.template.json"), template);
    }
    // It does not end when it is asked to, so that there is time for the second signal. It ends by itself after two
    // minutes, which no test takes.
    let stays = "trap : INT TERM; for _ in $(seq 2400); do sleep 0.05; done";
    let command = format!("version: 1\ncommands:\n  - {{ name: stays, before: Two, run: '{stays}' }}\n");
    place.write("paceline.yaml", &command);
    let running = place.paceline(["deploy", "--events", "events.jsonl"]).aws_at(&sim.address).start("log");
    let events = place.path("events.jsonl");
    until("AWS works on the stack", || Events::count(&events, "stack.accepted") > 0);
    until("the command runs", || Events::count(&events, "step.started") > 1);
    running.signal("INT");
    until("it is told", || place.read("log").contains("Press Ctrl-C again"));
    running.signal("INT");
    let (code, said) = running.end();
    assert_eq!(code, Some(4), "{said}");
    assert_eq!(said.matches("will start").count(), 1, "{said}");
    let look = "  aws cloudformation describe-stacks --region us-east-1 --stack-name One\n";
    // Whether the run has come to its end meanwhile or not.
    assert!(said.contains("oing on in AWS") && said.contains(look), "{said}");
    assert!(said.contains("\nTo continue the run, run the same command again"), "{said}");
    assert!(said.contains("\nJournal: .paceline/runs/"), "{said}");
}

#[test]
fn a_run_that_is_out_of_time_stops_by_itself() {
    let (place, sim) = (Place::new(), Sim::start(1));
    let ran = deploy(&place, &sim, "events.jsonl").args(["--deadline", "8s"]).run().expect(4);
    assert!(ran.stderr.contains("out of time"), "{}", ran.stderr);
    assert!(ran.stderr.contains("same command"), "it says how to go on: {}", ran.stderr);
    let events = Events::read(&place.path("events.jsonl"));
    assert!(events.of("run.stopping").next().is_some());
    assert!(events.outcomes().iter().all(|(_, outcome)| outcome == "interrupted"), "{:?}", events.outcomes());
}

#[test]
fn resume_with_nothing_to_resume_is_refused() {
    let place = Place::new();
    let app = workshop::app();
    let ran = place.paceline(["deploy", "--resume"]).args(app).aws_at("http://127.0.0.1:9").run().expect(2);
    assert!(ran.stderr.starts_with("error: there is no interrupted run"), "{}", ran.stderr);
    assert!(ran.stderr.contains(" hint: "), "{}", ran.stderr);
}

#[test]
fn two_processes_do_not_work_on_one_run() {
    let (place, sim) = (Place::new(), Sim::start(1));
    let first = deploy(&place, &sim, "first.jsonl").start("first.log");
    let path = place.path("first.jsonl");
    until("the first has started", || Events::count(&path, "step.started") > 0);
    let calls = sim.calls().iter().filter(|call| call.1 == "GetCallerIdentity").count();

    let ran = deploy(&place, &sim, "second.jsonl").run().expect(3);
    assert!(ran.stderr.starts_with("error: another process is deploying this app"), "{}", ran.stderr);
    assert!(ran.stderr.contains(" hint: "), "{}", ran.stderr);
    let after = sim.calls().iter().filter(|call| call.1 == "GetCallerIdentity").count();
    assert_eq!(after, calls, "the second did not even call AWS");
    first.signal("KILL");
    first.end();
}
