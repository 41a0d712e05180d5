//! Stacks: their state, their history and their operations.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use paceline_assembly::{ResourceStatus, RollbackTriggers, STACK_TYPE, StackStatus, Template};
use serde_json::Value;

use super::World;
use super::account_region::StackKey;
use super::known::Known;
use super::operation::{OnFailure, Operation};
use super::time::written;

/// The desired state of a stack.
#[derive(Debug, Clone)]
pub(crate) struct Desired {
    /// The template, as the caller sent it.
    pub(crate) body: Arc<str>,
    pub(crate) template: Template,
    pub(crate) parameters: Vec<BoundParameter>,
    pub(crate) conditions: BTreeMap<String, bool>,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) notification_arns: Vec<String>,
    pub(crate) role_arn: Option<String>,
    pub(crate) triggers: RollbackTriggers,
    pub(crate) capabilities: Vec<String>,
}

impl Desired {
    /// Whether an update from one to the other would change nothing.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.template == other.template
            && self.parameters == other.parameters
            && self.tags == other.tags
            && self.notification_arns == other.notification_arns
    }
}

/// A parameter with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BoundParameter {
    pub(crate) key: String,
    pub(crate) value: String,
    /// The value that an SSM parameter type resolved to.
    pub(crate) resolved: Option<String>,
    pub(crate) is_list: bool,
    pub(crate) no_echo: bool,
    /// Whether any part of the value is made up.
    pub(crate) made_up: bool,
}

impl BoundParameter {
    /// The value that `Ref` returns.
    pub(crate) fn reference(&self) -> Value {
        let text = self.resolved.as_deref().unwrap_or(&self.value);
        if self.is_list {
            Value::Array(text.split(',').map(|item| Value::String(item.trim().to_owned())).collect())
        } else {
            Value::String(text.to_owned())
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Resource {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) physical: String,
    pub(crate) status: ResourceStatus,
    pub(crate) reason: Option<String>,
    pub(crate) updated: Timestamp,
    pub(crate) properties: Arc<Value>,
    /// Attributes that cannot be computed from the other fields: those of custom resources and nested stacks.
    pub(crate) attributes: BTreeMap<String, Known>,
    /// The properties that are made up in any part.
    pub(crate) made_up: BTreeSet<String>,
    /// The resources that this one depends on. It must be deleted before them.
    pub(crate) waits_for: BTreeSet<String>,
    pub(crate) deletion_policy: Option<String>,
    /// The state before the current operation, if the operation has changed it.
    pub(crate) previous: Option<Box<Resource>>,
    /// Whether the current operation created the resource.
    pub(crate) is_new: bool,
    /// Whether the resource took effect. If so, its deletion has to take the effects back.
    pub(crate) applied: bool,
}

impl Resource {
    pub(crate) fn is_complete(&self) -> bool {
        matches!(self.status, ResourceStatus::CreateComplete | ResourceStatus::UpdateComplete)
    }

    pub(crate) fn is_gone(&self) -> bool {
        matches!(self.status, ResourceStatus::DeleteComplete | ResourceStatus::DeleteSkipped)
    }

    pub(crate) fn property(&self, name: &str) -> Option<&str> {
        self.properties.get(name).and_then(Value::as_str)
    }

    /// A text from this property. It is made up if the property is.
    pub(crate) fn known(&self, property: &str, text: &str) -> Known {
        Known { value: text.into(), made_up: self.made_up.contains(property) }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Output {
    pub(crate) key: String,
    pub(crate) value: String,
    pub(crate) description: Option<String>,
    pub(crate) export: Option<String>,
    /// Whether any part of the value is made up.
    pub(crate) made_up: bool,
}

/// An event of a stack or of one of its resources.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) at: Timestamp,
    pub(crate) logical: String,
    pub(crate) physical: String,
    pub(crate) kind: String,
    pub(crate) status: ResourceStatus,
    pub(crate) reason: Option<String>,
    pub(crate) token: Option<Arc<str>>,
}

/// A client token, and the operation that it was used for.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) text: Arc<str>,
    pub(crate) action: &'static str,
}

/// The progress of a change set's creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChangeSetStatus {
    InProgress,
    Complete,
    Failed,
}

/// Whether a change set can be executed, or has been.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExecutionStatus {
    Unavailable,
    Available,
    Complete,
    Obsolete,
}

impl ChangeSetStatus {
    /// The status in CloudFormation's spelling.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "CREATE_IN_PROGRESS",
            Self::Complete => "CREATE_COMPLETE",
            Self::Failed => "FAILED",
        }
    }
}

impl ExecutionStatus {
    /// The status in CloudFormation's spelling.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Unavailable => "UNAVAILABLE",
            Self::Available => "AVAILABLE",
            Self::Complete => "EXECUTE_COMPLETE",
            Self::Obsolete => "OBSOLETE",
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct ChangeSet {
    pub(crate) arn: String,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) created: Timestamp,
    pub(crate) status: ChangeSetStatus,
    pub(crate) reason: Option<String>,
    pub(crate) execution: ExecutionStatus,
    pub(crate) creates: bool,
    /// Whether executing the change set imports resources.
    pub(crate) imports: bool,
    pub(crate) token: Option<String>,
    pub(crate) on_failure: Option<OnFailure>,
    pub(crate) nested: bool,
    /// Its options, as a read of it shows them. They have no effect here.
    pub(crate) options: Value,
    pub(crate) desired: Arc<Desired>,
    pub(crate) changes: Vec<Value>,
}

#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "CloudFormation keeps each of them independently")]
pub(crate) struct Stack {
    pub(crate) key: StackKey,
    pub(crate) name: String,
    pub(crate) alias: Option<String>,
    /// The key of the parent stack, and the logical id of this stack in it.
    pub(crate) parent: Option<(StackKey, String)>,
    pub(crate) root: Option<Arc<str>>,
    pub(crate) status: StackStatus,
    pub(crate) reason: Option<String>,
    pub(crate) created: Timestamp,
    pub(crate) updated: Option<Timestamp>,
    /// The time of the update before that one, for reads that answer from the past.
    pub(crate) updated_before: Option<Timestamp>,
    pub(crate) deleted: Option<Timestamp>,
    pub(crate) started: Option<Timestamp>,
    pub(crate) ended: Option<Timestamp>,
    pub(crate) protected: bool,
    pub(crate) disable_rollback: bool,
    /// Whether `CreateStack` said `OnFailure=DO_NOTHING`, after which a failed creation cannot be continued.
    pub(crate) keeps_failed_creation: bool,
    /// Whether an operation has completed, so that there is a state to which a rollback can return.
    pub(crate) has_been_stable: bool,
    pub(crate) desired: Arc<Desired>,
    /// The state before the current or failed update.
    pub(crate) stable: Option<Arc<Desired>>,
    pub(crate) resources: BTreeMap<String, Resource>,
    /// Replaced resources, which the cleanup will delete.
    pub(crate) replaced: Vec<Resource>,
    pub(crate) outputs: Vec<Output>,
    /// The time from which on the stack has these outputs.
    pub(crate) outputs_since: Option<Timestamp>,
    pub(crate) imports: BTreeSet<String>,
    pub(crate) events: Vec<Event>,
    pub(crate) change_sets: Vec<ChangeSet>,
    pub(crate) operation: Option<Operation>,
    pub(crate) tokens: Vec<Token>,
}

impl Stack {
    pub(crate) fn new(key: StackKey, name: &str, desired: Arc<Desired>, now: Timestamp) -> Box<Self> {
        Box::new(Self {
            key,
            name: name.to_owned(),
            alias: None,
            parent: None,
            root: None,
            status: StackStatus::ReviewInProgress,
            reason: None,
            created: now,
            updated: None,
            updated_before: None,
            deleted: None,
            started: None,
            ended: None,
            protected: false,
            disable_rollback: false,
            keeps_failed_creation: false,
            has_been_stable: false,
            desired,
            stable: None,
            resources: BTreeMap::new(),
            replaced: Vec::new(),
            outputs: Vec::new(),
            outputs_since: None,
            imports: BTreeSet::new(),
            events: Vec::new(),
            change_sets: Vec::new(),
            operation: None,
            tokens: Vec::new(),
        })
    }

    pub(crate) fn is_in_progress(&self) -> bool {
        self.operation.is_some()
    }

    pub(crate) fn is_deleted(&self) -> bool {
        self.status == StackStatus::DeleteComplete
    }

    /// Enters a status, and records an event.
    pub(crate) fn enter(&mut self, world: &mut World, status: StackStatus, reason: Option<String>) {
        self.status = status.clone();
        self.reason.clone_from(&reason);
        let id = world.draws(&["event", &self.key.arn, &self.events.len().to_string()]).uuid();
        self.events.push(Event {
            id,
            at: world.now,
            logical: self.name.clone(),
            physical: self.key.arn.to_string(),
            kind: STACK_TYPE.to_owned(),
            status: status.into(),
            reason,
            token: self.operation.as_ref().and_then(|operation| operation.token.clone()),
        });
    }

    /// Records an event of a resource.
    pub(crate) fn note(
        &mut self,
        now: Timestamp,
        resource: &Resource,
        status: ResourceStatus,
        reason: Option<String>,
    ) {
        self.events.push(Event {
            id: format!("{}-{status}-{}", resource.id, written(now)),
            at: now,
            logical: resource.id.clone(),
            physical: resource.physical.clone(),
            kind: resource.kind.clone(),
            status,
            reason,
            token: self.operation.as_ref().and_then(|operation| operation.token.clone()),
        });
    }

    /// Puts a resource into a status, and records an event.
    pub(crate) fn mark(&mut self, now: Timestamp, id: &str, status: ResourceStatus, reason: Option<String>) {
        let Some(resource) = self.resources.get_mut(id) else { return };
        resource.status = status.clone();
        resource.reason.clone_from(&reason);
        resource.updated = now;
        let copy = Resource { properties: Arc::new(Value::Null), previous: None, ..resource.clone() };
        self.note(now, &copy, status, reason);
    }

    pub(crate) fn summary(&self) -> StackSummary {
        let live = self.resources.values().filter(|resource| !resource.is_gone());
        StackSummary {
            name: self.name.clone(),
            id: self.key.arn.to_string(),
            account: self.key.place.account.to_string(),
            region: self.key.place.region.to_string(),
            status: self.status.to_string(),
            reason: self.reason.clone(),
            parent: self.parent.as_ref().map(|(parent, _)| parent.arn.to_string()),
            resources: live.clone().count(),
            complete: live.filter(|resource| resource.is_complete()).count(),
            started: self.started,
            ended: self.ended,
        }
    }
}

/// A summary of a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackSummary {
    /// The name of the stack.
    pub name: String,
    /// The ARN of the stack.
    pub id: String,
    /// The account of the stack.
    pub account: String,
    /// The region of the stack.
    pub region: String,
    /// The status in CloudFormation's spelling.
    pub status: String,
    /// The reason of that status, if CloudFormation gives one.
    pub reason: Option<String>,
    /// The parent stack, if this one is nested.
    pub parent: Option<String>,
    /// The number of resources.
    pub resources: usize,
    /// The number of resources that are complete.
    pub complete: usize,
    /// The start of the last operation.
    pub started: Option<Timestamp>,
    /// The end of the last operation. `None` while it is in progress.
    pub ended: Option<Timestamp>,
}
