//! Who hears that a deployment starts, fails and ends.

use std::str::FromStr;

use serde_json::{Value, json};

use crate::setting::{SettingError, choices, settings, shown_as_written, text_setting};

settings! {
    /// Who hears that a deployment starts, fails and ends. A notification that cannot be sent is a warning, and never
    /// delays the deployment.
    pub struct Notifications: Default {
        /// The ARN of an SNS topic.
        pub sns: Option<TopicArn>,
        /// The name or the ARN of an EventBridge event bus.
        pub event_bus: Option<EventBus>,
        /// A webhook, such as that of a chat.
        pub webhook: Option<Webhook>,
        /// The news that are sent: `start`, when the run begins; `failure`, when the first step fails; `end`, when the run has
        /// ended.
        pub on: Vec<Occasion> = Occasion::ALL.to_vec(),
    }
}

settings! {
    /// A URL that takes JSON, such as the incoming webhook of a chat.
    pub struct Webhook {
        /// The name of the parameter in Parameter Store that holds the URL. The URL is a secret: use a parameter of the
        /// type SecureString.
        pub parameter: ParameterName,
        /// The JSON that is sent. `${message}` stands for the sentence, `${deployment}` for the name of the deployment,
        /// `${occasion}` for `start`, `failure` or `end`, and `${run}` for the id of the run.
        pub template: WebhookTemplate,
    }
}

choices! {
    /// The news of a run that are sent.
    pub enum Occasion: "an occasion" {
        /// The run begins.
        Start = "start",
        /// The first step has failed. Other steps may still run.
        Failure = "failure",
        /// The run has ended.
        End = "end",
    }
}

/// The ARN of an SNS topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicArn(String);

/// The name or the ARN of an event bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventBus(String);

/// The name of a parameter in Parameter Store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterName(String);

/// JSON with placeholders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookTemplate(String);

text_setting!(TopicArn, json!({ "type": "string", "pattern": "^arn:[^:]+:sns:[^:]+:[0-9]+:[^:]+$" }));
text_setting!(EventBus, json!({ "type": "string", "pattern": "^[/.A-Za-z0-9_:-]{1,1600}$" }));
text_setting!(ParameterName, json!({ "type": "string", "pattern": "^[/.A-Za-z0-9_:-]+$" }));
text_setting!(WebhookTemplate);

/// What a template can contain.
const PLACEHOLDERS: [&str; 4] = ["message", "deployment", "occasion", "run"];

/// The texts that replace the placeholders of a template.
#[derive(Debug, Clone, Copy)]
pub struct WebhookTexts<'a> {
    /// One sentence.
    pub message: &'a str,
    /// The name of the deployment.
    pub deployment: &'a str,
    /// `start`, `failure` or `end`.
    pub occasion: &'a str,
    /// The id of the run.
    pub run: &'a str,
}

impl TopicArn {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The region of the topic.
    pub fn region(&self) -> &str {
        self.0.split(':').nth(3).unwrap_or_default()
    }
}

impl EventBus {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The region of the bus, if this is an ARN.
    pub fn region(&self) -> Option<&str> {
        self.0.strip_prefix("arn:").and_then(|rest| rest.split(':').nth(2))
    }
}

impl ParameterName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl WebhookTemplate {
    /// The JSON, with these texts in it.
    pub fn filled(&self, texts: WebhookTexts<'_>) -> String {
        let WebhookTexts { message, deployment, occasion, run } = texts;
        let values = [message, deployment, occasion, run];
        let mut filled = String::new();
        let mut rest = self.0.as_str();
        // A text that looks like a placeholder stays as it is, because what is filled in is not looked at again.
        while let Some((before, after)) = rest.split_once("${") {
            filled += before;
            let Some((name, behind)) = after.split_once('}') else { break };
            let value = PLACEHOLDERS.iter().zip(values).find(|(known, _)| **known == name);
            filled += &value.map(|(_, value)| in_json(value)).unwrap_or_default();
            rest = behind;
        }
        filled + rest
    }
}

/// A text as it stands between the quotes of a JSON string.
fn in_json(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

impl FromStr for TopicArn {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, SettingError> {
        let parts: Vec<&str> = text.split(':').collect();
        let is_topic = matches!(parts[..], ["arn", partition, "sns", region, account, topic]
            if !partition.is_empty() && !region.is_empty() && !topic.is_empty()
                && !account.is_empty() && account.bytes().all(|byte| byte.is_ascii_digit()));
        is_topic.then(|| Self(text.to_owned())).ok_or_else(|| {
            SettingError::new(
                format!("`{text}` is not the ARN of an SNS topic"),
                "write it like `arn:aws:sns:eu-west-1:111122223333:deployments`",
            )
        })
    }
}

impl FromStr for EventBus {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, SettingError> {
        // The pattern and the length of `EventBusName` in the API reference, "PutEventsRequestEntry".
        let is_name = is_name(text) && text.len() <= 1600;
        let is_bus = match text.strip_prefix("arn:") {
            Some(rest) => rest.split(':').nth(1) == Some("events") && rest.contains(":event-bus/"),
            None => !text.contains(':'),
        };
        (is_name && is_bus).then(|| Self(text.to_owned())).ok_or_else(|| {
            SettingError::new(
                format!("`{text}` is not an event bus"),
                "write its name, such as `default`, or its ARN",
            )
        })
    }
}

impl FromStr for ParameterName {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, SettingError> {
        // Not shown: a team that mistakes it for the URL has written a secret here.
        (is_name(text) && !text.contains("://")).then(|| Self(text.to_owned())).ok_or_else(|| {
            SettingError::new(
                "`parameter` is the name of a parameter in Parameter Store, and this is not one",
                "write the name, such as `/deploy/chat-webhook`; the URL itself is a secret and does not belong in \
                 this file",
            )
        })
    }
}

impl FromStr for WebhookTemplate {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, SettingError> {
        let hint = "write JSON such as '{\"text\": \"${message}\"}'";
        let unknown = text.split("${").skip(1).map(|after| after.split('}').next().unwrap_or_default());
        if let Some(unknown) = unknown.into_iter().find(|name| !PLACEHOLDERS.contains(name)) {
            let names = PLACEHOLDERS.map(|name| format!("${{{name}}}")).join(", ");
            return Err(SettingError::new(
                format!("`${{{unknown}}}` is not a placeholder of the template"),
                format!("use {names}"),
            ));
        }
        let template = Self(text.to_owned());
        let sample = WebhookTexts { message: "m", deployment: "d", occasion: "end", run: "r" };
        match serde_json::from_str::<Value>(&template.filled(sample)) {
            Ok(_) => Ok(template),
            Err(error) => {
                // The place that the error names is one in the template, and not in the file.
                let error = error.to_string();
                let what = error.split(" at line ").next().unwrap_or_default();
                Err(SettingError::new(format!("the template is not JSON: {what}"), hint))
            }
        }
    }
}

/// Whether a text has the characters of names in Parameter Store and EventBridge.
fn is_name(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-:".contains(&byte);
    !text.is_empty() && text.bytes().all(is_allowed)
}

shown_as_written!(TopicArn, EventBus, ParameterName, WebhookTemplate);
