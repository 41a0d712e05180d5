//! Reads the alarms of CloudWatch in one account and region.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_config::SdkConfig;
use jiff::Timestamp;
use paceline_plan::{AlarmPattern, Bake};
use serde_json::{Value, json};

use crate::call::Caller;
use crate::error::{AwsError, ErrorKind};
use crate::signed::{Protocol, Service, SignedCalls};
use crate::target::Target;

/// CloudWatch, in the protocol whose answers are easiest to read.
const CLOUDWATCH: Service =
    Service { id: "CloudWatch", host: "monitoring", signing_name: "monitoring", protocol: Protocol::Json10 };
const DESCRIBE: &str = "GraniteServiceVersion20100801.DescribeAlarms";
/// The most alarms on a page (API reference, `DescribeAlarms`).
const PAGE: u32 = 100;
/// The time for which one read is tried again. After that, the next poll reads again.
const READ_PATIENCE: Duration = Duration::from_secs(30);

/// An alarm, as a poll reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Alarm {
    pub(crate) name: String,
    pub(crate) is_triggered: bool,
    /// The time when its state last changed, by the clock of CloudWatch.
    pub(crate) since: Option<Timestamp>,
    /// Why it has its state, as CloudWatch says.
    pub(crate) reason: String,
}

/// What one read has found.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    /// The alarms that are watched, by their names.
    pub(crate) alarms: BTreeMap<String, Alarm>,
    /// The time of the last answer, by the clock of CloudWatch. `None` if it does not tell.
    pub(crate) at: Option<Timestamp>,
}

/// Reads the alarms of one account and region.
#[derive(Debug)]
pub(crate) struct AlarmReader {
    pub(crate) target: Target,
    config: SdkConfig,
    caller: Caller,
}

impl AlarmReader {
    pub(crate) fn new(target: Target, config: SdkConfig, caller: &Caller) -> Self {
        Self { target, config, caller: caller.within(READ_PATIENCE) }
    }

    pub(crate) async fn read(&self, bake: &Bake) -> Result<Reading, AwsError> {
        let mut reading = Reading::default();
        for question in questions(&bake.alarms) {
            let mut next: Option<String> = None;
            loop {
                let mut body = question.clone();
                if let Some(token) = &next {
                    body["NextToken"] = token.as_str().into();
                }
                let (answer, at) = self.ask(body.to_string()).await?;
                reading.at = at;
                let listed = ["MetricAlarms", "CompositeAlarms"].into_iter();
                let listed = listed.filter_map(|list| answer[list].as_array()).flatten();
                let found = listed.filter_map(alarm).filter(|alarm| bake.watches(&alarm.name));
                reading.alarms.extend(found.map(|alarm| (alarm.name.clone(), alarm)));
                next = answer["NextToken"].as_str().filter(|token| !token.is_empty()).map(str::to_owned);
                if next.is_none() {
                    break;
                }
            }
        }
        Ok(reading)
    }

    async fn ask(&self, body: String) -> Result<(Value, Option<Timestamp>), AwsError> {
        let calls = SignedCalls::new(&CLOUDWATCH, &self.config, Some(&self.target.region));
        let describe = calls.dated_operation("DescribeAlarms", Some(DESCRIBE))?;
        let answer = self.caller.call("DescribeAlarms", || describe.invoke(body.clone())).await;
        let answer = answer.map_err(|error| match error.kind {
            ErrorKind::Denied => error.hint(
                "`rollout` in paceline.yaml watches alarms: allow cloudwatch:DescribeAlarms to the lookup role of \
                 this account, or without one to the credentials of the run (in another account: to its deploy role)",
            ),
            _ => error,
        })?;
        let read = serde_json::from_str(&answer.body).map_err(|_| {
            let message = format!("the answer of CloudWatch in {} cannot be read", self.target);
            AwsError { kind: ErrorKind::Unreachable, ..AwsError::setup(message) }.during("DescribeAlarms")
        });
        Ok((read?, answer.at))
    }
}

/// The requests whose answers have every alarm that the patterns mean. A request names alarms, or the beginning of their
/// names.
fn questions(patterns: &[AlarmPattern]) -> Vec<Value> {
    let of = |pattern: &AlarmPattern| {
        // Without the types, the answer has no composite alarms.
        let mut question = json!({ "AlarmTypes": ["MetricAlarm", "CompositeAlarm"], "MaxRecords": PAGE });
        match pattern.exact() {
            Some(name) => question["AlarmNames"] = json!([name]),
            None if pattern.prefix().is_empty() => {}
            None => question["AlarmNamePrefix"] = pattern.prefix().into(),
        }
        question
    };
    let mut questions: Vec<Value> = Vec::new();
    for question in patterns.iter().map(of) {
        if !questions.contains(&question) {
            questions.push(question);
        }
    }
    questions
}

/// An alarm of an answer.
fn alarm(of: &Value) -> Option<Alarm> {
    let time = |field: &str| {
        let seconds = of[field].as_f64()?;
        #[expect(clippy::cast_possible_truncation, reason = "a time in milliseconds is far below the limit")]
        Timestamp::from_millisecond((seconds * 1000.0).round() as i64).ok()
    };
    let since = time("StateTransitionedTimestamp").or_else(|| time("StateUpdatedTimestamp"));
    Some(Alarm {
        name: of["AlarmName"].as_str()?.to_owned(),
        is_triggered: of["StateValue"] == "ALARM",
        since,
        reason: of["StateReason"].as_str().unwrap_or_default().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_their_beginnings_are_asked_for_once() {
        let patterns = ["prod-*", "prod-*", "one", "*"].map(|text| AlarmPattern(text.to_owned()));
        let asked = questions(&patterns);
        assert_eq!(asked.len(), 3);
        assert_eq!(asked[0]["AlarmNamePrefix"], "prod-");
        assert_eq!(asked[1]["AlarmNames"], json!(["one"]));
        assert_eq!(asked[2].get("AlarmNamePrefix"), None);
    }

    #[test]
    fn an_alarm_without_a_transition_has_the_time_of_its_last_update() {
        let read =
            alarm(&json!({"AlarmName": "a", "StateValue": "ALARM", "StateUpdatedTimestamp": 1.5})).unwrap();
        assert_eq!((read.is_triggered, read.since), (true, Timestamp::from_millisecond(1500).ok()));
        assert!(alarm(&json!({"StateValue": "ALARM"})).is_none());
    }
}
