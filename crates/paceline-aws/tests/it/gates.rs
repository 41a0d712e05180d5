//! Waiting for roles.

use std::time::Duration;

use paceline_engine::Outcome;
use paceline_engine::event::StepFinished;
use paceline_sim::{Faults, SimOptions};
use serde_json::{Value, json};

use crate::app::{App, role, topic};
use crate::world::{How, Ran, World};

const GATE: &str = "gates: [{ after: Roles, iam-roles: all }]";

fn roles() -> Value {
    let inline = json!({"Type": "AWS::IAM::Policy", "Properties": {
        "PolicyName": "inline", "Roles": [{"Ref": "One"}],
        "PolicyDocument": {"Version": "2012-10-17", "Statement": []}}});
    let profile = json!({"Type": "AWS::IAM::InstanceProfile", "Properties": {"Roles": [{"Ref": "Two"}]}});
    json!({"Resources": {"One": role(), "Two": role(), "Inline": inline, "Profile": profile}})
}

fn app() -> App {
    App::new().stack("Roles", &roles(), &[]).stack("After", &topic("t"), &["Roles"])
}

fn lagging(seconds: u64, faults: Faults) -> World {
    let lag = Duration::from_secs(seconds);
    World::new(SimOptions { iam_lag: lag..=lag, faults, ..SimOptions::default() })
}

async fn gated(world: &World, config: &'static str) -> Ran {
    world.run(&app(), How { config, ..How::default() }).await
}

fn gate(ran: &Ran) -> &StepFinished {
    ran.finished("gate:iam-roles:Roles")
}

#[tokio::test(start_paused = true)]
async fn later_steps_wait_until_roles_and_their_policies_are_visible() {
    let world = lagging(100, Faults::default());
    let ran = gated(&world, GATE).await;
    ran.check_all(Outcome::Deployed);
    assert_eq!(gate(&ran).detail.as_deref(), Some("3 roles usable"));
    assert!(gate(&ran).duration_s > 60.0, "{}", gate(&ran).duration_s);
    let calls: Vec<String> = world.sim.calls().into_iter().map(|call| call.operation).collect();
    for read in ["GetRole", "GetInstanceProfile", "ListAttachedRolePolicies", "ListRolePolicies"] {
        assert!(calls.iter().any(|operation| operation == read), "{read}");
    }
    let again = gated(&world, GATE).await;
    assert!(gate(&again).duration_s < 10.0, "{}", gate(&again).duration_s);
}

#[tokio::test(start_paused = true)]
async fn roles_that_appear_and_disappear_are_read_until_they_are_steady() {
    let world = lagging(5, Faults { iam_flaps: 0.5, ..Faults::default() });
    let ran = gated(&world, GATE).await;
    ran.check_all(Outcome::Deployed);
    assert_eq!(gate(&ran).outcome, Outcome::Deployed);
}

#[tokio::test(start_paused = true)]
async fn a_gate_can_name_its_roles() {
    let world = lagging(5, Faults::default());
    let ran = gated(&world, "gates: [{ after: Roles, iam-roles: [One] }]").await;
    assert_eq!(gate(&ran).detail.as_deref(), Some("1 roles usable"));
}

#[tokio::test(start_paused = true)]
async fn a_gate_waits_for_a_fixed_time_if_roles_may_not_be_read() {
    let denied = vec![("iam".to_owned(), "GetRole".to_owned())];
    let ran = gated(&lagging(5, Faults { denied, ..Faults::default() }), GATE).await;
    ran.check_all(Outcome::Deployed);
    assert_eq!(gate(&ran).detail.as_deref(), Some("3 roles not verified"));
    assert!(gate(&ran).duration_s >= 30.0);
    assert!(ran.warnings()[0].contains("iam:GetRole"), "{:?}", ran.warnings());
}

#[tokio::test(start_paused = true)]
async fn roles_that_never_become_visible_fail_the_gate_and_skip_later_steps() {
    let ran = gated(&lagging(10_000, Faults::default()), GATE).await;
    ran.check(&[("Roles", Outcome::Deployed), ("After", Outcome::Skipped)]);
    let cause = gate(&ran).cause.as_ref().unwrap();
    assert!(cause.message.contains("not usable after 300 s"), "{cause:?}");
    assert!(cause.message.contains("Roles-One-"), "{cause:?}");
}

#[tokio::test(start_paused = true)]
async fn a_gate_waits_for_an_iam_that_throttles() {
    let faults = Some(Faults { throttle: 0.2, server_errors: 0.1, ..Faults::default() });
    let how = How { config: GATE, faults, ..How::default() };
    let ran = lagging(5, Faults::default()).run(&app(), how).await;
    ran.check_all(Outcome::Deployed);
}
