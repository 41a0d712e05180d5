//! Auto Scaling: the activities of the groups of stacks.

use serde_json::{Value, json};

use crate::services::service::{Answer, Service, unknown_operation};
use crate::wire::{Fault, Outcome, Protocol, Request};
use crate::world::{Attempt, World, written};

/// Auto Scaling.
pub(super) struct AutoScaling;

/// The most activities in an answer, if the request does not ask for fewer.
const MOST: usize = 100;

impl Service for AutoScaling {
    fn name(&self) -> &'static str {
        "autoscaling"
    }

    fn protocol(&self) -> Protocol {
        Protocol::Query { namespace: "http://autoscaling.amazonaws.com/doc/2011-01-01/" }
    }

    fn answer(&self, world: &mut World, request: &Request) -> Result<Answer, Fault> {
        perform(world, request).map(Answer::Result)
    }
}

fn perform(world: &World, request: &Request) -> Outcome {
    if request.operation != "DescribeScalingActivities" {
        return Err(unknown_operation(request));
    }
    let group = request.form.required("AutoScalingGroupName")?;
    let most = request.form.text("MaxRecords").and_then(|most| most.parse().ok()).unwrap_or(MOST);
    let hung = world.region(&request.place).and_then(|region| region.hung.get(group));
    let failed = hung.map(|hung| hung.failed(world.now)).unwrap_or_default();
    let activity = |attempt: Attempt| -> Value {
        let Attempt { number, started, ended, reason } = attempt;
        json!({
            "ActivityId": world.draws(&["activity", group, &number.to_string()]).uuid(),
            "AutoScalingGroupName": group,
            "Description": format!("Launching a new EC2 instance.  Status Reason: {reason}"),
            "StartTime": written(started),
            "EndTime": written(ended),
            "StatusCode": "Failed",
            "StatusMessage": reason,
            "Progress": 100,
        })
    };
    let activities: Vec<Value> = failed.into_iter().take(most).map(activity).collect();
    Ok(json!({"Activities": activities}))
}
