//! Counts the resources that are involved in stack operations, in each account and region.
//!
//! CloudFormation limits their number (CloudFormation User Guide, "Understand CloudFormation quotas": "Resources in
//! concurrent stack operations"). All resources of a stack that is expected to change count from the start of its step to
//! the end, except while the step waits for another one. The guide counts the resources that are involved in an operation,
//! and not only those that change at one moment. For an update, the count is an upper bound: a template does not show which
//! of its resources change. A stack that is expected to be unchanged counts from its operation on.
//!
//! The most critical ready stack of an account and region is not overtaken by smaller ones, so that it never starves.
//! A stack that is larger than the limit starts when no other operation runs there.

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::num::NonZeroUsize;

use paceline_plan::{Plan, StepOperation};

/// The limit where nothing else is known. AWS documents no default. This is the value in the example of
/// `describe-account-limits` in the AWS CLI Command Reference.
pub const ASSUMED_RESOURCES: usize = 2_500;

/// The account's limit for an account and region, if it is known.
pub(crate) type ResourceLimits<'a> = &'a dyn Fn(Option<&str>, Option<&str>) -> Option<NonZeroUsize>;

/// The resources of the running steps.
#[derive(Debug)]
pub(super) struct InFlight {
    places: Vec<Place>,
    /// By step. `None` for steps that are no stack operations.
    stacks: Vec<Option<Involved>>,
}

/// An account and a region.
#[derive(Debug)]
struct Place {
    limit: usize,
    sum: usize,
}

/// The resources of a step.
#[derive(Debug)]
struct Involved {
    place: usize,
    /// The number of resources of the stack, nested stacks included.
    resources: usize,
    /// The number that counts at the start of the step.
    at_start: usize,
    /// The number that counts now.
    counted: usize,
    /// True while the step waits for another step.
    is_away: bool,
}

/// One look at the waiting steps, in their order.
#[derive(Debug, Default)]
pub(super) struct Admission {
    /// The places where a more critical stack waits for room.
    blocked: BTreeSet<usize>,
}

impl InFlight {
    pub(super) fn new(plan: &Plan, limits: ResourceLimits<'_>) -> Self {
        let mut places = Vec::new();
        let mut known = HashMap::new();
        let stacks = plan.steps.iter().map(|step| {
            // Making a change set changes no resource.
            let stack = &plan.stacks[step.work.changes().filter(|_| !plan.prepares)?];
            let key = (stack.account.as_deref(), stack.region.as_deref());
            let place = *known.entry(key).or_insert_with(|| {
                let limit = plan.concurrency.resources.or_else(|| limits(key.0, key.1));
                places.push(Place { limit: limit.map_or(ASSUMED_RESOURCES, NonZeroUsize::get), sum: 0 });
                places.len() - 1
            });
            let is_unchanged = stack.operation == StepOperation::Unchanged;
            let at_start = if is_unchanged { 0 } else { stack.resources };
            Some(Involved { place, resources: stack.resources, at_start, counted: 0, is_away: false })
        });
        let stacks = stacks.collect();
        Self { places, stacks }
    }

    /// Returns whether there is room for a waiting step.
    pub(super) fn admits(&self, index: usize, admission: &mut Admission) -> bool {
        let Some(involved) = self.stacks[index].as_ref().filter(|it| it.at_start > 0) else { return true };
        let place = &self.places[involved.place];
        let fits = place.sum == 0 || place.sum + involved.at_start <= place.limit;
        let is_admitted = fits && !admission.blocked.contains(&involved.place);
        if !is_admitted {
            admission.blocked.insert(involved.place);
        }
        is_admitted
    }

    pub(super) fn starts(&mut self, index: usize) {
        if let Some(involved) = &mut self.stacks[index] {
            involved.counted = involved.at_start;
            self.places[involved.place].sum += involved.counted;
        }
    }

    pub(super) fn changes_stack(&mut self, index: usize) {
        if let Some(involved) = self.stacks[index].as_mut().filter(|it| it.counted == 0) {
            involved.counted = involved.resources;
            if !involved.is_away {
                self.places[involved.place].sum += involved.counted;
            }
        }
    }

    pub(super) fn leaves(&mut self, index: usize) {
        if let Some(involved) = &mut self.stacks[index] {
            involved.is_away = true;
            self.places[involved.place].sum -= involved.counted;
        }
    }

    pub(super) fn returns(&mut self, index: usize) {
        if let Some(involved) = &mut self.stacks[index] {
            involved.is_away = false;
            self.places[involved.place].sum += involved.counted;
        }
    }

    pub(super) fn ended(&mut self, index: usize) {
        if let Some(involved) = &mut self.stacks[index] {
            self.places[involved.place].sum -= involved.counted;
            involved.counted = 0;
        }
    }

    /// Returns whether the resources of these steps are within the limits together.
    pub(super) fn has_room_for(&self, steps: impl Iterator<Item = usize>) -> bool {
        let mut sums = vec![0; self.places.len()];
        for involved in steps.filter_map(|index| self.stacks[index].as_ref()) {
            sums[involved.place] += involved.resources;
        }
        sums.iter().zip(&self.places).all(|(sum, place)| *sum <= place.limit)
    }
}
