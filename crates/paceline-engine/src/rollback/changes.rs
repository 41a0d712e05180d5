//! What a run did, from its journal.

use std::collections::{BTreeMap, BTreeSet};

use paceline_assembly::ResourceStatus;
use paceline_text::ExitCode;

use crate::event::{Event, Fact, Outcome, StepKind, StepRef, StepStarted};

/// The beginning of the reason with which CloudFormation says that it replaces a resource (CloudFormation User
/// Guide, "Understand update behaviors of stack resources").
const REPLACES: &str = "Requested update requires the creation of a new physical resource";

/// What a run did.
#[derive(Debug, Clone, Default)]
pub struct RunChanges {
    /// The name of the run.
    pub run: String,
    /// The folder of the assembly, as it was given.
    pub app: String,
    /// The digest of its plan.
    pub plan: String,
    /// The run that it rolled back, if it is a rollback.
    pub undoes: Option<String>,
    /// The endpoint, if the run did not use AWS itself.
    pub endpoint: Option<String>,
    /// How the run ended. `None` if it was killed.
    pub exit_code: Option<ExitCode>,
    /// The stacks that it changed, by id.
    pub stacks: BTreeMap<String, ChangedStack>,
    /// The names of the commands that ran.
    pub commands: BTreeSet<String>,
    /// The number of assets that were published.
    pub published: usize,
    /// The steps with the ids of the steps that they waited for.
    needs: BTreeMap<String, BTreeSet<String>>,
}

/// A stack that a run changed.
#[derive(Debug, Clone)]
pub struct ChangedStack {
    pub step: StepRef,
    /// The id of the stack in CloudFormation after the run. `None` if AWS never accepted an operation.
    pub stack_id: Option<String>,
    /// The tokens of the operations that the run sent.
    pub tokens: BTreeSet<String>,
    /// The number of the event with which its last operation began.
    pub began: u64,
    /// The number of the event with which that operation ended. `None` if its end is unknown.
    pub ended: Option<u64>,
    /// The resources that the run replaced: logical id and type.
    pub replaced: BTreeSet<(String, String)>,
}

impl RunChanges {
    /// Reads what a run did from its events.
    pub fn of(events: &[Event]) -> Self {
        let mut changes = Self::default();
        let mut untouched: BTreeSet<String> = BTreeSet::new();
        for event in events {
            match &event.fact {
                Fact::RunStarted(started) => {
                    changes.run.clone_from(&event.run);
                    changes.app.clone_from(&started.app);
                    changes.plan.clone_from(&started.plan);
                    changes.undoes.clone_from(&started.undoes);
                    changes.endpoint.clone_from(&started.endpoint);
                    changes.exit_code = None;
                    for step in &started.steps {
                        changes.follows(&step.step.step, step.needs.iter());
                    }
                }
                Fact::RunFinished(finished) => changes.exit_code = Some(finished.exit_code),
                // A step that waited until other steps had ended came after them, although nothing said so before.
                Fact::StepRetried(retried) => changes.follows(&retried.step.step, retried.after.iter()),
                Fact::StepStarted(StepStarted { step, .. }) if step.kind == StepKind::Command => {
                    changes.commands.insert(step.title.clone());
                }
                Fact::StackSubmitted(submitted) => {
                    let stack = changes.stack(&submitted.step);
                    stack.tokens.insert(submitted.token.clone());
                    if submitted.operation.begins_operation() {
                        (stack.began, stack.ended) = (event.seq, None);
                    }
                }
                Fact::StackAccepted(accepted) if accepted.token.is_some() => {
                    let stack = changes.stack(&accepted.step);
                    stack.stack_id = Some(accepted.stack_id.clone());
                    stack.tokens.extend(accepted.token.clone());
                }
                Fact::StackProgress(progress) => {
                    let replaces =
                        progress.reason.as_ref().is_some_and(|reason| reason.starts_with(REPLACES));
                    if replaces && progress.status == ResourceStatus::UpdateInProgress {
                        let resource = (progress.logical_id.clone(), progress.resource_type.clone());
                        changes.stack(&progress.step).replaced.insert(resource);
                    }
                }
                Fact::StepFinished(finished) => match finished.step.kind {
                    StepKind::Publish if finished.outcome == Outcome::Deployed => changes.published += 1,
                    StepKind::Deploy | StepKind::Delete => {
                        let id = finished.step.stack.clone().unwrap_or_default();
                        let Some(stack) = changes.stacks.get_mut(&id) else { continue };
                        if finished.outcome != Outcome::Interrupted {
                            stack.ended = Some(event.seq);
                        }
                        // A detail says that something else than the template was changed.
                        let is_unchanged =
                            finished.outcome == Outcome::Unchanged && finished.detail.is_none();
                        if is_unchanged || finished.outcome == Outcome::Prepared {
                            untouched.insert(id);
                        }
                    }
                    _ => {}
                },
                _ => {}
            }
        }
        changes.stacks.retain(|id, stack| {
            !stack.tokens.is_empty() && (stack.stack_id.is_some() || !untouched.contains(id))
        });
        changes
    }

    /// Of the changed stacks that `counts` accepts, those that a changed stack followed, directly or through other
    /// steps.
    pub fn followed(&self, stack: &str, counts: impl Fn(&str) -> bool) -> BTreeSet<&str> {
        let Some(changed) = self.stacks.get(stack) else { return BTreeSet::new() };
        let counted = self.stacks.iter().filter(|(id, _)| counts(id));
        let changes: BTreeMap<&str, &str> =
            counted.map(|(id, it)| (it.step.step.as_str(), id.as_str())).collect();
        let (mut open, mut seen) = (vec![changed.step.step.as_str()], BTreeSet::new());
        let mut found = BTreeSet::new();
        while let Some(step) = open.pop() {
            for need in self.needs.get(step).into_iter().flatten().filter(|need| seen.insert(need.as_str())) {
                match changes.get(need.as_str()) {
                    Some(&other) if other != stack => drop(found.insert(other)),
                    _ => open.push(need),
                }
            }
        }
        found
    }

    fn follows<'n>(&mut self, step: &str, needs: impl Iterator<Item = &'n String>) {
        self.needs.entry(step.to_owned()).or_default().extend(needs.cloned());
    }

    fn stack(&mut self, step: &StepRef) -> &mut ChangedStack {
        let id = step.stack.clone().unwrap_or_default();
        self.stacks.entry(id).or_insert_with(|| ChangedStack {
            step: step.clone(),
            stack_id: None,
            tokens: BTreeSet::new(),
            began: 0,
            ended: None,
            replaced: BTreeSet::new(),
        })
    }
}
