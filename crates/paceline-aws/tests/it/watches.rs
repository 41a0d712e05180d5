//! Stacks that somebody else deploys, as they are watched.

use std::pin::Pin;
use std::time::Duration;

use aws_sdk_cloudformation::types::Capability;
use paceline_aws::{AwsError, PreflightError, StackNews, Watching};
use paceline_sim::{Calls, Failure, Faults, Mishap, Operation, SimOptions};
use paceline_text::Explained;
use serde_json::Value;

use crate::app::{REGION, slow, topic};
use crate::world::{World, slow_durations};

/// The news in short, such as `S began CREATE_IN_PROGRESS`.
fn shown(news: &StackNews) -> String {
    match news {
        StackNews::Absent(stack) => format!("{} absent", stack.name),
        StackNews::Began { stack, status, .. } => format!("{} began {status}", stack.name),
        StackNews::Resource(stack, it) => format!("{} {} {}", stack.name, it.logical_id, it.status),
        StackNews::Turned(stack, status) => format!("{} turned {status}", stack.name),
        StackNews::Settled { stack, status, at_first, cause } => {
            let when = if *at_first { "was" } else { "is" };
            let cause = cause.as_ref().map(|cause| format!(": {}", cause.message)).unwrap_or_default();
            format!("{} {when} {status}{cause}", stack.name)
        }
        StackNews::Unreadable(stack, _) => format!("{} unreadable", stack.name),
    }
}

/// What is heard while something else happens, and for a minute after it.
fn heard<'a>(
    watching: Watching,
    meanwhile: impl Future<Output = ()> + 'a,
) -> Pin<Box<dyn Future<Output = Result<Vec<String>, AwsError>> + 'a>> {
    Box::pin(async {
        let mut heard = Vec::new();
        let follow = watching.follow(|news| heard.push(news.as_ref().map_or("--".to_owned(), shown)));
        let error = tokio::select! {
            error = follow => Some(error),
            () = async {
                meanwhile.await;
                tokio::time::sleep(Duration::from_mins(1)).await;
            } => None,
        };
        error.map_or(Ok(heard), Err)
    })
}

async fn named(world: &World, names: &[&str]) -> Watching {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    Watching::named(&world.wire, &[], &names).await.unwrap()
}

async fn matching(world: &World, start: &'static str) -> Result<Watching, PreflightError> {
    Watching::matching(&world.wire, &[REGION.to_owned()], move |name| name.starts_with(start)).await
}

/// Creates a stack as someone else, a little later, and gives it the time that it takes.
async fn create(world: &World, name: &str, template: &Value) {
    tokio::time::sleep(Duration::from_secs(5)).await;
    let call = world.client().await.create_stack().stack_name(name).template_body(template.to_string());
    call.capabilities(Capability::CapabilityNamedIam).send().await.unwrap();
    world.pass(Duration::from_mins(3)).await;
}

async fn delete(world: &World, name: &str) {
    world.client().await.delete_stack().stack_name(name).send().await.unwrap();
    world.pass(Duration::from_mins(3)).await;
}

#[tokio::test(start_paused = true)]
async fn a_stack_is_followed_from_before_it_is_there_until_it_is_deleted() {
    let world = World::slow();
    let heard = heard(named(&world, &["S"]).await, async {
        create(&world, "S", &slow("s")).await;
        delete(&world, "S").await;
    });
    let heard = heard.await.unwrap();
    let whole = [
        "S absent",
        "--",
        "S began CREATE_IN_PROGRESS",
        "S Slow CREATE_IN_PROGRESS",
        "S Slow CREATE_COMPLETE",
        "S is CREATE_COMPLETE",
        "S began DELETE_IN_PROGRESS",
        "S Slow DELETE_IN_PROGRESS",
        "S Slow DELETE_COMPLETE",
        "S is DELETE_COMPLETE",
    ];
    let mut rest = heard.iter();
    for expected in whole {
        assert!(rest.any(|it| it == expected), "no {expected} in its place in {heard:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_region_that_is_named_twice_is_watched_once() {
    let world = World::slow();
    let (regions, names) = ([REGION.to_owned(), REGION.to_owned()], ["S".to_owned()]);
    let watching = Watching::named(&world.wire, &regions, &names).await.unwrap();
    assert_eq!(watching.regions(), [REGION]);
    assert_eq!(heard(watching, async {}).await.unwrap(), ["S absent", "--"]);
}

#[tokio::test(start_paused = true)]
async fn a_stack_that_rests_is_told_once_and_costs_no_reading_of_events() {
    let world = World::slow();
    world.create("S", &slow("s")).await;
    let before = world.count("DescribeStackEvents");
    let heard = heard(named(&world, &["S"]).await, world.pass(Duration::from_mins(10))).await.unwrap();
    assert_eq!(heard, ["S was CREATE_COMPLETE", "--"]);
    assert_eq!(world.count("DescribeStackEvents"), before);
}

#[tokio::test(start_paused = true)]
async fn a_failure_has_its_first_cause_also_when_it_is_old() {
    let failure = Failure {
        stack: "S".to_owned(),
        logical_id: "Slow".to_owned(),
        operation: Some(Operation::Create),
        reason: "no room".to_owned(),
        times: 1,
    };
    let faults = Faults { failures: vec![failure], ..Faults::default() };
    let world = World::with_faults(faults);
    let first = heard(named(&world, &["S"]).await, create(&world, "S", &slow("s"))).await.unwrap();
    assert!(first.iter().any(|it| it == "S Slow CREATE_FAILED"), "{first:#?}");
    assert_eq!(first.last().unwrap(), "S is ROLLBACK_COMPLETE: no room");
    let later = heard(named(&world, &["S"]).await, async {}).await.unwrap();
    assert_eq!(later, ["S was ROLLBACK_COMPLETE: no room", "--"]);
}

#[tokio::test(start_paused = true)]
async fn an_operation_that_is_shorter_than_a_poll_is_told_all_the_same() {
    let blink = Duration::from_millis(20);
    let durations = slow_durations().with("AWS::SNS::Topic", Operation::Update, blink);
    let world = World::new(SimOptions { durations, stack_overhead: blink, ..SimOptions::default() });
    world.create("S", &topic("one")).await;
    let heard = heard(named(&world, &["S"]).await, async {
        tokio::time::sleep(Duration::from_mins(2)).await;
        world.update("S", &topic("two")).await;
        world.pass(Duration::from_mins(1)).await;
    });
    let heard = heard.await.unwrap();
    assert_eq!(heard[..2], ["S was CREATE_COMPLETE", "--"]);
    assert!(heard[2].starts_with("S began "), "{heard:#?}");
    assert_eq!(heard.last().unwrap(), "S is UPDATE_COMPLETE");
}

#[tokio::test(start_paused = true)]
async fn a_pattern_finds_the_stacks_that_come_and_leaves_the_others_out() {
    let world = World::slow();
    world.create("TeamA", &topic("a")).await;
    world.create("Other", &topic("o")).await;
    let watching = matching(&world, "Team").await.unwrap();
    let heard = heard(watching, create(&world, "TeamB", &slow("b"))).await.unwrap();
    assert_eq!(heard[..2], ["TeamA was CREATE_COMPLETE", "--"]);
    assert_eq!(heard.last().unwrap(), "TeamB is CREATE_COMPLETE");
    assert!(heard.iter().all(|it| !it.contains("Other")), "{heard:#?}");
}

#[tokio::test(start_paused = true)]
async fn where_stacks_may_not_be_listed_names_are_watched_and_patterns_are_refused() {
    let denied = vec![("cloudformation".to_owned(), "ListStacks".to_owned())];
    let world = World::with_faults(Faults { denied, ..Faults::default() });
    let followed = heard(named(&world, &["S"]).await, create(&world, "S", &slow("s"))).await.unwrap();
    assert_eq!(followed.last().unwrap(), "S is CREATE_COMPLETE");
    let refused = heard(matching(&world, "S").await.unwrap(), async {}).await.unwrap_err();
    let hint = Explained::hint(&refused).unwrap_or_default();
    assert!(hint.contains("cloudformation:ListStacks"), "{refused}: {hint}");
}

#[tokio::test(start_paused = true)]
async fn a_stack_whose_events_may_not_be_read_is_followed_by_its_status() {
    let world = World::slow();
    world.proxy.on(Calls::of("DescribeStackEvents"), Mishap::denied());
    let heard = heard(named(&world, &["S"]).await, create(&world, "S", &slow("s"))).await.unwrap();
    assert_eq!(
        heard,
        ["S absent", "--", "S began CREATE_IN_PROGRESS", "S unreadable", "S is CREATE_COMPLETE"]
    );
}

#[tokio::test(start_paused = true)]
async fn many_stacks_share_one_poll_and_their_events_keep_to_the_rate() {
    const STACKS: usize = 150;
    let world = World::slow();
    let names: Vec<String> = (0..STACKS).map(|n| format!("S{n:03}")).collect();
    let client = world.client().await;
    for name in &names {
        let call = client.create_stack().stack_name(name).template_body(slow(name).to_string());
        call.send().await.unwrap();
        // As often as CloudFormation allows it.
        tokio::time::sleep(Duration::from_millis(600)).await;
    }
    let watching = Watching::named(&world.wire, &[], &names).await.unwrap();
    let heard = heard(watching, world.pass(Duration::from_mins(3))).await.unwrap();
    let settled = heard.iter().filter(|it| it.ends_with(" CREATE_COMPLETE") && !it.contains("Slow")).count();
    assert_eq!(settled, STACKS);
    let calls = world.proxy.passed();
    let events: Vec<_> = calls.iter().filter(|it| it.call.operation == "DescribeStackEvents").collect();
    for window in events.windows(20) {
        let took = window[19].call.at.duration_since(window[0].call.at);
        assert!(took >= jiff::SignedDuration::from_millis(1_200), "20 calls in {took:?}");
    }
    let by_name = calls.iter().filter(|it| it.call.operation == "DescribeStacks" && it.call.stack.is_some());
    assert_eq!(by_name.count(), 0);
}
