//! Interruptions at awkward moments: the command ends as interrupted, and nothing that it has started goes on.

use std::path::Path;

use crate::deploy::tiny_manifest;
use crate::fake_aws::{self, FakeAws, Silence};
use crate::harness::{Call, Place, Running, Sim, until};

/// Shell functions for programs that do not listen, and say by a file that they are there. They end by themselves after
/// two minutes, which no test takes.
const DEAF: &str = "trap '' TERM INT HUP
deaf() { sh -c 'trap \"\" TERM INT HUP; echo $$ > '\"$1.part; mv $1.part $1\"'; for _ in $(seq 2400); do sleep 0.05; done'; }
";

/// The number of the process that has written this file.
fn process(place: &Place, name: &str) -> u32 {
    let mut id = None;
    until("the process is there", || {
        id = fs_err::read_to_string(place.path(name)).ok().and_then(|text| text.trim().parse().ok());
        id.is_some()
    });
    id.unwrap()
}

fn runs(id: u32) -> bool {
    let stat = fs_err::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    !(stat.is_empty() || stat.contains(") Z "))
}

#[track_caller]
fn assert_gone(place: &Place, names: &[&str]) {
    for name in names {
        assert!(!runs(process(place, name)), "{name} goes on");
    }
}

/// Interrupts it when these are there.
fn interrupted_at(place: &Place, running: Running, names: &[&str]) -> String {
    for name in names {
        process(place, name);
    }
    running.signal("TERM");
    let (code, said) = running.end();
    assert_eq!(code, Some(4), "{said}");
    said
}

/// An app of one queue, with this as its synthesis, its `paceline.yaml` and more of it.
fn app(place: &Place, script: &str, more: &str) {
    place.write("app/made/manifest.json", &tiny_manifest(&["One"]));
    place.write("app/made/One.template.json", r#"{"Resources":{"Q":{"Type":"AWS::SQS::Queue"}}}"#);
    place.write("app/synth.sh", &format!("{DEAF}{script}"));
    place.write("paceline.yaml", &format!("apps: {{ one: {{ dir: app, synth: sh synth.sh }} }}\n{more}"));
}

const MADE: &str = "rm -rf cdk.out; cp -r made cdk.out";

fn deploy<'a>(place: &'a Place, address: &str) -> Call<'a> {
    place.paceline(["deploy"]).aws_at(address)
}

#[test]
fn a_synthesis_that_does_not_listen_is_killed_with_all_that_it_has_started() {
    for arguments in [&["deploy"][..], &["synth"], &["destroy", "--yes"]] {
        let place = Place::new();
        app(&place, "deaf background & deaf child", "");
        let running = place.paceline(arguments).aws_at("http://127.0.0.1:9").start("log");
        let said = interrupted_at(&place, running, &["app/background", "app/child"]);
        assert!(said.contains("Interrupted while the app was being synthesized."), "{said}");
        assert!(!said.contains("error: "), "{said}");
        assert_gone(&place, &["app/background", "app/child"]);
        assert_eq!(place.runs(), [""; 0]);
    }
}

#[test]
fn what_has_left_its_group_ends_too() {
    if !Path::new("/usr/bin/setsid").exists() {
        crate::harness::skipped("there is no setsid: nothing leaves its group");
        return;
    }
    let place = Place::new();
    place.write("app/daemon.sh", &format!("{DEAF}deaf daemon"));
    app(&place, "setsid sh daemon.sh & deaf child", "");
    let said = interrupted_at(
        &place,
        deploy(&place, "http://127.0.0.1:9").start("log"),
        &["app/daemon", "app/child"],
    );
    assert!(said.ends_with("Nothing was deployed.\n"), "{said}");
    assert_gone(&place, &["app/daemon", "app/child"]);
}

#[test]
fn a_second_signal_ends_everything_at_once() {
    let place = Place::new();
    app(&place, "deaf child", "");
    let running = deploy(&place, "http://127.0.0.1:9").start("log");
    let id = process(&place, "app/child");
    running.signal("INT");
    until("the first is heard", || place.read("log").contains("Press Ctrl-C again"));
    running.signal("INT");
    assert_eq!(running.end().0, Some(4));
    until("it is gone", || !runs(id));
}

#[test]
fn the_time_of_a_deployment_begins_with_its_process() {
    let place = Place::new();
    app(&place, "deaf child", "");
    let ran = deploy(&place, "http://127.0.0.1:9").args(["--deadline", "1s"]).run().expect(4);
    assert!(
        ran.stderr.ends_with("Out of time while the app was being synthesized. Nothing was deployed.\n"),
        "{}",
        ran.stderr
    );
    assert_gone(&place, &["app/child"]);
}

#[test]
fn what_a_synthesis_leaves_in_the_background_holds_nothing_up_and_goes_on() {
    let (place, sim) = (Place::new(), Sim::start(1000));
    app(&place, &format!("sleep 600 & echo $! > background; {MADE}"), "");
    deploy(&place, &sim.address).run().expect(0);
    let id = process(&place, "app/background");
    assert!(runs(id));
    crate::harness::signal(id, "KILL");
}

#[test]
fn an_interrupted_command_ends_and_so_does_what_others_have_left() {
    let (place, sim) = (Place::new(), Sim::start(1000));
    let commands = "commands:
  - { name: tunnel, after: One, run: '. ./tunnel.sh' }
  - { name: test, after: One, run: '. ./test.sh' }
";
    app(&place, MADE, commands);
    place.write("tunnel.sh", &format!("{DEAF}deaf tunnel & sleep 0.1"));
    place.write("test.sh", &format!("{DEAF}deaf test"));
    let said = interrupted_at(&place, deploy(&place, &sim.address).start("log"), &["tunnel", "test"]);
    assert!(said.contains("Interrupted (SIGTERM). Nothing new will start."), "{said}");
    assert_gone(&place, &["tunnel", "test"]);
}

/// An AWS that answers no call as long as the other value is kept.
fn silent(place: &Place) -> (FakeAws, Silence) {
    let asked = place.path("asked");
    let (silence, wait) = Silence::new();
    let aws = FakeAws::start(move |_| {
        fs_err::write(&asked, "1").unwrap();
        wait();
        fake_aws::caller()
    });
    (aws, silence)
}

#[test]
fn what_waits_for_an_answer_from_aws_can_be_interrupted() {
    let check = |arguments: &[&str], part: &str| {
        let place = Place::new();
        app(&place, MADE, "");
        place.paceline(["synth"]).run().expect(0);
        let (aws, _silence) = silent(&place);
        let running = place.paceline(arguments).aws_at(&aws.address).start("log");
        let said = interrupted_at(&place, running, &["asked"]);
        assert!(said.contains(part), "{said}");
        assert_eq!(place.runs(), [""; 0], "nothing is left of a run that did not start");
    };
    check(
        &["deploy"],
        "Interrupted while roles, bootstrap and quotas were being checked. Nothing was deployed.\n",
    );
    check(&["destroy", "--yes"], "quotas were being checked. Nothing was deleted.\n");
    check(&["bootstrap"], "Interrupted while environments were being bootstrapped.");
    check(&["wait", "iam-role", "any"], "Interrupted while roles were being waited for.\n");
    check(&["project", "diff"], "Interrupted while projects were being compared.\n");
    check(
        &["project", "start"],
        "Interrupted while a build was being started. The build may have started.\n",
    );
}

/// Reading or writing what nobody is at the other end of.
#[test]
fn work_that_cannot_be_stopped_is_left_behind() {
    let (place, sim) = (Place::new(), Sim::start(1000));
    app(&place, MADE, "");
    place.paceline(["synth"]).run().expect(0);
    assert!(std::process::Command::new("mkfifo").arg(place.path("pipe")).status().unwrap().success());
    let running = deploy(&place, &sim.address).args(["--no-synth", "--events", "pipe"]).start("log");
    until("the run has its place", || !place.list(".paceline/runs").is_empty());
    running.signal("TERM");
    let (code, said) = running.end();
    assert_eq!(code, Some(4), "{said}");
    assert_eq!(sim.accepted("CreateStack"), [""; 0]);
    // The same command does it all.
    deploy(&place, &sim.address).args(["--no-synth"]).run().expect(0);
}

#[test]
fn an_interrupted_bootstrap_ends_its_cli() {
    let (place, sim) = (Place::new(), Sim::start_with(1000, &["--bootstrap", "missing"]));
    app(&place, MADE, "");
    place.paceline(["synth"]).run().expect(0);
    let manifest = tiny_manifest(&["One"])
        .replace("\"templateFile\"", "\"requiresBootstrapStackVersion\":6,\"templateFile\"");
    place.write("app/cdk.out/manifest.json", &manifest);
    place.write("app/cdk.sh", &format!("{DEAF}deaf cdk"));
    let running = place.paceline(["bootstrap", "--cdk", "sh cdk.sh"]).aws_at(&sim.address).start("log");
    let said = interrupted_at(&place, running, &["app/cdk"]);
    assert!(said.ends_with("Run `paceline bootstrap` again for the rest.\n"), "{said}");
    assert_gone(&place, &["app/cdk"]);
}

#[test]
fn a_deployment_within_a_buildspec_ends_its_children_when_the_build_is_interrupted() {
    let place = Place::new();
    app(&place, "deaf child", "");
    let paceline = env!("CARGO_BIN_EXE_paceline");
    let command = format!("'{paceline}' synth");
    place.write("b.yml", &format!("version: 0.2\nphases:\n  build:\n    commands:\n      - {command:?}\n"));
    let said =
        interrupted_at(&place, place.paceline(["run-buildspec", "b.yml"]).start("log"), &["app/child"]);
    assert!(said.contains("the build stopped"), "{said}");
    assert_gone(&place, &["app/child"]);
}

#[test]
fn images_stop_being_built() {
    let (place, sim) = (Place::new(), Sim::start_with(1000, &["--images", "absent"]));
    let app = crate::workshop::app_without_gates(&place);
    let script = format!(
        "#!/bin/sh\n{DEAF}case $1 in login) cat > /dev/null;; build) cd \"$HOME\"; deaf build;; esac\n"
    );
    let docker = place.program("docker", &script);
    let call =
        place.paceline(["deploy"]).args(app).aws_at(&sim.address).env("CDK_DOCKER", docker.to_str().unwrap());
    interrupted_at(&place, call.start("log"), &["build"]);
    assert_gone(&place, &["build"]);
}
