//! How a build runs on this machine: what carries over, which phases follow a failure, and what it leaves.

use std::ffi::OsString;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use paceline_buildspec::Buildspec;
use paceline_buildspec::run::{Build, Kind, Output, RunError, RunOptions, Stop, run, summary};

/// A folder with a source, and what is printed in it.
struct Place {
    _temp: tempfile::TempDir,
    dir: Utf8PathBuf,
    options: RunOptions,
}

struct Ran {
    build: Build,
    log: String,
}

impl Place {
    fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(temp.path()).unwrap().canonicalize_utf8().unwrap();
        let source = dir.join("src");
        fs_err::create_dir_all(&source).unwrap();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let options = RunOptions {
            name: "test".into(),
            source,
            environment: vec![(OsString::from("PATH"), path), ("FROM_MACHINE".into(), "machine".into())],
            overrides: Vec::new(),
            keep: None,
            output: Output::File(dir.join("log")),
            stop: Stop::default(),
        };
        Self { _temp: temp, dir, options }
    }

    fn given(mut self, name: &str, value: &str) -> Self {
        self.options.overrides.push((name.to_owned(), value.to_owned()));
        self
    }

    fn keeping(mut self) -> Self {
        self.options.keep = Some(self.dir.join("kept"));
        self
    }

    fn try_run(&self, text: &str) -> Result<Build, RunError> {
        run(&Buildspec::read(text).unwrap().buildspec, &self.options, &mut |_| {})
    }

    #[track_caller]
    fn run(&self, text: &str) -> Ran {
        let build = self.try_run(text).unwrap();
        // Nothing may have been printed.
        let log = fs_err::read_to_string(self.dir.join("log")).unwrap_or_default();
        Ran { build, log }
    }
}

impl Ran {
    /// Its phases as `name state`.
    fn phases(&self) -> Vec<String> {
        let line = |line: &str| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
        summary(&self.build).lines().take(self.build.phases.len()).map(line).collect()
    }
}

/// A buildspec of these commands in its build phase, for a shell.
fn commands(shell: &str, commands: &[&str]) -> String {
    let items: Vec<String> =
        commands.iter().map(|command| format!("      - {}\n", serde_json::Value::from(*command))).collect();
    format!("version: 0.2\nenv:\n  shell: {shell}\nphases:\n  build:\n    commands:\n{}", items.concat())
}

#[track_caller]
fn check(shell: &str, items: &[&str], printed: &str) {
    assert_eq!(Place::new().run(&commands(shell, items)).log, printed, "{shell}: {items:?}");
}

#[test]
fn the_environment_and_the_folder_carry_over() {
    for shell in ["bash", "/bin/sh"] {
        check(shell, &["export A=1", "echo $A"], "1\n");
        // An assignment alone carries over too, and reaches the programs that are called.
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

/// As in CodeBuild, where the environment is saved by lines behind those of the command.
#[test]
fn a_command_that_leaves_early_hands_nothing_on() {
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
fn in_version_0_1_every_command_starts_afresh() {
    let text = "version: 0.1\nphases:\n  build:\n    commands:\n      - export A=1; cd /\n      - echo ${A-unset} $(basename $PWD)\n";
    assert_eq!(Place::new().run(text).log, "unset src\n");
}

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

/// `failing` is the command that fails, by its variable; `false` swallows the words behind it.
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

/// Fails until it was run so many times.
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
    // Every attempt starts from the environment of the first.
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

#[test]
fn variables_are_literal_and_what_is_given_comes_first() {
    let text = "version: 0.2
env:
  variables:
    LITERAL: $FROM_MACHINE and ${HOME}
    GIVEN: buildspec
    FROM_MACHINE: buildspec
phases:
  build:
    commands:
      - printf '%s\\n' \"$LITERAL\" \"$GIVEN\" \"$FROM_MACHINE\"
";
    let ran = Place::new().given("GIVEN", "given").run(text);
    assert_eq!(ran.log, "$FROM_MACHINE and ${HOME}\ngiven\nbuildspec\n");
}

#[test]
fn codebuilds_variables_are_there() {
    let script = "[[ $CODEBUILD_BUILD_ID =~ ^test:[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$ ]] && echo id
[[ $CODEBUILD_BUILD_ARN == *\":build/$CODEBUILD_BUILD_ID\" ]] && echo arn
[[ $CODEBUILD_START_TIME =~ ^[0-9]{13}$ ]] && echo start
[ \"$CODEBUILD_SRC_DIR\" = \"$PWD\" ] && echo folder
[ \"$AWS_DEFAULT_REGION\" = eu-north-1 ] && echo region";
    let place = Place::new().given("AWS_REGION", "unused");
    let mut place = place;
    place.options.environment.push(("AWS_REGION".into(), "eu-north-1".into()));
    assert_eq!(place.run(&commands("bash", &[script])).log, "id\narn\nstart\nfolder\nregion\n");
}

#[test]
fn the_version_of_the_source_is_that_of_its_repository() {
    let place = Place::new();
    let git = |arguments: &[&str]| {
        let output = std::process::Command::new("git")
            .args(["-c", "user.name=t", "-c", "user.email=t@example.com"])
            .args(arguments)
            .current_dir(&place.options.source)
            .output();
        String::from_utf8(output.unwrap().stdout).unwrap()
    };
    git(&["init", "--quiet"]);
    git(&["commit", "--quiet", "--allow-empty", "--message", "first"]);
    let commit = git(&["rev-parse", "HEAD"]);
    assert_eq!(commit.trim().len(), 40);
    assert_eq!(place.run(&commands("bash", &["echo $CODEBUILD_RESOLVED_SOURCE_VERSION"])).log, commit);
}

#[test]
fn secrets_are_given_or_refused_and_never_empty() {
    let text = "version: 0.2
env:
  parameter-store: { TOKEN: /app/token }
  secrets-manager: { PASSWORD: 'db:password' }
  exported-variables: [TOKEN, SHOWN, MISSING]
phases:
  build:
    commands: ['SHOWN=$TOKEN-$PASSWORD']
";
    let error = Place::new().given("PASSWORD", "p").try_run(text).unwrap_err().to_string();
    assert!(
        error.contains("not asked here: TOKEN\nhint: give their values with --env TOKEN=VALUE"),
        "{error}"
    );
    let ran = Place::new().given("PASSWORD", "p").given("TOKEN", "t").run(text);
    let exported = [("TOKEN", Some("***")), ("SHOWN", Some("t-p")), ("MISSING", None)];
    let exported = exported.map(|(name, value)| (name.to_owned(), value.map(str::to_owned)));
    assert_eq!(ran.build.exported, exported);
}

#[test]
fn what_this_machine_cannot_run_is_refused_before_anything_runs() {
    for (text, part) in [
        (commands("powershell.exe", &["echo x > ran"]), "`powershell.exe`"),
        (commands("bash", &["echo x > ran"]).replace("build:", "build:\n    on-failure: RETRY-("), "`(`"),
        (commands("bash", &["echo x > ran"]) + "artifacts: { files: ['[a'] }\n", "`[a`"),
    ] {
        let place = Place::new();
        let error = place.try_run(&text).unwrap_err().to_string();
        assert!(error.contains(part) && error.contains("\nhint: "), "{error}");
        assert!(!place.options.source.join("ran").exists());
    }
}

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
fn what_a_build_leaves_is_collected_whether_it_failed_or_not() {
    for code in ["0", "1"] {
        let place = Place::new().given("CODE", code).keeping();
        let ran = place.run(LEAVES);
        let found: Vec<_> = ran.build.collected.iter().map(|one| (one.kind, one.files.len())).collect();
        // The reports come in the order of their names.
        let expected =
            [(Kind::Report, 0), (Kind::Report, 1), (Kind::Artifacts, 2), (Kind::SecondaryArtifacts, 3)];
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
fn artifacts_that_are_not_there_fail_a_build_that_keeps_them() {
    let text = commands("bash", &["true"]) + "artifacts: { files: ['none/*'] }\n";
    assert!(Place::new().run(&text).build.succeeded);
    let ran = Place::new().keeping().run(&text);
    assert!(!ran.build.succeeded);
    assert_eq!(ran.phases(), ["build succeeded", "artifacts failed"]);
}

#[test]
fn what_was_kept_is_not_collected_again() {
    let mut place = Place::new();
    place.options.keep = Some(place.options.source.join("kept"));
    let text = commands("bash", &["touch a"]) + "artifacts: { files: ['**/*'] }\n";
    for _ in 0..2 {
        assert_eq!(place.run(&text).build.collected[0].files, ["a"]);
    }
}

/// Waits for a file that another process writes.
fn until(path: &Utf8Path) {
    while !fs_err::read_to_string(path).is_ok_and(|text| !text.is_empty()) {
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_stop_reaches_what_the_command_started_and_nothing_follows() {
    let place = Place::new();
    let (stop, ready) = (place.options.stop.clone(), place.options.source.join("ready"));
    let stopper = std::thread::spawn(move || {
        until(&ready);
        stop.ask();
    });
    let text = commands("bash", &["sh -c 'echo $$ > ready; exec sleep 600'\necho after", "echo next"])
        + "  post_build:\n    commands: [echo post]\nartifacts: { files: ['**/*'] }\n";
    let ran = place.run(&text);
    stopper.join().unwrap();
    assert!(ran.build.stopped && !ran.build.succeeded);
    assert_eq!(ran.phases(), ["build stopped", "post_build skipped"]);
    assert!(ran.build.collected.is_empty());
    assert!(!ran.log.contains("next") && !ran.log.contains("post"), "{}", ran.log);
}

#[test]
fn a_second_stop_kills_what_does_not_listen() {
    let place = Place::new();
    let (stop, source) = (place.options.stop.clone(), place.options.source.clone());
    let stopper = std::thread::spawn(move || {
        until(&source.join("ready"));
        stop.ask();
        until(&source.join("heard"));
        stop.ask();
    });
    let script = "trap 'echo x > heard' INT; echo x > ready; while :; do sleep 0.01; done";
    assert!(place.run(&commands("bash", &[script])).build.stopped);
    stopper.join().unwrap();
}

#[test]
fn what_runs_in_the_background_lives_as_long_as_the_build() {
    let place = Place::new();
    let text = commands("bash", &["sleep 600 & echo $! > pid", "kill -0 $(cat pid) && echo alive"]);
    assert_eq!(place.run(&text).log, "alive\n");
    let pid = fs_err::read_to_string(place.options.source.join("pid")).unwrap();
    let gone = || {
        let stat = fs_err::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
        // One that was killed and that nobody waits for is a zombie.
        stat.is_empty() || stat.contains(") Z ")
    };
    if cfg!(target_os = "linux") {
        while !gone() {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}
