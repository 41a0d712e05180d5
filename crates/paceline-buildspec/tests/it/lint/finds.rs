//! The rules about values and scripts: the mistakes that they find, and the similar code that they ignore.

use paceline_buildspec::lint::{LintContext, ProjectFacts, Severity};

use super::{all, codes_in, finds, found_in, indented, items, leaves, only, project, script, whole};

#[test]
fn version_numbers_that_yaml_shortens_are_found() {
    let versions = |text: &str| whole(&format!("phases:\n  install:\n    runtime-versions:\n      {text}\n"));
    finds("PL120", &all(versions, &["golang: 1.20", "python: 3.10", "python: 03.9", "dotnet: 6.0"]));
    leaves(
        "PL120",
        &all(
            versions,
            &[
                "golang: 1.21",
                "python: '3.10'",
                "nodejs: 22",
                "java: corretto21",
                "nodejs: 18.x",
                "python: $PY",
            ],
        ),
    );
}

#[test]
fn values_that_yaml_misreads_are_found() {
    let variable = |value: &str| whole(&format!("env:\n  variables:\n    A: {value}\n"));
    finds(
        "PL121",
        &all(
            variable,
            &[
                "yes",
                "No",
                "ON",
                "off",
                "y",
                "True",
                "FALSE",
                "~",
                "null",
                "012",
                "0755",
                "1_000",
                "22:22",
                "190:20:30",
                "1.10",
                "1e3",
                "1.5E+10",
                "0x1F",
                "0o17",
                "0b101",
                "2024-01-01",
                ".inf",
                "+012",
                "012345678901",
                "1.",
            ],
        ),
    );
    leaves(
        "PL121",
        &all(
            variable,
            &[
                "'yes'",
                "\"012\"",
                "true",
                "false",
                "1",
                "8080",
                "-1",
                "0",
                "3.5",
                "111122223333",
                "a",
                "yes please",
                "v1.10",
                "1.2.3",
                "a:b",
                "10.0.0.1",
                "12:",
                "2024-01-01-rc",
                "|\n      yes",
                "",
                "1_a",
                "e3",
                "localhost:80",
                "2001:db8::1",
            ],
        ),
    );
}

#[test]
fn folded_scripts_that_need_separate_lines_are_found() {
    let folded =
        |text: &str| whole(&format!("phases:\n  build:\n    commands:\n      - >-\n{}", indented(text)));
    finds(
        "PL122",
        &all(
            folded,
            &[
                "# why\nmake",
                "make # why\ntest",
                "a \\\n  b",
                "cat <<EOF\nx\nEOF",
                "make\nif x; then\n  y\nfi",
                "cd app\nexport A=1",
            ],
        ),
    );
    leaves(
        "PL122",
        &all(
            folded,
            &[
                "aws s3 sync a b\n--delete",
                "make",
                "if x; then\n  y;\nfi",
                "a &&\nb",
                "a ||\nexport B=1",
                "a;\nset -e",
                "echo #1",
            ],
        ),
    );
}

#[test]
fn variables_that_nothing_expands_are_found() {
    let variable = |value: &str| whole(&format!("env:\n  variables:\n    A: {value}\n"));
    finds("PL123", &all(variable, &["\"$PATH:/x\"", "$HOME/x", "${B}-c", "$(date)"]));
    leaves("PL123", &all(variable, &["a$", "'^x$'", "5$", "a", "'$1'", ""]));
    leaves(
        "PL123",
        &["env:\n  variables:\n    A: $B\nphases:\n  build:\n    commands:\n      - eval echo \"$A\"\n"
            .to_owned()],
    );
}

#[test]
fn bash_syntax_in_a_shell_that_may_be_dash_is_found() {
    finds(
        "PL201",
        &all(
            script,
            &[
                "[[ -f a ]] && b",
                "a=(1 2)",
                "source x",
                "set -euo pipefail",
                "diff <(a) <(b)",
                "function f { a; }",
                "a <<< b",
                "echo ${x^^}",
                "echo ${x//a/b}",
                "(( a++ ))",
                "[ a == b ]",
                "a &> b",
                "echo {1..3}",
                "mapfile -t x < y",
                "trap x ERR",
            ],
        ),
    );
    let text = "[[ -f a ]] && source b\n";
    leaves(
        "PL201",
        &all(
            script,
            &[
                ". ./x",
                "[ a = b ]",
                "bash -c 'source x; [[ a ]]'",
                "echo '[[ a ]]' # source x",
                "set -eu",
                "cat <<E\n[[ a ]]\nE",
            ],
        ),
    );
    leaves("PL201", &[script(text).replace("phases:", "env: { shell: bash }\nphases:")]);
    leaves("PL201", &[script(text).replace("phases:", "env: { shell: powershell.exe }\nphases:")]);
    let in_image = |image: &str| {
        let project = Some(ProjectFacts { image: Some(image.to_owned()), ..project() });
        only(&script(text), "PL201", &LintContext { project, ..LintContext::default() })
    };
    assert!(in_image("aws/codebuild/standard:7.0").iter().all(|finding| finding.severity == Severity::Error));
    assert_eq!(in_image("aws/codebuild/standard:7.0").len(), 2);
    assert_eq!(in_image("aws/codebuild/amazonlinux2-x86_64-standard:5.0"), []);
    assert!(in_image("example.com/mine:1").iter().all(|finding| finding.severity == Severity::Warning));
}

#[test]
fn failures_that_a_later_command_hides_are_found() {
    leaves("PL202", &all(script, &["for f in a b; do make $f | tee -a log; done", "jq . a.json; make"]));

    finds(
        "PL202",
        &all(
            script,
            &[
                "make\necho done",
                "cd app\nnpm ci",
                "if x; then\n  make\n  echo done\nfi",
                "if x; then\n  make\nfi\necho done",
                "for d in a b; do\n  make -C $d\ndone",
                "X=$(aws sts get-caller-identity)\necho $X",
                "make && make test\necho done",
                "( make; echo done )",
                "case $x in a) make; echo done;; esac",
                "make; echo done",
                "make | cat\necho done\nmake test\ndate",
                "set -x\nmake\ndate",
            ],
        ),
    );
    leaves(
        "PL202",
        &all(
            script,
            &[
                "set -e\nmake\necho done",
                "set -euo pipefail\nmake\ndate",
                "set -o errexit\nmake\ndate",
                "make",
                "echo start\nmake",
                "make || exit 1\necho done",
                "make || true\necho done",
                "make && echo done",
                "export A=1\ncd b",
                "A=1\nB=$A\nmake",
                "if make; then\n  echo a\nelse\n  exit 1\nfi",
                "if [ -f x ]; then\n  make\nfi",
                "set +e\nmake\ncode=$?\nexit $code",
                "until curl -f localhost; do sleep 1; done\necho up",
                "for i in 1 2 3; do make && break; sleep 5; done",
                "server &\nmake",
                "f() { make; echo x; }\nf",
                "! grep -q x y\nmake",
                "sleep 5\n[ -n \"$A\" ]\nmake",
                "A=$(date)\nmake",
                "[ -f x ] && make",
                "cat <<EOF > x\nmake\nEOF",
            ],
        ),
    );
}

#[test]
fn failures_that_a_pipe_hides_are_found() {
    finds(
        "PL203",
        &all(
            script,
            &[
                "npm test | tee log",
                "make 2>&1 | tee log | cat",
                "curl -s x | bash",
                "curl x | sudo sh -s",
                "make | sed s/a/b/",
            ],
        ),
    );
    leaves(
        "PL203",
        &all(
            script,
            &[
                "set -o pipefail\nmake | tee log",
                "set -euo pipefail; make | tee log",
                "echo a | tee b",
                "cat a | sed s/b/c/",
                "printf x | tee y > z",
                "aws ecr get-login-password | docker login --password-stdin",
                "make | grep x",
                "A=$(make | tail -1)",
                "ls | tee x",
                "if make | tee x; then y; fi",
                "curl x | tar xz",
                "grep x y | tee z",
                "echo 'make | tee x'",
                "git diff | grep x | tee y",
            ],
        ),
    );
}

#[test]
fn settings_that_do_not_carry_over_to_the_next_item_are_found() {
    finds(
        "PL204",
        &items(&[
            &["set -e", "make"],
            &["make", "set -euo pipefail", "make"],
            &["trap 'x' EXIT", "make"],
            &["shopt -s globstar", "make"],
        ]),
    );
    leaves(
        "PL204",
        &items(&[
            &["set -e"],
            &["make", "set -e"],
            &["set -e; make", "make"],
            &["set -a", "make"],
            &["set -- a b", "make"],
            &["export A=1", "make"],
        ]),
    );
    finds("PL205", &items(&[&["f() { make; }", "f"], &["alias k=kubectl", "k get pods"]]));
    leaves(
        "PL205",
        &items(&[
            &["f() { make; }; f"],
            &["f() { make; }", "g"],
            &["alias k=kubectl", "kubectl get"],
            &["f() { a; }", "f() { b; }; f"],
        ]),
    );
}

#[test]
fn an_exit_that_does_not_end_the_build_is_found() {
    finds(
        "PL206",
        &items(&[
            &["if [ -z \"$A\" ]; then echo skip; exit 0; fi", "make"],
            &["'[ -z \"$A\" ] && exit 0'", "make"],
            &["'[ -z \"$A\" ] && { echo skip; exit 0; }'", "make"],
            &["case $A in x) exit 0;; esac", "make"],
        ]),
    );
    leaves(
        "PL206",
        &items(&[
            &["if [ -z \"$A\" ]; then exit 0; fi"],
            &["if [ -z \"$A\" ]; then exit 1; fi", "make"],
            &["if [ -z \"$A\" ]; then exit 0; fi; make", "make"],
            &["make || exit 0", "make"],
            &["make; exit 0", "make"],
            &["echo exit 0", "make"],
        ]),
    );
}

#[test]
fn incomplete_scripts_are_found() {
    finds(
        "PL207",
        &items(&[
            &["if x; then", "y", "fi"],
            &["for a in b; do", "c", "done"],
            &["echo 'a"],
            &["echo \"$(a\""],
            &["make &&"],
        ]),
    );
    leaves(
        "PL207",
        &items(&[
            &["if x; then y; fi"],
            &["echo \"it's\""],
            &["echo done"],
            &["'echo \"a: $(b)\"'"],
            &["find . -name '*.x' -exec rm {} \\;"],
        ]),
    );
    leaves(
        "PL207",
        &all(
            script,
            &[
                "if x; then\n  y\nfi",
                "cat <<'EOF'\nit's\nEOF",
                "while read -r a; do\n b\ndone < c",
                "a() {\n  b\n}\na",
            ],
        ),
    );
}

#[test]
fn scripts_for_windows_are_not_read() {
    let text = script("if ($a) { b }\n[[ x").replace("phases:", "env: { shell: powershell.exe }\nphases:");
    assert_eq!(codes_in(&text, &LintContext::default()), [""; 0]);
}

#[test]
fn places_are_those_of_the_command_in_every_yaml_style() {
    let place = |text: &str| {
        let text = whole(&format!("phases:\n  build:\n    commands:\n{text}"));
        found_in(&text, &LintContext::default()).join(" ")
    };
    assert_eq!(place("      - echo a; cdk deploy\n"), "PL501 5:17");
    assert_eq!(place("      - 'echo ''a''; cdk deploy'\n"), "PL501 5:22");
    assert_eq!(place("      - \"echo \\\"é\\\"; cdk deploy\"\n"), "PL501 5:22");
    assert_eq!(place("      - |\n        echo a\n\n        cdk deploy\n"), "PL501 8:9");
    assert_eq!(place("      - >-\n        cdk\n        deploy\n"), "PL501 6:9");
    assert_eq!(place("      - &x cdk deploy A\n      - *x\n"), "PL501 5:12 PL502 5:12 PL501 6:9");
    assert_eq!(place("    - {a: b}\n").split(' ').next(), Some("PL106"));
}

#[test]
fn a_status_that_is_kept_or_tested_at_once_is_no_finding() {
    leaves(
        "PL202",
        &all(
            script,
            &[
                "./check.sh\nstatus=$?\nif [ $status -ne 0 ]; then echo no; fi",
                "./check.sh\nif [ $? -ne 0 ]; then\n  exit 1\nfi\nmake",
                "./check.sh\n[ $? -eq 0 ] || exit 1\nmake",
                "./check.sh 2> /dev/null\nlocal rc=${?}\nmake",
                "./check.sh | tee log\nstatus=${PIPESTATUS[0]}\nexit $status",
                "./check.sh\ncase $? in 0) ;; *) exit 1;; esac\nmake",
            ],
        ),
    );
    leaves("PL203", &all(script, &["make | tee log\nstatus=${PIPESTATUS[0]}\nexit $status"]));
    finds(
        "PL202",
        &all(script, &["./check.sh\nmake\nstatus=$?", "./check.sh\necho $X\nif [ $? = 0 ]; then make; fi"]),
    );
}

#[test]
fn a_folder_that_is_entered_twice_is_found() {
    finds(
        "PL209",
        &items(&[
            &["cd infra && npm ci", "cd infra && make"],
            &["cd a/b", "cd b"],
            &["cd infra", "'cd infra || exit 1'"],
        ]),
    );
    leaves(
        "PL209",
        &items(&[
            &["cd infra", "cd ../infra"],
            &["cd infra", "cd $CODEBUILD_SRC_DIR/infra"],
            &["(cd infra && npm ci)", "cd infra && make"],
            &["cd infra && npm ci && cd -", "cd infra"],
            &["cd infra && npm ci && cd ..", "cd infra"],
            &["cd $HOME/work", "cd $HOME/work"],
            &["cd a", "cd b"],
            &["'cd infra | cat'", "cd infra"],
        ]),
    );
    let old = "version: 0.1\nphases:\n  build:\n    commands:\n      - cd infra\n      - cd infra\n";
    leaves("PL209", &[old.to_owned()]);
}

#[test]
fn secrets_in_addresses_and_keys_of_aws_are_found() {
    let with = |env: &str, command: &str| {
        whole(&format!("env:\n{env}\nphases:\n  build:\n    commands:\n      - {command}\n"))
    };
    let secret = "  secrets-manager: { T: a/b }";
    let plain = "  variables: { A: b }";
    finds(
        "PL307",
        &[
            with(secret, "git clone https://$T@github.com/a/b"),
            with(secret, "git remote add up \"https://x:${T}@github.com/a/b\""),
            with(plain, "git clone https://oauth2:$GITHUB_TOKEN@gitlab.com/a/b"),
            with(plain, "curl -O https://bot:hunter2two@files.example.com/x"),
            with(
                plain,
                "pip install --index-url https://aws:$CODEARTIFACT_AUTH_TOKEN@d.example.com/simple/ x",
            ),
        ],
    );
    leaves(
        "PL307",
        &[
            with(secret, "git clone https://github.com/a/b"),
            with(plain, "git clone https://git@github.com/a/b"),
            with(plain, "git clone https://$HOST/a/b@v1"),
            with(plain, "npm install https://registry.example.com/@scope/x"),
            with(plain, "git clone ssh://git@github.com/a/b"),
        ],
    );
    let key = |name: &str, value: &str| whole(&format!("env:\n  variables:\n    {name}: {value}\n"));
    finds(
        "PL301",
        &[
            key("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzzz"),
            key("AWS_SECRET_ACCESS_KEY", "test"),
            key("PROD_AWS_SECRET_ACCESS_KEY", "/abc"),
            key("AWS_SESSION_TOKEN", "a/b"),
        ],
    );
    leaves("PL301", &[key("AWS_SECRET_ACCESS_KEY", "$OTHER"), key("AWS_SECRET_ACCESS_KEY", "\"\"")]);
}

#[test]
fn misleading_deployments_of_the_cdk_are_found() {
    let never = "npx cdk deploy A --require-approval never";
    finds(
        "PL507",
        &items(&[
            &[&format!("{never} || true")],
            &[&format!("'{never} || :'")],
            &[&format!("{never} || echo failed")],
            &[&format!("{never} || exit 0")],
            &[&format!("'npm ci && {never} || true'")],
        ]),
    );
    leaves("PL507", &items(&[&[never], &[&format!("{never} || exit 1")], &["npm test || true"]]));
    finds("PL503", &items(&[&["npx --yes cdk synth"], &["npx -y aws-cdk@latest deploy"]]));
    leaves(
        "PL503",
        &items(&[&["npx cdk synth"], &["npx --yes aws-cdk@2 synth"], &["npx --yes cdk@2.1000.0 ls"]]),
    );
    finds(
        "PL508",
        &items(&[
            &[&format!("CDK_DEFAULT_REGION=eu-west-1 {never}")],
            &["export CDK_DEFAULT_REGION=eu-west-1", never],
            &[&format!("CDK_DEFAULT_ACCOUNT=111122223333 {never}")],
        ]),
    );
    leaves(
        "PL508",
        &items(&[
            &["export CDK_DEFAULT_REGION=$AWS_REGION", never],
            &["export CDK_DEFAULT_REGION=eu-west-1", "node bin/app.js"],
            &[&format!("AWS_REGION=eu-west-1 {never}")],
        ]),
    );
    let variable = "env:\n  variables: { CDK_DEFAULT_REGION: eu-west-1 }\nphases:\n  build:\n    commands:\n      - npx cdk synth\n";
    finds("PL508", &[whole(variable)]);
}

#[test]
fn a_runner_that_nothing_installs_is_found() {
    finds("PL509", &items(&[&["paceline deploy"], &["make", "paceline plan | tee plan.txt"]]));
    leaves(
        "PL509",
        &items(&[
            &["curl -o paceline https://example.com/paceline", "paceline deploy"],
            &["command -v paceline", "paceline deploy"],
            &["cargo install --path crates/paceline", "paceline plan"],
            &["make"],
        ]),
    );
}
