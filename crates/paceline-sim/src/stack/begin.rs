//! Begins operations.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::run::Run;
use crate::world::{Desired, OnFailure, Operation, OperationKind, Stack, StackKey, Step, Token, World};

/// Starts the creation of a stack that so far is only a record.
pub(crate) fn create(
    world: &mut World,
    mut stack: Box<Stack>,
    on_failure: OnFailure,
    token: Option<Arc<str>>,
    action: Option<&'static str>,
) {
    let (arn, name) = (stack.key.arn.clone(), stack.name.clone());
    world.region_mut(&stack.key.place.clone()).names.insert(name, arn);
    start(world, &mut stack, OperationKind::Create, on_failure, token, action);
    world.put_stack(stack);
}

/// Sets a time limit for a creation that has just begun.
pub(crate) fn limit_creation(world: &mut World, key: &StackKey, limit: Duration) {
    let stack = world.region(&key.place).and_then(|region| region.stacks.get(&key.arn));
    if let Some(number) = stack.and_then(|stack| stack.operation.as_ref()).map(|it| it.number) {
        world.schedule(limit, key.clone(), number, Step::TimeOut);
    }
}

/// Updates a stack that is at rest.
pub(crate) fn update(
    world: &mut World,
    mut stack: Box<Stack>,
    desired: Arc<Desired>,
    on_failure: OnFailure,
    token: Option<Arc<str>>,
    action: Option<&'static str>,
) {
    let old = std::mem::replace(&mut stack.desired, desired);
    // After a failed update, the stable state is still the one before that update.
    stack.stable.get_or_insert(old);
    stack.updated_before = stack.updated.replace(world.now);
    stack.disable_rollback = on_failure == OnFailure::Nothing;
    start(world, &mut stack, OperationKind::Update, on_failure, token, action);
    world.put_stack(stack);
}

/// Imports resources into a stack that is at rest, or that so far is only a record.
pub(crate) fn import(
    world: &mut World,
    mut stack: Box<Stack>,
    desired: Arc<Desired>,
    token: Option<Arc<str>>,
    action: Option<&'static str>,
) {
    let old = std::mem::replace(&mut stack.desired, desired);
    stack.stable.get_or_insert(old);
    stack.updated_before = stack.updated.replace(world.now);
    start(world, &mut stack, OperationKind::Import, OnFailure::RollBack, token, action);
    world.put_stack(stack);
}

/// Options of a deletion.
#[derive(Debug, Default)]
pub(crate) struct Deletion {
    pub(crate) token: Option<Arc<str>>,
    pub(crate) action: Option<&'static str>,
    pub(crate) retain: BTreeSet<String>,
    pub(crate) forced: bool,
}

/// Deletes a stack, even while another operation is in progress.
pub(crate) fn delete(world: &mut World, mut stack: Box<Stack>, how: Deletion) {
    if stack.is_in_progress() {
        Run { world, stack: &mut stack }.cancel_running();
    }
    start(world, &mut stack, OperationKind::Delete, OnFailure::Nothing, how.token, how.action);
    if let Some(operation) = &mut stack.operation {
        operation.skip = how.retain;
        operation.forced = how.forced;
    }
    world.put_stack(stack);
}

/// Rolls back a failed operation whose rollback was disabled.
pub(crate) fn roll_back(world: &mut World, mut stack: Box<Stack>, token: Option<Arc<str>>) {
    // CloudFormation API Reference, `RollbackStack`: it deletes a stack that has no last known stable state.
    let kind = if stack.has_been_stable { OperationKind::RollBackUpdate } else { OperationKind::Delete };
    start(world, &mut stack, kind, OnFailure::Nothing, token, Some("RollbackStack"));
    world.put_stack(stack);
}

/// Continues a rollback that failed, and skips some resources.
pub(crate) fn continue_rollback(
    world: &mut World,
    mut stack: Box<Stack>,
    skip: BTreeSet<String>,
    token: Option<Arc<str>>,
) {
    start(
        world,
        &mut stack,
        OperationKind::RollBackUpdate,
        OnFailure::Nothing,
        token,
        Some("ContinueUpdateRollback"),
    );
    if let Some(operation) = &mut stack.operation {
        operation.skip = skip;
    }
    world.put_stack(stack);
}

/// Cancels an update and rolls it back.
pub(crate) fn cancel_update(world: &mut World, mut stack: Box<Stack>, token: Option<Arc<str>>) {
    Run { world, stack: &mut stack }.cancel_running();
    // The events of the rollback carry the token of the cancellation, as reported in glassechidna/stackit#26.
    if let (Some(operation), Some(token)) = (&mut stack.operation, token) {
        stack.tokens.push(Token { text: Arc::clone(&token), action: "CancelUpdateStack" });
        operation.token = Some(token);
    }
    let mut run = Run { world, stack: &mut stack };
    run.switch(OperationKind::RollBackUpdate, Some("User Initiated".to_owned()));
    world.put_stack(stack);
}

fn start(
    world: &mut World,
    stack: &mut Stack,
    kind: OperationKind,
    on_failure: OnFailure,
    token: Option<Arc<str>>,
    action: Option<&'static str>,
) {
    let number = world.number();
    if let (Some(text), Some(action)) = (&token, action) {
        stack.tokens.push(Token { text: text.clone(), action });
    }
    stack.operation = Some(Operation {
        number,
        kind,
        on_failure,
        tasks: BTreeMap::new(),
        failed: Vec::new(),
        forced: false,
        token,
        skip: BTreeSet::new(),
        before: stack.status.clone(),
        begun: false,
        ending: false,
    });
    stack.started = Some(world.now);
    stack.ended = None;
    let nested = stack.parent.is_some();
    stack.enter(world, kind.status(), (!nested).then(|| "User Initiated".to_owned()));
    let overhead = world.options.stack_overhead;
    world.schedule(overhead, stack.key.clone(), number, Step::Begin);
}
