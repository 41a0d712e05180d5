//! The rule of EventBridge that starts the next build of a run that sleeps.
//!
//! The generated template creates the rule, disabled, with the project as its target. A run that falls asleep tells the target
//! which build to start, and enables the rule. The build that continues the run disables it. So other deployments start no
//! builds.

use std::time::Duration;

use serde_json::{Value, json};

use crate::call::Caller;
use crate::error::{AwsError, ErrorKind};
use crate::sdk::Wire;
use crate::session::{ANY_REGION, Sessions};
use crate::signed::{Protocol, Service, SignedCalls};

pub(crate) const EVENTS: Service =
    Service { id: "EventBridge", host: "events", signing_name: "events", protocol: Protocol::Json };

/// How long a call is tried again.
const PATIENCE: Duration = Duration::from_secs(20);
/// The longest input of a target (API reference, "Target").
const LONGEST_INPUT: usize = 8192;

/// A rule of the default event bus.
#[derive(Debug)]
pub struct WakeRule {
    calls: SignedCalls,
    caller: Caller,
    name: String,
}

impl WakeRule {
    /// The rule with this name, in the region of the environment.
    pub async fn open(wire: &Wire, name: &str) -> Result<Self, AwsError> {
        let sessions = Sessions::open(wire, ANY_REGION).await?;
        let calls = SignedCalls::new(&EVENTS, sessions.base(), None);
        let caller = sessions.caller(&sessions.here()).within(PATIENCE);
        Ok(Self { calls, caller, name: name.to_owned() })
    }

    /// Makes the rule start a build with these fields of `StartBuild`.
    pub async fn enable(&self, build: &Value) -> Result<(), AwsError> {
        let input = build.to_string();
        if input.len() > LONGEST_INPUT {
            return Err(AwsError::setup(format!(
                "the variables and the buildspec of the build have {} bytes, and a rule takes {LONGEST_INPUT}",
                input.len()
            )));
        }
        let rule = json!({ "Rule": self.name });
        let listed = self.call("ListTargetsByRule", "AWSEvents.ListTargetsByRule", &rule).await?;
        let is_project =
            |target: &&Value| target["Arn"].as_str().is_some_and(|arn| arn.contains(":project/"));
        let target = listed["Targets"].as_array().into_iter().flatten().find(is_project);
        let mut target = target.cloned().ok_or_else(|| {
            AwsError::setup(format!("the rule {} starts no build", self.name))
                .hint("deploy the generated template of the project again")
        })?;
        target["Input"] = Value::String(input);
        let put = json!({ "Rule": self.name, "Targets": [target] });
        let answer = self.call("PutTargets", "AWSEvents.PutTargets", &put).await?;
        if answer["FailedEntryCount"].as_u64().unwrap_or_default() > 0 {
            let why = answer["FailedEntries"][0]["ErrorMessage"].as_str().unwrap_or("unknown").to_owned();
            return Err(AwsError { kind: ErrorKind::Refused, ..AwsError::setup(why) }.during("PutTargets"));
        }
        self.call("EnableRule", "AWSEvents.EnableRule", &json!({ "Name": self.name })).await.map(drop)
    }

    /// Makes the rule start nothing.
    pub async fn disable(&self) -> Result<(), AwsError> {
        self.call("DisableRule", "AWSEvents.DisableRule", &json!({ "Name": self.name })).await.map(drop)
    }

    async fn call(&self, name: &'static str, target: &'static str, body: &Value) -> Result<Value, AwsError> {
        let operation = self.calls.operation(name, Some(target))?;
        let body = body.to_string();
        let answer = self.caller.call(name, || operation.invoke(body.clone())).await?;
        // Two of these operations answer with nothing.
        Ok(serde_json::from_str(&answer).unwrap_or_default())
    }
}
