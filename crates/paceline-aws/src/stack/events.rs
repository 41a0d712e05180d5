//! What CloudFormation says happened in a stack: its events since the operation started.

use std::collections::HashSet;

use aws_sdk_cloudformation::types::StackEvent;
use jiff::Timestamp;

use crate::environment::Environment;
use crate::trouble::Trouble;

/// A change of a resource, or of the stack itself.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) logical_id: String,
    pub(crate) physical_id: String,
    pub(crate) resource_type: String,
    pub(crate) status: String,
    pub(crate) reason: Option<String>,
    pub(crate) token: Option<String>,
    pub(crate) at: Timestamp,
    /// Whether it is about the stack itself.
    pub(crate) of_stack: bool,
}

/// Reads the events of one operation, each of them once.
#[derive(Debug, Default)]
pub(crate) struct EventLog {
    seen: HashSet<String>,
}

impl EventLog {
    /// The events since the last reading, oldest first; at first those since the operation's start.
    pub(crate) async fn read(
        &mut self,
        environment: &Environment,
        stack: &str,
    ) -> Result<Vec<Change>, Trouble> {
        self.read_since(environment, stack, starts_operation).await
    }

    /// The same of a nested stack that may have been deleted since: the events since the operation before.
    pub(crate) async fn read_past_deletion(
        &mut self,
        environment: &Environment,
        stack: &str,
    ) -> Result<Vec<Change>, Trouble> {
        let starts = |change: &Change| starts_operation(change) && change.status != "DELETE_IN_PROGRESS";
        self.read_since(environment, stack, starts).await
    }

    async fn read_since(
        &mut self,
        environment: &Environment,
        stack: &str,
        starts: impl Fn(&Change) -> bool,
    ) -> Result<Vec<Change>, Trouble> {
        let (mut changes, mut next) = (Vec::new(), None::<String>);
        'pages: loop {
            let send = || {
                environment
                    .client
                    .describe_stack_events()
                    .stack_name(stack)
                    .set_next_token(next.clone())
                    .send()
            };
            let answer = environment.call(None, "DescribeStackEvents", send).await?;
            for event in answer.stack_events() {
                if !self.seen.insert(event.event_id().unwrap_or_default().to_owned()) {
                    break 'pages;
                }
                let change = change(event);
                let is_start = change.of_stack && starts(&change);
                changes.push(change);
                if is_start {
                    break 'pages;
                }
            }
            next = answer.next_token().map(str::to_owned);
            if next.is_none() {
                break;
            }
        }
        changes.reverse();
        Ok(changes)
    }
}

/// The first event of an operation is the stack's own. A rollback is a part of the operation that failed.
fn starts_operation(change: &Change) -> bool {
    matches!(
        change.status.as_str(),
        "CREATE_IN_PROGRESS"
            | "UPDATE_IN_PROGRESS"
            | "DELETE_IN_PROGRESS"
            | "IMPORT_IN_PROGRESS"
            | "REVIEW_IN_PROGRESS"
    )
}

fn change(event: &StackEvent) -> Change {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let at = event.timestamp().and_then(|at| {
        Timestamp::from_second(at.secs())
            .ok()?
            .checked_add(jiff::Span::new().nanoseconds(i64::from(at.subsec_nanos())))
            .ok()
    });
    Change {
        logical_id: text(event.logical_resource_id()),
        physical_id: text(event.physical_resource_id()),
        resource_type: text(event.resource_type()),
        status: event.resource_status().map_or_else(String::new, |status| status.as_str().to_owned()),
        reason: event.resource_status_reason().map(str::to_owned),
        token: event.client_request_token().map(str::to_owned),
        at: at.unwrap_or_default(),
        of_stack: event.physical_resource_id() == event.stack_id(),
    }
}
