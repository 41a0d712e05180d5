//! What a plan creates, compared with the quotas of an account and a region.

use paceline_config::Config;
use paceline_plan::{Plan, PlanOptions};
use paceline_sim::{Calls, Mishap};
use paceline_text::Explained as _;
use serde_json::{Value, json};

use crate::app::App;
use crate::world::World;

fn vpcs(number: usize) -> Value {
    let vpc = |at: usize| {
        let body = json!({"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": format!("10.{at}.0.0/16")}});
        (format!("Vpc{at}"), body)
    };
    json!({"Resources": (0..number).map(vpc).collect::<serde_json::Map<_, _>>()})
}

/// The errors and the notes about an app.
async fn found(world: &World, app: &App) -> (Vec<String>, Vec<String>) {
    let plan = Plan::make(&app.read(), &Config::default(), &PlanOptions::default()).unwrap();
    let (errors, notes) = Box::pin(world.connected(app).await.account_quotas(&plan)).await;
    let shown = |error: &paceline_aws::AwsError| format!("{error}; {}", error.hint().unwrap_or_default());
    (errors.iter().map(shown).collect(), notes)
}

#[tokio::test(start_paused = true)]
async fn what_fits_is_no_finding_and_what_does_not_says_what_to_ask_for() {
    let world = World::slow();
    world.create("Theirs", &vpcs(3)).await;
    assert_eq!(found(&world, &App::of("S", &vpcs(1))).await, (vec![], vec![]));
    let (errors, notes) = found(&world, &App::of("S", &vpcs(2))).await;
    let [error] = &errors[..] else { panic!("{errors:?}") };
    // One of those that are there is the default VPC.
    assert!(error.contains("may have 5 VPCs: 4 are there, and the plan creates 2 more"), "{error}");
    assert!(error.contains("--quota-code L-F678F1CE --region us-east-1 --desired-value 6"), "{error}");
    assert!(notes.is_empty(), "{notes:?}");
}

#[tokio::test(start_paused = true)]
async fn stacks_that_exist_and_resources_that_may_be_left_out_do_not_count() {
    let world = World::slow();
    world.create("S", &vpcs(4)).await;
    assert_eq!(found(&world, &App::of("S", &vpcs(4))).await, (vec![], vec![]));
    let mut conditional = vpcs(1);
    conditional["Parameters"] = json!({"On": {"Type": "String", "Default": "no"}});
    conditional["Conditions"] = json!({"On": {"Fn::Equals": [{"Ref": "On"}, "yes"]}});
    conditional["Resources"]["Vpc0"]["Condition"] = json!("On");
    assert_eq!(found(&world, &App::of("T", &conditional)).await, (vec![], vec![]));
}

#[tokio::test(start_paused = true)]
async fn a_quota_that_cannot_be_read_is_a_note() {
    let world = World::slow();
    world.proxy.on(Calls::of("GetServiceQuota"), Mishap::denied());
    let (errors, notes) = found(&world, &App::of("S", &vpcs(1))).await;
    assert!(errors.is_empty(), "{errors:?}");
    assert!(
        notes[0].contains("how many VPCs there may be in 111111111111/us-east-1 is not known"),
        "{notes:?}"
    );
}
