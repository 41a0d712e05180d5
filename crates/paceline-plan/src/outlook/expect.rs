//! How long each step is expected to take: what its history says, else the table by resource type, else a fixed
//! figure.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use paceline_assembly::Stack;

use super::durations::{Durations, ResourceOperation};
use super::history::{History, HistoryKind, Site, short};
use super::pace::role_wait;
use super::stack_time::{Resources, typical_of};
use crate::model::{Basis, Gate, Publish, Step, StepOperation, THE_APP, Work};

/// Checking for and uploading one file. An estimate: most are small, and most are there already.
pub const FILE_TIME: Duration = Duration::from_secs(2);
/// Building and pushing one image. An estimate: images differ more than anything else; past runs tell.
pub const IMAGE_TIME: Duration = Duration::from_secs(150);
/// The part of that for pushing, which is all that a second destination needs. An estimate too.
pub const PUSH_TIME: Duration = Duration::from_secs(30);
/// Running a script of the team's. An estimate: scripts differ.
const COMMAND_TIME: Duration = Duration::from_secs(10);
/// Synthesizing an app. An estimate: apps differ; past runs tell.
const SYNTH_TIME: Duration = Duration::from_secs(30);
/// Finding that a stack is up to date, or that an asset exists. An estimate: two calls.
const LOOK_TIME: Duration = Duration::from_secs(1);

/// How long a step is expected to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) time: Duration,
    pub(crate) basis: Basis,
    pub(crate) operation: StepOperation,
}

impl Expected {
    /// Whether it comes from no earlier run.
    pub(crate) fn is_of_table(self) -> bool {
        !matches!(self.basis, Basis::History(_) | Basis::Unchanged { samples: 1.., .. })
    }

    /// A step that takes this long.
    pub(crate) fn step(self, id: String, work: Work, needs: Vec<usize>) -> Step {
        Step { id, work, needs, early_needs: Vec::new(), expected: self.time, expected_from: self.basis }
    }
}

/// What expected durations are made from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expect<'a> {
    pub(crate) history: &'a History,
    pub(crate) durations: &'a Durations,
}

impl Expect<'_> {
    /// The next operation on a stack; `template` is the start of its digest.
    pub(crate) fn stack(self, stack: &Stack, template: &str) -> Expected {
        let next = self.history.stack(&stack.id, Site::from(&stack.environment), template);
        let of_table = |operation| {
            let resources = Resources::of(stack, operation, self.durations);
            let basis = if resources.is_mostly_unknown() { Basis::Default } else { Basis::Table };
            (resources.time(), basis)
        };
        let (time, basis) = measured(next.median).unwrap_or_else(|| match next.operation {
            StepOperation::Unchanged => (LOOK_TIME, Basis::Default),
            StepOperation::Update => of_table(ResourceOperation::Update),
            _ => of_table(ResourceOperation::Create),
        });
        let samples = next.median.map_or(0, |(_, samples)| samples);
        let basis = next.since.map_or(basis, |since| Basis::Unchanged { since, samples });
        Expected { time, basis, operation: next.operation }
    }

    /// When some of a stack's resources are complete, from the start of its creation.
    pub(crate) fn complete<'r>(
        self,
        stack: &Stack,
        of: impl Iterator<Item = &'r str>,
    ) -> BTreeMap<String, Duration> {
        let of: BTreeSet<&str> = of.collect();
        if of.is_empty() {
            return BTreeMap::new();
        }
        let resources = Resources::of(stack, ResourceOperation::Create, self.durations);
        let ends = resources.ids.iter().zip(resources.ends());
        ends.filter(|(id, _)| of.contains(*id)).map(|(id, end)| ((*id).to_owned(), end)).collect()
    }

    /// Updating a stack that another stack of the plan, with the same name, has deployed before.
    pub(crate) fn second(self, stack: &Stack, before: &Stack) -> Expected {
        let (stack, before) = (stack.opened(), before.opened());
        let resources = Resources::of(&stack, ResourceOperation::Update, self.durations);
        let time = resources.since(&before, &stack, self.durations).time();
        Expected { time, basis: Basis::Table, operation: StepOperation::Update }
    }

    /// Deleting a stack.
    pub(crate) fn deletion(self, stack: &Stack) -> Expected {
        let site = Site::from(&stack.environment);
        let median = self.history.median_of(HistoryKind::Stack, &stack.id, site, StepOperation::Delete);
        let (time, basis) = measured(median)
            .unwrap_or_else(|| (typical_of(stack, self.durations, ResourceOperation::Delete), Basis::Table));
        Expected { time, basis, operation: StepOperation::Delete }
    }

    /// Updating a stack, whatever it has now.
    pub(crate) fn update(self, stack: &Stack) -> Expected {
        let site = Site::from(&stack.environment);
        let median = self.history.median_of(HistoryKind::Stack, &stack.id, site, StepOperation::Update);
        let (time, basis) = measured(median)
            .unwrap_or_else(|| (typical_of(stack, self.durations, ResourceOperation::Update), Basis::Table));
        Expected { time, basis, operation: StepOperation::Update }
    }

    /// Publishing an asset to a region.
    pub(crate) fn asset(self, publish: &Publish, site: Site<'_>) -> Expected {
        let (kind, time) =
            if publish.image { (HistoryKind::Image, IMAGE_TIME) } else { (HistoryKind::File, FILE_TIME) };
        let next = self.history.asset(kind, &publish.title, site, &short(&publish.asset));
        let time = if next.operation == StepOperation::Unchanged { LOOK_TIME } else { time };
        let (time, basis) = measured(next.median).unwrap_or((time, Basis::Default));
        Expected { time, basis, operation: next.operation }
    }

    /// Creating a repository. It takes a moment, whatever earlier runs say.
    pub(crate) fn prewarm() -> Expected {
        Expected { time: LOOK_TIME, basis: Basis::Default, operation: StepOperation::Done }
    }

    /// Waiting at a gate of a stack.
    pub(crate) fn gate(self, stack: &Stack, gate: &Gate) -> Expected {
        if let Gate::Bake(bake) = gate {
            let operation = StepOperation::Done;
            return Expected { time: bake.time, basis: Basis::Configured, operation };
        }
        let next = self.history.other(HistoryKind::Gate, &stack.id, Site::from(&stack.environment));
        let (time, basis) =
            measured(next.median).unwrap_or_else(|| (self.gate_wait(stack, gate), Basis::Table));
        Expected { time, basis, operation: next.operation }
    }

    /// Running a command of the team's.
    pub(crate) fn command(self, name: &str, site: Site<'_>) -> Expected {
        let next = self.history.other(HistoryKind::Command, name, site);
        let (time, basis) = measured(next.median).unwrap_or((COMMAND_TIME, Basis::Default));
        Expected { time, basis, operation: next.operation }
    }

    /// Synthesizing an app again.
    pub(crate) fn synthesis(self, app: Option<&str>, site: Site<'_>) -> Expected {
        let next = self.history.other(HistoryKind::Synth, app.unwrap_or(THE_APP), site);
        let (time, basis) = measured(next.median).unwrap_or((SYNTH_TIME, Basis::Default));
        Expected { time, basis, operation: next.operation }
    }

    /// By how old the resources are that it waits for when their stack is complete. Those of nested stacks are among
    /// the others' age.
    fn gate_wait(self, stack: &Stack, gate: &Gate) -> Duration {
        let resources = Resources::of(stack, ResourceOperation::Create, self.durations);
        let total = resources.time();
        let mut ages = Vec::new();
        let mut policies = 0;
        for (number, end) in resources.ends().into_iter().enumerate() {
            let (id, kind) = (resources.ids[number], resources.types[number]);
            if gate.waits_for(id, kind) {
                ages.push(total.saturating_sub(end));
                // Managed policies are read by one call and inline ones by another.
                policies += u32::from(kind == "AWS::IAM::Role");
            }
        }
        role_wait(&ages, policies)
    }
}

fn measured(median: Option<(Duration, usize)>) -> Option<(Duration, Basis)> {
    median.map(|(time, samples)| (time, Basis::History(samples)))
}
