//! The limits that stacks of a run share: resources in stack operations, the rate of calls, and services whose rates
//! are low.

use paceline_engine::{Fact, Outcome};
use paceline_sim::{Faults, SimOptions};
use serde_json::{Value, json};

use crate::app::{App, slow, topic};
use crate::world::{How, Ran, World, slow_durations};

fn waited(ran: &Ran, stack: &str, limit: &str) -> f64 {
    let waits = ran.stack(stack).waited.iter().filter(|wait| wait.limit.as_str() == limit);
    waits.map(|wait| wait.waited_s).sum()
}

/// A stack that takes a minute and has this many resources.
fn sized(resources: usize) -> Value {
    let mut template = slow("slow");
    for number in 1..resources {
        template["Resources"][format!("Topic{number}")] = json!({"Type": "AWS::SNS::Topic"});
    }
    template
}

fn three(resources: usize) -> App {
    ["A", "B", "C"].iter().fold(App::new(), |app, id| app.stack(id, &sized(resources), &[]))
}

fn with_limit(concurrent_resources: u32) -> World {
    World::new(SimOptions { concurrent_resources, durations: slow_durations(), ..SimOptions::default() })
}

#[tokio::test(start_paused = true)]
async fn the_resources_of_stacks_in_operation_stay_within_the_limit_of_the_account() {
    let world = with_limit(20);
    let ran = world.deploy(&three(10)).await;
    ran.check(&[("A", Outcome::Deployed), ("B", Outcome::Deployed), ("C", Outcome::Deployed)]);
    assert!(waited(&ran, "B", "concurrency.resources") < 0.1);
    assert!(waited(&ran, "C", "concurrency.resources") > 60.0, "{:?}", ran.stack("C"));
    // The answer about the number of stacks has this limit too, so one call is enough.
    assert_eq!(world.count("DescribeAccountLimits"), 1);
}

#[tokio::test(start_paused = true)]
async fn the_limit_of_the_configuration_counts_instead() {
    let world = with_limit(20);
    let how = How { config: "concurrency: { resources: 100 }", ..How::default() };
    let ran = world.run(&three(10), how).await;
    assert!(waited(&ran, "C", "concurrency.resources") < 0.1);
}

#[tokio::test(start_paused = true)]
async fn updates_of_few_resources_do_not_read_the_limit() {
    let world = World::slow();
    world.deploy(&three(2)).await;
    world.deploy(&three(3)).await.check(&[("A", Outcome::Deployed)]);
    assert_eq!(world.count("DescribeAccountLimits"), 1);
}

#[tokio::test(start_paused = true)]
async fn without_the_permission_to_read_the_limit_the_usual_one_is_assumed() {
    let world = World::new(SimOptions {
        concurrent_resources: 20,
        durations: slow_durations(),
        faults: Faults {
            denied: vec![("cloudformation".to_owned(), "DescribeAccountLimits".to_owned())],
            ..Faults::default()
        },
        ..SimOptions::default()
    });
    let ran = world.deploy(&three(10)).await;
    ran.check(&[("A", Outcome::Deployed), ("B", Outcome::Deployed), ("C", Outcome::Deployed)]);
    assert!(waited(&ran, "C", "concurrency.resources") < 0.1);
}

/// Creates many stacks, and returns how long that took and how often AWS throttled `CreateStack`.
async fn created(rate_factor: f64, config: &'static str) -> (f64, u64) {
    let world = World::new(SimOptions { rate_factor, durations: slow_durations(), ..SimOptions::default() });
    let stacks = (0..60).map(|number| format!("S{number:03}"));
    let app = stacks.fold(App::new(), |app, id| app.stack(&id, &topic(&id), &[]));
    let ran = world.run(&app, How { config, ..How::default() }).await;
    let throttled = ran.events.iter().find_map(|event| match &event.fact {
        Fact::CallsThrottled { operations } => operations.get("CreateStack").copied(),
        _ => None,
    });
    let end = ran.events.last().unwrap().at.duration_since(ran.events[0].at);
    (end.as_secs_f64(), throttled.unwrap_or_default())
}

const FASTER: &str = "concurrency: { stacks: 100, api-rates: 4 }";

#[tokio::test(start_paused = true)]
async fn a_run_is_faster_in_an_account_with_raised_rates_and_nearly_never_throttled_in_another() {
    let usual = created(1.0, "concurrency: { stacks: 100 }").await;
    let raised = created(4.0, FASTER).await;
    let wrong = created(1.0, FASTER).await;
    let unused = created(4.0, "concurrency: { stacks: 100 }").await;
    assert_eq!((usual.1, raised.1), (0, 0));
    assert!(raised.0 < usual.0 * 0.65, "{} s instead of {} s", raised.0, usual.0);
    assert!(wrong.1 <= 3, "{} throttles", wrong.1);
    assert!(wrong.0 < usual.0 * 1.1, "{} s instead of {} s", wrong.0, usual.0);
    // Without the setting, the rates of the account make no difference.
    assert!((usual.0 - unused.0).abs() < 1.0, "{} s instead of {} s", unused.0, usual.0);
}

#[tokio::test(start_paused = true)]
async fn a_stack_knows_how_long_its_calls_waited_for_their_rate() {
    let world = World::slow();
    let stacks = (0..10).map(|number| format!("S{number}"));
    let ran = world.deploy(&stacks.fold(App::new(), |app, id| app.stack(&id, &slow(&id), &[]))).await;
    // Two creations a second are documented, of which a part is left to others.
    let waits: Vec<f64> = (0..10).map(|number| waited(&ran, &format!("S{number}"), "api-rate")).collect();
    let longest = waits.iter().copied().fold(0.0, f64::max);
    assert!((4.0..12.0).contains(&longest), "{waits:?}");
}

/// A REST API with a stage.
fn api() -> Value {
    json!({"Resources": {
        "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "api"}},
        "Deployment": {"Type": "AWS::ApiGateway::Deployment", "Properties": {"RestApiId": {"Ref": "Api"}}},
    }})
}

#[tokio::test(start_paused = true)]
async fn stacks_that_would_throttle_each_other_are_created_apart_while_a_longer_one_runs() {
    let world = World::slow();
    let app = App::of("Long", &cluster()).stack("Api1", &api(), &[]).stack("Api2", &api(), &[]);
    let ran = world.deploy(&app).await;
    ran.check(&[("Long", Outcome::Deployed), ("Api1", Outcome::Deployed), ("Api2", Outcome::Deployed)]);
    let mut apart = ["Api1", "Api2"].map(|stack| waited(&ran, stack, "staggered"));
    apart.sort_by(f64::total_cmp);
    assert!(apart[0] < 0.1 && (34.0..36.0).contains(&apart[1]), "{apart:?}");
    // Nothing has changed, so nothing is created and nothing waits.
    let again = world.deploy(&app).await;
    again.check(&[("Long", Outcome::Unchanged), ("Api1", Outcome::Unchanged)]);
    assert!(waited(&again, "Api2", "staggered") < 0.1);
}

/// A stack that is expected to take many minutes.
fn cluster() -> Value {
    json!({"Resources": {"Cluster": {"Type": "AWS::EKS::Cluster", "Properties": {
        "RoleArn": "arn:aws:iam::111111111111:role/r", "ResourcesVpcConfig": {"SubnetIds": []}}}}})
}
