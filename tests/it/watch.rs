//! `paceline watch`: stacks that another process deploys, and its run.

use std::fs::File;
use std::process::Command;

use crate::harness::{Events, Place, Sim, skipped, until};
use crate::workshop;

const FAST: u32 = 1000;
const REGIONS: [&str; 4] = ["--region", "us-east-1", "--region", "us-west-2"];
const FAIL: [&str; 2] = ["--fail", "FisServerless:ThrottleFunction:create"];

#[test]
fn stacks_in_two_regions_are_watched_until_they_are_settled() {
    let (place, elsewhere, sim) = (Place::new(), Place::new(), Sim::start_with(FAST, &FAIL));
    let watch = |arguments: &[&str], log: &str| {
        let call = elsewhere.paceline(["watch", "--until-settled", "--format", "json"]).args(REGIONS);
        let out = File::create(elsewhere.path(log).with_extension("jsonl")).unwrap();
        call.args(arguments).aws_at(&sim.address).start_printing_to(out, log)
    };
    let services = watch(&["Services*"], "services.log");
    let all = watch(&["*"], "all.log");
    until("both watch", || {
        ["services.log", "all.log"].iter().all(|log| elsewhere.read(log).contains("watching us-east-1"))
    });
    let app = workshop::app_without_retries(&place);
    place.paceline(["deploy"]).args(app).multi_region().aws_at(&sim.address).run().expect(1);
    let (code, log) = services.end();
    assert_eq!(code, Some(0), "{log}");
    for line in [
        "start     Services (us-east-1)",
        "done      ServicesSecondary (us-west-2) in ",
        "2 stacks settled well",
    ] {
        assert!(log.contains(line), "no {line} in {log}");
    }
    assert!(!log.contains("Applications"), "{log}");
    let events = Events::read(&elsewhere.path("services.jsonl"));
    let outcomes: Vec<_> =
        events.of("step.finished").map(|event| event["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["deployed"; 2]);
    assert_eq!(events.of("run.finished").count(), 1);
    let (code, log) = all.end();
    assert_eq!(code, Some(1), "{log}");
    for line in [
        "FAILED    FisServerless (us-east-1)",
        "it was made to fail",
        "the last operation failed on FisServerless",
    ] {
        assert!(log.contains(line), "no {line} in {log}");
    }
}

#[test]
fn the_stacks_of_an_app_are_watched_until_somebody_interrupts() {
    let (place, sim) = (Place::new(), Sim::start_with(FAST, &FAIL));
    let app = workshop::app_without_retries(&place);
    place.paceline(["deploy"]).args(app).aws_at(&sim.address).run().expect(1);
    let call = place.paceline(["watch", "Fis*", "Observability*"]).args(workshop::app());
    let watching = call.aws_at(&sim.address).start("watch.log");
    until("it watches", || place.read("watch.log").contains("watching "));
    watching.signal("INT");
    let (code, log) = watching.end();
    assert_eq!(code, Some(4), "{log}");
    assert!(log.contains("warning: FisServerless (us-east-1) is ROLLBACK_COMPLETE: "), "{log}");
    assert!(log.contains("it was made to fail"), "{log}");
    assert!(
        log.contains("watching 4 stacks in us-east-1 and us-west-2: no operation is in progress"),
        "{log}"
    );
}

#[test]
fn a_run_is_watched_to_its_end_by_another_process_in_its_folder() {
    let (place, sim) = (Place::new(), Sim::start(FAST));
    let deploy = place.paceline(["deploy"]).args(workshop::app()).aws_at(&sim.address).start("deploy.log");
    until("the run has begun", || {
        place.runs().first().is_some_and(|run| {
            Events::count(&place.path(&format!(".paceline/runs/{run}/journal.jsonl")), "step.started") > 0
        })
    });
    let watched = place.paceline(["watch", "last"]).run().expect(0);
    assert!(
        watched.stderr.contains("watching the run ") && watched.stderr.contains("done      "),
        "{watched:?}"
    );
    assert!(watched.stderr.contains("5 stacks done in "), "{watched:?}");
    assert_eq!(deploy.end().0, Some(0));
    let run = &place.runs()[0];
    let again = place.paceline(["watch", run, "--format", "json"]).run().expect(0);
    assert!(again.stderr.contains("5 of 5 stacks ended"), "{again:?}");
    assert_eq!(again.stdout, place.read(&format!(".paceline/runs/{run}/journal.jsonl")), "its events");
}

#[test]
fn a_run_without_an_event_is_waited_for() {
    let place = Place::new();
    place.write(".paceline/runs/20260102T030405Z-0123abcd/journal.jsonl", "");
    let watching = place.paceline(["watch", "last"]).start("watch.log");
    until("it watches", || place.read("watch.log").contains("watching a run that has not begun yet"));
    watching.signal("INT");
    let (code, log) = watching.end();
    assert_eq!(code, Some(4), "{log}");
    assert!(!log.contains("its process writes nothing"), "{log}");
}

#[test]
fn what_cannot_be_watched_is_refused_with_what_to_do() {
    let place = Place::new();
    for (arguments, says) in [
        (&["last"][..], "there is no run in .paceline/runs"),
        (&["20260102T030405Z-0123abcd"], "watch its stacks by their names"),
        (&["last", "Services"], "only one run can be watched"),
        (&["Services", "[a"], "`[a` is no pattern"),
    ] {
        let ran = place.paceline(["watch"]).args(arguments).run().expect(2);
        assert!(ran.stderr.contains(says), "{ran:?}");
    }
    let ran = place.paceline(["watch", "Nope*"]).args(workshop::app()).run().expect(2);
    assert!(ran.stderr.contains("no stack like Nope*"), "{ran:?}");
}

#[test]
fn a_key_ends_the_watch_and_the_terminal_gets_its_settings_back() {
    if Command::new("script").arg("--version").output().is_err() {
        return skipped("there is no `script` to make a terminal");
    }
    let (place, sim) = (Place::new(), Sim::start(FAST));
    let call = place.paceline(["watch"]).args(workshop::app()).aws_at(&sim.address);
    let screen = call.env("TERM", "xterm").in_terminal_with("jcq").expect(4).stdout;
    for setting in [" icanon", " echo "] {
        assert!(screen.contains(setting), "{screen}");
    }
}
