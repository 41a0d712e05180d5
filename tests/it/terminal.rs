//! What a person sees in a terminal, and what a program reads from stdout.

use std::process::Command;

use serde_json::Value;

use crate::harness::{Place, Sim, skipped};
use crate::workshop::{self, STACKS};

const FAST: u32 = 2000;
/// Erases what is below the cursor.
const ERASE: &str = "\x1b[0J";

/// What a deployment in a terminal of 80 columns writes to it. `None` where there is no `script`.
fn in_terminal(variables: &[(&str, &str)], arguments: &[&str]) -> Option<String> {
    if Command::new("script").arg("--version").output().is_err() {
        skipped("there is no `script` to make a terminal");
        return None;
    }
    let place = Place::new();
    let mut call = place.paceline(["deploy"]).args(workshop::app()).args(arguments).multi_region();
    call = call.env("TERM", "xterm");
    for (name, value) in variables {
        call = call.env(name, value);
    }
    Some(call.in_terminal().expect(0).stdout)
}

#[test]
fn a_terminal_has_a_live_part_that_is_gone_at_the_end() {
    let sim = Sim::start(FAST);
    let aws = [
        ("AWS_ENDPOINT_URL", sim.address.as_str()),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_REGION", "us-east-1"),
    ];
    let Some(screen) = in_terminal(&aws, &[]) else { return };
    let (before, after) = screen.rsplit_once(ERASE).expect(&screen);
    assert!(before.contains("stack ") && before.contains(" of 14 stacks done"), "{before}");
    assert!(before.contains("waits for") || before.contains("elapsed"), "{before}");
    assert!(after.contains("14 stacks done in "), "{after}");
    assert!(!after.contains("elapsed") && !after.contains('░'), "{after}");
    assert!(!screen.contains("\x1b[?25l"), "the cursor stays visible");
}

#[test]
fn builds_agents_quiet_runs_and_simple_terminals_have_no_live_part() {
    for (variables, arguments) in [
        (&[("CI", "true")][..], &[][..]),
        (&[("CLAUDECODE", "1")], &[]),
        (&[("TERM", "dumb")], &[]),
        (&[], &["--quiet"]),
    ] {
        let arguments = [&["--simulate"], arguments].concat();
        let Some(screen) = in_terminal(variables, &arguments) else { return };
        assert!(!screen.contains(ERASE), "{screen}");
        // A simple terminal has colours, too.
        assert_eq!(screen.contains("\x1b["), variables == [("TERM", "dumb")], "{screen}");
    }
}

#[test]
fn a_log_says_less_often_what_is_running() {
    let place = Place::new();
    let running = |variable: &str| {
        let call = place.paceline(["deploy", "--simulate"]).args(workshop::app()).env(variable, "1");
        let lines = call.multi_region().run().expect(0).stderr;
        lines.lines().filter(|line| line.contains(" running ")).count()
    };
    let (usual, log) = (running("NOTHING"), running("GEMINI_CLI"));
    assert_eq!(running("CI"), log);
    assert!(0 < log && log < usual, "{log} lines in a log, and otherwise {usual}");
}

#[test]
fn stdout_has_the_events_that_the_file_has() {
    let place = Place::new();
    let call = place.paceline(["deploy", "--simulate", "--format", "json", "--events", "events.jsonl"]);
    let ran = call.args(workshop::app()).multi_region().run().expect(0);
    assert_eq!(ran.stdout, place.read("events.jsonl"));
    assert!(ran.stderr.contains("14 stacks done"), "{}", ran.stderr);
    let ran = place.paceline(["deploy", "--dry-run", "--format", "json"]).args(workshop::app());
    let plan: Value = ran.multi_region().run().expect(0).document("plan");
    assert_eq!(plan["stacks"].as_array().map(Vec::len), Some(STACKS));
}

#[test]
fn a_verbose_run_says_what_happens_to_each_resource() {
    let place = Place::new();
    let ran = place.paceline(["deploy", "--simulate", "--progress", "events"]).args(workshop::app()).run();
    let ran = ran.expect(0);
    let line = "resource  Services: Kubernetes (AWS::EKS::Cluster) CREATE_COMPLETE";
    assert!(ran.stderr.contains(line), "{}", ran.stderr);
}
