//! What CloudFormation says happened in a stack: its events since the operation started.

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
    /// Of a change of the stack itself it is the stack's: see [`of_stack`](ResourceStatus::of_stack).
    pub(crate) status: ResourceStatus,
    pub(crate) reason: Option<String>,
    pub(crate) token: Option<String>,
    pub(crate) at: Timestamp,
    /// Whether it is about the stack itself.
    pub(crate) of_stack: bool,
}

/// How many operations may have begun after the one that is looked for.
const MOST_LATER: usize = 3;

/// Reads the events of one operation, each of them once.
#[derive(Debug, Default)]
pub(crate) struct EventLog {
    seen: HashSet<String>,
}

impl EventLog {
    /// The events since the last reading, oldest first; at first those since the start of the last operation.
    pub(crate) async fn read(
        &mut self,
        environment: &Environment,
        stack: &str,
    ) -> Result<Vec<Change>, AwsError> {
        self.read_back_to(environment, stack, 0, starts_operation).await
    }

    /// The same for the operation with a token, which others may have followed. Those before it may be among the
    /// events, as long as it has none yet.
    pub(crate) async fn read_operation(
        &mut self,
        environment: &Environment,
        stack: &str,
        token: &str,
    ) -> Result<Vec<Change>, AwsError> {
        let starts = |change: &Change| starts_operation(change) && change.token.as_deref() == Some(token);
        self.read_back_to(environment, stack, MOST_LATER, starts).await
    }

    /// The same of a nested stack that may have been deleted since: the events since the operation before.
    pub(crate) async fn read_past_deletion(
        &mut self,
        environment: &Environment,
        stack: &str,
    ) -> Result<Vec<Change>, AwsError> {
        let starts =
            |change: &Change| starts_operation(change) && change.status != ResourceStatus::DeleteInProgress;
        self.read_back_to(environment, stack, usize::MAX, starts).await
    }

    /// Reads until the event that `starts` what is looked for, or until so many operations have begun since.
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
                // A new stack may not be there for every reader yet.
                Err(error) if error.says_no_such_stack() => break,
                answer => answer?,
            };
            let mut is_known = false;
            for event in answer.stack_events() {
                // An event may turn up late, behind one that was read before.
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

/// The first event of an operation is the stack's own. A rollback is a part of the operation that failed.
pub(super) fn starts_operation(change: &Change) -> bool {
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
