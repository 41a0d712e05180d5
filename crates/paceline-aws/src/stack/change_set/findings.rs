//! What CloudFormation finds when it validates a change set, before anything is executed.
//!
//! Only `DescribeEvents` tells it (CloudFormation User Guide, "Validate stack deployments"). Deploy roles may call it since
//! version 30 of the bootstrap template. Without that right there are no findings, and the change set counts as it is.

use std::time::Duration;

use aws_sdk_cloudformation::types::{EventType, HookFailureMode, OperationEvent};
use paceline_engine::Finding;

use super::ChangeSets;

/// How long the call is tried. Findings are not worth a longer wait.
const PATIENCE: Duration = Duration::from_secs(10);

impl ChangeSets<'_> {
    /// The findings about the change set with this id.
    pub(in crate::stack) async fn findings(&self, id: &str) -> Vec<Finding> {
        let (mut found, mut next) = (Vec::new(), None::<String>);
        loop {
            let send = || {
                let call = self.environment.client.describe_events().stack_name(self.stack());
                call.change_set_name(id).set_next_token(next.clone()).send()
            };
            let call = self.environment.call_within(PATIENCE, None, "DescribeEvents", send);
            let Ok(page) = call.await else { return found };
            found.extend(page.operation_events().iter().filter_map(finding));
            next = page.next_token().map(str::to_owned);
            if next.is_none() {
                return found;
            }
        }
    }
}

fn finding(event: &OperationEvent) -> Option<Finding> {
    if event.event_type() != Some(&EventType::ValidationError) {
        return None;
    }
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    Some(Finding {
        check: text(event.validation_name()),
        refuses: event.validation_failure_mode() != Some(&HookFailureMode::Warn),
        reason: text(event.validation_status_reason()),
        path: text(event.validation_path()),
    })
}
