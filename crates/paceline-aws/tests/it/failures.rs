//! Stacks that fail.

use paceline_aws::Method;
use paceline_engine::{ExitCode, Outcome};
use paceline_sim::{Bootstrap, Calls, Failure, Faults, Mishap, SimOptions};
use serde_json::{Value, json};

use crate::app::{App, function, slow, topic};
use crate::world::{How, World};

const NOT_YET: &str = "Resource handler returned message: \"The role defined for the function cannot be assumed by Lambda. (Service: Lambda, Status Code: 400)\" (HandlerErrorCode: InvalidRequest)";

fn failure(logical_id: &str, reason: &str, times: u32) -> Failure {
    let (stack, logical_id, reason) = ("S".to_owned(), logical_id.to_owned(), reason.to_owned());
    Failure { stack, logical_id, operation: None, reason, times }
}

fn failing(logical_id: &str, reason: &str, times: u32) -> World {
    World::with_faults(Faults { failures: vec![failure(logical_id, reason, times)], ..Faults::default() })
}

fn with_dependents(template: &Value) -> App {
    App::new()
        .stack("S", template, &[])
        .stack("After", &topic("after"), &["S"])
        .stack("AfterThat", &topic("after that"), &["After"])
        .stack("Elsewhere", &slow("elsewhere"), &[])
}

#[tokio::test(start_paused = true)]
async fn a_failure_shows_its_first_cause_and_skips_its_dependents() {
    let world = failing("Topic", "Invalid parameter: DisplayName", 1);
    let ran = world.deploy(&with_dependents(&topic("t"))).await;
    ran.check(&[
        ("S", Outcome::RolledBack),
        ("After", Outcome::Skipped),
        ("AfterThat", Outcome::Skipped),
        ("Elsewhere", Outcome::Deployed),
    ]);
    assert_eq!(ran.exit_code(), ExitCode::Failed);
    let cause = ran.cause("S");
    assert_eq!(cause.at.as_deref(), Some("App/Stack/Topic/Resource (AWS::SNS::Topic)"));
    assert_eq!(cause.message, "Invalid parameter: DisplayName");
    assert_eq!(ran.stack("AfterThat").because.as_deref(), Some("deploy:S"));
    // `RollbackStack` deletes a stack that was never complete.
    assert_eq!(world.statuses("S"), ["DELETE_COMPLETE"]);
    assert_eq!(world.statuses("After"), [] as [&str; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_resource_cancelled_because_of_a_failure_is_not_its_cause() {
    let resource = |name: &str| {
        json!({"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": name},
            "Metadata": {"aws:cdk:path": format!("App/S/{name}/Resource")}})
    };
    let mut template = slow("s");
    for name in ["A", "B", "C"] {
        template["Resources"][name] = resource(name);
    }
    let world = failing("B", "quota reached", 1);
    let ran = world.deploy(&App::of("S", &template)).await;
    ran.check(&[("S", Outcome::RolledBack)]);
    assert_eq!(ran.cause("S").at.as_deref(), Some("App/S/B/Resource (AWS::SNS::Topic)"));
}

#[tokio::test(start_paused = true)]
async fn a_failed_update_is_reported_as_rolled_back() {
    let world = failing("Topic", "no", 0);
    world.deploy(&App::of("S", &topic("one"))).await.check(&[("S", Outcome::Deployed)]);
    let failure = Failure {
        stack: "S".to_owned(),
        logical_id: "Topic".to_owned(),
        operation: None,
        reason: "no".to_owned(),
        times: 1,
    };
    world.sim.set_faults(Faults { failures: vec![failure], ..Faults::default() });
    let app = App::of("S", &topic("two"));
    world.deploy(&app).await.check(&[("S", Outcome::RolledBack)]);
    assert_eq!(world.statuses("S"), ["UPDATE_ROLLBACK_COMPLETE"]);
    world.deploy(&app).await.check(&[("S", Outcome::Deployed)]);
}

#[tokio::test(start_paused = true)]
async fn a_failure_in_a_nested_stack_names_the_resource_in_it() {
    let child = json!({"Resources": {"Inner": {"Type": "AWS::SNS::Topic",
        "Metadata": {"aws:cdk:path": "App/S/Nested/Inner/Resource"}}}});
    let app = App::nesting(&json!({}), &child);
    // The name of the nested stack is generated from a seed at its creation. A first run shows the name.
    let world = World::slow();
    world.deploy(&app).await.check(&[("S", Outcome::Deployed)]);
    let failure = Failure {
        stack: world.nested(),
        logical_id: "Inner".to_owned(),
        operation: None,
        reason: "Inner broke".to_owned(),
        times: 1,
    };
    let world = World::with_faults(Faults { failures: vec![failure], ..Faults::default() });
    let ran = world.deploy(&app).await;
    ran.check(&[("S", Outcome::RolledBack)]);
    assert_eq!(ran.cause("S").at.as_deref(), Some("Child / App/S/Nested/Inner/Resource (AWS::SNS::Topic)"));
    assert_eq!(ran.cause("S").message, "Inner broke");
}

#[tokio::test(start_paused = true)]
async fn without_rollback_a_failed_stack_stays_and_can_be_updated() {
    for method in [Method::Direct, Method::ChangeSet] {
        let world = failing("Topic", "no", 1);
        let app = App::of("S", &topic("t"));
        let how = How { config: "on-failure: { rollback: none }", method, ..How::default() };
        let ran = world.run(&app, how.clone()).await;
        ran.check(&[("S", Outcome::Failed)]);
        assert_eq!(ran.cause("S").message, "no");
        assert_eq!(world.statuses("S"), ["CREATE_FAILED"]);
        world.run(&app, how).await.check(&[("S", Outcome::Deployed)]);
        assert_eq!(world.statuses("S").len(), 1, "it was continued and not made again");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stack_that_cannot_be_continued_is_created_again() {
    for (times, outcome) in [(1, Outcome::Deployed), (3, Outcome::Deployed), (4, Outcome::RolledBack)] {
        let failure = failure("Function", NOT_YET, times);
        let world = World::new(SimOptions {
            bootstrap: Bootstrap::Version(22),
            faults: Faults { failures: vec![failure], ..Faults::default() },
            ..SimOptions::default()
        });
        let ran = world.deploy(&App::of("S", &function())).await;
        ran.check(&[("S", outcome)]);
        let tries = usize::try_from(times.min(3)).unwrap();
        assert_eq!(ran.retries().len(), tries, "{:?}", ran.retries());
        assert!(ran.retries()[0].contains("App/Stack/Function/Resource"), "{:?}", ran.retries());
        let created = world.statuses("S");
        assert_eq!(created.len(), tries + 1, "{created:?}");
        assert!(created[..tries].iter().all(|status| status == "DELETE_COMPLETE"));
    }
}

#[tokio::test(start_paused = true)]
async fn an_update_and_a_stack_without_rollback_are_retried_too() {
    let world = failing("Function", NOT_YET, 1);
    let how = How { config: "on-failure: { rollback: none }", ..How::default() };
    let ran = world.run(&App::of("S", &function()), how).await;
    ran.check(&[("S", Outcome::Deployed)]);
    assert_eq!((ran.retries().len(), world.statuses("S").len()), (1, 1));

    let world = failing("Function", NOT_YET, 0);
    world.deploy(&App::of("S", &topic("before"))).await;
    let failure = Failure {
        stack: "S".to_owned(),
        logical_id: "Function".to_owned(),
        operation: None,
        reason: NOT_YET.to_owned(),
        times: 1,
    };
    world.sim.set_faults(Faults { failures: vec![failure], ..Faults::default() });
    let ran = world.deploy(&App::of("S", &function())).await;
    ran.check(&[("S", Outcome::Deployed)]);
    assert_eq!((ran.retries().len(), world.count("UpdateStack")), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_to_start_is_the_cause() {
    let mut template = topic("t");
    template["Parameters"] = json!({"P": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/none"}});
    let world = World::slow();
    let ran = world.deploy(&App::of("S", &template)).await;
    ran.check(&[("S", Outcome::Failed)]);
    let cause = ran.cause("S");
    assert_eq!(cause.at.as_deref(), Some("CreateStack"));
    assert!(cause.message.contains("Unable to fetch parameters [/none]"), "{cause:?}");
    assert_eq!(world.count("CreateStack"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_always_denied_has_changed_nothing() {
    let world = World::slow();
    world.proxy.on(Calls::of("CreateStack"), Mishap::denied());
    let ran = world.deploy(&App::of("S", &topic("t"))).await;
    assert_eq!(ran.exit_code(), ExitCode::Refused, "{:?}", ran.cause("S"));
    assert_eq!(ran.retries().len(), 5);

    let world = World::slow();
    world.proxy.on(Calls::of("CreateStack").times(1), Mishap::never_answered().request_lost());
    world.proxy.on(Calls::of("CreateStack").from(2), Mishap::denied());
    let ran = world.deploy(&App::of("S", &topic("t"))).await;
    assert_eq!(ran.exit_code(), ExitCode::Failed, "the first one may have been accepted");
}

#[tokio::test(start_paused = true)]
async fn the_cause_has_the_place_in_the_source_that_made_the_resource() {
    let trace = [
        "new Topic (/app/node_modules/aws-cdk-lib/aws-sns/lib/topic.js:1:900)",
        "new Shop (/app/lib/shop.ts:12:5)",
    ];
    let metadata = json!({"/App/Stack/Topic/Resource": [{"type": "aws:cdk:logicalId", "data": "Topic", "trace": trace}]});
    let app = App::new().stack_with("S", &topic("t"), &json!({"metadata": metadata}));
    let ran = failing("Topic", "no", 1).deploy(&app).await;
    assert_eq!(ran.cause("S").source.as_deref(), Some("/app/lib/shop.ts:12:5"));
}

/// A stack policy is a part of the stack, and in no template.
#[tokio::test(start_paused = true)]
async fn a_stack_policy_that_refuses_an_update_is_the_first_cause() {
    let denied = "Action denied by stack policy: Statement [#1] does not allow [Update:Modify] for resource [LogicalResourceId/Topic]";
    for method in [Method::Direct, Method::ChangeSet] {
        let world = World::slow();
        world.deploy(&App::of("S", &topic("one"))).await.check(&[("S", Outcome::Deployed)]);
        // A second try would succeed.
        let failures = vec![failure("Topic", denied, 1)];
        world.sim.set_faults(Faults { failures, ..Faults::default() });
        let ran = world.run(&App::of("S", &topic("two")), How { method, ..How::default() }).await;
        ran.check(&[("S", Outcome::RolledBack)]);
        let cause = ran.cause("S");
        assert_eq!(cause.at.as_deref(), Some("App/Stack/Topic/Resource (AWS::SNS::Topic)"));
        assert_eq!(cause.message, denied);
        assert!(cause.hint.as_deref().unwrap().contains("let the stack policy allow it"), "{cause:?}");
        assert_eq!(world.statuses("S"), ["UPDATE_ROLLBACK_COMPLETE"]);
    }
}
