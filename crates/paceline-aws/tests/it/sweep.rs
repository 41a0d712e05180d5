//! Every call of a run meets every mishap, one at a time. The run ends correctly or can be resumed, does
//! nothing twice, and reports its waits.

use std::collections::BTreeSet;
use std::time::Duration;

use paceline_aws::Images;
use paceline_engine::{ExitCode, Outcome};
use paceline_sim::{Call, Calls, Mishap, SimOptions};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::app::{ACCOUNT, App, BUCKET, REGION, role, topic};
use crate::world::{How, World};

const CONFIG: &str = "gates: [{ after: Roles, iam-roles: all }]";
const STACKS: [&str; 2] = ["Roles", "After"];
/// The longest time of a run of this app, with any mishap of one of its calls.
const BOUND: Duration = Duration::from_mins(15);
const MINUTE: Duration = Duration::from_mins(1);
/// Calls that may fail without harm. The run does not wait for their answers and reports nothing.
const MAY_FAIL: [&str; 2] = ["DescribeAccountLimits", "DescribeImages"];
/// The number of calls of each kind that meet a mishap. Later ones are polls like those before.
const OF_A_KIND: u32 = 2;

/// Two stacks, a file and an image, the gate between the stacks, and a parameter that one of them writes.
fn app() -> App {
    let mut app = App::new();
    app.write("asset.code/index.js", "1");
    app.write("asset.image/Dockerfile", "FROM scratch");
    let publisher = |kind: &str| {
        format!("arn:aws:iam::{ACCOUNT}:role/cdk-hnb659fds-{kind}-publishing-role-{ACCOUNT}-{REGION}")
    };
    let manifest = json!({"version": "36.0.0",
        "files": {"code": {"source": {"path": "asset.code", "packaging": "zip"}, "destinations": {"here": {
            "bucketName": BUCKET, "objectKey": "code.zip", "region": REGION,
            "assumeRoleArn": publisher("file")}}}},
        "dockerImages": {"image": {"source": {"directory": "asset.image"}, "destinations": {"here": {
            "repositoryName": format!("cdk-hnb659fds-container-assets-{ACCOUNT}-{REGION}"), "imageTag": "tag",
            "region": REGION, "assumeRoleArn": publisher("image")}}}},
    });
    let mut after = topic("t");
    after["Parameters"] =
        json!({"Given": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/roles"}});
    app.stack("Roles", &roles(), &[]).assets("Roles", &manifest).stack("After", &after, &["Roles"])
}

fn roles() -> Value {
    let written = json!({"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Name": "/roles", "Value": "v"}});
    json!({"Resources": {"One": role(), "Written": written}})
}

fn how(deletes: bool) -> How {
    // A real docker would answer at a moment of real time, and the calls after it would not be the same in each run.
    let images = Images::Pretended { build: Duration::ZERO, push: Duration::ZERO };
    How { config: CONFIG, deletes, images, ..How::default() }
}

/// The kind of a call: its operation, and the name of the stack in it.
type Kind = (String, Option<String>);

fn kind(call: &Call) -> Kind {
    let stack = call.stack.as_deref().map(|text| text.split('/').nth(1).unwrap_or(text).to_owned());
    (call.operation.clone(), stack)
}

fn calls((operation, stack): &Kind) -> Calls {
    match stack {
        Some(stack) => Calls::of(operation).stack(stack),
        None => Calls::of(operation).when(|call| call.stack.is_none()),
    }
}

/// A world in which a run can begin.
async fn world(app: &App, deletes: bool) -> World {
    let world = World::new(SimOptions::default());
    if deletes {
        world.run(app, how(false)).await.check_all(Outcome::Deployed);
    }
    world
}

/// The calls of an undisturbed run. The flag is true for a call that only reads.
async fn kinds(app: &App, deletes: bool) -> BTreeSet<(Kind, u32, bool)> {
    let world = world(app, deletes).await;
    let before = world.proxy.passed().len();
    world.run(app, how(deletes)).await;
    let passed = world.proxy.passed().split_off(before);
    let mut seen: Vec<Kind> = Vec::new();
    let mut kinds = BTreeSet::new();
    for passed in passed {
        let it = kind(&passed.call);
        let nth = u32::try_from(seen.iter().filter(|other| **other == it).count()).unwrap() + 1;
        seen.push(it.clone());
        if nth <= OF_A_KIND {
            kinds.insert((it, nth, passed.call.is_read()));
        }
    }
    kinds
}

/// The time of the mishap.
#[derive(Clone, Copy)]
enum When {
    Once,
    ForAMinute,
}

/// The calls that meet the mishap.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    All,
    Reads,
    /// Calls that change a stack or upload a file.
    Changes,
}

async fn sweep(deletes: bool, mishap: Mishap, when: When, which: Which) {
    let app = app();
    let kinds = kinds(&app, deletes).await;
    assert!(kinds.len() > 8, "{kinds:?}");
    for (kind, nth, reads) in kinds {
        let is_change = ["CreateStack", "DeleteStack", "PutObject"].contains(&kind.0.as_str());
        if which == Which::Reads && !reads || which == Which::Changes && !is_change {
            continue;
        }
        let what = format!("{kind:?} {nth}: {mishap}");
        let world = world(&app, deletes).await;
        let chosen = match when {
            When::Once => calls(&kind).nth(nth),
            When::ForAMinute => calls(&kind).from(nth).lasting(MINUTE),
        };
        world.proxy.on(chosen, mishap.clone());
        let started = Instant::now();
        let ran = world.run(&app, how(deletes)).await;
        assert!(started.elapsed() < BOUND, "{what}: it took {:?}", started.elapsed());
        assert!(!world.proxy.struck().is_empty(), "{what}: it did not happen");
        if which != Which::Reads && !MAY_FAIL.contains(&kind.0.as_str()) {
            assert!(world.said().len() + ran.retries().len() > 0, "{what}: nothing was said");
        }
        match ran.exit_code() {
            ExitCode::Done => {}
            ExitCode::Interrupted => {
                world.proxy.clear();
                let again = How { earlier: Some(ran.earlier()), ..how(deletes) };
                assert_eq!(
                    world.run(&app, again).await.exit_code(),
                    ExitCode::Done,
                    "{what}: when it went on"
                );
            }
            code => panic!("{what}: it ended with {code:?}: {:#?}", ran.events),
        }
        world.rest().await;
        let expected = if deletes { "DELETE_COMPLETE" } else { "CREATE_COMPLETE" };
        for stack in STACKS {
            assert_eq!(world.statuses(stack), [expected], "{what}: {stack}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_survives_any_call_that_is_done_but_never_answered() {
    sweep(false, Mishap::never_answered(), When::Once, Which::All).await;
    sweep(true, Mishap::never_answered(), When::Once, Which::All).await;
}

#[tokio::test(start_paused = true)]
async fn a_run_survives_any_call_that_never_arrives() {
    sweep(false, Mishap::never_answered().request_lost(), When::Once, Which::All).await;
    sweep(true, Mishap::never_answered().request_lost(), When::Once, Which::All).await;
}

#[tokio::test(start_paused = true)]
async fn a_run_survives_any_call_that_is_answered_with_a_web_page() {
    sweep(false, Mishap::html(), When::Once, Which::All).await;
    sweep(true, Mishap::html().request_lost(), When::Once, Which::All).await;
}

#[tokio::test(start_paused = true)]
async fn a_run_survives_any_call_with_an_empty_answer() {
    sweep(false, Mishap::empty(), When::Once, Which::All).await;
    sweep(true, Mishap::empty(), When::Once, Which::All).await;
}

#[tokio::test(start_paused = true)]
async fn a_run_survives_any_read_that_is_answered_from_the_past() {
    let past = Mishap::from_the_past(Duration::from_secs(20));
    sweep(false, past.clone(), When::Once, Which::Reads).await;
    sweep(true, past, When::Once, Which::Reads).await;
}

#[tokio::test(start_paused = true)]
async fn a_run_survives_any_call_that_is_refused_once() {
    sweep(false, Mishap::request_expired(), When::Once, Which::All).await;
    sweep(true, Mishap::throttled(), When::Once, Which::All).await;
    // A permission that was given a moment ago is not known everywhere.
    sweep(false, Mishap::denied(), When::Once, Which::Changes).await;
    sweep(true, Mishap::denied(), When::Once, Which::Changes).await;
}

#[tokio::test(start_paused = true)]
async fn a_run_survives_any_call_that_is_refused_for_a_minute() {
    sweep(false, Mishap::throttled(), When::ForAMinute, Which::All).await;
    sweep(true, Mishap::bad_gateway(), When::ForAMinute, Which::All).await;
}
