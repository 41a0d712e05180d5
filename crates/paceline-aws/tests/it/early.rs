//! A stack that waits for a parameter of another stack and not for the whole stack.

use paceline_engine::{Fact, Outcome};
use serde_json::json;

use crate::app::{App, slow};
use crate::world::{How, World};

/// The parameter is created at once. The other resource of the stack takes a minute.
fn app() -> App {
    let mut producer = slow("producer");
    producer["Resources"]["Stored"] = json!({ "Type": "AWS::SSM::Parameter", "Properties": {
        "Type": "String", "Name": "/app/x", "Value": "v" } });
    let consumer = json!({ "Resources": { "T": { "Type": "AWS::SNS::Topic", "Properties": {
        "DisplayName": "{{resolve:ssm:/app/x}}" } } } });
    App::new().stack("Producer", &producer, &[]).stack("Consumer", &consumer, &[])
}

#[tokio::test(start_paused = true)]
async fn the_consumer_starts_when_the_parameter_exists() {
    let config = "edges: [{ from: Consumer, to: Producer, until: resource, because: it reads no more }]";
    for (config, early) in [(config, true), ("", false)] {
        let world = World::slow();
        let ran = world.run(&app(), How { config, ..How::default() }).await;
        ran.check_all(Outcome::Deployed);
        let started = ran.position("Consumer", |fact| matches!(fact, Fact::StepStarted(_)));
        let finished = ran.position("Producer", |fact| matches!(fact, Fact::StepFinished(_)));
        assert_eq!(started < finished, early, "with {config:?}");
    }
}
