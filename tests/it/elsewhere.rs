//! What another machine can do with a run whose journal is in the staging bucket.

use crate::chain::{self, THREE, three};
use crate::harness::{Call, Events, Place, Sim};

/// Fast enough not to be waited for.
const FAST: u32 = 2000;
/// Slow enough to be interrupted.
const MEDIUM: u32 = 10;

fn app(place: &Place, version: &str) {
    three(place, version);
    place.write("paceline.yaml", "journal: { bucket: always, history: shared }\n");
}

fn machine(version: &str) -> Place {
    let place = Place::new();
    app(&place, version);
    place
}

fn call<'a>(place: &'a Place, sim: &Sim, arguments: &[&str]) -> Call<'a> {
    place.paceline(arguments).aws_at(&sim.address)
}

/// An AWS in which the run of another machine was killed after its first stack, and the name of the run.
fn killed() -> (Sim, String) {
    let (place, sim) = (machine("one"), Sim::start(MEDIUM));
    let run = chain::killed(&place, &sim, call(&place, &sim, &["deploy", "--events", "events.jsonl"]));
    (sim, run)
}

#[test]
fn a_killed_run_is_continued_on_a_machine_that_has_only_the_app() {
    let (sim, run) = killed();
    let elsewhere = machine("one");
    let arguments = ["deploy", "--resume", &run, "--lock", "none", "--events", "second.jsonl"];
    let ran = call(&elsewhere, &sim, &arguments).run().expect(0);
    assert!(ran.stderr.contains(&format!("continuing the interrupted run {run}")), "{}", ran.stderr);
    assert_eq!(sim.accepted("CreateStack"), THREE, "each stack was created once");
    let events = Events::read(&elsewhere.path("second.jsonl"));
    assert_eq!(events.of("run.started").count(), 2, "the report has both parts");
    assert!(events.0.iter().zip(1..).all(|(event, seq)| event["seq"].as_u64() == Some(seq)));

    // The run has ended: there is nothing more to continue, and every machine can report it.
    let third = machine("one");
    let ran = call(&third, &sim, &["deploy", "--resume", &run]).run().expect(2);
    assert!(ran.stderr.contains("has ended, so there is nothing to continue"), "{}", ran.stderr);
    let report = call(&machine("one"), &sim, &["report", "last", "--format", "json"]).run().expect(0);
    assert_eq!(report.document("report")["run"].as_str(), Some(run.as_str()));
    let watched = call(&machine("one"), &sim, &["watch", &run]).run().expect(0);
    assert!(watched.stderr.contains("3 of 3 stacks ended so far"), "{}", watched.stderr);
}

#[test]
fn the_same_command_continues_the_run_of_a_build_that_was_killed() {
    let (sim, run) = killed();
    let ran = call(&machine("one"), &sim, &["deploy", "--lock", "none"]).run().expect(0);
    assert!(ran.stderr.contains(&format!("continuing the interrupted run {run}")), "{}", ran.stderr);
    assert_eq!(sim.accepted("CreateStack"), THREE);
}

#[test]
fn a_run_of_an_app_that_has_changed_since_is_continued_and_the_changes_are_named() {
    let (sim, run) = killed();
    let elsewhere = machine("two");
    let ran = call(&elsewhere, &sim, &["deploy", "--resume", &run, "--lock", "none"]).run().expect(0);
    let expected = format!("continuing the interrupted run {run}. Since it was interrupted:\n");
    assert!(ran.stderr.contains(&expected), "{}", ran.stderr);
    assert!(ran.stderr.contains("the template of `Web` has changed"), "{}", ran.stderr);
    // The stacks are those of the second version.
    let changed = sim.accepted("UpdateStack").len();
    call(&machine("two"), &sim, &["deploy"]).run().expect(0);
    assert_eq!(sim.accepted("UpdateStack").len(), changed);
}

#[test]
fn a_run_is_rolled_back_from_another_machine() {
    let (here, sim) = (machine("one"), Sim::start(FAST));
    call(&here, &sim, &["deploy"]).run().expect(0);
    app(&here, "two");
    call(&here, &sim, &["deploy"]).run().expect(0);
    let run = here.runs()[1].clone();
    let elsewhere = machine("two");
    call(&elsewhere, &sim, &["rollback", &run, "--yes"]).run().expect(0);
    let updates = sim.accepted("UpdateStack").len();
    // The stacks are those of the first version: to deploy it changes nothing.
    call(&machine("one"), &sim, &["deploy"]).run().expect(0);
    assert_eq!((updates, sim.accepted("UpdateStack").len()), (6, 6));
}

#[test]
fn the_histories_of_two_machines_are_one() {
    let (here, there, sim) = (machine("one"), machine("one"), Sim::start(FAST));
    call(&here, &sim, &["deploy"]).run().expect(0);
    app(&there, "two");
    call(&there, &sim, &["deploy"]).run().expect(0);
    let runs = |place: &Place| {
        let listed = call(place, &sim, &["history", "--format", "json"]).run().expect(0).document("history");
        let names =
            listed["runs"].as_array().unwrap().iter().map(|run| run["run"].as_str().unwrap().to_owned());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    };
    assert_eq!(runs(&here).len(), 2);
    assert_eq!(runs(&here), runs(&there));
    assert_eq!(runs(&machine("one")), runs(&here), "a new machine has both");
}

#[test]
fn a_name_that_is_no_run_is_refused() {
    let place = machine("one");
    let ran = place.paceline(["deploy", "--resume", "Api"]).run().expect(2);
    assert!(ran.stderr.contains("this is not the name of a run"), "{}", ran.stderr);
}

#[test]
fn a_prepared_run_is_executed_on_another_machine() {
    let (here, sim) = (machine("one"), Sim::start(FAST));
    let none = call(&here, &sim, &["deploy", "--method", "execute"]).run().expect(2);
    assert!(none.stderr.contains("no prepared run of this app is known"), "{}", none.stderr);
    call(&here, &sim, &["deploy", "--method", "prepare"]).run().expect(0);
    let run = here.runs()[0].clone();
    for arguments in [&["deploy", "--prepared", &run][..], &["deploy", "--method", "execute"]] {
        let there = machine("one");
        let ran = call(&there, &sim, arguments).run().expect(0);
        assert!(ran.stderr.contains(&format!("the run {run} is from the staging bucket")), "{}", ran.stderr);
        assert_eq!(sim.accepted("CreateChangeSet").len(), THREE.len(), "none was made again");
        assert_eq!(sim.accepted("ExecuteChangeSet").len(), THREE.len());
    }
}
