//! Tells people and programs of a run: an SNS topic, an EventBridge event bus, a webhook.

mod webhook;

use std::time::Duration;

use paceline_config::{EventBus, Notifications, Occasion, TopicArn};
use serde_json::{Value, json};

use crate::call::Caller;
use crate::error::{AwsError, ErrorKind};
use crate::performer::Aws;
use crate::signed::{Form, Protocol, Service, SignedCalls};
use crate::target::Target;
use crate::wake::EVENTS;

const SNS: Service = Service { id: "SNS", host: "sns", signing_name: "sns", protocol: Protocol::Query };
const SNS_VERSION: &str = "2010-03-31";
/// The longest subject of a message (API reference, "Publish").
const LONGEST_SUBJECT: usize = 100;

/// The source of the events, for the rules that match them.
const SOURCE: &str = "paceline";

/// How long a call is tried again.
const PATIENCE: Duration = Duration::from_secs(3);

/// The news of a run that are sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Notification {
    /// What has happened.
    pub occasion: Occasion,
    /// The name of the deployment.
    pub deployment: String,
    /// The id of the run.
    pub run: String,
    /// One sentence for people.
    pub message: String,
    /// The same for programs: a JSON object.
    pub detail: Value,
}

impl Notification {
    /// A few words, in ASCII and on one line.
    fn subject(&self) -> String {
        let what = match self.occasion {
            Occasion::Start => "begins",
            Occasion::Failure => "fails",
            Occasion::End => "has ended",
        };
        let plain = |c: char| if c.is_ascii() && !c.is_ascii_control() { c } else { '?' };
        format!("Paceline: the run of {} {what}", self.deployment)
            .chars()
            .map(plain)
            .take(LONGEST_SUBJECT)
            .collect()
    }

    /// The type of the event, for the rules that match it.
    fn detail_type(&self) -> &'static str {
        match self.occasion {
            Occasion::Start => "Paceline Run Started",
            Occasion::Failure => "Paceline Run Failing",
            Occasion::End => "Paceline Run Ended",
        }
    }
}

impl Aws {
    /// Tells everybody at the same time. Gives an error for each receiver that could not be reached.
    pub async fn notify(&self, to: &Notifications, what: &Notification) -> Vec<AwsError> {
        let topic = async {
            match &to.sns {
                Some(topic) => self.publish_to_topic(topic, what).await,
                None => Ok(()),
            }
        };
        let bus = async {
            match &to.event_bus {
                Some(bus) => self.put_event(bus, what).await,
                None => Ok(()),
            }
        };
        let webhook = async {
            match &to.webhook {
                Some(webhook) => webhook::post(self, webhook, what).await,
                None => Ok(()),
            }
        };
        let (topic, bus, webhook) = tokio::join!(topic, bus, webhook);
        [topic, bus, webhook].into_iter().filter_map(Result::err).collect()
    }

    async fn publish_to_topic(&self, topic: &TopicArn, what: &Notification) -> Result<(), AwsError> {
        let publish = SignedCalls::new(&SNS, self.sessions.base(), Some(topic.region()));
        let publish = publish.operation("Publish", None)?;
        let mut form = Form::new("Publish", SNS_VERSION);
        form.add("TopicArn", topic.as_str());
        form.add("Subject", &what.subject());
        form.add("Message", &what.message);
        let body = form.into_body();
        let sent = self.notifier(topic.region()).call("Publish", || publish.invoke(body.clone())).await;
        sent.map(drop).map_err(|error| error.not_notified(&format!("the topic {topic}")))
    }

    async fn put_event(&self, bus: &EventBus, what: &Notification) -> Result<(), AwsError> {
        let calls = SignedCalls::new(&EVENTS, self.sessions.base(), bus.region());
        let put = calls.operation("PutEvents", Some("AWSEvents.PutEvents"))?;
        let entry = json!({
            "Source": SOURCE,
            "DetailType": what.detail_type(),
            "Detail": what.detail.to_string(),
            "EventBusName": bus.as_str(),
        });
        let body = json!({ "Entries": [entry] }).to_string();
        let region = bus.region().map_or_else(|| self.sessions.region(), str::to_owned);
        let answer = self.notifier(&region).call("PutEvents", || put.invoke(body.clone())).await;
        answer
            .and_then(|answer| accepted(&answer))
            .map_err(|error| error.not_notified(&format!("the event bus {bus}")))
    }

    fn notifier(&self, region: &str) -> Caller {
        let target = Target { account: String::new(), region: region.to_owned() };
        self.sessions.caller(&target).within(PATIENCE)
    }
}

impl AwsError {
    /// The same, with the receiver that could not be reached.
    fn not_notified(self, who: &str) -> Self {
        let message = format!("{who} was not notified: {self}");
        self.with_message(message)
    }
}

/// EventBridge answers with success to a request whose event it has refused.
fn accepted(answer: &str) -> Result<(), AwsError> {
    let answer: Value = serde_json::from_str(answer).unwrap_or_default();
    if answer["FailedEntryCount"].as_u64() == Some(0) {
        return Ok(());
    }
    let entry = &answer["Entries"][0];
    let said = |name: &str| entry[name].as_str().unwrap_or("unknown").to_owned();
    let message = format!("{}: {}", said("ErrorCode"), said("ErrorMessage"));
    Err(AwsError { kind: ErrorKind::Refused, ..AwsError::setup(message) }.during("PutEvents"))
}
