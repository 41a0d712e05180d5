//! Metrics arrive in CloudWatch, and nothing depends on it.

use std::time::Duration;

use paceline_aws::{Aws, MetricDatum};
use paceline_engine::Fact;
use paceline_sim::{Faults, SimOptions};
use tokio::time::Instant;

use crate::app::{App, REGION, slow, topic};
use crate::world::World;

fn datum(world: &World, name: &str, values: &[f64]) -> MetricDatum {
    MetricDatum {
        name: name.to_owned(),
        unit: "Seconds".to_owned(),
        dimensions: vec![
            ("Deployment".to_owned(), "shop & more".to_owned()),
            ("Region".to_owned(), REGION.to_owned()),
        ],
        values: values.to_vec(),
        at: world.now(),
    }
}

async fn connected(world: &World) -> Aws {
    world.connected(&App::of("A", &topic("a"))).await
}

#[tokio::test(start_paused = true)]
async fn every_value_arrives_with_its_dimensions() {
    let world = World::new(SimOptions::default());
    let aws = connected(&world).await;
    let data = [datum(&world, "StackDuration", &[61.5, 0.25, 61.5]), datum(&world, "RunDuration", &[90.0])];
    aws.put_metrics("Paceline", &data).await.unwrap();
    let stored = world.sim.metrics();
    assert_eq!(stored.len(), 2);
    assert_eq!((stored[0].namespace.as_str(), stored[0].name.as_str()), ("Paceline", "StackDuration"));
    assert_eq!(stored[0].dimensions["Deployment"], "shop & more");
    assert_eq!(stored[0].region, REGION);
    assert_eq!(stored[0].values, [0.25, 61.5, 61.5]);
    assert_eq!(world.sim.calls().iter().filter(|call| call.operation == "PutMetricData").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn many_values_are_several_requests_within_the_limits() {
    let world = World::new(SimOptions::default());
    let aws = connected(&world).await;
    let values: Vec<f64> = (0..2000).map(f64::from).collect();
    let data: Vec<MetricDatum> = (0..100).map(|n| datum(&world, &format!("M{n}"), &values)).collect();
    aws.put_metrics("Paceline", &data).await.unwrap();
    let stored = world.sim.metrics();
    assert_eq!(stored.iter().map(|metric| metric.values.len()).sum::<usize>(), 200_000);
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_sent_is_an_error_at_once() {
    let world = World::new(SimOptions::default());
    let aws = connected(&world).await;
    let denied = vec![("monitoring".to_owned(), "PutMetricData".to_owned())];
    world.sim.set_faults(Faults { denied, ..Faults::default() });
    let error = aws.put_metrics("Paceline", &[datum(&world, "M", &[1.0])]).await.unwrap_err();
    assert!(error.to_string().contains("is not authorized to perform: monitoring:PutMetricData"), "{error}");
    assert_eq!(world.sim.calls().iter().filter(|call| call.operation == "PutMetricData").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_aws_that_does_not_answer_is_given_up_soon() {
    let world = World::new(SimOptions::default());
    let aws = connected(&world).await;
    world.sim.set_faults(Faults { server_errors: 1.0, ..Faults::default() });
    let started = Instant::now();
    aws.put_metrics("Paceline", &[datum(&world, "M", &[1.0])]).await.unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn every_call_that_was_throttled_is_counted_by_its_operation() {
    let app = App::of("A", &slow("a"));
    let world = World::with_faults(Faults { throttle: 0.3, ..Faults::default() });
    let ran = world.deploy(&app).await;
    let told = ran.events.iter().rev().find_map(|event| match &event.fact {
        Fact::CallsThrottled { operations } => Some(operations.clone()),
        _ => None,
    });
    let mut expected = std::collections::BTreeMap::new();
    for call in world.sim.calls().iter().filter(|call| call.error.as_deref() == Some("Throttling")) {
        *expected.entry(call.operation.clone()).or_default() += 1;
    }
    assert_eq!(told.unwrap(), expected);
    assert!(expected.contains_key("DescribeStacks"), "{expected:?}");
}
