//! The first contact: a folder with a CDK app, and nothing of Paceline.

use crate::harness::{Call, Place, Sim};
use crate::workshop;

/// A CDK app whose CLI is a program of the test: it synthesizes the example, or fails.
fn new_app(place: &Place) {
    use std::os::unix::fs::PermissionsExt as _;
    place.write("cdk.json", r#"{ "app": "node bin/app.js" }"#);
    let example = workshop::path("cdk.out");
    let script =
        format!("#!/bin/sh\n[ ! -f broken ] || exit 1\necho \"$@\" >> called\ncp -r '{example}' cdk.out\n");
    let cdk = place.write("bin/cdk", &script);
    fs_err::set_permissions(cdk, std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn paceline<'a>(place: &'a Place, arguments: &[&str]) -> Call<'a> {
    let path = format!("{}:{}", place.path("bin").display(), std::env::var("PATH").unwrap());
    place.paceline(arguments).env("PATH", &path)
}

#[test]
fn without_a_command_a_new_app_is_described_in_ten_lines() {
    let place = Place::new();
    new_app(&place);
    let ran = paceline(&place, &[]).run().expect(0);
    let note =
        "note: there is no cdk.out: synthesizing the app of cdk.json first\n[synth] $ cdk synth --quiet\n";
    assert!(ran.stderr.starts_with(note), "{}", ran.stderr);
    assert_eq!(place.read("called"), "synth --quiet\n");
    assert_eq!(
        ran.stdout,
        "A CDK app with 14 stacks in 2 regions (us-east-1 and us-west-2): 446 resources
and 2 images.
23 dependencies between stacks. The manifest of the CDK does not have 19 of them
(import and ssm).
Deployed one after another: 2 h 12 min. With Paceline: 57 min 59 s, which is 1 h
14 min less. Both are estimates, from the usual durations of resources.
next:
  paceline plan               # the order of the stacks, with its reasons
  paceline deploy --simulate  # deploys to the embedded AWS, not to yours
  paceline init               # writes paceline.yaml
"
    );
    // Typed through npm, the commands are those of npm.
    let ran = paceline(&place, &[]).env("npm_config_user_agent", "npm/11").run().expect(0);
    assert!(ran.stdout.contains("\n  npx paceline plan "), "{}", ran.stdout);
    assert!(ran.stdout.lines().all(|line| line.chars().count() <= 80), "{}", ran.stdout);
    assert_eq!(place.read("called").lines().count(), 1, "the assembly is there now");
}

#[test]
fn elsewhere_the_commands_are_listed() {
    let place = Place::new();
    let ran = place.paceline::<[&str; 0]>([]).run().expect(2);
    assert!(ran.stderr.contains("Usage: paceline <COMMAND>"), "{}", ran.stderr);
    new_app(&place);
    place.write("paceline.yaml", "version: 1\n");
    let ran = paceline(&place, &[]).run().expect(2);
    assert!(ran.stderr.contains("Usage: paceline <COMMAND>"), "{}", ran.stderr);
}

#[test]
fn what_is_not_synthesized_yet_is_synthesized_first() {
    let sim = Sim::start(2000);
    for (arguments, says) in [
        (&["plan"][..], "Plan: 14 stacks"),
        (&["explain", "Applications", "Services"], "Applications waits for Services"),
        (&["deploy", "--dry-run", "--context", "stage=prod"], "Services"),
        (&["deploy", "Services", "-e"], "1 stack done"),
    ] {
        let place = Place::new();
        new_app(&place);
        let ran = paceline(&place, arguments).aws_at(&sim.address).run().expect(0);
        assert!(
            ran.stderr.contains("note: there is no cdk.out: synthesizing"),
            "{arguments:?}: {}",
            ran.stderr
        );
        assert!(format!("{}{}", ran.stdout, ran.stderr).contains(says), "{arguments:?}: {ran:?}");
        let called = place.read("called");
        assert_eq!(called.contains("--context stage=prod"), arguments.contains(&"--context"), "{called}");
    }
}

#[test]
fn nothing_is_synthesized_where_that_was_not_wanted_and_a_failure_is_told() {
    let place = Place::new();
    new_app(&place);
    let ran = paceline(&place, &["deploy", "--simulate", "--no-synth"]).run().expect(2);
    assert!(ran.stderr.contains("could not find a cloud assembly in `cdk.out`"), "{}", ran.stderr);
    assert!(!place.path("called").exists());
    place.write("broken", "");
    let ran = paceline(&place, &[]).run().expect(2);
    assert!(ran.stderr.contains("`cdk synth --quiet` failed"), "{}", ran.stderr);
}

#[test]
fn packages_are_installed_only_if_there_are_none() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    new_app(&place);
    place.write("package.json", r#"{ "scripts": { "synth": "cdk synth" } }"#);
    place.write("package-lock.json", "{}");
    let npm =
        place.write("bin/npm", "#!/bin/sh\necho \"npm $@\" >> called\n[ \"$1\" != run ] || cdk synth\n");
    fs_err::set_permissions(npm, std::fs::Permissions::from_mode(0o755)).unwrap();
    paceline(&place, &["plan"]).run().expect(0);
    assert_eq!(place.read("called"), "npm ci\nnpm run synth\nsynth\n");
    for folder in ["cdk.out", "called"] {
        let path = place.path(folder);
        if path.is_dir() { fs_err::remove_dir_all(path).unwrap() } else { fs_err::remove_file(path).unwrap() }
    }
    place.write("node_modules/paceline/package.json", "{}");
    paceline(&place, &["plan"]).run().expect(0);
    assert_eq!(place.read("called"), "npm run synth\nsynth\n");
}
