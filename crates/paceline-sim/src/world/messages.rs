//! What callers have published.

/// A message to a topic, or an event for a bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The ARN of the topic, or the name or ARN of the bus.
    pub to: String,
    /// The subject of the message, or the type of the event.
    pub subject: String,
    /// The text of the message, or the JSON of the event.
    pub body: String,
}
