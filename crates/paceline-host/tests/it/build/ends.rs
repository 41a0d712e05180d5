//! The files that a build leaves, and stopping a build.

use std::time::Duration;

use camino::Utf8Path;
use paceline_host::build::CollectedKind;

use super::{Place, commands};

const LEAVES: &str = "version: 0.2
phases:
  build:
    commands:
      - mkdir -p out/sub reports .git
      - touch out/a.txt out/sub/b.txt out/sub/skip.log reports/junit.xml top.txt
      - exit $CODE
reports:
  tests: { files: '*.xml', base-directory: reports }
  arn:aws:codebuild:us-east-1:111122223333:report-group/shared: { files: ['none/*'] }
artifacts:
  files: ['**/*']
  base-directory: out
  exclude-paths: ['**/*.log']
  secondary-artifacts:
    flat: { files: ['out/**/*.txt', top.txt], discard-paths: yes }
";

#[test]
fn reports_and_artifacts_are_collected_even_after_a_failure() {
    for code in ["0", "1"] {
        let place = Place::new().given("CODE", code).keeping();
        let ran = place.run(LEAVES);
        let found: Vec<_> = ran.build.collected.iter().map(|one| (one.kind, one.files.len())).collect();
        // Reports come in the order of their names.
        let expected = [
            (CollectedKind::Report, 0),
            (CollectedKind::Report, 1),
            (CollectedKind::Artifacts, 2),
            (CollectedKind::SecondaryArtifacts, 3),
        ];
        assert_eq!(found, expected);
        for path in [
            "reports/tests/junit.xml",
            "artifacts/a.txt",
            "artifacts/sub/b.txt",
            "secondary-artifacts/flat/b.txt",
            "secondary-artifacts/flat/top.txt",
        ] {
            assert!(place.dir.join("kept").join(path).is_file(), "{path}");
        }
        assert!(!place.dir.join("kept/artifacts/sub/skip.log").exists());
        assert_eq!(ran.build.succeeded, code == "0", "a report that is not there fails nothing");
    }
}

#[test]
fn missing_artifacts_fail_a_build_that_keeps_them() {
    let text = commands("bash", &["true"]) + "artifacts: { files: ['none/*'] }\n";
    assert!(Place::new().run(&text).build.succeeded);
    let ran = Place::new().keeping().run(&text);
    assert!(!ran.build.succeeded);
    assert_eq!(ran.phases(), ["build succeeded", "artifacts failed"]);
}

#[test]
fn kept_files_are_not_collected_again() {
    let mut place = Place::new();
    place.options.keep = Some(place.options.source.join("kept"));
    let text = commands("bash", &["touch a"]) + "artifacts: { files: ['**/*'] }\n";
    for _ in 0..2 {
        assert_eq!(place.run(&text).build.collected[0].files, ["a"]);
    }
}

/// Waits for a file that another process writes.
fn until(path: &Utf8Path) {
    for _ in 0..10_000 {
        if fs_err::read_to_string(path).is_ok_and(|text| !text.is_empty()) {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("{path} did not come");
}

#[test]
fn a_stop_reaches_the_children_of_the_command_and_nothing_follows() {
    let place = Place::new();
    let (stop, ready) = (place.options.stop.clone(), place.options.source.join("ready"));
    let stopper = std::thread::spawn(move || {
        until(&ready);
        stop.cancel();
    });
    // The command ends by the interrupt, like a program with a handler. A shell would lose an interrupt while
    // it starts a program.
    let waits =
        r#"sh -c 'trap "trap - INT; kill -INT $$" INT; echo x > ready; while :; do sleep 0.01; done'"#;
    let text = commands("bash", &[&format!("{waits}\necho after"), "echo next"])
        + "  post_build:\n    commands: [echo post]\nartifacts: { files: ['**/*'] }\n";
    let ran = place.run(&text);
    stopper.join().unwrap();
    assert!(ran.build.stopped && !ran.build.succeeded);
    assert_eq!(ran.phases(), ["build stopped", "post_build skipped"]);
    assert!(ran.build.collected.is_empty());
    assert!(!ran.log.contains("next") && !ran.log.contains("post"), "{}", ran.log);
}

#[test]
fn a_command_that_ignores_a_stop_is_killed() {
    let mut place = Place::new();
    place.options.grace = Duration::from_millis(100);
    let (stop, source) = (place.options.stop.clone(), place.options.source.clone());
    let stopper = std::thread::spawn(move || {
        until(&source.join("ready"));
        stop.cancel();
    });
    let script = "trap 'echo x > heard' INT; echo x > ready; while :; do sleep 0.01; done";
    assert!(place.run(&commands("bash", &[script])).build.stopped);
    stopper.join().unwrap();
    assert!(place.options.source.join("heard").exists(), "it was asked first");
}

#[test]
fn background_processes_live_as_long_as_the_build() {
    let place = Place::new();
    let text = commands("bash", &["sleep 600 & echo $! > pid", "kill -0 $(cat pid) && echo alive"]);
    assert_eq!(place.run(&text).log, "alive\n");
    let pid = fs_err::read_to_string(place.options.source.join("pid")).unwrap();
    let gone = || {
        let stat = fs_err::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
        // A killed process that nobody waits for is a zombie.
        stat.is_empty() || stat.contains(") Z ")
    };
    if cfg!(target_os = "linux") {
        let is_gone = (0..10_000).any(|_| {
            std::thread::sleep(Duration::from_millis(5));
            gone()
        });
        assert!(is_gone);
    }
}
