//! The commands of the generated buildspecs under bash. Each runs as a separate script, like in CodeBuild.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use paceline_buildspec::{Apps, Buildspec, Generation, RunnerSource};
use paceline_config::BatchBy;

use crate::{SHA256, file, installed, synthesized, workshop};

/// Whether bash is installed. A missing bash is reported loudly: a test that did nothing must not look like
/// one that passed.
fn bash() -> bool {
    let found = Command::new("bash").arg("--version").stdout(Stdio::null()).status().is_ok();
    if !found {
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED: no bash on this machine, generated scripts are not checked"
        );
    }
    found
}

fn buildspec(generation: &Generation) -> Buildspec {
    read(generation, ".yml")
}

fn read(generation: &Generation, suffix: &str) -> Buildspec {
    Buildspec::read(&file(generation, suffix)).unwrap().buildspec
}

fn in_batches() -> Generation {
    let mut generation = workshop();
    generation.codebuild.batch = Some(BatchBy::Regions);
    generation.codebuild.timeouts.runner = Some(Duration::from_mins(200));
    generation
}

#[test]
fn every_command_is_valid_bash_and_strict() {
    if !bash() {
        return;
    }
    let suffixes = [".yml", ".destroy.yml", ".pull-request.yml"];
    let apps = Apps::Several(vec!["a".into(), "b c".into()]);
    let several = Generation { apps, ..synthesized() };
    for generation in [workshop(), synthesized(), installed(), in_batches(), several] {
        let commands = suffixes.iter().flat_map(|suffix| {
            let phases = read(&generation, suffix).phases;
            phases.iter().flat_map(|(_, phase)| phase.commands.clone()).collect::<Vec<_>>()
        });
        for command in commands {
            let is_strict = command.starts_with("source \"$PACELINE_HOME/prelude.sh\" ");
            let is_prelude = command.contains("\nset -Eeuo pipefail\n") && command.contains("\ntrap ");
            assert!(is_strict || is_prelude, "{command}");
            let mut check = Command::new("bash").arg("-n").stdin(Stdio::piped()).spawn().unwrap();
            check.stdin.take().unwrap().write_all(command.as_bytes()).unwrap();
            assert!(check.wait().unwrap().success(), "{command}");
        }
    }
}

/// A build in which programs of the test replace `aws`, `curl` and the runner.
struct Build {
    _temp: tempfile::TempDir,
    dir: Utf8PathBuf,
    buildspec: Buildspec,
}

struct Ran {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Build {
    fn new(generation: &Generation) -> Self {
        let temp = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(temp.path()).unwrap().to_owned();
        fs_err::create_dir_all(dir.join("src")).unwrap();
        fs_err::create_dir_all(dir.join("bin")).unwrap();
        let build = Self { _temp: temp, dir, buildspec: buildspec(generation) };
        if bash() {
            build.write_prelude();
        }
        build
    }

    /// Runs the first command of every build, which writes the prelude for the others.
    fn write_prelude(&self) {
        let ran = self.run(&self.buildspec.phases.install.as_ref().unwrap().commands[0], &[]);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    }

    fn program(&self, path: &str, script: &str) {
        let path = self.dir.join(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(&path, format!("#!/bin/bash\n{script}\n")).unwrap();
        set_executable(path.as_std_path());
    }

    fn app(&self) {
        fs_err::create_dir_all(self.dir.join("src/cdk.out")).unwrap();
        fs_err::write(self.dir.join("src/cdk.out/manifest.json"), "{}").unwrap();
    }

    /// Runs one command after the lines with which CodeBuild precedes it.
    fn run(&self, command: &str, variables: &[(&str, &str)]) -> Ran {
        let script = self.dir.join("script.sh");
        fs_err::write(&script, format!("#!/bin/bash\n\n\n{command}")).unwrap();
        let mut bash = Command::new("bash");
        bash.arg(&script).current_dir("/");
        bash.envs(&self.buildspec.env.variables);
        bash.env("CODEBUILD_SRC_DIR", self.dir.join("src")).env("PACELINE_HOME", self.dir.join("home"));
        let path = std::env::var("PATH").unwrap();
        bash.env("PATH", format!("{}:{path}", self.dir.join("bin")));
        bash.env_remove("CODEBUILD_START_TIME").env_remove("CODEBUILD_BUILD_SUCCEEDING");
        bash.envs(variables.iter().copied());
        let output = bash.output().unwrap();
        Ran {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn install(&self) -> &str {
        &self.buildspec.phases.install.as_ref().unwrap().commands[1]
    }

    fn plan(&self) -> &str {
        self.buildspec.phases.pre_build.as_ref().unwrap().commands.last().unwrap()
    }

    fn deploy(&self) -> &str {
        &self.buildspec.phases.build.as_ref().unwrap().commands[0]
    }

    fn results(&self) -> &str {
        &self.buildspec.phases.post_build.as_ref().unwrap().commands[0]
    }
}

#[cfg(unix)]
fn set_executable(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs_err::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[cfg(not(unix))]
fn set_executable(_: &Path) {}

/// `SHA256` is the digest of the three bytes `foo`.
const FETCH_FOO: &str = r#"for last; do :; done; printf foo > "$last""#;

#[test]
fn the_runner_is_installed_if_its_digest_is_right() {
    if !bash() {
        return;
    }
    let build = Build::new(&workshop());
    build.program("bin/aws", &format!("echo \"$@\" > {}/aws.txt; {FETCH_FOO}", build.dir));
    let ran = build.run(build.install(), &[]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert_eq!(fs_err::read_to_string(build.dir.join("home/bin/paceline")).unwrap(), "foo");
    let called = fs_err::read_to_string(build.dir.join("aws.txt")).unwrap();
    assert!(called.starts_with("s3 cp --only-show-errors s3://tools/paceline "), "{called}");
}

#[test]
fn a_wrong_digest_stops_the_build_and_says_why() {
    if !bash() {
        return;
    }
    let build = Build::new(&workshop());
    build.program("bin/aws", r#"for last; do :; done; printf bar > "$last""#);
    let ran = build.run(build.install(), &[]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("is not the one that this buildspec pins"), "{}", ran.stderr);
    assert!(ran.stderr.contains(&format!("pinned SHA-256:  {SHA256}")), "{}", ran.stderr);
    assert!(ran.stderr.contains("fetched SHA-256: fcde2b2edba56bf408601fb721fe9b5c"), "{}", ran.stderr);
    assert!(!build.dir.join("home/bin/paceline").exists());
    assert!(!build.dir.join("home/download").exists());
}

#[test]
fn a_failing_line_is_reported_with_its_place_in_the_command() {
    if !bash() {
        return;
    }
    let build = Build::new(&workshop());
    build.program("bin/aws", "echo 'no such bucket' >&2; exit 9");
    let ran = build.run(build.install(), &[]);
    assert_eq!(ran.code, 9);
    let line = 1 + build.install().lines().position(|line| line.contains("aws s3 cp")).unwrap();
    let expected =
        format!("paceline: \"fetch the runner\" failed at line {line} of its script with exit code 9: ");
    assert!(ran.stderr.contains(&expected), "{}", ran.stderr);
    assert!(ran.stderr.contains("aws s3 cp --only-show-errors s3://tools/paceline"), "{}", ran.stderr);
}

#[test]
fn a_command_without_the_prelude_stops() {
    if !bash() {
        return;
    }
    let build = Build::new(&workshop());
    fs_err::remove_file(build.dir.join("home/prelude.sh")).unwrap();
    build.program("home/bin/paceline", "echo called");
    for command in [build.install(), build.plan(), build.deploy(), build.results()] {
        let ran = build.run(command, &[]);
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
        assert!(ran.stderr.contains("prelude.sh: No such file or directory"), "{}", ran.stderr);
    }
}

#[test]
fn a_failure_before_the_deployment_is_signalled() {
    if !bash() {
        return;
    }
    let build = Build::new(&workshop());
    build.program("home/bin/paceline", r#"if [ "$1" = signal ]; then printf '%s|' "$@" >&2; fi"#);
    let ran = build.run(build.plan(), &[]);
    assert_eq!(ran.code, 1);
    let signal = "signal|--failure|--reason|the build could not plan the deployment|--config|paceline.yaml|";
    assert!(ran.stderr.contains(signal), "{}", ran.stderr);
}

#[test]
fn an_archive_is_unpacked() {
    if !bash() {
        return;
    }
    let build = Build::new(&synthesized());
    build.program("packed/paceline-0.1.0/paceline", "echo packed");
    let tar = ["-czf", "paceline.tar.gz", "-C", "packed", "paceline-0.1.0"];
    let made = Command::new("tar").args(tar).current_dir(&build.dir).status().unwrap();
    assert!(made.success());
    let sum = Command::new("sha256sum").arg(build.dir.join("paceline.tar.gz")).output().unwrap();
    let sha256 = String::from_utf8(sum.stdout).unwrap()[..64].to_owned();
    let url = "https://example.com/paceline.tar.gz".to_owned();
    let build = Build {
        buildspec: buildspec(&Generation { runner: RunnerSource::Https { url, sha256 }, ..synthesized() }),
        ..build
    };
    build.program(
        "bin/curl",
        &format!(
            r#"while [ "$1" != --output ]; do shift; done; cp {}/paceline.tar.gz "$2"; [ "$3" = https://example.com/paceline.tar.gz ]"#,
            build.dir
        ),
    );
    let ran = build.run(build.install(), &[]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let runner = Command::new(build.dir.join("home/bin/paceline")).output().unwrap();
    assert_eq!(runner.stdout, b"packed\n");
}

#[test]
fn a_plan_needs_an_assembly_and_its_failure_is_not_hidden_by_the_pipe() {
    if !bash() {
        return;
    }
    let build = Build::new(&workshop());
    build.program("home/bin/paceline", r#"echo "$@"; [ "$1" != plan ] || exit "${PLAN_EXIT:-0}""#);
    let ran = build.run(build.plan(), &[]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("cdk.out contains no cloud assembly"), "{}", ran.stderr);

    build.app();
    let ran = build.run(build.plan(), &[]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert_eq!(ran.stdout, "--version\nplan --app cdk.out --config paceline.yaml\n");
    assert!(build.dir.join("src/.paceline/plan.txt").exists());

    assert_eq!(build.run(build.plan(), &[("PLAN_EXIT", "2")]).code, 2);
}

#[test]
fn a_missing_runner_is_reported() {
    if !bash() {
        return;
    }
    let build = Build::new(&installed());
    build.app();
    let ran = build.run(build.plan(), &[("PATH", "/usr/bin:/bin")]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("no paceline on its PATH\nhint: "), "{}", ran.stderr);
}

#[test]
fn a_build_image_with_another_version_of_the_runner_stops_the_build() {
    if !bash() {
        return;
    }
    let build = Build::new(&installed());
    build.app();
    let says = |version: &str| format!(r#"[ "$1" != --version ] || echo "paceline {version}""#);
    build.program("bin/paceline", &says("0.1.0"));
    let ran = build.run(build.plan(), &[]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));

    build.program("bin/paceline", &says("0.2.0"));
    let ran = build.run(build.plan(), &[]);
    assert_eq!(ran.code, 1);
    let message =
        "paceline: the build image has paceline 0.2.0, and this buildspec is for paceline 0.1.0\nhint: ";
    assert!(ran.stderr.contains(message), "{}", ran.stderr);
}

#[test]
fn the_runner_gets_the_rest_of_the_time_and_its_exit_code_is_kept() {
    if !bash() {
        return;
    }
    let build = Build::new(&workshop());
    build.program("home/bin/paceline", r#"echo "$@"; exit "${DEPLOY_EXIT:-0}""#);
    let ran = build.run(build.deploy(), &[]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert_eq!(
        ran.stdout,
        "deploy --app cdk.out --config paceline.yaml --deadline 230m --events .paceline/events.jsonl \
         --outputs .paceline/outputs.json --report .paceline/reports\n"
    );

    // CodeBuild gives the start time in milliseconds.
    let minutes_ago = |minutes: u64| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        ((now.as_secs() - minutes * 60 - 5) * 1000).to_string()
    };
    let ran = build.run(build.deploy(), &[("CODEBUILD_START_TIME", &minutes_ago(15))]);
    assert!(ran.stdout.contains(" --deadline 215m "), "{}", ran.stdout);

    let ran = build.run(build.deploy(), &[("CODEBUILD_START_TIME", &minutes_ago(236))]);
    assert_eq!(ran.code, 4);
    assert!(ran.stderr.contains("too few are left for the runner\nhint: "), "{}", ran.stderr);

    for code in ["1", "3", "4"] {
        let ran = build.run(build.deploy(), &[("DEPLOY_EXIT", code)]);
        assert_eq!(ran.code.to_string(), code);
        assert!(ran.stderr.contains("\"deploy\" failed at line "), "{}", ran.stderr);
    }
}

#[test]
fn a_build_whose_run_sleeps_succeeds_and_says_that_the_deployment_is_not_complete() {
    if !bash() {
        return;
    }
    let mut generation = workshop();
    generation.codebuild.sleep = true;
    let build = Build::new(&generation);
    build.app();
    build.program("home/bin/paceline", "echo \"$@\"; exit ${DEPLOY_EXIT:-0}");
    let ran = build.run(build.deploy(), &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains(" --sleep workshop-wake"), "{}", ran.stdout);
    // An interrupted run that does not sleep fails its build.
    for code in ["1", "3", "4"] {
        let ran = build.run(build.deploy(), &[("DEPLOY_EXIT", code)]);
        assert_eq!(ran.code.to_string(), code);
        assert!(ran.stderr.contains("\"deploy\" failed at line "), "{}", ran.stderr);
        assert!(ran.stderr.contains(&format!("with exit code {code}: paceline deploy\n")), "{}", ran.stderr);
    }
    fs_err::create_dir_all(build.dir.join("src/.paceline")).unwrap();
    fs_err::write(build.dir.join("src/.paceline/asleep"), "the run r sleeps\n").unwrap();
    let ran = build.run(build.deploy(), &[("DEPLOY_EXIT", "4")]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert!(ran.stdout.contains("the run r sleeps\n"), "{}", ran.stdout);
    assert_eq!(build.run(build.deploy(), &[("DEPLOY_EXIT", "1")]).code, 1);
    let ran = build.run(build.results(), &[("CODEBUILD_BUILD_SUCCEEDING", "1")]);
    assert!(ran.stdout.contains("not complete: its run sleeps"), "{}", ran.stdout);
}

#[test]
fn results_are_listed_after_success_and_failure_and_if_there_are_none() {
    if !bash() {
        return;
    }
    let build = Build::new(&workshop());
    let nothing = build.run(build.results(), &[("CODEBUILD_BUILD_SUCCEEDING", "0")]);
    assert_eq!(nothing.code, 0);
    assert!(nothing.stdout.contains("not complete"), "{}", nothing.stdout);
    fs_err::create_dir_all(build.dir.join("src/.paceline/reports")).unwrap();
    fs_err::write(build.dir.join("src/.paceline/reports/junit.xml"), "").unwrap();
    let done = build.run(build.results(), &[("CODEBUILD_BUILD_SUCCEEDING", "1")]);
    assert_eq!(done.code, 0);
    assert!(
        done.stdout.contains("is complete") && done.stdout.contains(".paceline/reports/junit.xml"),
        "{}",
        done.stdout
    );
}

#[test]
fn nothing_is_destroyed_unless_the_project_is_named() {
    if !bash() {
        return;
    }
    let build = Build { buildspec: read(&workshop(), ".destroy.yml"), ..Build::new(&workshop()) };
    build.program("home/bin/paceline", r#"echo "$@""#);
    for confirmed in ["", "other"] {
        let ran = build.run(build.deploy(), &[("PACELINE_DESTROY", confirmed)]);
        assert_eq!((ran.code, ran.stdout.as_str()), (3, ""));
        assert!(
            ran.stderr.contains("nothing is deleted") && ran.stderr.contains("\nhint: "),
            "{}",
            ran.stderr
        );
    }
    let ran = build.run(build.deploy(), &[("PACELINE_DESTROY", "workshop")]);
    assert_eq!(
        ran.stdout,
        "destroy --app cdk.out --config paceline.yaml --yes --deadline 230m --events .paceline/events.jsonl \
         --report .paceline/reports\n"
    );
}

#[test]
fn a_build_of_a_batch_deploys_its_part_of_the_stacks() {
    if !bash() {
        return;
    }
    let build = Build::new(&in_batches());
    build.program("home/bin/paceline", r#"echo "$@""#);
    let deployed = |variables: &[(&str, &str)]| {
        let ran = build.run(build.deploy(), variables);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
        ran.stdout
    };
    let rest = " --deadline 200m --events .paceline/events.jsonl --outputs .paceline/outputs.json --report .paceline/reports\n";
    let all = format!("deploy --app cdk.out --config paceline.yaml{rest}");
    assert_eq!(deployed(&[]), all);
    let part = format!("deploy --app cdk.out --config paceline.yaml --only A --only Stage/B c{rest}");
    assert_eq!(deployed(&[("PACELINE_ONLY", "A,Stage/B c")]), part);

    let secondary = [("PACELINE_ONLY", "A,Stage/B c"), ("PACELINE_SECONDARY", "true")];
    for on in ["true", "Yes", "1"] {
        assert_eq!(deployed(&[&secondary[..], &[("ENABLE_MULTI_REGION", on)]].concat()), part);
    }
    let off = deployed(&[&secondary[..], &[("ENABLE_MULTI_REGION", "false")]].concat());
    assert!(off.contains("switched off") && !off.contains("deploy "), "{off}");
}

#[test]
fn lookups_are_kept_and_committed_answers_take_precedence() {
    if !bash() {
        return;
    }
    let generation = Generation {
        synth: Some("cat 'my app/cdk.context.json' || true; echo new > 'my app/cdk.context.json'".into()),
        ..synthesized()
    };
    let build = Build::new(&generation);
    build.program("bin/node", "echo v22");
    let (file, kept) = (
        build.dir.join("src/my app/cdk.context.json"),
        build.dir.join("root/.cache/paceline/my app/cdk.context.json"),
    );
    fs_err::create_dir_all(file.parent().unwrap()).unwrap();
    let home = build.dir.join("root");
    let synth = &build.buildspec.phases.pre_build.as_ref().unwrap().commands[0];
    let run = || build.run(synth, &[("HOME", home.as_str())]);
    assert_eq!(run().code, 0);
    assert_eq!(fs_err::read_to_string(&kept).unwrap(), "new\n");

    fs_err::write(&kept, "kept\n").unwrap();
    fs_err::remove_file(&file).unwrap();
    assert_eq!(run().stdout, "v22\nkept\n");
    fs_err::write(&kept, "kept\n").unwrap();
    fs_err::write(&file, "committed\n").unwrap();
    assert_eq!(run().stdout, "v22\ncommitted\n");
}

#[test]
fn a_change_is_planned_checked_and_linted() {
    if !bash() {
        return;
    }
    let build = Build { buildspec: read(&workshop(), ".pull-request.yml"), ..Build::new(&workshop()) };
    build.app();
    build.program("home/bin/paceline", r#"echo "$@"; [ "$1" != "${FAILS:-}" ]"#);
    fs_err::create_dir_all(build.dir.join("src/buildspecs")).unwrap();
    for name in ["workshop.yml", "workshop.destroy.yml", "workshop.project.yaml"] {
        fs_err::write(build.dir.join("src/buildspecs").join(name), "").unwrap();
    }
    let commands = &build.buildspec.phases.build.as_ref().unwrap().commands;
    let ran: Vec<_> = commands.iter().map(|command| build.run(command, &[])).collect();
    assert!(ran.iter().all(|ran| ran.code == 0));
    for file in ["plan.txt", "plan.json", "plan.mmd"] {
        assert!(build.dir.join("src/.paceline").join(file).exists(), "{file}");
    }
    assert_eq!(
        ran[1].stdout,
        "gen --app cdk.out --config paceline.yaml --out buildspecs --name workshop --check\n"
    );
    assert_eq!(ran[2].stdout, "lint buildspecs/workshop.yml buildspecs/workshop.destroy.yml\n");
    for (command, fails) in commands.iter().zip(["plan", "gen", "lint"]) {
        assert_eq!(build.run(command, &[("FAILS", fails)]).code, 1, "{fails}");
    }
    assert!(build.buildspec.reports.is_empty());
}
