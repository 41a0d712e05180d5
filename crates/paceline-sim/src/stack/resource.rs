//! Moves one resource through an operation.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use paceline_assembly::{ResourceStatus, StackOperation, is_custom};
use paceline_plan::durations::ResourceOperation as Operation;
use serde_json::Value;

use super::names::{give_name_back, is_renamed, release_name, take_name};
use super::run::Run;
use super::{effects, hanging, nested};
use crate::options::Failure;
use crate::resources::physical;
use crate::template::references_of;
use crate::world::{OnFailure, OperationKind, Resource, Stack, Step, Work};

/// The kind of work that a task is doing.
enum Doing {
    Ensure,
    Revert,
    Delete(Box<Resource>),
}

fn doing(run: &Run<'_>, id: &str) -> Option<Doing> {
    Some(match &run.operation()?.tasks.get(id)?.work {
        Work::Ensure => Doing::Ensure,
        Work::Revert => Doing::Revert,
        Work::Delete(resource) => Doing::Delete(resource.clone()),
    })
}

/// Starts a task.
pub(super) fn start(run: &mut Run<'_>, id: &str) {
    match doing(run, id) {
        Some(Doing::Ensure) => ensure(run, id),
        Some(Doing::Revert) => revert(run, id),
        Some(Doing::Delete(resource)) => delete(run, id, &resource),
        None => {}
    }
}

fn ensure(run: &mut Run<'_>, id: &str) {
    let desired = Arc::clone(&run.stack.desired);
    let Some(body) = desired.template.resource(id) else { return run.ended(id) };
    let scope = desired.scope(run.world, &run.stack.key, &run.stack.name, &run.stack.resources);
    let evaluated = body.properties.map_or(Ok((Value::Null, BTreeSet::new())), |properties| {
        scope.properties(&format!("Resources.{id}.Properties"), properties)
    });
    let policy = |key: &str| body.body.get(key).and_then(Value::as_str).map(str::to_owned);
    let waits_for = references_of(&scope, id);
    let mut wanted = Resource {
        id: id.to_owned(),
        kind: body.resource_type.to_owned(),
        physical: String::new(),
        // A resource has no status before its first event.
        status: ResourceStatus::Other(String::new()),
        reason: None,
        updated: run.world.now,
        properties: Arc::new(Value::Null),
        attributes: BTreeMap::new(),
        made_up: BTreeSet::new(),
        waits_for,
        deletion_policy: policy("DeletionPolicy"),
        previous: None,
        is_new: true,
        applied: false,
    };
    let existing = run.stack.resources.get(id).filter(|it| !it.is_gone() && it.applied).cloned();
    let (properties, made_up) = match evaluated {
        Ok((properties, made_up)) => (Arc::new(properties), made_up),
        Err(reason) => {
            let status =
                if existing.is_some() { ResourceStatus::UpdateFailed } else { ResourceStatus::CreateFailed };
            if existing.is_none() {
                run.stack.resources.insert(id.to_owned(), wanted);
            }
            return run.fail(id, status, reason);
        }
    };
    wanted.properties = properties;
    wanted.made_up = made_up;
    match existing {
        None => create(run, wanted, None),
        Some(old) if old.properties == wanted.properties && old.is_complete() => {
            if let Some(resource) = run.stack.resources.get_mut(id) {
                resource.waits_for = wanted.waits_for;
                resource.deletion_policy = wanted.deletion_policy;
            }
            run.ended(id);
        }
        Some(old) if needs_replacement(&old, &wanted) => {
            let keeps = run.operation().is_some_and(|operation| operation.on_failure == OnFailure::Nothing);
            if keeps {
                return run.fail(id, ResourceStatus::UpdateFailed, NO_REPLACEMENT.to_owned());
            }
            create(run, wanted, Some(old));
        }
        Some(old) => update(run, wanted, old),
    }
}

/// The reason for a replacement while rollback is disabled, as aws-cdk#30546 quotes it.
const NO_REPLACEMENT: &str = "Replacement type updates not supported on stack with disable-rollback.";

/// Whether an update replaces a resource: names cannot be changed in place. The other properties that force a
/// replacement, which the template reference of each type lists, are not modelled.
fn needs_replacement(old: &Resource, new: &Resource) -> bool {
    is_renamed(&old.kind, &old.properties, &new.properties)
}

/// Whether `new` replaced `old`. A custom resource chooses its own id, and may change it in any update
/// without a replacement.
fn is_replacement(new: &Resource, old: &Resource) -> bool {
    new.physical != old.physical && !is_custom(&new.kind)
}

/// Hands the resources that an update replaced over to its cleanup.
pub(super) fn retire_replaced(stack: &mut Stack) {
    let live = stack.resources.values();
    let replaced = live.filter_map(|resource| {
        let previous = resource.previous.as_deref()?;
        is_replacement(resource, previous).then(|| previous.clone())
    });
    let replaced: Vec<Resource> = replaced.collect();
    stack.replaced.extend(replaced);
}

fn create(run: &mut Run<'_>, mut resource: Resource, replaces: Option<Resource>) {
    let (id, kind) = (resource.id.clone(), resource.kind.clone());
    let count = run.stack.events.len().to_string();
    let draws = run.draws(&["physical", &run.stack.key.arn, &id, &count]);
    let place = &run.stack.key.place;
    let physical = physical(place, &run.stack.name, &id, &kind, &resource.properties, draws);
    let status =
        if replaces.is_some() { ResourceStatus::UpdateInProgress } else { ResourceStatus::CreateInProgress };
    let reason = replaces.as_ref().map(|_| {
        "Requested update requires the creation of a new physical resource; hence creating one.".to_owned()
    });
    resource.is_new = replaces.as_ref().is_none_or(|old| old.is_new);
    // A replacement that an earlier try of this update created is recorded nowhere else.
    if let Some(old) = &replaces
        && let Some(first) = &old.previous
        && is_replacement(old, first)
    {
        run.stack.replaced.push(old.clone());
    }
    // A rollback returns to the state before the whole operation.
    resource.previous = replaces.map(|old| old.previous.clone().unwrap_or_else(|| Box::new(old)));
    run.stack.resources.insert(id.clone(), resource);
    // The first event of a new resource has no physical id yet.
    run.stack.mark(run.world.now, &id, status, reason);
    if let Some(resource) = run.stack.resources.get_mut(&id) {
        resource.physical = physical;
    }
    let hangs = hanging::begin(run, &id);
    let duration = hangs.unwrap_or_else(|| duration(run, &id, &kind, Operation::Create));
    run.schedule((duration / 2).min(Duration::from_secs(1)), Step::Initiated(id.clone()));
    if kind != nested::KIND {
        run.schedule(duration, Step::Done(id));
    }
}

fn update(run: &mut Run<'_>, mut resource: Resource, old: Resource) {
    let (id, kind) = (resource.id.clone(), resource.kind.clone());
    resource.physical.clone_from(&old.physical);
    resource.attributes.clone_from(&old.attributes);
    resource.applied = true;
    resource.is_new = old.is_new;
    resource.previous = match (old.is_new, &old.previous) {
        (true, _) => None,
        (false, Some(first)) => Some(first.clone()),
        (false, None) => Some(Box::new(old)),
    };
    run.stack.resources.insert(id.clone(), resource);
    run.stack.mark(run.world.now, &id, ResourceStatus::UpdateInProgress, None);
    if kind == nested::KIND {
        run.schedule(Duration::from_secs(1), Step::Initiated(id));
    } else {
        let hangs = hanging::begin(run, &id);
        let duration = hangs.unwrap_or_else(|| duration(run, &id, &kind, Operation::Update));
        run.schedule(duration, Step::Done(id));
    }
}

fn revert(run: &mut Run<'_>, id: &str) {
    let Some(current) = run.stack.resources.get(id).cloned() else { return run.ended(id) };
    hanging::end(run, &current.physical);
    let Some(previous) = current.previous.clone() else { return run.ended(id) };
    let mut restored = *previous;
    restored.previous = None;
    let kind = restored.kind.clone();
    if is_replacement(&current, &restored) {
        // The original resource still exists, so only its replacement has to be deleted.
        restored.status = ResourceStatus::UpdateComplete;
        run.stack.resources.insert(id.to_owned(), restored);
        run.stack.mark(run.world.now, id, ResourceStatus::UpdateComplete, None);
        if current.applied {
            run.stack.replaced.push(current);
        }
        return run.ended(id);
    }
    restored.previous = Some(Box::new(Resource { previous: None, ..current }));
    run.stack.resources.insert(id.to_owned(), restored);
    run.stack.mark(run.world.now, id, ResourceStatus::UpdateInProgress, None);
    if kind == nested::KIND {
        run.schedule(Duration::from_secs(1), Step::Initiated(id.to_owned()));
    } else {
        let duration = duration(run, id, &kind, Operation::Update);
        run.schedule(duration, Step::Done(id.to_owned()));
    }
}

fn delete(run: &mut Run<'_>, key: &str, resource: &Resource) {
    hanging::end(run, &resource.physical);
    let skip = run.operation().is_some_and(|operation| operation.skip.contains(&resource.id));
    let rolled_back =
        matches!(run.kind(), Some(OperationKind::RollBackCreate | OperationKind::RollBackCleanup));
    let retained = match resource.deletion_policy.as_deref() {
        Some("Retain") => resource.applied,
        Some("RetainExceptOnCreate") => resource.applied && !rolled_back,
        _ => false,
    };
    if retained || skip {
        note_deletion(run, key, resource, ResourceStatus::DeleteSkipped, None);
        return run.ended(key);
    }
    if !resource.applied {
        // The resource was never created.
        if resource.kind == nested::KIND && nested::delete(run, &resource.physical) {
            note_deletion(run, key, resource, ResourceStatus::DeleteInProgress, None);
            return;
        }
        note_deletion(run, key, resource, ResourceStatus::DeleteComplete, None);
        return run.ended(key);
    }
    note_deletion(run, key, resource, ResourceStatus::DeleteInProgress, None);
    if resource.kind == nested::KIND {
        if !nested::delete(run, &resource.physical) {
            run.schedule(Duration::from_secs(1), Step::Done(key.to_owned()));
        }
        return;
    }
    let duration = duration(run, &resource.id, &resource.kind, Operation::Delete);
    run.schedule(duration, Step::Done(key.to_owned()));
}

/// Records the deletion of a resource, which may be one that another has replaced.
fn note_deletion(
    run: &mut Run<'_>,
    key: &str,
    resource: &Resource,
    status: ResourceStatus,
    reason: Option<String>,
) {
    if key == resource.id {
        run.stack.mark(run.world.now, key, status, reason);
    } else {
        run.stack.note(run.world.now, resource, status, reason);
    }
}

/// The service behind a resource accepts the request, or refuses it at once.
pub(super) fn initiated(run: &mut Run<'_>, id: &str) {
    let Some(resource) = run.stack.resources.get(id).cloned() else { return };
    if resource.kind == nested::KIND {
        return nested::start(run, id, &resource);
    }
    if let Err(reason) =
        take_name(run, &resource).and_then(|()| effects::precheck(run.world, run.stack, &resource))
    {
        let replaces = resource.previous.is_some();
        return run.fail(
            id,
            if replaces { ResourceStatus::UpdateFailed } else { ResourceStatus::CreateFailed },
            reason,
        );
    }
    if hanging::is_unanswered(run, &resource) {
        return;
    }
    let status = resource.status.clone();
    run.stack.mark(run.world.now, id, status, Some("Resource creation Initiated".to_owned()));
}

/// Completes the work on a resource whose duration is over.
pub(super) fn done(run: &mut Run<'_>, id: &str) {
    match doing(run, id) {
        Some(Doing::Delete(resource)) => deleted(run, id, &resource),
        Some(_) => ensured(run, id),
        None => {}
    }
}

/// The operation on a resource that is not being deleted.
pub(super) fn asked_for(status: &ResourceStatus) -> StackOperation {
    match status.operation() {
        Some(StackOperation::Create) => StackOperation::Create,
        _ => StackOperation::Update,
    }
}

fn ensured(run: &mut Run<'_>, id: &str) {
    let Some(mut resource) = run.stack.resources.get(id).cloned() else { return };
    let creates = !resource.applied;
    let asked = asked_for(&resource.status);
    let operation = if creates { Operation::Create } else { Operation::Update };
    let reverts = matches!(doing(run, id), Some(Doing::Revert));
    let hung = hanging::failed(run, id);
    let applied = match hung.or_else(|| injected(run, id, operation, reverts)) {
        Some(reason) => Err(reason),
        None => effects::apply(run.world, run.stack, &mut resource),
    };
    if let Err(reason) = applied {
        if creates {
            release_name(run, id);
        }
        return run.fail(id, asked.failed(), reason);
    }
    resource.applied = true;
    if reverts {
        resource.previous = None;
    }
    run.stack.resources.insert(id.to_owned(), resource);
    run.stack.mark(run.world.now, id, asked.complete(), None);
    run.ended(id);
}

pub(super) fn deleted(run: &mut Run<'_>, key: &str, resource: &Resource) {
    let forced = run.operation().is_some_and(|operation| operation.forced);
    let refused = effects::cannot_go(run.world, run.stack, resource);
    if let Some(reason) = injected(run, &resource.id, Operation::Delete, false).or(refused) {
        if forced {
            note_deletion(run, key, resource, ResourceStatus::DeleteSkipped, Some(reason));
            return run.ended(key);
        }
        return run.fail(key, ResourceStatus::DeleteFailed, reason);
    }
    effects::undo(run.world, run.stack, resource);
    give_name_back(run, resource);
    note_deletion(run, key, resource, ResourceStatus::DeleteComplete, None);
    run.ended(key);
}

/// The reason of a failure that the options ask for, if one applies.
fn injected(run: &mut Run<'_>, id: &str, operation: Operation, reverts: bool) -> Option<String> {
    let stack = &run.stack.name;
    let failure: &mut Failure = run.world.options.faults.failures.iter_mut().find(|failure| {
        failure.stack == *stack
            && failure.logical_id == id
            && failure.times > 0
            && match failure.operation {
                None => operation != Operation::Delete && !reverts,
                // Only a failure that names the operation also happens in rollbacks.
                Some(wanted) => wanted == operation,
            }
    })?;
    failure.times -= 1;
    Some(failure.reason.clone())
}

fn duration(run: &Run<'_>, id: &str, kind: &str, operation: Operation) -> Duration {
    let typical = run.world.options.durations.of(kind, operation);
    let jitter = run.world.options.jitter;
    if jitter <= 0.0 {
        return typical;
    }
    let what = format!("{operation:?}");
    let unit = run.draws(&["jitter", &run.stack.key.place.region, &run.stack.name, id, &what]).unit();
    let factor = (1.0 + jitter * (2.0 * unit - 1.0)).max(0.0);
    Duration::try_from_secs_f64(typical.as_secs_f64() * factor).unwrap_or(typical)
}
