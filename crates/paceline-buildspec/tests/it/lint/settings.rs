//! The rules about secrets, Docker, caches, phases and tools: the mistakes that they find, and the similar
//! code that they ignore.

use paceline_buildspec::lint::{LintContext, ProjectFacts};

use super::{all, finds, in_project, items, leaves, only, project, script, whole};

#[test]
fn secrets_in_the_source_are_found() {
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
fn secrets_in_the_log_are_found() {
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
fn docker_without_its_daemon_is_found() {
    let privileged = |text: &str| {
        let project = Some(ProjectFacts { privileged: true, ..project() });
        only(&script(text), "PL311", &LintContext { project, ..LintContext::default() }).len()
    };
    assert_eq!(privileged("aws s3 sync a b"), 1);
    for text in ["docker build .", "make", "./build.sh", "npm ci", "$TOOL build"] {
        assert_eq!(privileged(text), 0, "{text}");
    }

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
        let context = LintContext { project: Some(project), ..LintContext::default() };
        assert_eq!(only(&script("docker build ."), "PL312", &context), []);
    }
    finds(
        "PL313",
        &all(script, &["nohup dockerd &", "/usr/local/bin/dockerd --host=x &", "service docker start"]),
    );
    leaves("PL313", &all(script, &["docker info", "echo dockerd", "service nginx start", "pkill dockerd"]));
}

#[test]
fn caches_without_effect_are_found() {
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
fn waits_that_are_longer_than_the_build_are_found() {
    let too_long = |text: &str| only(&script(text), "PL411", &in_project()).len();
    for text in [
        "timeout 2h make",
        "timeout -k 5 3600 make",
        "sleep 7200",
        "for i in $(seq 1 240); do sleep 30; done",
        "for i in {1..120}; do a; sleep 1m; done",
    ] {
        assert_eq!(too_long(text), 1, "{text}");
        assert_eq!(only(&script(text), "PL411", &LintContext::default()), [], "{text}");
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
fn releases_after_a_failed_build_are_found() {
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
fn retries_of_commands_that_work_only_once_are_found() {
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
        let context = LintContext { project: Some(project), ..LintContext::default() };
        assert_eq!(only(&retried("make"), "PL423", &context).len(), expected);
    }
}

#[test]
fn mistakes_in_deployments_with_the_cdk_are_found() {
    finds(
        "PL501",
        &all(
            script,
            &["cdk deploy --require-approval any-change", "cdk deploy --require-approval=broadening"],
        ),
    );
    leaves("PL501", &all(script, &["cdk deploy --require-approval $APPROVAL", "cdk deploy --yes"]));

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
fn mistakes_with_tools_and_packages_are_found() {
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
    let locked = LintContext { has_npm_lock: true, ..LintContext::default() };
    for (text, expected) in [
        ("npm install", 1),
        ("npm i --silent", 1),
        ("npm install left-pad", 0),
        ("npm ci", 0),
        ("npm install -g a@1", 0),
        ("echo npm install", 0),
    ] {
        assert_eq!(only(&script(text), "PL504", &locked).len(), expected, "{text}");
        assert_eq!(only(&script(text), "PL504", &LintContext::default()), [], "{text}");
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
fn mistakes_with_runtimes_are_found() {
    let versions = |text: &str| whole(&format!("phases:\n  install:\n    runtime-versions:\n      {text}\n"));
    finds("PL431", &all(versions, &["nodejs: latest", "python: LATEST"]));
    leaves("PL431", &all(versions, &["nodejs: 22", "nodejs: 22.x"]));
    finds("PL433", &all(versions, &["node: 22", "go: 1.22", "docker: 20", "perl: 5"]));
    leaves("PL433", &all(versions, &["nodejs: 22", "golang: 1.22", "rust: 1.8", "java: corretto21"]));
    assert_eq!(only(&script("npm test"), "PL432", &in_project()).len(), 1);
    assert_eq!(only(&script("nvm use\nnpm test"), "PL432", &in_project()), []);
    assert_eq!(only(&script("make"), "PL432", &in_project()), []);
    assert_eq!(only(&script("npm test"), "PL432", &LintContext::default()), []);
}

#[test]
fn an_image_that_no_machine_has_is_found() {
    let of_project = |image: &str| {
        let project = Some(ProjectFacts { image: Some(image.to_owned()), ..project() });
        only(&script("make"), "PL434", &LintContext { project, ..LintContext::default() }).len()
    };
    for image in [
        "aws/codebuild/standard:7.0-24.10.29",
        "aws/codebuild/standard:4.0",
        "aws/codebuild/amazonlinux2-x86_64-standard:3.0",
        "aws/codebuild/windows-base:2022-1.0-24.10.29",
    ] {
        assert_eq!(of_project(image), 1, "{image}");
    }
    for image in [
        "aws/codebuild/standard:7.0",
        "aws/codebuild/standard:8.0",
        "aws/codebuild/amazonlinux-aarch64-standard:3.0",
        "aws/codebuild/windows-base:2022-1.0",
        "aws/codebuild/amazonlinux-x86_64-lambda-standard:nodejs22",
        "111122223333.dkr.ecr.eu-west-1.amazonaws.com/build:1.0-rc",
    ] {
        assert_eq!(of_project(image), 0, "{image}");
    }
}

#[test]
fn the_kernel_of_amazon_linux_2_is_found() {
    let of = |host_kernel: Option<&str>, kind: &str, has_fleet| {
        let host_kernel = host_kernel.map(str::to_owned);
        let project = Some(ProjectFacts { host_kernel, kind: Some(kind.to_owned()), has_fleet, ..project() });
        only(&script("make"), "PL435", &LintContext { project, ..LintContext::default() }).len()
    };
    assert_eq!(of(None, "LINUX_CONTAINER", false), 1);
    assert_eq!(of(Some("LINUX_KERNEL_4"), "ARM_CONTAINER", false), 1);
    assert_eq!(of(Some("LINUX_KERNEL_6"), "LINUX_CONTAINER", false), 0);
    assert_eq!(of(None, "WINDOWS_SERVER_2022_CONTAINER", false), 0);
    assert_eq!(of(None, "LINUX_LAMBDA_CONTAINER", false), 0);
    assert_eq!(of(None, "LINUX_CONTAINER", true), 0);
    let read =
        ProjectFacts::read(r#"{"environment":{"type":"LINUX_CONTAINER","hostKernel":"LINUX_KERNEL_6"}}"#);
    assert_eq!(read.unwrap().host_kernel.as_deref(), Some("LINUX_KERNEL_6"));
}

#[test]
fn a_session_that_ends_before_the_build_is_found() {
    let of = |minutes, text: &str| {
        let project = Some(ProjectFacts { timeout_minutes: Some(minutes), ..project() });
        only(&script(text), "PL412", &LintContext { project, ..LintContext::default() }).len()
    };
    let assume = "aws sts assume-role --role-arn $ROLE --role-session-name build > s.json";
    let deploy = "npx cdk deploy --all --require-approval never";
    assert_eq!(of(240, &format!("{assume}\n{deploy}")), 1);
    assert_eq!(of(240, &format!("{assume}\npaceline deploy")), 1);
    // The build is short, the session is for something else, or the deployment is before it.
    assert_eq!(of(60, &format!("{assume}\n{deploy}")), 0);
    assert_eq!(of(240, assume), 0);
    assert_eq!(of(240, &format!("{deploy}\n{assume}")), 0);
    let web = "aws sts assume-role-with-web-identity --role-arn $ROLE --duration-seconds 14400";
    assert_eq!(of(240, &format!("{web}\n{deploy}")), 0);
    // AWS refuses a longer session in any build.
    finds(
        "PL412",
        &all(
            script,
            &[
                "aws sts assume-role --role-arn $R --role-session-name b --duration-seconds 43200",
                "aws sts assume-role --duration-seconds=3601 --role-arn $R --role-session-name b",
                "aws configure set profile.target.duration_seconds 14400",
            ],
        ),
    );
    let hint = |text: &str| only(&script(text), "PL412", &LintContext::default())[0].hint.clone().unwrap();
    let asked = hint("aws sts assume-role --role-arn $R --role-session-name b --duration-seconds 43200");
    assert!(asked.contains("write a profile with `role_arn`"), "{asked}");
    let in_profile = hint("aws configure set profile.target.duration_seconds 14400");
    assert!(in_profile.contains("remove `duration_seconds`"), "{in_profile}");
    leaves(
        "PL412",
        &all(
            script,
            &[
                "aws sts assume-role --role-arn $R --role-session-name b --duration-seconds 3600",
                "aws sts get-caller-identity",
                "aws configure set region eu-west-1",
                assume,
            ],
        ),
    );
}
