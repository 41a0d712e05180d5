//! Advances an operation: starts the tasks that are ready, ends those that are done, and reacts to failures.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use paceline_assembly::{ResourceStatus, StackOperation, StackStatus};

use super::{change_sets, end, names, nested, resource};
use crate::random::Random;
use crate::template::{active_resources, imports, order};
use crate::world::{
    ANY_OPERATION, Known, OnFailure, Operation, OperationKind, Resource, Stack, StackKey, Step, Task,
    TaskState, Work, World,
};

/// CloudFormation's own time before the first resource of a clean-up, and again after the last. A clean-up deletes what an
/// update has replaced. An assumption: no figure is documented, and one that deletes nothing seems to end at once.
const CLEANUP_OVERHEAD: Duration = Duration::from_millis(500);

/// Carries out a step, unless its operation is over.
pub(super) fn step(world: &mut World, key: &StackKey, operation: u64, step: Step) {
    let Some(mut stack) = world.take_stack(key) else { return };
    let current = stack.operation.as_ref().map(|operation| operation.number);
    if operation == ANY_OPERATION || current == Some(operation) {
        Run { world, stack: &mut stack }.step(step);
    }
    world.put_stack(stack);
}

/// A stack with an operation in progress, and its world.
pub(super) struct Run<'a> {
    pub(super) world: &'a mut World,
    pub(super) stack: &'a mut Stack,
}

impl Run<'_> {
    fn step(&mut self, step: Step) {
        match step {
            Step::Begin => self.begin(),
            Step::Initiated(id) => self.initiated(&id),
            Step::Done(id) => self.done(&id),
            Step::Child(id, outcome) => self.child_ended(&id, outcome),
            Step::TimeOut => return self.time_out(),
            Step::Finish => return end::finish(self),
            Step::ChangeSet(arn) => {
                return change_sets::ready(self.world, self.stack, &arn);
            }
        }
        self.go_on();
    }

    pub(super) fn operation(&self) -> Option<&Operation> {
        self.stack.operation.as_ref()
    }

    fn number(&self) -> u64 {
        self.operation().map_or(ANY_OPERATION, |operation| operation.number)
    }

    pub(super) fn kind(&self) -> Option<OperationKind> {
        self.operation().map(|operation| operation.kind)
    }

    fn task(&mut self, id: &str) -> Option<&mut Task> {
        self.stack.operation.as_mut()?.tasks.get_mut(id)
    }

    pub(super) fn running(&self, id: &str) -> bool {
        self.operation()
            .and_then(|operation| operation.tasks.get(id))
            .is_some_and(|task| task.state == TaskState::Running)
    }

    /// Determines the tasks of the operation.
    fn begin(&mut self) {
        let Some(kind) = self.kind() else { return };
        let tasks = match kind {
            OperationKind::Create | OperationKind::Update | OperationKind::Import => match self.ensuring() {
                Ok(tasks) => tasks,
                Err(reason) => return self.give_up(&reason),
            },
            OperationKind::Delete => {
                if let Some(reason) = end::exports_in_use(self) {
                    return end::call_off(self, reason);
                }
                self.deleting(|_| true)
            }
            OperationKind::RollBackCreate => self.deleting(|_| true),
            OperationKind::RollBackCleanup => self.deleting(|resource| resource.is_new),
            OperationKind::Cleanup => {
                resource::retire_replaced(self.stack);
                let scope = self.stack.desired.scope(
                    self.world,
                    &self.stack.key,
                    &self.stack.name,
                    &self.stack.resources,
                );
                let wanted = active_resources(&scope);
                self.deleting(|resource| !wanted.contains(&resource.id))
            }
            OperationKind::RollBackUpdate => self.reverting(),
        };
        if let Some(operation) = &mut self.stack.operation {
            operation.tasks = tasks;
            operation.begun = true;
        }
    }

    fn ensuring(&mut self) -> Result<BTreeMap<String, Task>, String> {
        let stack = &mut *self.stack;
        let scope = stack.desired.scope(self.world, &stack.key, &stack.name, &stack.resources);
        let imported = imports(&scope)?;
        let exports = self.world.region(&stack.key.place).map(|region| &region.exports);
        if let Some(missing) =
            imported.iter().find(|name| exports.is_none_or(|exports| !exports.contains_key(*name)))
        {
            return Err(format!("No export named {missing} found."));
        }
        let tasks = order(&scope)
            .into_iter()
            .map(|(id, waits_for)| (id, Task { waits_for, work: Work::Ensure, state: TaskState::Waiting }))
            .collect();
        // Until the operation ends, both the old and the new imports count.
        stack.imports.extend(imported);
        Ok(tasks)
    }

    /// The tasks that delete the chosen and the replaced resources, dependents first.
    fn deleting(&mut self, chosen: impl Fn(&Resource) -> bool) -> BTreeMap<String, Task> {
        let doomed: Vec<Resource> = self
            .stack
            .resources
            .values()
            .filter(|resource| !resource.is_gone() && chosen(resource))
            .cloned()
            .collect();
        let mut tasks: BTreeMap<String, Task> = doomed
            .iter()
            .map(|resource| {
                let dependents = doomed.iter().filter(|other| other.waits_for.contains(&resource.id));
                let task = Task {
                    waits_for: dependents.map(|other| other.id.clone()).collect(),
                    work: Work::Delete(Box::new(resource.clone())),
                    state: TaskState::Waiting,
                };
                (resource.id.clone(), task)
            })
            .collect();
        for (index, resource) in std::mem::take(&mut self.stack.replaced).into_iter().enumerate() {
            let task = Task {
                waits_for: BTreeSet::new(),
                work: Work::Delete(Box::new(resource)),
                state: TaskState::Waiting,
            };
            // The key is not a logical id: the resource that replaced this one has its logical id.
            tasks.insert(format!("replaced {index}"), task);
        }
        tasks
    }

    fn reverting(&mut self) -> BTreeMap<String, Task> {
        let skip = self.operation().map(|operation| operation.skip.clone()).unwrap_or_default();
        let changed: BTreeSet<&String> =
            self.stack.resources.values().filter(|it| it.previous.is_some()).map(|it| &it.id).collect();
        self.stack
            .resources
            .values()
            .filter(|resource| resource.previous.is_some() && !skip.contains(&resource.id))
            .map(|resource| {
                let waits =
                    resource.waits_for.iter().filter(|id| changed.contains(id) && !skip.contains(*id));
                let task = Task {
                    waits_for: waits.cloned().collect(),
                    work: Work::Revert,
                    state: TaskState::Waiting,
                };
                (resource.id.clone(), task)
            })
            .collect()
    }

    /// Starts every task that is ready, and ends the operation when no task is left.
    pub(super) fn go_on(&mut self) {
        let number = self.number();
        loop {
            let Some(operation) = self.operation() else { return };
            if operation.number != number || !operation.begun || operation.ending {
                return;
            }
            let ready: Vec<String> = operation
                .tasks
                .iter()
                .filter(|(_, task)| task.state == TaskState::Waiting && task.waits_for.is_empty())
                .map(|(id, _)| id.clone())
                .collect();
            if ready.is_empty() {
                break;
            }
            for id in ready {
                // A failure may have replaced this operation with another.
                if self.number() != number {
                    return;
                }
                if let Some(task) = self.task(&id) {
                    task.state = TaskState::Running;
                    resource::start(self, &id);
                }
            }
        }
        let Some(operation) = &mut self.stack.operation else { return };
        if operation.number == number
            && !operation.tasks.values().any(|task| task.state == TaskState::Running)
        {
            operation.ending = true;
            self.schedule(self.overhead(), Step::Finish);
        }
    }

    /// CloudFormation's own time before the first and after the last resource.
    fn overhead(&self) -> Duration {
        let overhead = self.world.options.stack_overhead;
        match self.kind() {
            Some(OperationKind::Cleanup | OperationKind::RollBackCleanup) => overhead.min(CLEANUP_OVERHEAD),
            _ => overhead,
        }
    }

    pub(super) fn schedule(&mut self, after: Duration, step: Step) {
        self.world.schedule(after, self.stack.key.clone(), self.number(), step);
    }

    fn initiated(&mut self, id: &str) {
        if self.running(id) {
            resource::initiated(self, id);
        }
    }

    fn done(&mut self, id: &str) {
        if self.running(id) {
            resource::done(self, id);
        }
    }

    /// Ends a creation that has exceeded its time limit, with CloudFormation's wording as public reports
    /// quote it.
    fn time_out(&mut self) {
        if self.kind() == Some(OperationKind::Create) {
            self.cancel_running();
            self.give_up("Stack creation time exceeded the specified timeout.");
        }
    }

    fn child_ended(&mut self, id: &str, outcome: Result<BTreeMap<String, Known>, String>) {
        let task = self.operation().and_then(|operation| {
            operation.tasks.iter().find(|(key, task)| {
                let logical = match &task.work {
                    Work::Delete(resource) => resource.id.as_str(),
                    _ => key.as_str(),
                };
                logical == id && task.state == TaskState::Running
            })
        });
        if let Some(key) = task.map(|(key, _)| key.clone()) {
            nested::ended(self, &key, outcome);
        }
    }

    /// Marks a task as ended, so that others can start.
    pub(super) fn ended(&mut self, id: &str) {
        let Some(operation) = &mut self.stack.operation else { return };
        if let Some(task) = operation.tasks.get_mut(id) {
            task.state = TaskState::Ended;
        }
        for task in operation.tasks.values_mut() {
            task.waits_for.remove(id);
        }
    }

    /// Records that a task failed. `on_failure` decides whether the operation is given up.
    pub(super) fn fail(&mut self, id: &str, status: ResourceStatus, reason: String) {
        self.stack.mark(self.world.now, id, status, Some(reason));
        let Some(operation) = &mut self.stack.operation else { return };
        operation.failed.push(id.to_owned());
        if let Some(task) = operation.tasks.get_mut(id) {
            task.state = TaskState::Failed;
        }
        let rolls_back = operation.on_failure != OnFailure::Nothing;
        if rolls_back
            && matches!(operation.kind, OperationKind::Create | OperationKind::Update | OperationKind::Import)
        {
            self.cancel_running();
            let reason = self.failures();
            self.give_up(&reason);
        }
    }

    /// Cancels the tasks that are still running.
    pub(super) fn cancel_running(&mut self) {
        let Some(operation) = &mut self.stack.operation else { return };
        let running: Vec<String> = operation
            .tasks
            .iter_mut()
            .filter(|(_, task)| task.state == TaskState::Running)
            .map(|(id, task)| {
                task.state = TaskState::Failed;
                id.clone()
            })
            .collect();
        operation.failed.extend(running.iter().cloned());
        for id in running {
            let Some(resource) = self.stack.resources.get(&id) else { continue };
            let (status, reason) = if resource.status.operation() == Some(StackOperation::Update) {
                (ResourceStatus::UpdateFailed, "Resource update cancelled")
            } else {
                (ResourceStatus::CreateFailed, "Resource creation cancelled")
            };
            if resource.kind == nested::KIND {
                nested::cancel(self.world, &self.stack.key.place, &resource.physical);
            }
            names::release_name(self, &id);
            self.stack.mark(self.world.now, &id, status, Some(reason.to_owned()));
        }
    }

    /// Names the resources that failed, in CloudFormation's wording.
    pub(super) fn failures(&self) -> String {
        let failed = self.operation().map(|operation| operation.failed.clone()).unwrap_or_default();
        [
            (ResourceStatus::CreateFailed, "create"),
            (ResourceStatus::UpdateFailed, "update"),
            (ResourceStatus::DeleteFailed, "delete"),
        ]
        .iter()
        .filter_map(|(status, verb)| {
            let ids: Vec<&str> = failed
                .iter()
                .filter(|id| self.stack.resources.get(*id).is_some_and(|it| it.status == *status))
                .map(String::as_str)
                .collect();
            (!ids.is_empty())
                .then(|| format!("The following resource(s) failed to {verb}: [{}]. ", ids.join(", ")))
        })
        .collect()
    }

    /// Gives up an operation: it rolls back, or does what `on_failure` says.
    pub(super) fn give_up(&mut self, reason: &str) {
        let Some(operation) = self.operation() else { return };
        let reason = reason.trim_end().to_owned();
        let (kind, on_failure) = (operation.kind, operation.on_failure);
        match (kind, on_failure) {
            (OperationKind::Create, OnFailure::RollBack) => {
                self.switch(
                    OperationKind::RollBackCreate,
                    Some(format!("{reason} Rollback requested by user.")),
                );
            }
            (OperationKind::Create, OnFailure::Delete) => {
                self.switch(OperationKind::Delete, Some(format!("{reason} Delete requested by user.")));
            }
            (OperationKind::Update, OnFailure::RollBack | OnFailure::Delete) => {
                self.switch(OperationKind::RollBackUpdate, Some(reason));
            }
            (OperationKind::Import, _) => end::import_failed(self, reason),
            (OperationKind::Create, OnFailure::Nothing) => {
                end::settle(self, StackStatus::CreateFailed, Some(reason));
            }
            (OperationKind::Update, OnFailure::Nothing) => {
                end::settle(self, StackStatus::UpdateFailed, Some(reason));
            }
            _ => {}
        }
    }

    /// Switches to another kind of operation, which belongs to the same request.
    pub(super) fn switch(&mut self, kind: OperationKind, reason: Option<String>) {
        let number = self.world.number();
        if let Some(operation) = &mut self.stack.operation {
            operation.number = number;
            operation.kind = kind;
            operation.tasks.clear();
            operation.failed.clear();
            operation.begun = false;
            operation.ending = false;
        }
        self.stack.enter(self.world, kind.status(), reason);
        self.schedule(self.overhead(), Step::Begin);
    }

    pub(super) fn draws(&self, words: &[&str]) -> Random {
        self.world.draws(words)
    }
}
