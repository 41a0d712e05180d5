//! Saved plans: what decides a run decides the digest, a file is read as it was written, and changes are told.

use std::sync::Arc;

use paceline_config::{FailurePolicy, Rollback, Strategy};
use paceline_plan::history::{Entry, History, HistoryKind, SCHEMA};
use paceline_plan::{Plan, SavedPlan, SavedPlanError, StepOperation};
use serde_json::{Value, json};

use crate::build::{App, empty, holds, resources, writes};

const CONFIG: &str = r"
gates: [{ after: A, iam-roles: [Role] }]
commands: [{ name: seed, after: A, run: ./seed.sh, env: { SIZE: small } }]
edges: [{ from: C, to: A, because: it calls it }]
";

fn role() -> Value {
    resources(json!({ "Role": { "Type": "AWS::IAM::Role" }, "Other": { "Type": "AWS::IAM::Role" } }))
}

fn sized(fields: Value) -> App {
    let template = json!({
        "Parameters": { "Size": { "Type": "String", "Default": "1" } },
        "Resources": { "Q": { "Type": "AWS::SQS::Queue" } },
    });
    App::default()
        .stack("A", "us-east-1", role())
        .artifact("B", json!({ "properties": fields }), template)
        .stack("C", "us-east-1", empty())
        .config(CONFIG)
}

fn app() -> App {
    sized(json!({}))
}

fn plan() -> Plan {
    app().plan()
}

/// The sentences about what has changed from the usual plan to this one.
fn changes(now: &Plan) -> Vec<String> {
    plan().changes_to(now).iter().map(ToString::to_string).collect()
}

#[track_caller]
fn check(now: &App, expected: &[&str]) {
    let now = now.plan();
    assert_ne!(now.digest(), plan().digest());
    assert_eq!(changes(&now), expected);
}

#[test]
fn whatever_decides_what_a_run_does_changes_the_digest_and_is_told() {
    let config = |from: &str, to: &str| {
        assert!(CONFIG.contains(from), "{from}");
        app().config(&CONFIG.replace(from, to))
    };
    let command = ["the command `seed`, or a script that it starts, has changed"];
    check(&config("./seed.sh", "./seed.sh --all"), &command);
    check(&config("SIZE: small", "SIZE: large"), &command);
    check(&config("run: ./seed.sh", "retries: 2, run: ./seed.sh"), &command);
    check(
        &config("commands: [{ name: seed, after: A, run: ./seed.sh, env: { SIZE: small } }]", ""),
        &["the step `command:0:seed` is gone"],
    );
    check(&config("[Role]", "[Other]"), &["the step `gate:iam-roles:A` does something else"]);
    check(
        &config("gates: [{ after: A, iam-roles: [Role] }]", ""),
        &["the step `gate:iam-roles:A` is gone", "the step `command:0:seed` waits for other steps"],
    );
    check(
        &config("edges: [{ from: C, to: A, because: it calls it }]", ""),
        &["the stack `C` no longer waits for A"],
    );
    check(
        &config("from: C", "from: B"),
        &["the stack `B` waits for A too", "the stack `C` no longer waits for A"],
    );
    check(
        &config("because: it calls it", "because: it reads it"),
        &["the stack `C` waits for the same stacks for other reasons"],
    );
    let more = |line: &str| app().config(&format!("{CONFIG}{line}\n"));
    check(&more("concurrency: { stacks: 3 }"), &["`concurrency` has changed"]);
    check(&more("on-failure: { policy: fail-fast }"), &["`on-failure.policy` has changed"]);
    check(&more("on-failure: { rollback: none }"), &["`on-failure.rollback` has changed"]);
    check(&more("unchanged: { ignore-timestamps: true }"), &["`unchanged.ignore-timestamps` has changed"]);
    check(&more("strategy: phases"), &["`strategy` has changed"]);
    check(&more("phases: [{ name: p, stacks: [A] }]"), &["`phases` has changed"]);
    let settings = ["the parameters, tags, topics, alarms, roles or options of `B` have changed"];
    for fields in [
        json!({ "parameters": { "Size": "3" } }),
        json!({ "tags": { "a": "b" } }),
        json!({ "terminationProtection": true }),
        json!({ "assumeRoleArn": "arn:aws:iam::111111111111:role/r" }),
        json!({ "cloudFormationExecutionRoleArn": "arn:aws:iam::111111111111:role/r" }),
    ] {
        check(&sized(fields), &settings);
    }
    check(&app().stack("C", "us-east-1", writes(json!("/n"))), &["the template of `C` has changed"]);
    check(&app().stack("C", "eu-west-1", empty()), &["the stack `C` has another name, account or region"]);
    check(&app().stack("D", "us-east-1", empty()), &["the stack `D` is new"]);
    check(
        &app().options(|options| options.exclude = vec!["C".to_owned()]),
        &["the stack `C` would not be deployed: --exclude names it"],
    );
}

#[test]
fn values_that_the_command_line_gives_to_parameters_change_the_digest() {
    let app = app();
    let given = |value: &str| {
        let mut assembly = app.assembly();
        let values = [("Size".to_owned(), value.to_owned())].into();
        assembly.stacks.iter_mut().filter(|stack| stack.id == "B").for_each(|stack| stack.give(&values));
        app.plan_of(&assembly)
    };
    assert_eq!(
        changes(&given("9")),
        ["the parameters, tags, topics, alarms, roles or options of `B` have changed"]
    );
    assert_ne!(given("9").digest(), given("10").digest());
}

#[test]
fn an_asset_that_is_edited_is_another_step() {
    let manifest = |file: &str| {
        json!({ "version": "36.0.0", "files": { file: {
            "source": { "path": "asset" },
            "destinations": { "here": { "bucketName": "assets", "objectKey": file } },
        } } })
    };
    let with = |file| {
        app()
            .asset_manifest("B.assets", manifest(file))
            .artifact("B", json!({ "dependencies": ["B.assets"] }), empty())
            .plan()
    };
    let (one, other) = (with("one"), with("other"));
    assert_ne!(one.digest(), other.digest());
}

#[test]
fn an_edited_script_changes_the_digest() {
    let of = |content: &'static [u8]| plan().with_scripts(|_| Some(content.to_vec()));
    assert_eq!(of(b"echo 1").digest(), of(b"echo 1").digest());
    assert_ne!(of(b"echo 1").digest(), of(b"echo 2").digest());
}

/// The history changes with every run, and what it tells decides nothing that a run does.
#[test]
fn the_forecast_is_no_part_of_the_digest() {
    let mut history = History::default();
    history.extend([Entry {
        schema: SCHEMA,
        run: "1".to_owned(),
        step: "deploy:A".to_owned(),
        at: "2026-01-01T00:00:00.000Z".to_owned(),
        kind: HistoryKind::Stack,
        name: "A".to_owned(),
        account: None,
        region: Some("us-east-1".to_owned()),
        operation: StepOperation::Update,
        content: None,
        endpoint: None,
        seconds: 999.0,
        resources: Vec::new(),
    }]);
    let known = app().options(|options| options.history = Arc::new(history)).plan();
    let usual = plan();
    assert_ne!(known.stacks[0].expected, usual.stacks[0].expected);
    assert_eq!(known.digest(), usual.digest());
    assert_eq!(usual.changes_to(&known), []);
}

#[test]
fn a_plan_is_read_as_it_was_saved() {
    let placeholders = App::pair(writes(json!("/shop/url")), holds(json!("dummy-value-for-/shop/url")));
    let app = app().options(|options| {
        options.exclude = vec!["C".to_owned()];
        options.strategy = Some(Strategy::Phases);
    });
    for (plan, arguments) in
        [(app.plan(), app.options.arguments()), (placeholders.plan(), placeholders.options.arguments())]
    {
        let saved = SavedPlan::new(plan, arguments);
        assert_eq!(SavedPlan::parse(&saved.text()), Ok(saved.clone()));
        assert_eq!(SavedPlan::parse(&saved.text()).unwrap().text(), saved.text());
    }
}

#[test]
fn a_file_that_is_no_saved_plan_is_refused() {
    let text = SavedPlan::new(plan(), app().options.arguments()).text();
    for (text, expected) in [
        ("", SavedPlanError::NoPlan),
        ("phases: []", SavedPlanError::NoPlan),
        (r#"{ "schema": 1, "stacks": [] }"#, SavedPlanError::NoPlan),
        (&text[..text.len() / 2], SavedPlanError::Damaged),
        (&text.replace("./seed.sh", "./other.sh"), SavedPlanError::Damaged),
        (&text.replace("\"steps\"", "\"other\""), SavedPlanError::Damaged),
        (
            &text.replace("\"paceline-plan\": 1", "\"paceline-plan\": 2"),
            SavedPlanError::OtherFormat { found: 2 },
        ),
    ] {
        assert_eq!(SavedPlan::parse(text), Err(expected));
    }
}

#[test]
fn two_plans_that_differ_in_one_field_have_two_digests() {
    let usual = plan();
    let changed = |change: &dyn Fn(&mut Plan)| {
        let mut plan = usual.clone();
        change(&mut plan);
        plan.digest()
    };
    for digest in [
        changed(&|plan| plan.policy = FailurePolicy::FailFast),
        changed(&|plan| plan.rollback = Rollback::None),
        changed(&|plan| plan.steps[0].needs.push(0)),
        changed(&|plan| plan.stacks.iter_mut().for_each(|stack| stack.depends_on.clear())),
        changed(&|plan| plan.stacks[0].name.push('x')),
        changed(&|plan| drop(plan.steps.pop())),
    ] {
        assert_ne!(digest, usual.digest());
    }
}
