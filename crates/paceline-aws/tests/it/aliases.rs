//! Stacks that are found by an alias, which lists do not show.

use paceline_engine::Outcome;
use paceline_sim::{Failure, Faults};

use crate::app::{ACCOUNT, App, REGION, slow, topic};
use crate::world::World;

/// A world with a stack `Old` that has the alias `S`.
async fn world() -> World {
    let world = World::slow();
    world.create("Old", &slow("old")).await;
    world.sim.set_alias(ACCOUNT, REGION, "Old", "S").unwrap();
    world
}

#[tokio::test(start_paused = true)]
async fn a_stack_is_deployed_under_its_alias() {
    for may_list in [true, false] {
        let world = world().await;
        if !may_list {
            let denied = vec![("cloudformation".to_owned(), "ListStacks".to_owned())];
            world.sim.set_faults(Faults { denied, ..Faults::default() });
        }
        let app = App::of("S", &slow("new"));
        let ran = world.deploy(&app).await;
        ran.check(&[("S", Outcome::Deployed)]);
        assert_eq!(ran.stack("S").outputs["Label"], "new");
        assert_eq!(ran.warnings(), ["S is an alias of Old: that stack is deployed"]);
        assert_eq!((world.statuses("S").len(), world.statuses("Old").len()), (0, 1));
        world.deploy(&app).await.check(&[("S", Outcome::Unchanged)]);
    }
}

#[tokio::test(start_paused = true)]
async fn two_stacks_of_an_app_that_are_the_same_are_reported() {
    let world = world().await;
    let app = App::of("S", &slow("new")).stack("Old", &slow("old"), &[]);
    let ran = world.deploy(&app).await;
    ran.check(&[("Old", Outcome::Unchanged), ("S", Outcome::Failed)]);
    assert_eq!(ran.cause("S").message, "S is an alias of the stack Old, which this app deploys too");
}

#[tokio::test(start_paused = true)]
async fn no_stack_is_deleted_by_an_alias() {
    let world = world().await;
    let ran = world.destroy(&App::of("S", &slow("old"))).await;
    ran.check(&[("S", Outcome::Failed)]);
    assert!(ran.cause("S").message.starts_with("S is an alias of the stack Old"), "{:?}", ran.cause("S"));
    assert_eq!(world.count("DeleteStack"), 0);

    let failures = vec![Failure {
        stack: "Failed".to_owned(),
        logical_id: "Topic".to_owned(),
        operation: None,
        reason: "it broke".to_owned(),
        times: 1,
    }];
    let world = World::with_faults(Faults { failures, ..Faults::default() });
    world.create("Failed", &topic("t")).await;
    world.sim.set_alias(ACCOUNT, REGION, "Failed", "S").unwrap();
    let ran = world.deploy(&App::of("S", &topic("t"))).await;
    ran.check(&[("S", Outcome::Failed)]);
    let cause = ran.cause("S");
    assert!(cause.message.contains("ROLLBACK_COMPLETE") && cause.message.contains("it broke"), "{cause:?}");
    assert!(cause.hint.as_deref().unwrap().contains("delete Failed itself"), "{cause:?}");
    assert_eq!((world.count("DeleteStack"), world.statuses("S").len()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn an_empty_stack_reports_an_existing_stack_under_its_alias() {
    let world = world().await;
    let ran = world.deploy(&App::of("S", &serde_json::json!({"Resources": {}}))).await;
    ran.check(&[("S", Outcome::Failed)]);
    assert!(ran.cause("S").message.contains("but the stack is there"), "{:?}", ran.cause("S"));
}
