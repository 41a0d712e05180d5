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

/// NAT gateways in subnets of this zone.
fn nat_gateways(number: usize, zone: &Value) -> Value {
    let gateway = |at: usize| {
        let ids = json!({"SubnetId": {"Ref": "Subnet"}, "AllocationId": format!("eipalloc-{at}")});
        (format!("Nat{at}"), json!({"Type": "AWS::EC2::NatGateway", "Properties": ids}))
    };
    let mut resources: serde_json::Map<_, _> = (0..number).map(gateway).collect();
    let subnet = json!({"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/24", "AvailabilityZone": zone});
    resources.insert("Subnet".to_owned(), json!({"Type": "AWS::EC2::Subnet", "Properties": subnet}));
    json!({"Resources": resources})
}

#[tokio::test(start_paused = true)]
async fn nat_gateways_count_in_their_availability_zone() {
    let world = World::slow();
    world.create("Theirs", &nat_gateways(4, &json!("us-east-1a"))).await;
    let of = |number, zone| App::of("S", &nat_gateways(number, &zone));
    for fits in [of(1, json!("us-east-1a")), of(5, json!("us-east-1b"))] {
        assert_eq!(found(&world, &fits).await, (vec![], vec![]));
    }
    let (errors, _) = found(&world, &of(2, json!("us-east-1a"))).await;
    let [error] = &errors[..] else { panic!("{errors:?}") };
    let said = "may have 5 NAT gateways in the availability zone us-east-1a: 4 are there, and the plan creates 2 more";
    assert!(error.contains(said) && error.contains("--quota-code L-FE5A380F"), "{error}");
    // Which zone this is, nobody knows before. But no zone has room for so many.
    let second = json!({"Fn::Select": [1, {"Fn::GetAZs": ""}]});
    assert_eq!(found(&world, &of(5, second.clone())).await, (vec![], vec![]));
    let (errors, _) = found(&world, &of(6, second)).await;
    assert!(errors[0].contains("in one availability zone: 0 are there"), "{errors:?}");
}

#[tokio::test(start_paused = true)]
async fn clusters_of_all_pages_count() {
    let clusters = |number: usize| {
        let cluster = |at: usize| (format!("C{at}"), json!({"Type": "AWS::EKS::Cluster", "Properties": {}}));
        json!({"Resources": (0..number).map(cluster).collect::<serde_json::Map<_, _>>()})
    };
    let world = World::slow();
    world.create("Theirs", &clusters(99)).await;
    assert_eq!(found(&world, &App::of("S", &clusters(1))).await, (vec![], vec![]));
    world.create("More", &clusters(2)).await;
    let (errors, notes) = found(&world, &App::of("S", &clusters(1))).await;
    assert!(errors[0].contains("may have 100 EKS clusters: 101 are there"), "{errors:?} {notes:?}");
    assert!(errors[0].contains("--service-code eks --quota-code L-1194D53C"), "{errors:?}");
}

#[tokio::test(start_paused = true)]
async fn reserved_concurrency_leaves_a_part_to_the_other_functions() {
    let reserving = |number: u64| {
        let function = json!({"Runtime": "nodejs22.x", "ReservedConcurrentExecutions": number});
        json!({"Resources": {"F": {"Type": "AWS::Lambda::Function", "Properties": function}}})
    };
    let world = World::slow();
    world.create("Theirs", &reserving(400)).await;
    assert_eq!(found(&world, &App::of("S", &reserving(500))).await, (vec![], vec![]));
    let (errors, _) = found(&world, &App::of("S", &reserving(501))).await;
    let [error] = &errors[..] else { panic!("{errors:?}") };
    assert!(error.contains("may have 900 reserved concurrent executions: 400 are there"), "{error}");
    assert!(error.contains("--quota-code L-B99A9384") && error.ends_with("--desired-value 1001"), "{error}");
    // A function without a reservation needs nothing of its own.
    let plain = json!({"Resources": {"F": {"Type": "AWS::Lambda::Function", "Properties": {}}}});
    assert_eq!(found(&world, &App::of("S", &plain)).await, (vec![], vec![]));
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

#[tokio::test(start_paused = true)]
async fn a_service_that_may_not_be_asked_is_a_note_with_the_reason() {
    let world = World::slow();
    world.proxy.on(Calls::of("ListClusters"), Mishap::denied());
    let cluster = json!({"Resources": {"C": {"Type": "AWS::EKS::Cluster", "Properties": {}}}});
    let (errors, notes) = found(&world, &App::of("S", &cluster)).await;
    assert!(errors.is_empty(), "{errors:?}");
    assert!(notes[0].contains("how many EKS clusters there may be"), "{notes:?}");
    assert!(notes[0].contains("AccessDenied"), "{notes:?}");
}
