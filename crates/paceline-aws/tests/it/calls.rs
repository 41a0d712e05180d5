//! Calls without an answer, or with an answer that is not from AWS.

use std::time::Duration;

use paceline_engine::Outcome;
use paceline_sim::{Calls, Images, Mishap, SimOptions};
use serde_json::json;

use crate::app::{ACCOUNT, App, BUCKET, REGION, slow, topic};
use crate::world::{Ran, World, slow_durations};

const HALF_A_MINUTE: Duration = Duration::from_secs(30);

fn one() -> App {
    App::of("S", &slow("one"))
}

fn with_file() -> App {
    let mut app = App::new();
    app.write("asset.code/index.js", "exports.handler = 1;");
    let manifest = json!({"version": "36.0.0", "dockerImages": {}, "files": {"code": {
        "source": {"path": "asset.code", "packaging": "zip"},
        "destinations": {"here": {"bucketName": BUCKET, "objectKey": "code.zip", "region": REGION,
            "assumeRoleArn": format!("arn:aws:iam::{ACCOUNT}:role/cdk-hnb659fds-file-publishing-role-{ACCOUNT}-{REGION}")}},
    }}});
    app.stack("S", &topic("t"), &[]).assets("S", &manifest)
}

fn world() -> World {
    World::new(SimOptions { images: Images::Absent, durations: slow_durations(), ..SimOptions::default() })
}

/// The number of reported retries of an operation with this reason.
fn retries(ran: &Ran, operation: &str, why: &str) -> usize {
    ran.retries().iter().filter(|reason| reason.starts_with(operation) && reason.contains(why)).count()
}

#[tokio::test(start_paused = true)]
async fn a_creation_that_is_never_answered_is_sent_again_and_done_once() {
    for mishap in [Mishap::never_answered(), Mishap::never_answered().request_lost()] {
        let world = World::slow();
        world.proxy.on(Calls::of("CreateStack").nth(1), mishap);
        let ran = world.deploy(&one()).await;
        ran.check(&[("S", Outcome::Deployed)]);
        assert_eq!(retries(&ran, "CreateStack", "no usable answer"), 1, "{:?}", ran.retries());
        assert_eq!(world.statuses("S"), ["CREATE_COMPLETE"]);
        assert!(ran.stack("S").duration_s < 180.0, "{}", ran.stack("S").duration_s);
    }
}

#[tokio::test(start_paused = true)]
async fn a_web_page_or_an_empty_answer_decides_nothing() {
    for mishap in [Mishap::html(), Mishap::empty(), Mishap::truncated(), Mishap::html().request_lost()] {
        for operation in
            ["CreateStack", "DescribeStacks", "DescribeStackEvents", "GetCallerIdentity", "GetParameter"]
        {
            let world = World::slow();
            world.proxy.on(Calls::of(operation).nth(1), mishap.clone());
            let ran = world.deploy(&one()).await;
            ran.check(&[("S", Outcome::Deployed)]);
            assert_eq!(world.proxy.struck().len(), 1, "{operation}: {mishap}");
            assert_eq!(world.statuses("S"), ["CREATE_COMPLETE"], "{operation}: {mishap}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_instead_of_the_list_of_stacks_does_not_make_them_absent() {
    let world = World::slow();
    world.deploy(&one()).await.check(&[("S", Outcome::Deployed)]);
    for mishap in [Mishap::html(), Mishap::empty(), Mishap::truncated()] {
        world.proxy.clear();
        world.proxy.on(Calls::of("DescribeStacks").lasting(HALF_A_MINUTE), mishap.clone());
        world.deploy(&one()).await.check(&[("S", Outcome::Unchanged)]);
        assert!(!world.proxy.struck().is_empty(), "{mishap}");
    }
    assert_eq!(world.count("CreateStack"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_repeated_call_is_signed_again() {
    let world = World::slow();
    let too_late = Mishap::refused(
        403,
        "SignatureDoesNotMatch",
        "Signature expired: 20260101T000000Z is now earlier than 20260101T000500Z",
    );
    world.proxy.on(Calls::of("CreateStack").nth(1), Mishap::request_expired());
    world.proxy.on(Calls::of("DescribeStackEvents").nth(1), too_late);
    let ran = world.deploy(&one()).await;
    ran.check(&[("S", Outcome::Deployed)]);
    assert_eq!(retries(&ran, "CreateStack", "RequestExpired"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_proxy_that_requires_a_login_is_named() {
    let world = World::slow();
    world.proxy.on(Calls::of("CreateStack").lasting(HALF_A_MINUTE), Mishap::proxy_login());
    let ran = world.deploy(&one()).await;
    ran.check(&[("S", Outcome::Deployed)]);
    assert!(retries(&ran, "CreateStack", "the proxy asks for a user and a password") > 1);

    let world = World::slow();
    world.proxy.on(Calls::all(), Mishap::proxy_login());
    let errors = world.refused(&one()).await.0;
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].message.contains("HTTP status 407"), "{errors:?}");
    assert!(errors[0].what_to_do().unwrap().contains("HTTPS_PROXY="), "{errors:?}");
}

#[tokio::test(start_paused = true)]
async fn waiting_for_any_service_at_the_start_is_reported() {
    for service in ["sts", "s3", "ssm", "cloudformation"] {
        for mishap in [Mishap::reset().request_lost(), Mishap::never_answered(), Mishap::bad_gateway()] {
            let world = world();
            world.proxy.on(Calls::to(service).lasting(Duration::from_mins(1)), mishap.clone());
            let ran = world.deploy(&with_file()).await;
            ran.check(&[("S", Outcome::Deployed)]);
            let said = world.said().len() + ran.retries().len();
            assert!(said > 0, "nothing is said of {service}: {mishap}");
            assert_eq!(world.count("CreateStack"), 1);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_missing_answer_of_aws_is_reported_before_a_run() {
    let world = World::slow();
    world.proxy.on(Calls::to("sts").lasting(HALF_A_MINUTE), Mishap::reset());
    world.deploy(&one()).await.check(&[("S", Outcome::Deployed)]);
    assert_eq!(
        world.said()[0],
        "AWS does not answer (GetCallerIdentity): AWS cannot be reached: connection reset by peer; trying again"
    );
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_is_never_answered_is_sent_again() {
    let world = world();
    world.proxy.on(Calls::of("PutObject").nth(1), Mishap::never_answered());
    let ran = world.deploy(&with_file()).await;
    ran.check(&[("S", Outcome::Deployed)]);
    assert_eq!(retries(&ran, "PutObject", "stood still"), 1, "{:?}", ran.retries());
}

#[tokio::test(start_paused = true)]
async fn credentials_of_a_role_that_come_too_late_are_requested_again() {
    let hours = Duration::from_hours(2);
    let durations = slow_durations().with("Custom::Slow", paceline_sim::Operation::Create, hours);
    let world = World::new(SimOptions { durations, ..SimOptions::default() });
    // The session of the first role lasts an hour.
    world.proxy.on(Calls::of("AssumeRole").from(2).times(3), Mishap::never_answered());
    world.deploy(&one()).await.check(&[("S", Outcome::Deployed)]);
    assert_eq!(world.proxy.struck().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_role_that_cloudformation_does_not_know_yet_is_waited_for_and_an_unknown_one_is_reported() {
    let message = format!("Role arn:aws:iam::{ACCOUNT}:role/exec is invalid or cannot be assumed");
    let unknown = || Mishap::refused(400, "ValidationError", &message);
    let world = World::slow();
    world.proxy.on(Calls::of("CreateStack").lasting(HALF_A_MINUTE), unknown());
    world.deploy(&one()).await.check(&[("S", Outcome::Deployed)]);

    let world = World::slow();
    world.proxy.on("CreateStack", unknown());
    let ran = world.deploy(&one()).await;
    ran.check(&[("S", Outcome::Failed)]);
    assert!(ran.cause("S").message.contains("cannot be assumed"), "{:?}", ran.cause("S"));
    assert!(ran.stack("S").duration_s < 300.0);
}
