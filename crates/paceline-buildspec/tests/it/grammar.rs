//! Reading and writing buildspecs of every kind.

use std::collections::BTreeMap;

use paceline_buildspec::Buildspec;
use paceline_buildspec::grammar::{
    ArtifactSet, Artifacts, Batch, Builds, Cache, CacheAction, Environment, Fanout, Matrix, OnFailure, Phase,
    Phases, Proxy, Report, ReportFormat, Shell, Task, TaskEnvironment, Version,
};
use paceline_text::Explained as _;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

use crate::snapshot;

/// Reads, writes and reads again, and returns the written text.
#[track_caller]
fn canonical(text: &str) -> String {
    let read = Buildspec::read(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(read.unknown, [], "{text}");
    let written = read.buildspec.to_yaml();
    let again = Buildspec::read(&written).unwrap_or_else(|error| panic!("{error}\n{written}"));
    assert_eq!(again, read, "{written}");
    assert_eq!(again.buildspec.to_yaml(), written);
    written
}

pub(crate) const LENIENT: &str = r#"
version: "0.2"
run-as: builder
env:
  shell: BASH
  variables: {A: yes, B: 22:22, C: 1.20, D: , E: "x y"}
  parameter-store: {P: /a/b}
  secrets-manager: {S: "id:key::1"}
  exported-variables: [A]
  git-credential-helper: Yes
proxy: {upload-artifacts: true, logs: off}
phases:
  install:
    run-as: root
    on-failure: Retry-3-throttl.*
    runtime-versions: {nodejs: 22, golang: 1.20, python: "3.11", java: $JAVA}
    commands: npm ci
    finally:
  pre_build: ~
  build:
    on-failure: abort
    commands:
      - "echo 'a: b'"
      - |
        set -e
        echo "two lines"
      - >
        folded
        text
    finally: [echo done]
reports:
  arn:aws:codebuild:us-east-1:111122223333:report-group/x: {files: '**/*', file-format: junitxml}
  cover: {files: [a, b], base-directory: out, discard-paths: yes, file-format: CloverXml}
artifacts:
  files: ['**/*']
  name: x-$(date +%F)
  exclude-paths: node_modules/**/*
  enable-symlinks: yes
  s3-prefix: p
  secondary-artifacts:
    second: {files: [c], base-directory: d, discard-paths: "no"}
cache:
  key: npm-$(codebuild-hash-files package-lock.json)
  fallback-keys: [npm-]
  action: RESTORE
  paths: /root/.npm/**/*
"#;

#[test]
fn every_form_of_a_value_is_read_but_only_one_is_written() {
    snapshot("canonical", &canonical(LENIENT));
}

pub(crate) const BATCHES: [&str; 4] = [
    "fast-fail: yes
  build-graph:
    - {identifier: a, env: {compute-type: BUILD_GENERAL1_SMALL, privileged-mode: true, variables: {K: 1}}}
    - {identifier: b, depend-on: [a], ignore-failure: false, buildspec: b.yml, debug-session: yes}",
    "build-list: [{identifier: on, env: {fleet: f, image: i, type: t}}]",
    "build-matrix:
    static: {ignore-failure: no, env: {privileged-mode: true, type: LINUX_CONTAINER}}
    dynamic: {buildspec: [a.yml, b.yml], env: {image: [i], compute-type: [c], variables: {V: [1, 2]}}}",
    "build-fanout: {parallelism: 5, ignore-failure: true}",
];

#[test]
fn every_kind_of_batch_is_read() {
    let write = |batch: &&str| {
        canonical(&format!("version: 0.2\nbatch:\n  {batch}\nphases:\n  build:\n    commands: [x]\n"))
    };
    snapshot("batches", &BATCHES.iter().map(write).collect::<Vec<_>>().join("---\n"));
}

#[test]
fn json_is_a_buildspec_too() {
    let written = canonical(r#"{"version": "0.2", "phases": {"build": {"commands": ["echo 1"]}}}"#);
    assert_eq!(written, "version: 0.2\nphases:\n  build:\n    commands:\n      - echo 1\n");
}

#[track_caller]
fn check_errors(text: &str, expected: &[&str]) {
    let error = Buildspec::read(text).unwrap_err();
    let problems: Vec<_> = error.problems().iter().map(ToString::to_string).collect();
    assert_eq!(problems, expected);
}

#[test]
fn every_error_names_its_line_and_column() {
    check_errors("- a\n", &["line 1, column 1: a buildspec is a map, and this is a list"]);
    check_errors("phases: {}\n", &["line 1, column 1: `version` is missing"]);
    check_errors("version: 0.2\nphases: [", &["line 2, column 9: unclosed bracket '['"]);
    check_errors(
        "version: 0.3\nphases:\n  build:\n    on-failure: STOP\n    commands:\n      - echo a: b\n      - [x]\n  post_build:\n    runtime-versions: {nodejs: 22}\n",
        &[
            "line 1, column 10: `version` is `0.3`, and not one of `0.1`, `0.2`",
            "line 4, column 17: `phases.build.on-failure` `STOP` is not ABORT, CONTINUE, RETRY, RETRY-count, RETRY-pattern or RETRY-count-pattern",
            "line 6, column 9: `phases.build.commands[0]` is a command that YAML reads as a map, because of the colon in it\nhint: write it below a `- |`, or quote it",
            "line 7, column 9: `phases.build.commands[1]` must be text, and this is a list",
            "line 9, column 5: `phases.post_build.runtime-versions` stands in a phase other than install\nhint: move it to `phases.install`",
            "line 9, column 5: `phases.post_build.commands` is missing",
        ],
    );
    check_errors(
        "version: 0.2\nenv: {git-credential-helper: maybe, shell: zsh}\nbatch: {build-list: [], build-graph: []}\nphases: {}\nreports: {r: {}}\n",
        &[
            "line 2, column 30: `env.git-credential-helper` is `maybe` and neither yes nor no",
            "line 2, column 44: `env.shell` is `zsh`, and not one of `bash`, `/bin/sh`, `powershell.exe`, `cmd.exe`",
            "line 3, column 8: `batch` does not say in exactly one way which builds there are\nhint: have one of `build-graph`, `build-list`, `build-matrix` and `build-fanout`",
            "line 5, column 14: `reports.r.files` is missing",
        ],
    );
}

#[test]
fn unknown_keys_are_returned() {
    let read = Buildspec::read(
        "version: 0.2\nphases:\n  deploy: {}\n  build:\n    comands: [a]\n    commands: [b]\nx-note: 1\n",
    );
    let unknown: Vec<_> =
        read.unwrap().unknown.iter().map(|problem| (problem.at.line, problem.path.clone())).collect();
    assert_eq!(
        unknown,
        [(3, "phases.deploy".into()), (5, "phases.build.comands".into()), (7, "x-note".into())]
    );
}

/// Texts that are difficult in YAML, and arbitrary other texts.
fn text() -> impl Strategy<Value = String> {
    let awkward = [
        "", "no", "22:22", "0x1F", "a: b", "- x", "#", "|", " x ", "x\ny\n", "\n", "\tx", "'", "\"", "~",
        "<<",
    ];
    prop_oneof![3 => "[a-zA-Z0-9 :#'\"\\n$|>{}*&!-]{0,24}", 1 => any::<String>(), 2 => proptest::sample::select(awkward.to_vec()).prop_map(str::to_owned)]
}

fn texts() -> impl Strategy<Value = Vec<String>> {
    vec(text(), 0..3)
}

fn map() -> impl Strategy<Value = BTreeMap<String, String>> {
    btree_map(text(), text(), 0..3)
}

fn on_failure() -> impl Strategy<Value = OnFailure> {
    prop_oneof![
        Just(OnFailure::Abort),
        Just(OnFailure::Continue),
        (option::of(0..=100u8), option::of("[a-z][a-z.*-]{0,6}"))
            .prop_map(|(count, pattern)| OnFailure::Retry { count, pattern }),
    ]
}

/// A phase that CodeBuild accepts: only the install phase can do without commands.
fn phase(install: bool) -> impl Strategy<Value = Option<Phase>> {
    let versions = btree_map(text(), text(), 0..if install { 3 } else { 1 });
    let commands = vec(text(), usize::from(!install)..3);
    let phase = (option::of(text()), option::of(on_failure()), versions, commands, texts());
    option::of(phase.prop_map(|(run_as, on_failure, runtime_versions, commands, finally)| Phase {
        run_as,
        on_failure,
        runtime_versions,
        commands,
        finally,
    }))
}

fn artifact_set() -> impl Strategy<Value = ArtifactSet> {
    let texts3 = (option::of(text()), option::of(text()), option::of(text()));
    (texts(), texts3, texts(), any::<(bool, bool)>()).prop_map(
        |(files, (name, base_directory, s3_prefix), exclude_paths, flags)| ArtifactSet {
            files,
            name,
            discard_paths: flags.0,
            base_directory,
            exclude_paths,
            enable_symlinks: flags.1,
            s3_prefix,
        },
    )
}

fn task() -> impl Strategy<Value = Task> {
    let env = (option::of(text()), option::of(text()), any::<bool>(), option::of(text()), map()).prop_map(
        |(compute_type, image, privileged_mode, kind, variables)| TaskEnvironment {
            compute_type,
            fleet: None,
            image,
            privileged_mode,
            kind,
            variables,
        },
    );
    (text(), option::of(text()), any::<(bool, bool)>(), texts(), env).prop_map(
        |(identifier, buildspec, (debug_session, ignore_failure), depend_on, env)| Task {
            identifier,
            buildspec,
            debug_session,
            ignore_failure,
            depend_on,
            env,
        },
    )
}

fn builds() -> impl Strategy<Value = Builds> {
    let matrix = (
        any::<(bool, bool)>(),
        option::of(text()),
        texts(),
        texts(),
        texts(),
        btree_map(text(), texts(), 0..3),
    );
    let matrix = matrix.prop_map(|(flags, kind, buildspecs, compute_types, images, variables)| Matrix {
        ignore_failure: flags.0,
        privileged_mode: flags.1,
        kind,
        buildspecs,
        compute_types,
        images,
        variables,
    });
    prop_oneof![
        vec(task(), 0..3).prop_map(Builds::Graph),
        vec(task(), 0..3).prop_map(Builds::List),
        matrix.prop_map(Builds::Matrix),
        (1..100u32, any::<bool>())
            .prop_map(|(parallelism, ignore_failure)| Builds::Fanout(Fanout { parallelism, ignore_failure })),
    ]
}

fn environment() -> impl Strategy<Value = Environment> {
    let shells = [Shell::Bash, Shell::Sh, Shell::PowerShell, Shell::Cmd];
    (option::of(proptest::sample::select(shells.to_vec())), map(), map(), map(), texts(), any::<bool>())
        .prop_map(
            |(
                shell,
                variables,
                parameter_store,
                secrets_manager,
                exported_variables,
                git_credential_helper,
            )| {
                Environment {
                    shell,
                    variables,
                    parameter_store,
                    secrets_manager,
                    exported_variables,
                    git_credential_helper,
                }
            },
        )
}

fn report() -> impl Strategy<Value = Report> {
    let formats = [ReportFormat::JunitXml, ReportFormat::CloverXml, ReportFormat::Nunit3Xml];
    (texts(), option::of(text()), any::<bool>(), proptest::sample::select(formats.to_vec())).prop_map(
        |(files, base_directory, discard_paths, file_format)| Report {
            files,
            base_directory,
            discard_paths,
            file_format,
        },
    )
}

fn cache() -> impl Strategy<Value = Cache> {
    let actions = [CacheAction::Restore, CacheAction::Save];
    (texts(), option::of(text()), texts(), option::of(proptest::sample::select(actions.to_vec())))
        .prop_map(|(paths, key, fallback_keys, action)| Cache { paths, key, fallback_keys, action })
}

pub(crate) fn any_buildspec() -> impl Strategy<Value = Buildspec> {
    let head = (any::<(bool, bool, bool)>(), option::of(text()), environment());
    let phases = (phase(true), phase(false), phase(false), phase(false));
    let artifacts = option::of((artifact_set(), btree_map(text(), artifact_set(), 0..2)));
    let batch = option::of((any::<bool>(), builds()));
    (head, phases, btree_map(text(), report(), 0..2), artifacts, option::of(cache()), batch).prop_map(
        |(
            (flags, run_as, env),
            (install, pre_build, build, post_build),
            reports,
            artifacts,
            cache,
            batch,
        )| Buildspec {
            version: if flags.0 { Version::V0_1 } else { Version::V0_2 },
            run_as,
            env,
            proxy: Proxy { upload_artifacts: flags.1, logs: flags.2 },
            batch: batch.map(|(fast_fail, builds)| Batch { fast_fail, builds }),
            phases: Phases { install, pre_build, build, post_build },
            reports,
            artifacts: artifacts.map(|(set, secondary)| Artifacts { set, secondary }),
            cache,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_written_buildspec_reads_as_the_same(buildspec in any_buildspec()) {
        let written = buildspec.to_yaml();
        let read = Buildspec::read(&written);
        let read = read.map_err(|error| TestCaseError::fail(format!("{error}\n{written}")))?;
        prop_assert_eq!(&read.buildspec, &buildspec, "{}", written);
        prop_assert!(read.unknown.is_empty());
    }
}
