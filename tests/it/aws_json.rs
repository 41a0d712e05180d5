//! Calls the simulated AWS as a service that speaks JSON.

use serde_json::Value;

use crate::harness::Sim;
use crate::unsigned::send;

/// Calls CodeBuild.
pub(crate) fn codebuild(sim: &Sim, operation: &str, body: &Value) -> Value {
    ask(sim, "codebuild", &format!("CodeBuild_20161006.{operation}"), body)
}

/// Calls EventBridge.
pub(crate) fn events(sim: &Sim, operation: &str, body: &Value) -> Value {
    ask(sim, "events", &format!("AWSEvents.{operation}"), body)
}

fn ask(sim: &Sim, service: &str, target: &str, body: &Value) -> Value {
    let headers = [("Content-Type", "application/x-amz-json-1.1"), ("X-Amz-Target", target)];
    let (_, answer) = send(&sim.address, service, "POST /", &headers, &body.to_string());
    serde_json::from_str(&answer).expect(&answer)
}
