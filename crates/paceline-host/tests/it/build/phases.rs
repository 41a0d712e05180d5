//! The phases that run, and the number of attempts.

use super::Place;

const PHASES: &str = "version: 0.2
phases:
  install:
    commands: [$INSTALL echo install $CODEBUILD_BUILD_SUCCEEDING]
    finally: [echo finally-install $CODEBUILD_BUILD_SUCCEEDING]
  pre_build:
    commands: [$PRE_BUILD echo pre_build]
  build:
    commands: [$BUILD echo build, echo build-2]
    finally: [$FINALLY echo finally-build $CODEBUILD_BUILD_SUCCEEDING]
  post_build:
    commands: [$POST_BUILD echo post_build $CODEBUILD_BUILD_SUCCEEDING]
";

/// `failing` is the variable of the command that fails. Its value is `false`, which ignores the words after
/// it.
#[track_caller]
fn check_phases(failing: Option<&str>, change: (&str, &str), phases: [&str; 4], printed: &str) {
    let mut place = Place::new();
    for variable in ["INSTALL", "PRE_BUILD", "BUILD", "FINALLY", "POST_BUILD"] {
        place = place.given(variable, if failing == Some(variable) { "false" } else { "" });
    }
    let ran = place.run(&PHASES.replace(change.0, change.1));
    let states: Vec<_> = ["install", "pre_build", "build", "post_build"]
        .iter()
        .zip(phases)
        .map(|(n, s)| format!("{n} {s}"))
        .collect();
    assert_eq!(ran.phases(), states, "{failing:?} {change:?}");
    assert_eq!(ran.log.split_whitespace().collect::<Vec<_>>().join(" "), printed, "{failing:?} {change:?}");
    assert_eq!(ran.build.succeeded, failing.is_none());
}

#[test]
fn phases_follow_each_other_as_in_codebuild() {
    let as_it_is = ("", "");
    check_phases(
        None,
        as_it_is,
        ["succeeded"; 4],
        "install 1 finally-install 1 pre_build build build-2 finally-build 1 post_build 1",
    );
    check_phases(Some("INSTALL"), as_it_is, ["failed", "skipped", "skipped", "skipped"], "finally-install 0");
    check_phases(
        Some("PRE_BUILD"),
        as_it_is,
        ["succeeded", "failed", "skipped", "skipped"],
        "install 1 finally-install 1",
    );
    let before = "install 1 finally-install 1 pre_build";
    check_phases(
        Some("BUILD"),
        as_it_is,
        ["succeeded", "succeeded", "failed", "succeeded"],
        &format!("{before} finally-build 0 post_build 0"),
    );
    check_phases(
        Some("FINALLY"),
        as_it_is,
        ["succeeded", "succeeded", "failed", "succeeded"],
        &format!("{before} build build-2 post_build 0"),
    );
    check_phases(
        Some("POST_BUILD"),
        as_it_is,
        ["succeeded", "succeeded", "succeeded", "failed"],
        &format!("{before} build build-2 finally-build 1"),
    );
}

#[test]
fn on_failure_decides_what_follows() {
    check_phases(
        Some("INSTALL"),
        ("  install:", "  install:\n    on-failure: CONTINUE"),
        ["failed", "succeeded", "succeeded", "succeeded"],
        "finally-install 0 pre_build build build-2 finally-build 0 post_build 0",
    );
    check_phases(
        Some("BUILD"),
        ("  build:", "  build:\n    on-failure: ABORT"),
        ["succeeded", "succeeded", "failed", "skipped"],
        "install 1 finally-install 1 pre_build finally-build 0",
    );
}

/// A buildspec whose build fails until it has run `times` times.
fn flaky(on_failure: &str, times: u32) -> String {
    format!(
        "version: 0.2\nphases:\n  build:\n    on-failure: {on_failure}\n    commands:\n      - echo $LEFT >> tries; LEFT=over\n      - test $(wc -l < tries) -gt {times}\n"
    )
}

#[track_caller]
fn check_retries(on_failure: &str, fails: u32, attempts: u32, succeeded: bool) {
    let place = Place::new();
    let ran = place.run(&flaky(on_failure, fails));
    assert_eq!((ran.build.attempts, ran.build.succeeded), (attempts, succeeded), "{on_failure}");
    // Every attempt starts with the initial environment.
    let tries = fs_err::read_to_string(place.options.source.join("tries")).unwrap();
    assert!(tries.lines().all(str::is_empty), "{tries}");
}

#[test]
fn a_retried_build_runs_again_within_its_bounds() {
    check_retries("RETRY", 2, 3, true);
    check_retries("RETRY", 9, 4, false);
    check_retries("RETRY-1", 9, 2, false);
    check_retries("RETRY-0", 1, 1, false);
    check_retries("RETRY-2-exit status 1", 1, 2, true);
    check_retries("RETRY-throttled", 1, 1, false);
}
