//! What a command asks of every stack, in place of what the assembly says.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::Stack;

/// What a command asks of every stack, in place of what the assembly says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// The tags. `None` keeps those of the assembly.
    pub tags: Option<BTreeMap<String, String>>,
    /// More topics for notifications.
    pub notification_arns: Vec<String>,
    /// The role that CloudFormation assumes. It may have placeholders.
    pub execution_role_arn: Option<String>,
    pub rollback_triggers: Option<RollbackTriggers>,
}

/// The alarms that CloudFormation watches during an operation: it rolls the stack back if one of them goes off.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollbackTriggers {
    /// The ARNs of the alarms. `None` keeps those of the stack, an empty list removes them.
    pub alarms: Option<Vec<String>>,
    /// How long the alarms are watched after everything is deployed, in minutes. `None` keeps the stack's time, if
    /// CloudFormation keeps it.
    pub minutes: Option<u32>,
}

impl Overrides {
    /// Gives these stacks what is asked for.
    pub fn give_to(&self, stacks: &mut [Stack]) {
        for stack in stacks {
            self.apply(stack);
        }
    }

    /// Gives a stack what is asked for.
    fn apply(&self, stack: &mut Stack) {
        let Self { tags, notification_arns, execution_role_arn, rollback_triggers } = self;
        if let Some(tags) = tags {
            stack.tags.clone_from(tags);
        }
        if !notification_arns.is_empty() {
            let topics = stack.notification_arns.get_or_insert_default();
            let new = notification_arns.iter().filter(|arn| !topics.contains(arn)).cloned();
            let new: Vec<String> = new.collect();
            topics.extend(new);
        }
        if execution_role_arn.is_some() {
            stack.execution_role_arn.clone_from(execution_role_arn);
        }
        if rollback_triggers.is_some() {
            stack.rollback_triggers.clone_from(rollback_triggers);
        }
    }
}
