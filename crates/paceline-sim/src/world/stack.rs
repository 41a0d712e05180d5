//! Stacks: what one is, what happened to it, and what it is doing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use paceline_assembly::{ResourceStatus, STACK_TYPE, StackStatus, Template};
use serde_json::Value;

use super::World;
use super::account_region::StackKey;
use super::known::Known;
use super::operation::{OnFailure, Operation};
use super::time::written;

/// What a stack is to look like.
#[derive(Debug, Clone)]
pub(crate) struct Desired {
    /// The template as it was sent.
    pub(crate) body: Arc<str>,
    pub(crate) template: Template,
    pub(crate) parameters: Vec<BoundParameter>,
    pub(crate) conditions: BTreeMap<String, bool>,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) notification_arns: Vec<String>,
    pub(crate) role_arn: Option<String>,
    pub(crate) capabilities: Vec<String>,
}

impl Desired {
    /// Whether an update from one to the other would have nothing to do.
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
    /// What an SSM parameter type came to.
    pub(crate) resolved: Option<String>,
    pub(crate) is_list: bool,
    pub(crate) no_echo: bool,
    /// Whether any part of the value is made up.
    pub(crate) made_up: bool,
}

impl BoundParameter {
    /// What `Ref` returns.
    pub(crate) fn reference(&self) -> Value {
        let text = self.resolved.as_deref().unwrap_or(&self.value);
        if self.is_list {
            Value::Array(text.split(',').map(|item| Value::String(item.trim().to_owned())).collect())
        } else {
            Value::String(text.to_owned())
        }
    }
}

/// A resource of a stack.
#[derive(Debug, Clone)]
pub(crate) struct Resource {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) physical: String,
    pub(crate) status: ResourceStatus,
    pub(crate) reason: Option<String>,
    pub(crate) updated: Timestamp,
    pub(crate) properties: Arc<Value>,
    /// Attributes that cannot be computed from the rest: those of custom resources and nested stacks.
    pub(crate) attributes: BTreeMap<String, Known>,
    /// The properties of which any part is made up.
    pub(crate) made_up: BTreeSet<String>,
    /// What it must be deleted before.
    pub(crate) waits_for: BTreeSet<String>,
    pub(crate) deletion_policy: Option<String>,
    /// Its state before the current operation, if that changed it.
    pub(crate) previous: Option<Box<Resource>>,
    /// Whether the current operation created it.
    pub(crate) is_new: bool,
    /// Whether it took effect, so that deleting it has something to take back.
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

    /// A text of this property, which is made up where the property is.
    pub(crate) fn known(&self, property: &str, text: &str) -> Known {
        Known { value: text.into(), made_up: self.made_up.contains(property) }
    }
}

/// An output of a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Output {
    pub(crate) key: String,
    pub(crate) value: String,
    pub(crate) description: Option<String>,
    pub(crate) export: Option<String>,
    /// Whether any part of the value is made up.
    pub(crate) made_up: bool,
}

/// Something that happened to a stack or to one of its resources.
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

/// A client token, and what it was used for.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) text: Arc<str>,
    pub(crate) action: &'static str,
}

/// How far the making of a change set has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChangeSetStatus {
    InProgress,
    Complete,
    Failed,
}

/// Whether a change set can be executed, or was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExecutionStatus {
    Unavailable,
    Available,
    Complete,
    Obsolete,
}

impl ChangeSetStatus {
    /// As CloudFormation spells it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "CREATE_IN_PROGRESS",
            Self::Complete => "CREATE_COMPLETE",
            Self::Failed => "FAILED",
        }
    }
}

impl ExecutionStatus {
    /// As CloudFormation spells it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Unavailable => "UNAVAILABLE",
            Self::Available => "AVAILABLE",
            Self::Complete => "EXECUTE_COMPLETE",
            Self::Obsolete => "OBSOLETE",
        }
    }
}

/// A change set.
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
    /// Whether it takes in resources that are there already.
    pub(crate) imports: bool,
    pub(crate) token: Option<String>,
    pub(crate) on_failure: Option<OnFailure>,
    pub(crate) nested: bool,
    pub(crate) desired: Arc<Desired>,
    pub(crate) changes: Vec<Value>,
}

/// A stack.
#[derive(Debug, Clone)]
pub(crate) struct Stack {
    pub(crate) key: StackKey,
    pub(crate) name: String,
    pub(crate) alias: Option<String>,
    /// The key of the stack it is nested in, and its logical id there.
    pub(crate) parent: Option<(StackKey, String)>,
    pub(crate) root: Option<Arc<str>>,
    pub(crate) status: StackStatus,
    pub(crate) reason: Option<String>,
    pub(crate) created: Timestamp,
    pub(crate) updated: Option<Timestamp>,
    /// When the update before that one was, for reads that answer from the past.
    pub(crate) updated_before: Option<Timestamp>,
    pub(crate) deleted: Option<Timestamp>,
    pub(crate) started: Option<Timestamp>,
    pub(crate) ended: Option<Timestamp>,
    pub(crate) protected: bool,
    pub(crate) disable_rollback: bool,
    pub(crate) desired: Arc<Desired>,
    /// Its state before the current or failed update.
    pub(crate) stable: Option<Arc<Desired>>,
    pub(crate) resources: BTreeMap<String, Resource>,
    /// Replaced resources that the cleanup will delete.
    pub(crate) replaced: Vec<Resource>,
    pub(crate) outputs: Vec<Output>,
    /// Since when it has these outputs.
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

    /// Enters a status and records it as an event.
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

    /// Records what happened to a resource.
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

    /// Puts a resource into a status and records it.
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

/// What became of a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackSummary {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub id: String,
    /// Its account.
    pub account: String,
    /// Its region.
    pub region: String,
    /// Its status, as CloudFormation spells it.
    pub status: String,
    /// Why it has that status, where there is something to say.
    pub reason: Option<String>,
    /// The stack it is nested in.
    pub parent: Option<String>,
    /// How many resources it has.
    pub resources: usize,
    /// How many of them are complete.
    pub complete: usize,
    /// When its last operation started.
    pub started: Option<Timestamp>,
    /// When its last operation ended; none while it is in progress.
    pub ended: Option<Timestamp>,
}
