//! What each rule of scripts and settings finds, and what it must leave alone.

use paceline_buildspec::lint::{Finding, ProjectFacts, Severity, Surroundings, lint};

use super::{codes_in, commands, finds, found_in, in_project, indented, leaves, project, script, whole};

fn all(of: fn(&str) -> String, texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| of(text)).collect()
}

fn items(lists: &[&[&str]]) -> Vec<String> {
    lists.iter().map(|list| commands(list)).collect()
}

fn only(text: &str, code: &str, surroundings: &Surroundings) -> Vec<Finding> {
    let report = lint("buildspec.yml", text.as_bytes(), surroundings);
    report.findings.into_iter().filter(|finding| finding.code == code).collect()
}

#[test]
fn numbers_of_versions_that_yaml_shortens() {
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
fn values_that_yaml_takes_for_something_else() {
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
fn folded_scripts_that_need_their_lines() {
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
fn variables_in_values_that_nothing_expands() {
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
fn bash_in_a_shell_that_may_be_dash() {
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
        only(&script(text), "PL201", &Surroundings { project, has_npm_lock: false })
    };
    assert!(in_image("aws/codebuild/standard:7.0").iter().all(|finding| finding.severity == Severity::Error));
    assert_eq!(in_image("aws/codebuild/standard:7.0").len(), 2);
    assert_eq!(in_image("aws/codebuild/amazonlinux2-x86_64-standard:5.0"), []);
    assert!(in_image("example.com/mine:1").iter().all(|finding| finding.severity == Severity::Warning));
}

#[test]
fn failures_that_a_later_command_hides() {
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
fn failures_that_a_pipe_hides() {
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
fn what_does_not_carry_over_from_item_to_item() {
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
fn an_exit_that_is_meant_to_end_the_build() {
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
fn scripts_that_are_no_whole_scripts() {
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
fn secrets_in_the_open() {
    let variable = |text: &str| whole(&format!("env:\n  variables:\n    {text}\n"));
    finds(
        "PL301",
        &all(variable, &["DB_PASSWORD: hunter2", "API_KEY: 9f8e7d6c5b", "GITHUB_TOKEN: 'abcdef123'"]),
    );
    leaves(
        "PL301",
        &all(
            variable,
            &[
                "DB_PASSWORD: ''",
                "TOKEN_URL: https://x",
                "SECRET_NAME: prod",
                "DB_PASSWORD: <password>",
                "API_KEY: $KEY",
                "TOKEN: /prod/token",
                "USE_TOKEN: true",
            ],
        ),
    );
    let token = format!("ghp_{}", "A1b2".repeat(9));
    finds(
        "PL302",
        &[script(&format!("git clone https://{token}@github.com/a/b")), variable(&format!("A: {token}"))],
    );
    leaves(
        "PL302",
        &all(
            script,
            &[
                "echo AKIAIOSFODNN7EXAMPLE",
                "npm_config_cache=x make",
                "openssl x509 -in a # -----BEGIN CERTIFICATE-----",
            ],
        ),
    );
}

#[test]
fn secrets_in_the_log() {
    let secret = |text: &str| format!("{}env:\n  secrets-manager:\n    TOKEN: a\n", script(text));
    finds(
        "PL303",
        &all(
            secret,
            &[
                "echo $TOKEN",
                "printf '%s' \"x${TOKEN}y\"",
                "env",
                "printenv",
                "cat .env",
                "echo a && echo \"$TOKEN\"",
                "cat ~/.aws/credentials",
                "/usr/bin/env",
            ],
        ),
    );
    leaves(
        "PL303",
        &all(
            secret,
            &[
                "echo \"$TOKEN\" | docker login --password-stdin",
                "echo $TOKEN > f",
                "echo TOKEN",
                "echo '$TOKEN'",
                "env | grep A",
                "env A=b make",
                "X=$(echo $TOKEN)",
                "echo ${#TOKEN}",
                "echo ${TOKEN:+set}",
                "cat .env.example",
                "cat README.md",
                "printenv HOME",
                "npm publish --token $TOKEN",
                "cat certs.pem",
            ],
        ),
    );
    leaves("PL303", &all(script, &["env", "echo $A"]));
    finds("PL304", &all(secret, &["set -x\nmake", "set -eux\nmake", "set -o xtrace\nmake"]));
    leaves("PL304", &all(secret, &["set -e\nmake", "set +x\nmake", "make -x"]));
    leaves("PL304", &all(script, &["set -x\nmake"]));
    finds("PL305", &all(script, &["docker login -u a -p b", "docker login --password=$X r"]));
    leaves("PL305", &all(script, &["docker login -u a --password-stdin < b", "mkdir -p b"]));
    finds("PL306", &all(script, &["aws s3 cp .env s3://b/", "aws s3 cp --quiet certs/key.pem s3://b/k"]));
    leaves(
        "PL306",
        &all(
            script,
            &["aws s3 cp s3://b/.env .env", "aws s3 cp a.env.txt s3://b/", "aws s3 cp ca-bundle.pem s3://b/"],
        ),
    );
}

#[test]
fn docker_and_its_daemon() {
    let unprivileged = |text: &str| only(&script(text), "PL312", &in_project()).len();
    assert_eq!(unprivileged("docker build ."), 1);
    assert_eq!(unprivileged("docker-compose up"), 1);
    for text in ["docker --version", "docker login -u a --password-stdin < b", "echo docker build", "make"] {
        assert_eq!(unprivileged(text), 0, "{text}");
    }
    for project in [
        ProjectFacts { privileged: true, ..project() },
        ProjectFacts { has_docker_server: true, ..project() },
    ] {
        let surroundings = Surroundings { project: Some(project), has_npm_lock: false };
        assert_eq!(only(&script("docker build ."), "PL312", &surroundings), []);
    }
    finds(
        "PL313",
        &all(script, &["nohup dockerd &", "/usr/local/bin/dockerd --host=x &", "service docker start"]),
    );
    leaves("PL313", &all(script, &["docker info", "echo dockerd", "service nginx start", "pkill dockerd"]));
}

#[test]
fn caches_that_do_nothing() {
    let cache = |text: &str| whole(&format!("cache:\n  paths: [/root/.npm/**/*]\n{text}"));
    finds(
        "PL401",
        &all(cache, &["  fallback-keys: [a]\n", "  key: a-$B\n  fallback-keys: [a, b, c, d, e, f]\n"]),
    );
    leaves("PL401", &all(cache, &["  key: a-$B\n  fallback-keys: [a, b, c, d, e]\n", ""]));
    finds("PL402", &all(cache, &["  key: npm\n"]));
    leaves(
        "PL402",
        &all(
            cache,
            &[
                "  key: npm-$(codebuild-hash-files a)\n",
                "  key: npm-$BRANCH\n",
                "  key: npm\n  action: restore\n",
                "",
            ],
        ),
    );
    let paths = |text: &str| whole(&format!("cache:\n  paths:\n    - {text}\n"));
    finds("PL404", &all(paths, &["~/.m2", "$HOME/.npm", "'${HOME}/.cache/**/*'"]));
    leaves("PL404", &all(paths, &["/root/.m2/**/*", "node_modules/**/*", "'$CODEBUILD_SRC_DIR/x'"]));
}

#[test]
fn waits_that_are_longer_than_the_build() {
    let too_long = |text: &str| only(&script(text), "PL411", &in_project()).len();
    for text in [
        "timeout 2h make",
        "timeout -k 5 3600 make",
        "sleep 7200",
        "for i in $(seq 1 240); do sleep 30; done",
        "for i in {1..120}; do a; sleep 1m; done",
    ] {
        assert_eq!(too_long(text), 1, "{text}");
        assert_eq!(only(&script(text), "PL411", &Surroundings::default()), [], "{text}");
    }
    for text in [
        "timeout 30m make",
        "sleep 5",
        "for i in $(seq 1 10); do sleep 30; done",
        "timeout $T make",
        "while true; do sleep 60; done",
        "echo timeout 9h",
    ] {
        assert_eq!(too_long(text), 0, "{text}");
    }
}

#[test]
fn releases_after_a_failed_build() {
    let post = |text: &str| {
        whole(&format!(
            "phases:\n  build:\n    commands: [make]\n  post_build:\n    commands:\n      - {text}\n"
        ))
    };
    finds(
        "PL421",
        &all(
            post,
            &[
                "docker push a",
                "aws s3 sync a s3://b",
                "npx cdk deploy",
                "aws s3 cp a s3://b/c",
                "aws ecs update-service --service a",
                "make && docker push a",
            ],
        ),
    );
    leaves(
        "PL421",
        &all(
            post,
            &[
                "echo done",
                "aws s3 cp s3://a/b c",
                "if [ $CODEBUILD_BUILD_SUCCEEDING = 1 ]; then docker push a; fi",
                "docker images",
                "test \"$CODEBUILD_BUILD_SUCCEEDING\" = 1\n      - docker push a",
            ],
        ),
    );
    let aborted =
        post("docker push a").replace("    commands: [make]", "    on-failure: ABORT\n    commands: [make]");
    leaves("PL421", &[aborted, whole("phases:\n  post_build:\n    commands: [docker push a]\n")]);
}

#[test]
fn retries_of_what_works_once() {
    let retried = |text: &str| {
        whole(&format!("phases:\n  build:\n    on-failure: RETRY-2\n    commands:\n      - {text}\n"))
    };
    finds("PL422", &all(retried, &["npm publish", "aws s3api create-bucket --bucket a", "git tag v1"]));
    leaves(
        "PL422",
        &all(
            retried,
            &[
                "make",
                "npm test",
                "aws s3 sync a b",
                "aws s3api create-bucket --bucket a || true",
                "aws cloudfront create-invalidation --id a",
            ],
        ),
    );
    leaves(
        "PL422",
        &[
            retried("npm publish").replace("RETRY-2", "ABORT"),
            retried("npm publish").replace("RETRY-2", "RETRY-0"),
        ],
    );
    let lambda = ProjectFacts { kind: Some("LINUX_LAMBDA_CONTAINER".into()), ..project() };
    let fleet = ProjectFacts { has_fleet: true, ..project() };
    for (project, expected) in [(lambda, 1), (fleet, 1), (project(), 0)] {
        let surroundings = Surroundings { project: Some(project), has_npm_lock: false };
        assert_eq!(only(&retried("make"), "PL423", &surroundings).len(), expected);
    }
}

#[test]
fn deployments_with_the_cdk() {
    finds(
        "PL501",
        &all(
            script,
            &[
                "cdk deploy",
                "npx cdk deploy A",
                "npx --yes aws-cdk@2 deploy --all",
                "yarn cdk deploy",
                "npm exec -- cdk deploy",
            ],
        ),
    );
    leaves(
        "PL501",
        &all(
            script,
            &[
                "cdk deploy --require-approval never",
                "cdk deploy --require-approval=never",
                "cdk deploy --method=prepare-change-set",
                "cdk deploy --no-execute",
                "cdk synth",
                "cdk diff deploy",
                "echo cdk deploy",
                "npm run deploy",
                "yes | cdk deploy",
                "cdk deploy --help",
                "cdk deploy $CDK_ARGS",
            ],
        ),
    );
    finds("PL502", &all(script, &["for s in A B; do cdk deploy $s; done", "cdk deploy A\ncdk deploy B"]));
    leaves("PL502", &all(script, &["cdk deploy --all", "cdk deploy A B", "cdk synth\ncdk deploy A"]));
}

#[test]
fn tools_and_packages() {
    finds(
        "PL503",
        &all(
            script,
            &[
                "npm install -g aws-cdk",
                "npm i -g aws-cdk@latest",
                "yarn global add serverless",
                "npm install --global @angular/cli",
                "sudo npm install -g a@1 b",
            ],
        ),
    );
    leaves(
        "PL503",
        &all(
            script,
            &[
                "npm install -g aws-cdk@2.1000.0",
                "npm install -g npm",
                "npm install",
                "npm install -g .",
                "npm install -g $TOOL",
                "npm install -g @angular/cli@17",
                "npm ci",
            ],
        ),
    );
    let locked = Surroundings { project: None, has_npm_lock: true };
    for (text, expected) in [
        ("npm install", 1),
        ("npm i --silent", 1),
        ("npm install left-pad", 0),
        ("npm ci", 0),
        ("npm install -g a@1", 0),
        ("echo npm install", 0),
    ] {
        assert_eq!(only(&script(text), "PL504", &locked).len(), expected, "{text}");
        assert_eq!(only(&script(text), "PL504", &Surroundings::default()), [], "{text}");
    }
    finds(
        "PL505",
        &all(
            script,
            &[
                "apt-get install jq",
                "apt-get update && apt-get install jq",
                "yum install jq",
                "cdk destroy",
                "terraform apply",
                "sudo apt install jq",
            ],
        ),
    );
    leaves(
        "PL505",
        &all(
            script,
            &[
                "apt-get install -y jq",
                "apt-get -y install jq",
                "apt-get -yq install jq",
                "apt-get install -qq jq",
                "yes | apt-get install jq",
                "apt-get update",
                "cdk destroy --force",
                "terraform apply plan.out",
                "terraform apply -auto-approve",
                "yum install -y a",
                "echo apt-get install jq",
            ],
        ),
    );
    finds(
        "PL506",
        &items(&[&["$(aws ecr get-login --no-include-email)"], &["aws --region x ecr get-login"]]),
    );
    leaves("PL506", &items(&[&["aws ecr get-login-password"], &["aws ecr get-authorization-token"]]));
}

#[test]
fn runtimes() {
    let versions = |text: &str| whole(&format!("phases:\n  install:\n    runtime-versions:\n      {text}\n"));
    finds("PL431", &all(versions, &["nodejs: latest", "python: LATEST"]));
    leaves("PL431", &all(versions, &["nodejs: 22", "nodejs: 22.x"]));
    finds("PL433", &all(versions, &["node: 22", "go: 1.22", "docker: 20", "perl: 5"]));
    leaves("PL433", &all(versions, &["nodejs: 22", "golang: 1.22", "rust: 1.8", "java: corretto21"]));
    assert_eq!(only(&script("npm test"), "PL432", &in_project()).len(), 1);
    assert_eq!(only(&script("nvm use\nnpm test"), "PL432", &in_project()), []);
    assert_eq!(only(&script("make"), "PL432", &in_project()), []);
    assert_eq!(only(&script("npm test"), "PL432", &Surroundings::default()), []);
}

#[test]
fn scripts_of_windows_are_not_read() {
    let text = script("if ($a) { b }\n[[ x").replace("phases:", "env: { shell: powershell.exe }\nphases:");
    assert_eq!(codes_in(&text, &Surroundings::default()), [""; 0]);
}

#[test]
fn places_are_those_of_the_command_however_it_is_written() {
    let place = |text: &str| {
        let text = whole(&format!("phases:\n  build:\n    commands:\n{text}"));
        found_in(&text, &Surroundings::default()).join(" ")
    };
    assert_eq!(place("      - echo a; cdk deploy\n"), "PL501 5:17");
    assert_eq!(place("      - 'echo ''a''; cdk deploy'\n"), "PL501 5:22");
    assert_eq!(place("      - \"echo \\\"é\\\"; cdk deploy\"\n"), "PL501 5:22");
    assert_eq!(place("      - |\n        echo a\n\n        cdk deploy\n"), "PL501 8:9");
    assert_eq!(place("      - >-\n        cdk\n        deploy\n"), "PL501 6:9");
    assert_eq!(place("      - &x cdk deploy A\n      - *x\n"), "PL501 5:12 PL502 5:12 PL501 6:9");
    assert_eq!(place("    - {a: b}\n").split(' ').next(), Some("PL106"));
}
