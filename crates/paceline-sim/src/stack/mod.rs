//! Stacks: what one is, what happened to it, and what it is doing.

mod attributes;
mod begin;
mod custom;
mod effects;
mod end;
mod names;
mod nested;
mod resource;
mod run;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use paceline_assembly::Template;
use serde_json::Value;

use crate::simulator::StackSummary;
use crate::template::{Known, Parameter, Scope};
use crate::world::{StackKey, World, written};

pub(crate) use attributes::{attribute, is_made_up};
pub(crate) use begin::{
    Deletion, cancel_update, continue_rollback, create, delete, import, limit_creation, roll_back, update,
};
pub(crate) use run::{Step, step};

/// What a stack is to look like.
#[derive(Debug, Clone)]
pub(crate) struct Desired {
    /// The template as it was sent.
    pub(crate) body: Arc<str>,
    pub(crate) template: Template,
    pub(crate) parameters: Vec<Parameter>,
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

    pub(crate) fn scope<'a>(
        &'a self,
        world: &'a World,
        key: &'a StackKey,
        name: &'a str,
        resources: &'a BTreeMap<String, Resource>,
    ) -> Scope<'a> {
        Scope {
            world,
            place: &key.place,
            stack_name: name,
            stack_id: &key.arn,
            notification_arns: &self.notification_arns,
            template: &self.template,
            parameters: &self.parameters,
            conditions: &self.conditions,
            resources,
            lenient: false,
        }
    }
}

/// A resource of a stack.
#[derive(Debug, Clone)]
pub(crate) struct Resource {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) physical: String,
    /// As CloudFormation spells it.
    pub(crate) status: String,
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
    /// What it was before the operation that goes on, if that changed it.
    pub(crate) previous: Option<Box<Resource>>,
    /// Whether the operation that goes on created it.
    pub(crate) is_new: bool,
    /// Whether it took effect, so that deleting it has something to take back.
    pub(crate) applied: bool,
}

impl Resource {
    pub(crate) fn is_complete(&self) -> bool {
        matches!(self.status.as_str(), "CREATE_COMPLETE" | "UPDATE_COMPLETE")
    }

    pub(crate) fn is_gone(&self) -> bool {
        matches!(self.status.as_str(), "DELETE_COMPLETE" | "DELETE_SKIPPED")
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
    pub(crate) status: String,
    pub(crate) reason: Option<String>,
    pub(crate) token: Option<Arc<str>>,
}

/// What to do when a resource fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnFailure {
    RollBack,
    Nothing,
    Delete,
}

/// What an operation does. The names of the statuses follow from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Create,
    Update,
    /// Takes resources in that are there already. Here it makes them, as if somebody had made them just before.
    Import,
    /// Deletes what an update replaced or removed.
    Cleanup,
    /// Deletes what a failed creation created.
    RollBackCreate,
    /// Takes back what a failed update changed.
    RollBackUpdate,
    /// Deletes what a failed update created.
    RollBackCleanup,
    Delete,
}

impl Kind {
    /// The status of a stack while the operation goes on.
    pub(crate) fn status(self) -> &'static str {
        match self {
            Self::Create => "CREATE_IN_PROGRESS",
            Self::Update => "UPDATE_IN_PROGRESS",
            Self::Import => "IMPORT_IN_PROGRESS",
            Self::Cleanup => "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
            Self::RollBackCreate => "ROLLBACK_IN_PROGRESS",
            Self::RollBackUpdate => "UPDATE_ROLLBACK_IN_PROGRESS",
            Self::RollBackCleanup => "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
            Self::Delete => "DELETE_IN_PROGRESS",
        }
    }
}

/// An operation that goes on.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    pub(crate) number: u64,
    pub(crate) kind: Kind,
    pub(crate) on_failure: OnFailure,
    pub(crate) tasks: BTreeMap<String, Task>,
    /// Logical ids of the resources that failed, in that order.
    pub(crate) failed: Vec<String>,
    /// Whether resources that cannot be deleted are left behind.
    pub(crate) forced: bool,
    pub(crate) token: Option<Arc<str>>,
    /// Resources that a continued rollback passes over, or a deletion retains.
    pub(crate) skip: BTreeSet<String>,
    /// The status of the stack before.
    pub(crate) before: String,
    /// Whether it knows its tasks.
    pub(crate) begun: bool,
    /// Whether the end is already scheduled.
    pub(crate) ending: bool,
}

/// What an operation has to do about one resource.
#[derive(Debug, Clone)]
pub(crate) struct Task {
    pub(crate) waits_for: BTreeSet<String>,
    pub(crate) work: Work,
    pub(crate) state: TaskState,
}

#[derive(Debug, Clone)]
pub(crate) enum Work {
    /// Bring it into the desired state.
    Ensure,
    /// Bring it back into its previous state.
    Revert,
    /// Delete it, as it was when it was decided.
    Delete(Box<Resource>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TaskState {
    Waiting,
    Running,
    Ended,
    Failed,
}

/// A client token, and what it was used for.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) text: Arc<str>,
    pub(crate) action: &'static str,
}

/// A change set.
#[derive(Debug, Clone)]
pub(crate) struct ChangeSet {
    pub(crate) arn: String,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) created: Timestamp,
    pub(crate) status: &'static str,
    pub(crate) reason: Option<String>,
    pub(crate) execution: &'static str,
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
    pub(crate) status: String,
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
    /// What it was before the update that goes on or failed.
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
            status: "REVIEW_IN_PROGRESS".to_owned(),
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
        self.status == "DELETE_COMPLETE"
    }

    /// Enters a status and records it as an event.
    pub(crate) fn enter(&mut self, world: &mut World, status: &str, reason: Option<String>) {
        status.clone_into(&mut self.status);
        self.reason.clone_from(&reason);
        let id = world.draws(&["event", &self.key.arn, &self.events.len().to_string()]).uuid();
        self.events.push(Event {
            id,
            at: world.now,
            logical: self.name.clone(),
            physical: self.key.arn.to_string(),
            kind: "AWS::CloudFormation::Stack".to_owned(),
            status: status.to_owned(),
            reason,
            token: self.operation.as_ref().and_then(|operation| operation.token.clone()),
        });
    }

    /// Records what happened to a resource.
    pub(crate) fn note(&mut self, now: Timestamp, resource: &Resource, status: &str, reason: Option<String>) {
        self.events.push(Event {
            id: format!("{}-{status}-{}", resource.id, written(now)),
            at: now,
            logical: resource.id.clone(),
            physical: resource.physical.clone(),
            kind: resource.kind.clone(),
            status: status.to_owned(),
            reason,
            token: self.operation.as_ref().and_then(|operation| operation.token.clone()),
        });
    }

    /// Puts a resource into a status and records it.
    pub(crate) fn mark(&mut self, now: Timestamp, id: &str, status: &str, reason: Option<String>) {
        let Some(resource) = self.resources.get_mut(id) else { return };
        status.clone_into(&mut resource.status);
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
            status: self.status.clone(),
            reason: self.reason.clone(),
            parent: self.parent.as_ref().map(|(parent, _)| parent.arn.to_string()),
            resources: live.clone().count(),
            complete: live.filter(|resource| resource.is_complete()).count(),
            started: self.started,
            ended: self.ended,
        }
    }
}
