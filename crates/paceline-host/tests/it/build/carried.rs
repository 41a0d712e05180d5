//! The state that one command passes to the next.

use super::{Place, commands};

#[track_caller]
fn check(shell: &str, items: &[&str], printed: &str) {
    assert_eq!(Place::new().run(&commands(shell, items)).log, printed, "{shell}: {items:?}");
}

#[test]
fn the_environment_and_the_folder_carry_over() {
    for shell in ["bash", "/bin/sh"] {
        check(shell, &["export A=1", "echo $A"], "1\n");
        // A plain assignment carries over too, and reaches the programs that are called.
        check(shell, &["A='two  words'", "sh -c 'echo \"$A\"'"], "two  words\n");
        check(shell, &["A=\"$(printf 'x\\ny')\"", "echo \"$A\""], "x\ny\n");
        check(shell, &["export A=1", "unset A", "echo ${A-unset}"], "unset\n");
        check(shell, &["mkdir -p a/b && cd a", "cd b", "basename \"$(pwd)\""], "b\n");
        check(shell, &["echo \"$(basename \"$PWD\") $FROM_MACHINE\""], "src machine\n");
    }
}

#[test]
fn functions_traps_and_options_do_not_carry_over() {
    for shell in ["bash", "/bin/sh"] {
        check(shell, &["f() { echo f; }", "command -v f || echo none"], "none\n");
        check(shell, &["trap 'echo left' EXIT; echo in", "echo next"], "in\nleft\nnext\n");
        check(shell, &["set -eu", "false; echo \"on $MISSING\""], "on \n");
        check(shell, &["alias ll='echo listed'", "command -v ll || echo none"], "none\n");
    }
    check("bash", &["set -o pipefail", "false | true", "echo on"], "on\n");
    check("bash", &["f() { :; }; export -f f", "env | grep -c BASH_FUNC || true"], "0\n");
}

/// In CodeBuild, the lines after those of the command save the environment.
#[test]
fn a_command_that_exits_early_passes_nothing_on() {
    check("bash", &["export A=1; exit 0", "echo ${A-unset}"], "unset\n");
}

#[test]
fn only_the_last_line_of_a_command_counts_and_exit_ends_only_the_command() {
    let place = Place::new();
    let ran = place.run(&commands("bash", &["false\necho after", "exit 0", "echo next"]));
    assert_eq!((ran.build.succeeded, ran.log.as_str()), (true, "after\nnext\n"));
    let ran = Place::new().run(&commands("bash", &["exit 3", "echo never"]));
    assert_eq!((ran.build.succeeded, ran.log.as_str()), (false, ""));
    assert_eq!(
        ran.build.phases[0].failure.as_deref(),
        Some("Command did not exit successfully exit 3 exit status 3")
    );
}

#[test]
fn lines_are_counted_as_in_codebuild() {
    let ran = Place::new().run(&commands("bash", &["echo $LINENO\necho $LINENO"]));
    assert_eq!(ran.log, "4\n5\n");
}

#[test]
fn in_version_0_1_every_command_starts_with_the_initial_environment() {
    let text = "version: 0.1\nphases:\n  build:\n    commands:\n      - export A=1; cd /\n      - echo ${A-unset} $(basename $PWD)\n";
    assert_eq!(Place::new().run(text).log, "unset src\n");
}
