//! What is wrong with a configuration is said with its place.

use std::time::Duration;

use camino::Utf8Path;
use paceline_config::{
    BatchBy, CacheMode, ComputeType, Config, ConfigError, FailedRun, FailurePolicy, IamRoles, MetricsTarget,
    OnAlarm, Privileged, Rollback, RunnerFrom, SourceType, Strategy, Stuck, Then, WebhookTemplate,
    WebhookTexts,
};
use paceline_text::Explained as _;

/// Every field there is.
pub(crate) const EVERY_FIELD: &str = "version: 1
app: out
install: npm ci
synth: npm run synth
multi-region: { when: MULTI, primary: us-east-1 }
phases: [{ name: p, sequential: true, barrier: true, stacks: [A] }]
strategy: phases
edges: [{ from: A, to: B, because: c, reason: ssm, relax: when-present, until: stack }]
concurrency: { stacks: 1, assets: 2, images: 3, resources: 100, api-rates: 4 }
gates: [{ after: A, iam-roles: [Role] }]
commands:
  - { name: tidy, after: [A, 'phase:p'], before: B, run: ./tidy.sh, dir: scripts, shell: bash, env: { A: b }, timeout: 5m, retries: 2 }
unchanged: { ignore-timestamps: true, records: false }
on-failure: { policy: fail-fast, rollback: none, retries: 5, stuck: cancel, run: rollback }
approve: { deletes: 0, replacements: [stateful], iam-broadening: refuse, stacks: ['Prod*'] }
journal: { bucket: always, history: shared }
signal: { wait-handle: HANDLE, id: workshop1, when-interrupted: false }
metrics: cloudwatch
rollout: { first: us-east-1, bake: 20m, alarms: ['prod-*'], then: parallel, on-alarm: rollback }
prewarm: { ecr: [petsite], from-templates: true }
notifications:
  sns: arn:aws:sns:eu-west-1:111122223333:deployments
  event-bus: deployments
  webhook: { parameter: /deploy/chat, template: '{\"text\": \"${message}\"}' }
  on: [failure, end]
traces: { endpoint: 'http://localhost:4318', service-name: deployments }
pipeline:
  connection: arn:aws:codeconnections:eu-west-1:111122223333:connection/1a-2b
  branch: main
  kms-key: arn:aws:kms:eu-west-1:111122223333:key/1a-2b
  approval-topic: arn:aws:sns:eu-west-1:111122223333:approvals
fan-out: { builds: 30 }
codebuild:
  { image: acme/builder:1, host-kernel: linux-kernel-4, compute: small, price-per-minute: 0.004, timeout: 1h, auto-retry-limit: 2, sleep: true, queued-timeout: 2h, source: github, location: l, artifacts-bucket: b, kms-keys: [k],
    service-role: r, cache: [], privileged: no, docker-server: small, timeouts: { stack: 30m, runner: 50m, outside: 4h },
    vpc: { id: v, subnets: [s], security-groups: [g] }, log-retention-days: 7, tags: { team: t }, batch: regions }
runner: { from: https, uri: https://example.com/paceline, sha256: abc }
";

/// Every field of an app among several.
pub(crate) const APPS: &str = "apps:
  pets:
    dir: pet-stack
    assembly: out
    install: npm ci
    build: npm run build
    synth: npx cdk synth --quiet
    context: { admin_role: Admin }
    refresh-context: [/petstore/petsiteurl]
    recorded: later
    env: { STAGE: prod }
";

fn parse(yaml: &str) -> Result<Config, String> {
    read(yaml).map_err(|error| format!("{}; {}", error.what(), error.hint().unwrap()))
}

fn read(yaml: &str) -> Result<Config, ConfigError> {
    Config::parse(yaml, Utf8Path::new("paceline.yaml"))
}

#[track_caller]
fn check(yaml: &str, place: &str, part: &str) {
    let error = parse(yaml).unwrap_err();
    assert!(error.starts_with(&format!("paceline.yaml:{place}: ")), "{error}");
    assert!(error.contains(part), "{error}");
    assert!(!error.contains('\n') && !error.contains("at line"), "{error}");
}

#[test]
fn what_is_refused_is_told_in_the_words_of_the_file() {
    for (yaml, place, part) in [
        ("version: one\n", "1:10", "`one` is not a whole number"),
        ("# mine\nversion: 2\n", "2:10", "version 2 is not known"),
        ("app: [a]\n", "1:6", "one text is expected here"),
        ("app: a\napp: b\n", "2:1", "`app` is already set on line 1"),
        ("strategi: graph\n", "1:1", "did you mean `strategy`?"),
        ("strategy: fastest\n", "1:11", "`fastest`"),
        ("phases: services\n", "1:9", "a list is expected here"),
        ("phases:\n  name: a\n", "2:3", "a list is expected here"),
        ("phases:\n  - stacks: [A]\n", "2:5", "missing field `name`"),
        ("phases:\n  - name: a\n    stack: [A]\n", "3:5", "`stack`"),
        (
            "phases: [{ name: a, sequential: maybe, stacks: [A] }]\n",
            "1:33",
            "`maybe` is neither true nor false",
        ),
        ("edges:\n  - { from: A, to: B }\n", "2:5", "missing field `because`"),
        (
            "concurrency: many\n",
            "1:14",
            "fields are expected here, and not `many`; write them as `name: value`",
        ),
        ("concurrency:\nstacks: 5\n", "1:12", "there are none; indent those that belong here"),
        ("concurrency:\n  stacks: -3\n", "2:11", "`-3` is not a whole number"),
        ("concurrency: { stacks: many }\n", "1:24", "`many` is not a whole number"),
        ("concurrency: { stacks: 1.5, assets: 2 }\n", "1:24", "`1.5` is not a whole number"),
        ("concurrency: { stacks: 0 }\n", "1:24", "`0` is too small: it must be at least 1"),
        ("concurrency: { resources: 0 }\n", "1:27", "`0` is too small: it must be at least 1"),
        ("concurrency: { api-rates: 5 }\n", "1:27", "calls cannot become `5` times as fast as documented"),
        ("concurrency: { api-rates: 0 }\n", "1:27", "write a whole number from 1 to 4"),
        ("concurrency: { stacks: 1, bytes: 2 }\n", "1:27", "`bytes`"),
        ("codebuild: { price-per-minute: cheap }\n", "1:32", "`cheap`"),
        ("codebuild: { price-per-minute: -1 }\n", "1:32", "`-1` is not a price"),
        ("gates: [{ after: A, iam-roles: some }]\n", "1:32", "`all` or a list of role names"),
        ("metrics: prometheus\n", "1:10", "`prometheus` is not a place for metrics"),
        ("approve:\n  delets: 0\n", "2:3", "`delets`"),
        ("approve:\n  replacements: [statefull]\n", "2:18", "`statefull` is not a kind of replacement"),
        ("approve: { iam-broadening: no }", "1:28", "`no` is not what happens to broader rights"),
        ("approve: { deletes: -1 }", "1:21", "`-1`"),
    ] {
        check(yaml, place, part);
        let error = parse(yaml).unwrap_err();
        for reader in
            ["u32", "u64", "usize", "scalar", "sequence start", "mapping start", "Policy", "Option<"]
        {
            assert!(!error.contains(reader), "{error}");
        }
    }
}

#[test]
fn a_field_that_a_wrong_indent_takes_away_is_found_again() {
    let check = |rest: &str, part: &str| {
        let error = parse(&format!("phases:\n  - name: a\n{rest}")).unwrap_err();
        assert!(error.starts_with("paceline.yaml:2:5: missing field `stacks`"), "{error}");
        assert!(error.ends_with(part), "{error}");
    };
    let indent = "; `stacks` on line 3 belongs to something else: indent it with 4 spaces";
    check("stacks: [A]\n", indent);
    check("  - stacks: [A]\n", "; the `-` of line 3 begins another entry: write spaces in its place");
    check("  - name: b\n    stacks: [A]\n", "; add `stacks` to the entry that begins here");
    let error = parse("phases:\n  - name: a\n  stacks: [A]\n").unwrap_err();
    assert!(error.starts_with("paceline.yaml:3:3: "), "{error}");
    assert!(error.ends_with("; indent `stacks` with 4 spaces to make it part of the entry above"), "{error}");
    check("\n# so far\nstrategy: graph\n", "; add `stacks` to the entry that begins here");
}

#[test]
fn a_runner_has_no_settings_that_its_source_does_not_use() {
    check(
        "runner:\n  from: npm\n  uri: s3://a/b\n",
        "3:8",
        "`uri` has no effect with `from: npm`; remove it: the lock",
    );
    check("runner: { from: npm, sha256: a }\n", "1:30", "`sha256` has no effect with `from: npm`");
    check("runner: { from: image, sha256: a }\n", "1:32", "the build image has the runner");
    check(
        "runner: { from: url, uri: b, version: 1.0.0 }\n",
        "1:39",
        "`version` has no effect with `from: url`",
    );
    check("runner: { from: pip }\n", "1:17", "npm, s3, url, https, image");
    for text in ["{ from: npm }", "{ from: image, version: 1.2.3 }", "{ from: url, uri: a, sha256: b }"] {
        parse(&format!("runner: {text}\n")).unwrap();
    }
}

#[test]
fn what_a_wait_condition_does_not_take() {
    // What was given is not shown: it is a secret.
    let error = parse("signal: { wait-handle: 'https://bucket.s3/handle?Signature=secret' }\n").unwrap_err();
    assert!(error.contains("environment variable") && !error.contains("Signature"), "{error}");
    check("signal: { id: two words }\n", "1:15", "letters and digits");
}

#[test]
fn a_duration() {
    let timeout = |text: &str| {
        parse(&format!("codebuild: {{ timeouts: {{ stack: {text} }} }}"))
            .map(|c| c.codebuild.timeouts.stack.unwrap())
    };
    for (text, seconds) in [("240m", 14_400), ("4h", 14_400), ("90s", 90), ("1h30m", 5_400)] {
        assert_eq!(timeout(text).unwrap().as_secs(), seconds, "{text}");
    }
    for text in ["'240'", "fast", "''", "1x", "m", "99999999999999999999h", "9999999999999999h"] {
        let error = timeout(text).unwrap_err();
        assert!(error.contains("is not a duration"), "{error}");
    }
}

#[test]
fn a_stack_that_gets_no_time_is_refused_with_its_place() {
    let error = parse("codebuild:\n  timeouts: { stack: 0m }\n").unwrap_err();
    assert!(error.contains("leaves no time at all") && error.contains("2:"), "{error}");
}

#[test]
fn nothing_is_a_configuration() {
    for yaml in ["", "\n\n", "# only a comment\n", "---\n", "--- \n# nothing\n", "{}"] {
        assert_eq!(parse(yaml), Ok(Config::default()), "{yaml:?}");
    }
}

#[test]
fn every_field_is_read() {
    let config = parse(EVERY_FIELD).unwrap();
    assert_eq!(config.app.as_deref(), Some(Utf8Path::new("out")));
    assert!(config.phases[0].sequential && config.phases[0].barrier);
    assert_eq!((config.phases[0].stacks[0].line, config.phases[0].stacks[0].column), (6, 63));
    assert_eq!(config.strategy, Strategy::Phases);
    assert_eq!(config.gates[0].iam_roles, IamRoles::Named(vec!["Role".into()]));
    assert_eq!(config.on_failure.policy, FailurePolicy::FailFast);
    assert_eq!(config.on_failure.rollback, Rollback::None);
    assert_eq!((config.on_failure.retries, config.on_failure.stuck), (5, Stuck::Cancel));
    assert_eq!(config.on_failure.run, FailedRun::Rollback);
    assert_eq!(config.codebuild.privileged, Privileged::No);
    assert_eq!(config.codebuild.price_per_minute.unwrap().exact(), "$0.004");
    assert_eq!(config.codebuild.timeouts.stack, Some(Duration::from_mins(30)));
    assert_eq!(config.codebuild.timeouts.runner, Some(Duration::from_mins(50)));
    assert_eq!(config.codebuild.batch, Some(BatchBy::Regions));
    assert_eq!(config.runner.unwrap().from, RunnerFrom::Https);
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = Config::read(Utf8Path::new("no/such/paceline.yaml")).unwrap_err();
    assert_eq!(error.to_string(), "cannot read the configuration no/such/paceline.yaml");
}

#[test]
fn the_switch_of_the_secondary_regions() {
    let config = parse("multi-region: { when: MULTI, primary: us-east-1 }").unwrap();
    let multi_region = config.multi_region.unwrap();
    for (value, on) in [(None, false), (Some("false"), false), (Some(" True "), true), (Some("1"), true)] {
        assert_eq!(multi_region.is_on(value), on, "{value:?}");
    }
}

#[test]
fn a_rollout_has_defaults_and_at_least_one_alarm() {
    let rollout = |yaml: &str| parse(yaml).unwrap().rollout.unwrap();
    let short = rollout("rollout: { first: us-gov-west-1, alarms: prod }");
    assert_eq!((short.first.as_str(), short.bake), ("us-gov-west-1", Duration::from_mins(10)));
    assert_eq!((short.then, short.on_alarm), (Then::Parallel, OnAlarm::Stop));
    let long = rollout("rollout: { first: eu-west-1, bake: 1h30m, alarms: [a, 'b-*'], on-alarm: rollback }");
    assert_eq!((long.bake, long.on_alarm), (Duration::from_mins(90), OnAlarm::Rollback));
    assert_eq!((long.alarms.0[1].text.as_str(), long.alarms.0.len()), ("b-*", 2));
    for (yaml, place, part) in [
        (
            "rollout:\n  first: us-east\n  alarms: [a]\n",
            "2:10",
            "`us-east` is not the name of a region; write it like `us-east-1`",
        ),
        ("rollout: { first: US-EAST-1, alarms: [a] }", "1:19", "`US-EAST-1` is not the name of a region"),
        ("rollout: { first: us-east-1, alarms: [a], bake: ten }", "1:49", "`ten` is not a duration"),
        ("rollout: { first: us-east-1, alarms: [a], bake: 0s }", "1:49", "`0s` leaves no time at all"),
        (
            "rollout: { first: us-east-1, alarms: [a], then: serial }",
            "1:49",
            "`serial` is not a way to deploy the other regions",
        ),
        ("rollout: { first: us-east-1, alarms: [a], on-alarm: roll }", "1:53", "did you mean `rollback`?"),
        ("rollout: { first: us-east-1, alarms: [] }", "1:38", "without an alarm nothing is watched"),
        ("rollout: { first: us-east-1, alarms: [a, ''] }", "1:42", "the name of an alarm is missing here"),
        ("rollout: { first: us-east-1 }", "1:10", "missing field `alarms`"),
        ("rollout: { alarms: [a] }", "1:10", "missing field `first`"),
    ] {
        check(yaml, place, part);
    }
}

#[test]
fn one_app_and_several_exclude_each_other() {
    let config = parse(APPS).unwrap();
    assert_eq!(config.apps["pets"].assembly, "out");
    assert_eq!(parse("apps: { intro: { dir: intro } }").unwrap().apps["intro"].assembly, "cdk.out");
    for (more, part) in [("app: x\n", "keep one of them"), ("synth: x\n", "its own `synth`")] {
        let error = parse(&format!("{APPS}{more}")).unwrap_err();
        assert!(error.contains(part) && error.starts_with("paceline.yaml:12:"), "{error}");
    }
    let error = parse("apps: { a/b: { dir: x } }").unwrap_err();
    assert!(error.contains("paceline.yaml:1:7: `a/b` cannot be the name of an app"), "{error}");
}

#[test]
fn what_codebuild_does_not_know_is_refused_with_its_place() {
    for (setting, column, part) in [
        ("image: 'node:22:alpine'", 21, "`node:22:alpine` is not the name of an image"),
        ("image: standard7.0", 21, "AWS has no build image `standard7.0`; use one of standard,"),
        ("image: 'standard:7'", 21, "`standard:7` is not a version of a build image of AWS; write it as"),
        (
            "compute: huge",
            23,
            "`huge` is not a compute type; use one of small, medium, large, x-large, 2x-large",
        ),
        (
            "host-kernel: linux-kernel-5",
            27,
            "`linux-kernel-5` is not a host kernel; did you mean `linux-kernel-4`?",
        ),
        (
            "auto-retry-limit: 11",
            32,
            "a build cannot be repeated `11` times; write a whole number from 0 to 10",
        ),
        ("compute: x-lorge", 23, "did you mean `x-large`?"),
        ("cache: [docker-layer, layers]", 36, "`layers` is not a cache; use docker-layer, source, custom"),
        ("privileged: maybe", 26, "`maybe` is not a privileged mode; use auto, yes or no"),
        ("source: svn", 22, "`svn` is not a source type; use one of codepipeline, github"),
        ("docker-server: tiny", 29, "`tiny` is not a compute type"),
        ("timeout: 4m", 23, "4 minutes are outside 5 to 2160"),
        ("timeout: 37h", 23, "write a duration from `5m` to `36h`"),
        ("queued-timeout: 481m", 30, "481 minutes are outside 5 to 480"),
        ("log-retention-days: 2", 34, "logs cannot be kept for `2` days"),
        ("batch: stacks", 21, "`stacks` is not a way to divide a batch; use one of regions, images"),
    ] {
        check(&format!("# the build\ncodebuild: {{ {setting} }}\n"), &format!("2:{column}"), part);
    }
}

#[test]
fn what_codebuild_knows_is_read_as_people_write_it() {
    let codebuild = parse(
        "codebuild: { image: 'standard:7.0', compute: X_LARGE, source: GITHUB_ENTERPRISE, cache: ['s3://b/c/'], \
         timeout: 89s, queued-timeout: 8h }",
    );
    // Part of a minute counts as a whole one, and there is none so short.
    assert!(codebuild.unwrap_err().contains("2 minutes are outside"));
    let codebuild = parse(
        "codebuild: { image: 'standard:7.0', compute: X_LARGE, source: GITHUB_ENTERPRISE, cache: ['s3://b/c/'], \
         timeout: 10m1s, queued-timeout: 8h }",
    );
    let codebuild = codebuild.unwrap().codebuild;
    assert_eq!(codebuild.image.as_str(), "aws/codebuild/standard:7.0");
    assert_eq!(codebuild.compute, ComputeType::XLarge);
    assert_eq!(codebuild.source, SourceType::GithubEnterprise);
    assert_eq!(codebuild.cache, Some(vec![CacheMode::S3("b/c".into())]));
    assert_eq!((codebuild.timeout.minutes(), codebuild.queued_timeout.unwrap().minutes()), (11, 480));
}

#[test]
fn every_setting_has_its_place() {
    let config = parse("app: out\ncodebuild:\n  timeouts: { stack: 30m }\n  tags:\n    team: t\n").unwrap();
    for (setting, place) in [
        ("app", "paceline.yaml:1:6"),
        ("codebuild.timeouts.stack", "paceline.yaml:3:22"),
        ("codebuild.tags.team", "paceline.yaml:5:11"),
    ] {
        assert_eq!(config.places.get(setting).unwrap().to_string(), place);
    }
    assert_eq!(config.places.get("codebuild.image"), None);
}

#[test]
fn a_reason_that_paceline_finds_out_is_not_one_to_declare() {
    let edge = |reason: &str| parse(&format!("edges: [{{ from: A, to: B, because: c, reason: {reason} }}]"));
    assert!(edge("image").is_ok());
    assert!(edge("phase").unwrap_err().contains("1:47: `phase` is not a kind of dependency"));
}

#[test]
fn metrics_go_nowhere_by_default() {
    assert_eq!(read("metrics: emf\n").unwrap().metrics, MetricsTarget::Emf);
    assert_eq!(read("").unwrap().metrics, MetricsTarget::Off);
}

#[test]
fn what_cannot_be_notified_is_an_error_with_its_place() {
    check("notifications: { sns: deployments }\n", "1:23", "is not the ARN of an SNS topic");
    check(
        "notifications: { sns: 'arn:aws:sqs:eu-west-1:111122223333:q' }\n",
        "1:23",
        "is not the ARN of an SNS topic",
    );
    check(
        "notifications: { event-bus: 'arn:aws:sns:eu-west-1:111122223333:t' }\n",
        "1:29",
        "is not an event bus",
    );
    check("notifications: { on: [always] }\n", "1:23", "`always` is not an occasion");
    let webhook = |template: &str| {
        format!("notifications: {{ webhook: {{ parameter: /chat, template: {template} }} }}\n")
    };
    check(&webhook("hello"), "1:57", "the template is not JSON");
    check(&webhook(r#"'{"text": "${name}"}'"#), "1:57", "`${name}` is not a placeholder of the template");
}

#[test]
fn a_url_in_place_of_a_parameter_is_not_repeated() {
    let error = parse(
        "notifications: { webhook: { parameter: 'https://hooks.example.com/T0/secret', template: '{}' } }\n",
    );
    let error = error.unwrap_err();
    assert!(error.contains("the URL itself is a secret"), "{error}");
    assert!(!error.contains("hooks.example.com"), "{error}");
}

#[test]
fn texts_cannot_break_out_of_the_json_of_a_template() {
    let template: WebhookTemplate = r#"{"text": "${occasion}: ${message}"}"#.parse().unwrap();
    let message = "failed: \"A\", \\ and ${run}\n";
    let texts = WebhookTexts { message, deployment: "shop", occasion: "end", run: "r1" };
    let sent: serde_json::Value = serde_json::from_str(&template.filled(texts)).unwrap();
    assert_eq!(sent["text"], format!("end: {message}"));
}

#[test]
fn limits_that_an_older_version_wrote_are_read() {
    let older = r#"{"stacks":1,"assets":2,"images":3}"#;
    let read: paceline_config::Concurrency = serde_json::from_str(older).unwrap();
    assert_eq!((read.resources, read.api_rates.get()), (None, 1));
    assert_eq!(serde_json::to_string(&read).unwrap(), older);
}
