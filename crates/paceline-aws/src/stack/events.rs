//! Reads the events of a stack since its operation started.

use std::collections::HashSet;

use aws_sdk_cloudformation::types::StackEvent;
use jiff::Timestamp;

use paceline_assembly::{ResourceStatus, StackStatus};

use crate::environment::Environment;
use crate::error::AwsError;

/// A change of a resource, or of the stack itself.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) logical_id: String,
    pub(crate) physical_id: String,
    pub(crate) resource_type: String,
    /// The status of the resource. For a change of the stack itself, use
    /// [`of_stack`](ResourceStatus::of_stack).
    pub(crate) status: ResourceStatus,
    pub(crate) reason: Option<String>,
    pub(crate) token: Option<String>,
    pub(crate) at: Timestamp,
    /// True if the change is about the stack itself.
    pub(crate) of_stack: bool,
}

/// The greatest number of operations that may have begun after the one that is searched.
const MOST_LATER: usize = 3;

/// Reads the events of one operation, each event once.
#[derive(Debug, Default)]
pub(crate) struct EventLog {
    seen: HashSet<String>,
}

impl EventLog {
    /// Returns the events since the last read, the oldest first. The first read returns those since the start
    /// of the last operation.
    pub(crate) async fn read(
        &mut self,
        environment: &Environment,
        stack: &str,
    ) -> Result<Vec<Change>, AwsError> {
        self.read_back_to(environment, stack, 0, starts_operation).await
    }

    /// Returns the events since the start of the operation with this token, including those of later
    /// operations. As long as that operation has no event, older events are returned too.
    pub(crate) async fn read_operation(
        &mut self,
        environment: &Environment,
        stack: &str,
        token: &str,
    ) -> Result<Vec<Change>, AwsError> {
        let starts = |change: &Change| starts_operation(change) && change.token.as_deref() == Some(token);
        self.read_back_to(environment, stack, MOST_LATER, starts).await
    }

    /// Returns the events of a nested stack since the start of its last operation that was no deletion.
    pub(crate) async fn read_past_deletion(
        &mut self,
        environment: &Environment,
        stack: &str,
    ) -> Result<Vec<Change>, AwsError> {
        let starts =
            |change: &Change| starts_operation(change) && change.status != ResourceStatus::DeleteInProgress;
        self.read_back_to(environment, stack, usize::MAX, starts).await
    }

    /// Reads back to the event that `starts` accepts, or until more than `most_later` operations have been
    /// found.
    async fn read_back_to(
        &mut self,
        environment: &Environment,
        stack: &str,
        most_later: usize,
        starts: impl Fn(&Change) -> bool,
    ) -> Result<Vec<Change>, AwsError> {
        let (mut changes, mut next, mut later) = (Vec::new(), None::<String>, 0);
        'pages: loop {
            let send = || {
                environment
                    .client
                    .describe_stack_events()
                    .stack_name(stack)
                    .set_next_token(next.clone())
                    .send()
            };
            let answer = match environment.call(None, "DescribeStackEvents", send).await {
                // After its creation, a stack may not be visible to all reads.
                Err(error) if error.says_no_such_stack() => break,
                answer => answer?,
            };
            let mut is_known = false;
            for event in answer.stack_events() {
                // A late event may come after an event that was read before.
                if !self.seen.insert(event.event_id().unwrap_or_default().to_owned()) {
                    is_known = true;
                    continue;
                }
                let change = change(event);
                let (is_start, is_any_start) = (starts(&change), starts_operation(&change));
                let of_stack = change.of_stack;
                changes.push(change);
                later += usize::from(of_stack && is_any_start);
                if of_stack && (is_start || is_any_start && later > most_later) {
                    break 'pages;
                }
            }
            next = answer.next_token().map(str::to_owned);
            if is_known || next.is_none() {
                break;
            }
        }
        changes.reverse();
        Ok(changes)
    }
}

/// Returns whether a change starts an operation. The first event of an operation is about the stack itself. A
/// rollback belongs to the operation that failed.
pub(crate) fn starts_operation(change: &Change) -> bool {
    matches!(
        change.status.of_stack(),
        StackStatus::CreateInProgress
            | StackStatus::UpdateInProgress
            | StackStatus::DeleteInProgress
            | StackStatus::ImportInProgress
            | StackStatus::ReviewInProgress
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
        status: event.resource_status().map_or("", |status| status.as_str()).into(),
        reason: event.resource_status_reason().map(str::to_owned),
        token: event.client_request_token().map(str::to_owned),
        at: at.unwrap_or_default(),
        of_stack: event.physical_resource_id() == event.stack_id(),
    }
}
