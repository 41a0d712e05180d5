//! Stacks that are continued from the point of their failure.

use std::collections::BTreeMap;
use std::time::Duration;

use paceline_aws::Method;
use paceline_engine::event::{Kept, RetryClass, StepRetried};
use paceline_engine::{ExitCode, Fact, Outcome};
use paceline_sim::{Bootstrap, Calls, Failure, Faults, Mishap, Operation, SimOptions};
use serde_json::{Value, json};

use crate::app::{App, function, role, slow, topic};
use crate::world::{How, Ran, World, slow_durations};

const NOT_YET: &str = "Resource handler returned message: \"The role defined for the function cannot be assumed by Lambda. (Service: Lambda, Status Code: 400)\" (HandlerErrorCode: InvalidRequest)";

fn fails(logical_id: &str, reason: &str, times: u32) -> Failure {
    let (stack, logical_id, reason) = ("S".to_owned(), logical_id.to_owned(), reason.to_owned());
    Failure { stack, logical_id, operation: None, reason, times }
}

fn faults(failures: impl Into<Vec<Failure>>) -> Faults {
    Faults { failures: failures.into(), ..Faults::default() }
}

/// A world in which everything but `Custom::Slow` is fast.
fn brisk(faults: Faults) -> World {
    let second = Duration::from_secs(1);
    let fast = ["AWS::IAM::Role", "AWS::Lambda::Function", "AWS::SNS::Topic"];
    let durations = fast.into_iter().fold(slow_durations(), |durations, kind| {
        durations.with(kind, Operation::Create, second).with(kind, Operation::Delete, second)
    });
    World::new(SimOptions { faults, durations, ..SimOptions::default() })
}

fn failing(logical_id: &str, reason: &str, times: u32) -> World {
    brisk(faults([fails(logical_id, reason, times)]))
}

/// A function with its role, after a resource that takes a minute.
fn late_function(label: &str) -> Value {
    let mut template = function();
    template["Resources"]["Slow"] = slow(label)["Resources"]["Slow"].clone();
    template["Resources"]["Function"]["DependsOn"] = json!("Slow");
    template
}

fn retried(ran: &Ran) -> Vec<&StepRetried> {
    let retried = ran.events.iter().filter_map(|event| match &event.fact {
        Fact::StepRetried(retried) => Some(retried),
        _ => None,
    });
    retried.collect()
}

async fn physical_ids(world: &World) -> BTreeMap<String, String> {
    let answer = world.client().await.describe_stack_resources().stack_name("S").send().await.unwrap();
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let ids = answer.stack_resources().iter();
    ids.map(|it| (text(it.logical_resource_id()), text(it.physical_resource_id()))).collect()
}

/// Waits until the run waits for its next try, and returns in the middle of that wait.
async fn until_failed(world: &World, status: &str) {
    world.until("S", status, Duration::from_secs(1)).await;
    world.pass(Duration::from_secs(6)).await;
}

#[tokio::test(start_paused = true)]
async fn a_creation_that_fails_for_a_moment_keeps_what_it_has_created() {
    for method in [Method::Direct, Method::ChangeSet] {
        let world = failing("Function", NOT_YET, 1);
        let how = How { method, ..How::default() };
        let app = App::of("S", &late_function("one"));
        let (ran, before) = tokio::join!(world.run(&app, how), async {
            until_failed(&world, "CREATE_FAILED").await;
            physical_ids(&world).await
        });
        ran.check(&[("S", Outcome::Deployed)]);
        world.rest().await;
        assert_eq!(world.statuses("S"), ["UPDATE_COMPLETE"], "it is the same stack");
        let after = physical_ids(&world).await;
        assert_eq!((&after["Role"], &after["Slow"]), (&before["Role"], &before["Slow"]));
        assert_ne!(after["Function"], before["Function"]);
        let retried = retried(&ran);
        let [retry] = retried[..] else { panic!("{retried:?}") };
        assert_eq!((retry.attempt, retry.wait_s, &retry.class), (2, 10.0, &Some(RetryClass::Iam)));
        let Kept { resources, of, saved_s } = retry.kept.clone().unwrap();
        assert_eq!((resources, of), (2, 3));
        assert!((60.0..80.0).contains(&saved_s), "the slow resource took a minute: {saved_s}");
        assert_eq!(world.count("RollbackStack"), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn the_pauses_grow_and_a_failure_that_stays_is_rolled_back() {
    for (times, outcome, waits) in
        [(3, Outcome::Deployed, &[10.0, 30.0, 60.0][..]), (4, Outcome::RolledBack, &[10.0, 30.0, 60.0])]
    {
        let world = failing("Function", NOT_YET, times);
        let ran = world.deploy(&App::of("S", &function())).await;
        ran.check(&[("S", outcome)]);
        let waited: Vec<f64> = retried(&ran).iter().map(|retried| retried.wait_s).collect();
        assert_eq!(waited, waits);
        assert_eq!((world.statuses("S").len(), world.count("CreateStack")), (1, 1));
        if outcome == Outcome::RolledBack {
            assert_eq!(world.statuses("S"), ["DELETE_COMPLETE"]);
            assert!(ran.cause("S").message.contains("cannot be assumed by Lambda"), "{:?}", ran.cause("S"));
            assert_eq!(ran.exit_code(), ExitCode::Failed);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_number_of_tries_is_a_setting() {
    for (config, tries) in
        [("on-failure: { retries: 1 }", 2), ("on-failure: { retries: 0 }", 1), ("on-failure: {}", 4)]
    {
        let world = failing("Function", NOT_YET, 9);
        let ran = world.run(&App::of("S", &function()), How { config, ..How::default() }).await;
        ran.check(&[("S", Outcome::RolledBack)]);
        assert_eq!(retried(&ran).len() + 1, tries, "{config}");
        let sent = world.count("CreateStack") + world.count("UpdateStack");
        assert_eq!(sent, tries, "{config}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_does_not_disappear_is_rolled_back_at_once() {
    let world = failing("Function", "Runtime nodejs2.x is not supported", 1);
    let ran = world.deploy(&App::of("S", &late_function("one"))).await;
    ran.check(&[("S", Outcome::RolledBack)]);
    assert_eq!(ran.cause("S").message, "Runtime nodejs2.x is not supported");
    assert_eq!((retried(&ran).len(), world.count("RollbackStack")), (0, 1));
    assert_eq!(world.statuses("S"), ["DELETE_COMPLETE"]);
}

#[tokio::test(start_paused = true)]
async fn one_failure_that_stays_is_enough_to_roll_back() {
    let mut template = function();
    template["Resources"]["Topic"] = topic("t")["Resources"]["Topic"].clone();
    let failures = [fails("Function", NOT_YET, 1), fails("Topic", "Invalid parameter: DisplayName", 1)];
    let world = brisk(faults(failures));
    let ran = world.deploy(&App::of("S", &template)).await;
    ran.check(&[("S", Outcome::RolledBack)]);
    assert_eq!(ran.cause("S").message, "Invalid parameter: DisplayName");
    assert_eq!(retried(&ran).len(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_update_is_continued_if_its_change_set_replaces_nothing() {
    let world = failing("Function", NOT_YET, 0);
    world.deploy(&App::of("S", &slow("one"))).await;
    world.sim.set_faults(faults([fails("Function", NOT_YET, 1)]));
    let how = How { method: Method::ChangeSet, ..How::default() };
    let ran = world.run(&App::of("S", &late_function("two")), how).await;
    ran.check(&[("S", Outcome::Deployed)]);
    assert!(retried(&ran)[0].kept.is_some(), "{:?}", retried(&ran));
    assert_eq!(world.began("S", "UPDATE_ROLLBACK_IN_PROGRESS").await, 0);
    world.rest().await;
    assert_eq!(world.statuses("S"), ["UPDATE_COMPLETE"]);
}

fn parameter(name: &str) -> Value {
    json!({"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Name": name, "Value": "v"}})
}

#[tokio::test(start_paused = true)]
async fn an_update_that_replaces_a_resource_is_rolled_back_by_cloudformation() {
    let template = |name: &str| {
        let mut template = function();
        template["Resources"]["P"] = parameter(name);
        template["Resources"]["Function"]["DependsOn"] = json!("P");
        template
    };
    let world = failing("Function", NOT_YET, 0);
    let mut before = template("/one");
    before["Resources"].as_object_mut().unwrap().remove("Function");
    world.deploy(&App::of("S", &before)).await;
    for method in [Method::ChangeSet, Method::Direct] {
        world.sim.set_faults(faults([fails("Function", NOT_YET, 9)]));
        let how = How { method, ..How::default() };
        let ran = world.run(&App::of("S", &template("/two")), how).await;
        ran.check(&[("S", Outcome::RolledBack)]);
        assert!(retried(&ran).iter().all(|retried| retried.kept.is_none()), "{:?}", retried(&ran));
        assert_eq!((retried(&ran).len(), world.count("RollbackStack")), (3, 0));
        assert_eq!(world.statuses("S"), ["UPDATE_ROLLBACK_COMPLETE"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_direct_update_that_only_adds_resources_is_continued() {
    let world = failing("Function", NOT_YET, 0);
    world.deploy(&App::of("S", &slow("one"))).await;
    world.sim.set_faults(faults([fails("Function", NOT_YET, 9)]));
    let ran = world.deploy(&App::of("S", &late_function("one"))).await;
    ran.check(&[("S", Outcome::RolledBack)]);
    assert_eq!(retried(&ran)[0].kept.as_ref().map(|kept| (kept.resources, kept.of)), Some((2, 3)));
    assert_eq!((world.count("UpdateStack"), world.count("RollbackStack")), (4, 1));
    assert_eq!(world.statuses("S"), ["UPDATE_ROLLBACK_COMPLETE"]);
    assert_eq!(physical_ids(&world).await.keys().collect::<Vec<_>>(), ["Slow"]);
}

#[tokio::test(start_paused = true)]
async fn an_old_look_at_the_events_is_not_taken_for_an_operation_of_somebody_else() {
    let app = App::of("S", &late_function("one"));
    let undisturbed = failing("Function", NOT_YET, 1);
    undisturbed.deploy(&app).await;
    let passed = undisturbed.proxy.passed();
    let before_retry = passed.iter().take_while(|passed| passed.call.operation != "UpdateStack");
    let reads = before_retry.filter(|passed| passed.call.operation == "DescribeStackEvents").count();

    let world = failing("Function", NOT_YET, 9);
    let last = Calls::of("DescribeStackEvents").nth(u32::try_from(reads).unwrap());
    world.proxy.on(last, Mishap::from_the_past(Duration::from_secs(20)));
    let ran = world.deploy(&app).await;
    assert_eq!(world.proxy.struck().len(), 1);
    ran.check(&[("S", Outcome::RolledBack)]);
    assert_eq!(ran.warnings(), [""; 0]);
    assert_eq!(world.statuses("S"), ["DELETE_COMPLETE"]);
}

#[tokio::test(start_paused = true)]
async fn a_replacement_that_nobody_could_foresee_is_made_with_rollback_enabled() {
    let world = failing("Function", NOT_YET, 0);
    world.deploy(&App::of("S", &slow("one"))).await;
    let refusal = "Replacement type updates not supported on stack with disable-rollback.";
    world.sim.set_faults(faults([fails("Function", refusal, 1)]));
    let ran = world.deploy(&App::of("S", &late_function("one"))).await;
    ran.check(&[("S", Outcome::Deployed)]);
    let warning = "it replaces a resource, which needs rollback enabled: it is tried again with it";
    assert_eq!((ran.warnings(), world.count("RollbackStack")), (vec![warning], 1));
}

#[tokio::test(start_paused = true)]
async fn roles_that_fail_their_users_for_ten_seconds_are_not_created_again() {
    let mut roles = json!({"Resources": {"Role": role()}, "Outputs": {}});
    roles["Outputs"]["Arn"] = json!({"Value": {"Fn::GetAtt": ["Role", "Arn"]}, "Export": {"Name": "role"}});
    let mut uses = late_function("one");
    uses["Resources"]["Function"]["Properties"]["Role"] = json!({"Fn::ImportValue": "role"});
    uses["Resources"]["Function"].as_object_mut().unwrap().remove("DependsOn");
    let lag = Duration::from_secs(25);
    let world = World::new(SimOptions {
        iam_lag: lag..=lag,
        durations: slow_durations(),
        faults: Faults { unpropagated_roles_fail: true, ..Faults::default() },
        ..SimOptions::default()
    });
    let app = App::new().stack("Roles", &roles, &[]).stack("S", &uses, &["Roles"]);
    let ran = world.deploy(&app).await;
    ran.check_all(Outcome::Deployed);
    assert!(!retried(&ran).is_empty(), "the role was too new");
    assert_eq!((world.statuses("S").len(), world.statuses("Roles").len()), (1, 1));
    assert_eq!(world.count("DeleteStack") + world.count("RollbackStack"), 0);
}

/// A run that was killed while it waited for its second try. The function fails as often as `times` says.
async fn killed_after_its_failure(app: &App, times: u32) -> (World, Ran) {
    for seconds in (60..120).step_by(5) {
        let world = failing("Function", NOT_YET, times);
        let killed = world.kill_after(app, How::default(), Duration::from_secs(seconds)).await;
        if !retried(&killed).is_empty() {
            return (world, killed);
        }
    }
    panic!("the stack does not fail");
}

#[tokio::test(start_paused = true)]
async fn a_run_killed_between_failure_and_retry_continues_from_there() {
    let app = App::of("S", &late_function("one"));
    let (world, killed) = killed_after_its_failure(&app, 1).await;
    let before = physical_ids(&world).await;
    let ran = world.run(&app, How { earlier: Some(killed.earlier()), ..How::default() }).await;
    ran.check(&[("S", Outcome::Deployed)]);
    assert_eq!(physical_ids(&world).await["Slow"], before["Slow"]);
    world.rest().await;
    assert_eq!(world.statuses("S"), ["UPDATE_COMPLETE"]);
}

#[tokio::test(start_paused = true)]
async fn a_resumed_run_rolls_back_what_its_earlier_part_has_left_failed() {
    let app = App::of("S", &late_function("one"));
    let (world, killed) = killed_after_its_failure(&app, 9).await;
    assert_eq!(world.statuses("S"), ["CREATE_FAILED"]);
    let ran = world.run(&app, How { earlier: Some(killed.earlier()), ..How::default() }).await;
    ran.check(&[("S", Outcome::RolledBack)]);
    assert_eq!(world.statuses("S"), ["DELETE_COMPLETE"]);
}

#[tokio::test(start_paused = true)]
async fn a_failed_stack_that_was_there_before_the_run_is_never_rolled_back() {
    let (world, app) = (failing("Function", "no", 9), App::of("S", &late_function("one")));
    let how = How { config: "on-failure: { rollback: none }", ..How::default() };
    world.run(&app, how).await.check(&[("S", Outcome::Failed)]);
    assert_eq!(world.statuses("S"), ["CREATE_FAILED"]);
    world.deploy(&app).await.check(&[("S", Outcome::Failed)]);
    assert_eq!((world.statuses("S"), world.count("RollbackStack")), (vec!["UPDATE_FAILED".to_owned()], 0));
}

/// Kills a run at every second, and lets it continue.
#[tokio::test(start_paused = true)]
async fn a_run_killed_at_any_moment_ends_as_it_would_have() {
    for (times, permanent) in [(2, false), (1, true)] {
        for seconds in (1..180).step_by(7) {
            let reason = if permanent { "no" } else { NOT_YET };
            let (world, app) = (failing("Function", reason, times), App::of("S", &late_function("one")));
            let after = Duration::from_secs(seconds);
            let killed = world.kill_or_end(&app, How::default(), after).await;
            let ran = world.run(&app, How { earlier: Some(killed.earlier()), ..How::default() }).await;
            // The second part of the run may find a stack whose failure the first part has used up.
            let outcome = ran.stack("S").outcome;
            assert!(
                matches!(outcome, Outcome::Deployed | Outcome::Unchanged)
                    || permanent && outcome == Outcome::RolledBack,
                "after {seconds} s: {outcome} {:?}",
                ran.stack("S").cause
            );
            let statuses = world.statuses("S");
            assert!(!statuses.iter().any(|status| status.ends_with("_FAILED")), "{seconds} s: {statuses:?}");
            let alive = statuses.iter().filter(|status| *status != "DELETE_COMPLETE").count();
            assert!(alive <= 1, "{seconds} s: {statuses:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn somebody_who_deletes_the_failed_stack_is_noticed() {
    let world = failing("Function", NOT_YET, 1);
    let app = App::of("S", &late_function("one"));
    let (ran, ()) = tokio::join!(world.deploy(&app), async {
        until_failed(&world, "CREATE_FAILED").await;
        world.client().await.delete_stack().stack_name("S").send().await.unwrap();
    });
    ran.check(&[("S", Outcome::Failed)]);
    let hint = ran.cause("S").hint.as_deref().unwrap();
    assert!(hint.contains("somebody deleted it after its failure"), "{hint}");
    world.rest().await;
    assert_eq!(world.statuses("S"), ["DELETE_COMPLETE"], "it is not created again");
}

#[tokio::test(start_paused = true)]
async fn somebody_who_rolls_the_failed_update_back_is_noticed() {
    let world = failing("Function", NOT_YET, 0);
    world.deploy(&App::of("S", &slow("one"))).await;
    world.sim.set_faults(faults([fails("Function", NOT_YET, 1)]));
    let app = App::of("S", &late_function("one"));
    let (ran, ()) = tokio::join!(world.deploy(&app), async {
        until_failed(&world, "UPDATE_FAILED").await;
        world.client().await.rollback_stack().stack_name("S").send().await.unwrap();
    });
    ran.check(&[("S", Outcome::Deployed)]);
    let warning = &ran.warnings()[0];
    assert!(
        warning.starts_with("somebody has rolled it back since it failed (UPDATE_ROLLBACK_"),
        "{warning}"
    );
}

#[tokio::test(start_paused = true)]
async fn somebody_who_is_faster_with_the_rollback_is_not_fought_over() {
    let world = failing("Function", "no", 1);
    let client = world.client().await;
    let app = App::of("S", &late_function("one"));
    let (ran, ()) = tokio::join!(world.deploy(&app), async {
        world.until("S", "CREATE_FAILED", Duration::from_millis(50)).await;
        client.rollback_stack().stack_name("S").send().await.unwrap();
    });
    assert!(matches!(ran.stack("S").outcome, Outcome::Failed | Outcome::RolledBack));
    world.rest().await;
    assert_eq!((world.statuses("S"), world.count("RollbackStack")), (vec!["DELETE_COMPLETE".to_owned()], 1));
}

#[tokio::test(start_paused = true)]
async fn without_the_right_to_roll_back_cloudformation_does_it() {
    let world = World::new(SimOptions {
        bootstrap: Bootstrap::Version(22),
        faults: faults([fails("Function", NOT_YET, 1)]),
        durations: slow_durations(),
        ..SimOptions::default()
    });
    let ran = world.deploy(&App::of("S", &function())).await;
    ran.check(&[("S", Outcome::Deployed)]);
    assert_eq!(world.statuses("S"), ["DELETE_COMPLETE", "CREATE_COMPLETE"]);
    assert_eq!(retried(&ran)[0].kept, None);

    let denied = vec![("cloudformation".to_owned(), "RollbackStack".to_owned())];
    let failures = vec![fails("Function", "no", 1)];
    let world = brisk(Faults { failures, denied, ..Faults::default() });
    let ran = world.deploy(&App::of("S", &function())).await;
    ran.check(&[("S", Outcome::Failed)]);
    assert_eq!(ran.cause("S").message, "no");
    let warnings = ran.warnings();
    let warning = warnings.last().unwrap();
    assert!(warning.starts_with("it stays in CREATE_FAILED, it could not be rolled back: "), "{warning}");
    assert!(warning.ends_with("; give the deploy role cloudformation:RollbackStack"), "{warning}");
    world.deploy(&App::of("S", &function())).await.check(&[("S", Outcome::Deployed)]);
}

#[tokio::test(start_paused = true)]
async fn a_stack_with_nested_stacks_is_rolled_back_by_cloudformation() {
    let app = App::nesting(&function(), &topic("inner"));
    let world = failing("Function", NOT_YET, 1);
    let ran = world.deploy(&app).await;
    ran.check(&[("S", Outcome::Deployed)]);
    assert_eq!(retried(&ran)[0].kept, None);
    assert_eq!(world.statuses("S"), ["DELETE_COMPLETE", "CREATE_COMPLETE"]);
}
