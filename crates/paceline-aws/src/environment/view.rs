//! The state of a stack, as a poll reads it.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudformation::types::{RollbackConfiguration, Stack};
use jiff::Timestamp;
use paceline_assembly::{RollbackTriggers, StackStatus};

/// The state of a stack, as a poll reads it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StackView {
    pub(crate) id: String,
    /// The name of the stack, even if it was read by an alias or by its id.
    pub(crate) name: String,
    pub(crate) status: StackStatus,
    pub(crate) reason: Option<String>,
    /// The creation time and the time of the last update. Together they identify the stack's last operation.
    pub(crate) stamp: String,
    pub(crate) outputs: BTreeMap<String, String>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) parameters: BTreeSet<String>,
    pub(crate) values: BTreeMap<String, String>,
    pub(crate) notification_arns: Vec<String>,
    pub(crate) termination_protection: bool,
    /// The role that CloudFormation assumes for operations on the stack.
    pub(crate) role_arn: Option<String>,
    /// Both parts are known.
    pub(crate) rollback_triggers: RollbackTriggers,
}

impl StackView {
    /// The view of a stack that does not exist any more.
    pub(crate) fn gone(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            name: String::new(),
            status: StackStatus::DeleteComplete,
            reason: None,
            stamp: String::new(),
            outputs: BTreeMap::new(),
            tags: BTreeMap::new(),
            parameters: BTreeSet::new(),
            values: BTreeMap::new(),
            notification_arns: Vec::new(),
            termination_protection: false,
            role_arn: None,
            rollback_triggers: RollbackTriggers::default(),
        }
    }

    /// A text that identifies the state of the stack. Every operation changes it.
    pub(crate) fn state(&self) -> String {
        format!("{} {} {}", self.id, self.stamp, self.status)
    }
}

/// Returns whether a stack is deleted. AWS may still show a deleted stack.
pub(super) fn is_gone(stack: &Stack) -> bool {
    status(stack) == StackStatus::DeleteComplete
}

fn status(stack: &Stack) -> StackStatus {
    stack.stack_status().map_or("", |status| status.as_str()).into()
}

pub(super) fn view(stack: &Stack) -> StackView {
    let time = |at: Option<&aws_smithy_types::DateTime>| at.map_or_else(String::new, ToString::to_string);
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let outputs = stack.outputs().iter().map(|o| (text(o.output_key()), text(o.output_value())));
    let values = stack.parameters().iter().map(|p| (text(p.parameter_key()), text(p.parameter_value())));
    StackView {
        id: text(stack.stack_id()),
        name: text(stack.stack_name()),
        status: status(stack),
        reason: stack.stack_status_reason().map(str::to_owned),
        stamp: format!("{}/{}", time(stack.creation_time()), time(stack.last_updated_time())),
        outputs: outputs.collect(),
        tags: stack.tags().iter().map(|t| (text(t.key()), text(t.value()))).collect(),
        parameters: stack.parameters().iter().map(|p| text(p.parameter_key())).collect(),
        values: values.collect(),
        notification_arns: stack.notification_arns().to_vec(),
        termination_protection: stack.enable_termination_protection().unwrap_or_default(),
        role_arn: stack.role_arn().map(str::to_owned),
        rollback_triggers: triggers(stack.rollback_configuration()),
    }
}

fn triggers(of: Option<&RollbackConfiguration>) -> RollbackTriggers {
    let alarms = of.map(RollbackConfiguration::rollback_triggers).unwrap_or_default();
    let alarms = alarms.iter().filter_map(|trigger| trigger.arn()).map(str::to_owned).collect();
    let minutes = of.and_then(RollbackConfiguration::monitoring_time_in_minutes);
    RollbackTriggers {
        alarms: Some(alarms),
        minutes: Some(minutes.and_then(|minutes| u32::try_from(minutes).ok()).unwrap_or_default()),
    }
}

pub(crate) fn timestamp(at: &aws_smithy_types::DateTime) -> Option<Timestamp> {
    Timestamp::new(at.secs(), i32::try_from(at.subsec_nanos()).ok()?).ok()
}
