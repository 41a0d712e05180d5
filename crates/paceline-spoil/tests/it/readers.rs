//! The readers, each with a valid input.

use std::error::Error;

use camino::{Utf8Path, Utf8PathBuf};
use paceline_assembly::{Assembly, Template};
use paceline_buildspec::lint::{LintContext, lint};
use paceline_buildspec::{Buildspec, understand};
use paceline_config::Config;
use paceline_engine::rollback::{Captures, RunChanges, Undoing};
use paceline_engine::{PreparedFiles, parse_events};
use paceline_plan::history::History;
use paceline_plan::{Plan, PlanArguments, PlanOptions, Rollback, RollbackOptions, SavedPlan};
use paceline_report::{Record, Style, summary};

/// Reads an input, and gives what it would say to people.
pub(crate) struct Reader {
    pub(crate) name: &'static str,
    pub(crate) read: fn(&[u8]) -> Vec<String>,
}

impl Reader {
    /// Reads an input. Panics if a terminal would obey what the reader says to people.
    pub(crate) fn check(&self, input: &[u8]) {
        for said in (self.read)(input) {
            let shown = paceline_text::clean_but_for_colors(&said);
            let bad = shown.chars().find(|c| c.is_control() && *c != '\n' && *c != '\u{1b}');
            assert_eq!(bad, None, "{said:?}");
        }
    }
}

pub(crate) const READERS: &[Reader] = &[
    Reader { name: "template", read: template },
    Reader { name: "manifest", read: |bytes| assembly("manifest.json", bytes) },
    Reader { name: "asset manifest", read: |bytes| assembly("One.assets.json", bytes) },
    Reader { name: "configuration", read: configuration },
    Reader { name: "buildspec", read: buildspec },
    Reader { name: "script", read: script },
    Reader { name: "journal", read: journal },
    Reader { name: "history", read: history },
    Reader { name: "plan", read: plan },
    Reader { name: "capture", read: |bytes| capture("One.json", bytes) },
    Reader { name: "captured template", read: |bytes| capture("One.template", bytes) },
    Reader { name: "prepared stack", read: prepared },
];

const MANIFEST: &str = r#"{
  "version": "36.0.0",
  "artifacts": {
    "One.assets": { "type": "cdk:asset-manifest", "properties": { "file": "One.assets.json" } },
    "One": { "type": "aws:cloudformation:stack", "environment": "aws://111111111111/us-east-1",
      "properties": { "templateFile": "One.json", "parameters": { "Size": "3" }, "tags": { "team": "shop" } },
      "dependencies": ["One.assets"], "metadata": { "/One/Queue": [{ "type": "aws:cdk:logicalId", "data": "Queue" }] } },
    "Two": { "type": "aws:cloudformation:stack", "environment": "aws://unknown-account/unknown-region",
      "properties": { "templateFile": "One.json", "stackName": "Second" }, "dependencies": ["One"] }
  }
}"#;
const ASSETS: &str = r#"{
  "version": "36.0.0",
  "files": { "f": { "source": { "path": "One.json", "packaging": "file" },
    "destinations": { "d": { "bucketName": "b-${AWS::AccountId}", "objectKey": "k", "region": "us-east-1" } } } },
  "dockerImages": { "i": { "source": { "directory": ".", "dockerBuildArgs": { "A": "1" } },
    "destinations": { "d": { "repositoryName": "r", "imageTag": "t" } } } }
}"#;
const TEMPLATE: &str = r#"{
  "Transform": "AWS::LanguageExtensions",
  "Parameters": { "Size": { "Type": "Number", "MinValue": 1, "Default": 2 },
    "Key": { "Type": "String", "NoEcho": true }, "P": { "Type": "AWS::SSM::Parameter::Value<String>", "Default": "/a/b" } },
  "Conditions": { "Large": { "Fn::Not": [{ "Fn::Equals": [{ "Ref": "Size" }, "2"] }] } },
  "Resources": {
    "Queue": { "Type": "AWS::SQS::Queue", "Condition": "Large", "DeletionPolicy": "Retain",
      "Properties": { "QueueName": { "Fn::Sub": ["${Name}-q-${AWS::Region}", { "Name": { "Ref": "Size" } }] } } },
    "Role": { "Type": "AWS::IAM::Role", "DependsOn": ["Queue"], "Properties": { "Policies": [
      { "PolicyDocument": { "Statement": [{ "Effect": "Allow", "Action": "*", "Resource": { "Fn::ImportValue": "x" } }] } }] } },
    "Fn::ForEach::Topics": ["Letter", ["A", "B"], { "Topic${Letter}": { "Type": "AWS::SNS::Topic" } }],
    "Nested": { "Type": "AWS::CloudFormation::Stack", "Properties": { "TemplateURL": "{{resolve:ssm:/url}}" } }
  },
  "Outputs": { "Url": { "Value": { "Fn::GetAtt": ["Queue", "QueueUrl"] }, "Export": { "Name": "url" } } }
}"#;
const CONFIG: &str = r#"version: 1
app: cdk.out
multi-region: { when: ENABLE_MULTI_REGION, primary: us-east-1 }
phases:
  - { name: services, stacks: [One, "T*"] }
edges:
  - { from: Two, to: One, because: it reads its parameter }
concurrency: { stacks: 20, assets: 8, images: 4 }
gates: [{ after: One, iam-roles: all }]
commands:
  - { name: tags, after: One, run: ./tags.sh, env: { A: "1" }, timeout: 10m, retries: 2 }
on-failure: { policy: skip-dependents, rollback: stack, retries: 3 }
codebuild: { image: "standard:7.0", compute: x-large, timeout: 240m, cache: [docker-layer], privileged: auto }
"#;
const BUILDSPEC: &str = r#"version: 0.2
env:
  shell: bash
  variables: { NAME: shop, EMPTY: "" }
  parameter-store: { KEY: /shop/key }
phases:
  install:
    runtime-versions: { nodejs: 20 }
    commands: [npm ci]
  build:
    on-failure: RETRY-2
    commands:
      - cd app && npx cdk deploy "$NAME" --require-approval never -c key="$(cat key)" | tee log.txt
      - |
        if [ -n "${CODEBUILD_WEBHOOK_TRIGGER:-}" ]; then
          for stack in A B; do echo "$stack"; done
        fi
    finally: ["echo $CODEBUILD_BUILD_SUCCEEDING"]
reports: { deploy: { files: ["**/*.xml"], file-format: JUNITXML } }
artifacts: { files: ["**/*"], name: "x-$(date +%F)" }
cache: { paths: ["node_modules/**/*"] }
"#;
const SCRIPT: &str = "set -euo pipefail\nexport A=\"${B:-$(date +%F)}\" C='x'\ncat <<EOF | sed 's/a/b/' >out 2>&1\n$A\nEOF\n\
    if [[ $A == *x* && -f y ]]; then npx cdk deploy --all -c a=b; else (cd x && ./y.sh); fi\n\
    for i in $(seq 1 3); do echo $((i + 1)); done\ncase $A in a|b) f() { true; };; *) f;; esac\n";
const JOURNAL: &str = r#"{"schema":1,"run":"r","seq":1,"at":"2026-01-01T00:00:00.000Z","event":"run.started","paceline":"0.1.0","app":"cdk.out","plan":"0123456789abcdef","resumed":false,"order":1,"simulated":false,"strategy":"graph","phases":[{"name":"p","stacks":["A"]}],"steps":[{"step":"deploy:A","kind":"deploy","title":"A","stack":"A","stack_name":"A","account":"111111111111","region":"us-east-1","needs":[],"expected_s":60.0,"content":"ab","identity":"cd"}]}
{"schema":1,"run":"r","seq":2,"at":"2026-01-01T00:00:01.000Z","event":"step.started","step":"deploy:A","kind":"deploy","title":"A","stack":"A"}
{"schema":1,"run":"r","seq":3,"at":"2026-01-01T00:00:02.000Z","event":"stack.submitted","step":"deploy:A","kind":"deploy","title":"A","stack":"A","operation":"create","token":"t"}
{"schema":1,"run":"r","seq":4,"at":"2026-01-01T00:00:03.000Z","event":"stack.progress","step":"deploy:A","kind":"deploy","title":"A","stack":"A","logical_id":"Q","resource_type":"AWS::SQS::Queue","status":"CREATE_FAILED","reason":"no","done":0,"total":1,"happened_at":"2026-01-01T00:00:03.000Z"}
{"schema":1,"run":"r","seq":5,"at":"2026-01-01T00:00:04.000Z","event":"step.finished","step":"deploy:A","kind":"deploy","title":"A","stack":"A","outcome":"failed","cause":{"at":"Q (AWS::SQS::Queue)","message":"no","hint":"h"},"duration_s":3.0,"queued_s":0.0}
{"schema":1,"run":"r","seq":6,"at":"2026-01-01T00:00:05.000Z","event":"run.finished","stacks":{"failed":1},"exit_code":1,"duration_s":5.0}
"#;
const HISTORY: &str = r#"{"schema":1,"run":"r","step":"deploy:A","at":"2026-01-02T03:04:05.000Z","kind":"stack","name":"A","region":"us-east-1","operation":"create","content":"ab","seconds":12.5}
{"schema":1,"run":"r","step":"run","at":"2026-01-02T03:05:05.000Z","kind":"run","name":"cdk.out","operation":"done","seconds":60.0}
"#;

const CAPTURE: &str = r#"{
  "schema": 1, "stack": "One", "name": "One", "account": "111111111111", "region": "us-east-1",
  "deploy_role": { "arn": "arn:${AWS::Partition}:iam::111111111111:role/deploy", "external_id": null, "session_options": {}, "bootstrap": null },
  "execution_role": null, "bootstrap": { "required_version": 6, "ssm_parameter": "/cdk-bootstrap/hnb659fds/version" },
  "staging": { "bucket": "b-${AWS::AccountId}", "region": null, "role": null },
  "adds": [{ "id": "Queue", "type": "AWS::SQS::Queue", "retained": true }],
  "before": { "id": "arn:aws:cloudformation:us-east-1:111111111111:stack/One/1", "stamp": "2026-01-01T00:00:00Z/",
    "parameters": { "Size": "3" }, "lost_secrets": ["Key"], "tags": { "team": "shop" }, "notification_arns": [],
    "termination_protection": false, "execution_role": null,
    "removes": [{ "id": "Old", "type": "AWS::DynamoDB::Table", "retained": false }] }
}"#;
const PREPARED: &str = r#"{
  "schema": 1, "stack": "One", "name": "One", "account": "111111111111", "region": "us-east-1",
  "preparation": { "state": "ready", "name": "paceline-1", "id": "arn:aws:cloudformation:us-east-1:111111111111:changeSet/paceline-1/1",
    "request": "ab", "creates": false,
    "changes": [{ "nested": ["N"], "logical_id": "Queue", "resource_type": "AWS::SQS::Queue", "effect": "replaced" }] }
}"#;

/// A valid input of a reader.
pub(crate) fn sample(name: &str) -> Vec<u8> {
    match name {
        "template" | "captured template" => TEMPLATE.into(),
        "manifest" => MANIFEST.into(),
        "asset manifest" => ASSETS.into(),
        "configuration" => CONFIG.into(),
        "buildspec" => BUILDSPEC.into(),
        "script" => SCRIPT.into(),
        "journal" => JOURNAL.into(),
        "history" => HISTORY.into(),
        "capture" => CAPTURE.into(),
        "prepared stack" => PREPARED.into(),
        "plan" => {
            let (_folder, path) = folder("One.json", TEMPLATE.as_bytes());
            let assembly = Assembly::read(&path).unwrap();
            let plan = Plan::make(&assembly, &Config::default(), &PlanOptions::default()).unwrap();
            SavedPlan::new(plan, PlanArguments::default()).text().into_bytes()
        }
        other => panic!("there is no reader of a {other}"),
    }
}

/// An assembly in which this file has these contents.
fn folder(name: &str, contents: &[u8]) -> (tempfile::TempDir, Utf8PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
    for (file, text) in [("manifest.json", MANIFEST), ("One.assets.json", ASSETS), ("One.json", TEMPLATE)] {
        fs_err::write(path.join(file), text).unwrap();
    }
    fs_err::write(path.join(name), contents).unwrap();
    (folder, path)
}

fn chain(error: &dyn Error) -> Vec<String> {
    let mut said = vec![error.to_string()];
    let mut next = error.source();
    while let Some(error) = next {
        said.push(error.to_string());
        next = error.source();
    }
    said
}

fn template(bytes: &[u8]) -> Vec<String> {
    match Template::parse(&String::from_utf8_lossy(bytes)) {
        Ok(template) => {
            let precious = template.precious().map(|it| format!("{it:?}"));
            let refusals =
                ["Size", "Key", "P"].into_iter().filter_map(|name| template.refusal(name, "x\u{1b}[1m"));
            precious.chain(refusals).chain([template.digest()]).collect()
        }
        Err(error) => chain(&error),
    }
}

fn assembly(name: &str, bytes: &[u8]) -> Vec<String> {
    let (_folder, path) = folder(name, bytes);
    let assembly = match Assembly::read(&path) {
        Ok(assembly) => assembly,
        Err(error) => return chain(&error),
    };
    for stack in &assembly.stacks {
        let inside =
            |path: &Utf8Path| path.canonicalize_utf8().is_ok_and(|it| it.starts_with(path_of(&assembly)));
        assert!(inside(&stack.template_path), "{} is outside of the assembly", stack.template_path);
    }
    match Plan::make(&assembly, &Config::default(), &PlanOptions::default()) {
        Ok(plan) => plan.warnings.iter().map(ToString::to_string).chain([plan.digest()]).collect(),
        Err(error) => chain(&error),
    }
}

fn path_of(assembly: &Assembly) -> Utf8PathBuf {
    assembly.dir.canonicalize_utf8().unwrap()
}

fn configuration(bytes: &[u8]) -> Vec<String> {
    match Config::parse(&String::from_utf8_lossy(bytes), Utf8Path::new("paceline.yaml")) {
        Ok(_) => Vec::new(),
        Err(error) => chain(&error),
    }
}

fn buildspec(bytes: &[u8]) -> Vec<String> {
    let report = lint("buildspec.yml", bytes, &LintContext::default());
    let understood = understand::understand(bytes, &understand::NoSourceTree);
    let mut said: Vec<String> = report.findings.iter().map(|finding| finding.message.clone()).collect();
    said.push(format!("{}", understood.is_empty()));
    match Buildspec::read(&String::from_utf8_lossy(bytes)) {
        Ok(read) => said.extend(read.unknown.iter().map(ToString::to_string)),
        Err(error) => said.extend(chain(&error)),
    }
    said
}

/// A script as the command of a buildspec.
fn script(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<String> = text.lines().map(|line| format!("        {line}")).collect();
    let lines = lines.join("\n");
    let whole = format!("version: 0.2\nphases:\n  build:\n    commands:\n      - |\n{lines}\n");
    let mut said = buildspec(whole.as_bytes());
    said.push(understand::needs_bash(&text).to_string());
    said
}

fn journal(bytes: &[u8]) -> Vec<String> {
    match parse_events(Utf8Path::new("journal.jsonl"), bytes) {
        Ok(events) => {
            let changes = RunChanges::of(&events);
            let record = Record::of(&events);
            vec![format!("{:?}", changes.stacks.len()), summary(&record, None, Style::default())]
        }
        Err(error) => chain(&error),
    }
}

fn history(bytes: &[u8]) -> Vec<String> {
    let _ = History::parse(&String::from_utf8_lossy(bytes));
    Vec::new()
}

fn plan(bytes: &[u8]) -> Vec<String> {
    match SavedPlan::parse(&String::from_utf8_lossy(bytes)) {
        Ok(saved) => vec![saved.plan.digest()],
        Err(error) => chain(&error),
    }
}

/// The captures of the run in the journal, in which this file has these contents.
fn captures(name: &str, bytes: &[u8]) -> (tempfile::TempDir, Captures) {
    let folder = tempfile::tempdir().unwrap();
    let runs = Utf8Path::from_path(folder.path()).unwrap();
    let captures = Captures::of(runs, "r");
    let [template, json] = captures.files("One");
    fs_err::create_dir_all(json.parent().unwrap()).unwrap();
    fs_err::write(&template, TEMPLATE).unwrap();
    fs_err::write(&json, CAPTURE).unwrap();
    let changed = if name == "One.json" { json } else { template };
    fs_err::write(changed, bytes).unwrap();
    (folder, captures)
}

/// A capture, and the rollback that would use it.
fn capture(name: &str, bytes: &[u8]) -> Vec<String> {
    let (_folder, captures) = captures(name, bytes);
    let events = parse_events(Utf8Path::new("journal.jsonl"), JOURNAL.as_bytes()).unwrap();
    match captures.read().and_then(|captured| Undoing::of(&RunChanges::of(&events), captured)) {
        Ok(undoing) => {
            let options = RollbackOptions::new("r");
            let losses = undoing.losses.clone();
            match Rollback::make(&undoing.assembly, &undoing.undos, losses, &options) {
                Ok(rollback) => vec![rollback.plan.digest()],
                Err(error) => chain(&error),
            }
        }
        Err(error) => chain(&error),
    }
}

fn prepared(bytes: &[u8]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let runs = Utf8Path::from_path(folder.path()).unwrap();
    let path = runs.join("r/prepared");
    fs_err::create_dir_all(&path).unwrap();
    fs_err::write(path.join("One.json"), bytes).unwrap();
    match PreparedFiles::of(runs, "r").read() {
        Ok(stacks) => stacks.into_keys().collect(),
        Err(error) => chain(&error),
    }
}

/// A sample that is refused would make all its spoiled forms worthless.
#[test]
fn every_sample_is_valid() {
    let text = |name: &str| String::from_utf8(sample(name)).unwrap();
    assert_eq!(Template::parse(&text("template")).unwrap().resource_count(), 5);
    for (file, name) in [("manifest.json", "manifest"), ("One.assets.json", "asset manifest")] {
        let (_folder, path) = folder(file, &sample(name));
        let assembly = Assembly::read(&path).unwrap();
        assert_eq!((assembly.stacks.len(), assembly.stacks[0].assets.files.len()), (2, 1));
    }
    Config::parse(&text("configuration"), Utf8Path::new("paceline.yaml")).unwrap();
    assert!(Buildspec::read(&text("buildspec")).unwrap().unknown.is_empty());
    assert_eq!(parse_events(Utf8Path::new("j"), &sample("journal")).unwrap().len(), 6);
    assert_eq!(History::parse(&text("history")).len(), 2);
    SavedPlan::parse(&text("plan")).unwrap();
    for (file, name) in [("One.json", "capture"), ("One.template", "captured template")] {
        let (_folder, captures) = captures(file, &sample(name));
        assert_eq!(captures.read().unwrap().len(), 1);
        assert_eq!(capture(file, &sample(name)).len(), 1);
    }
    assert_eq!(prepared(&sample("prepared stack")), ["One"]);
}
