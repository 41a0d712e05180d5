//! SNS: messages are stored, for tests to look at. Every topic is there.

use serde_json::json;

use crate::services::service::{Answer, Service, unknown_operation};
use crate::wire::{Fault, Outcome, Protocol, Request};
use crate::world::{Message, World};

/// Simple Notification Service.
pub(super) struct Sns;

/// The limits of a message and of its subject (API reference, "Publish").
const LONGEST_MESSAGE: usize = 256 * 1024;
const LONGEST_SUBJECT: usize = 100;

impl Service for Sns {
    fn name(&self) -> &'static str {
        "sns"
    }

    fn protocol(&self) -> Protocol {
        Protocol::Query { namespace: "http://sns.amazonaws.com/doc/2010-03-31/" }
    }

    fn answer(&self, world: &mut World, request: &Request) -> Result<Answer, Fault> {
        perform(world, request).map(Answer::Result)
    }
}

fn perform(world: &mut World, request: &Request) -> Outcome {
    if request.operation != "Publish" {
        return Err(unknown_operation(request));
    }
    let topic = request.form.required("TopicArn")?;
    let subject = request.form.text("Subject").unwrap_or_default();
    let message = request.form.required("Message")?;
    if topic.split(':').nth(3) != Some(&request.place.region) {
        return Err(Fault::bad("InvalidParameter", "Invalid parameter: TopicArn"));
    }
    // The documented rule for a subject: "ASCII text that begins with a letter, number, or punctuation mark; must not
    // include line breaks or control characters".
    let is_subject = subject.len() <= LONGEST_SUBJECT
        && subject.bytes().all(|byte| (b' '..=b'~').contains(&byte))
        && !subject.starts_with(' ');
    if !is_subject || message.len() > LONGEST_MESSAGE {
        return Err(Fault::bad("InvalidParameter", "Invalid parameter: Subject or Message"));
    }
    let message = Message { to: topic.to_owned(), subject: subject.to_owned(), body: message.to_owned() };
    world.region_mut(&request.place).messages.push(message);
    let id = world.random.uuid();
    Ok(json!({ "MessageId": id }))
}
