//! How long single resources take in earlier runs, and when one takes too long.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Entry, History, HistoryKind, LONGEST_SECONDS, SAMPLES, Site};
use crate::outlook::durations::{Durations, ResourceOperation};

/// A resource is stuck when it takes this many times its usual time.
const TIMES: u32 = 3;
/// A resource that has taken less than this is not stuck. The usual times of fast resources say little.
const AT_LEAST: Duration = Duration::from_mins(5);
/// The fewest earlier times that tell what is usual.
const FEWEST: usize = 3;
/// How many of the latest times of a type count, over all stacks.
const SAMPLES_OF_TYPE: usize = 5 * SAMPLES;
/// The most resources that a line has. Those that took longest are kept.
const MOST_RESOURCES: usize = 20;

/// How long an operation on a resource took. In JSON, the list of its fields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Fields", into = "Fields")]
pub struct ResourceTime {
    /// The logical id.
    pub logical_id: String,
    /// The type, such as `AWS::ECS::Service`.
    pub resource_type: String,
    /// What was done with it.
    pub operation: ResourceOperation,
    /// How long that took.
    pub seconds: f64,
}

type Fields = (String, String, ResourceOperation, f64);

impl From<Fields> for ResourceTime {
    fn from((logical_id, resource_type, operation, seconds): Fields) -> Self {
        Self { logical_id, resource_type, operation, seconds }
    }
}

impl From<ResourceTime> for Fields {
    fn from(time: ResourceTime) -> Self {
        (time.logical_id, time.resource_type, time.operation, time.seconds)
    }
}

impl ResourceTime {
    /// Whether the time is between zero and a week.
    pub(super) fn is_sane(&self) -> bool {
        (0.0..LONGEST_SECONDS).contains(&self.seconds)
    }

    /// Whether the time can change when the resource counts as stuck. Resources that are always fast are stuck after
    /// [`AT_LEAST`], whatever their usual time.
    fn matters(&self) -> bool {
        let typical = Durations::typical().of(&self.resource_type, self.operation);
        let taken = Duration::try_from_secs_f64(self.seconds).unwrap_or_default();
        taken.max(typical) * TIMES > AT_LEAST
    }
}

/// The times of the resources of a stack that the history keeps: those that matter, at most twenty, in the order of their
/// logical ids.
pub fn resources_to_keep(times: impl IntoIterator<Item = ResourceTime>) -> Vec<ResourceTime> {
    let mut kept: Vec<ResourceTime> =
        times.into_iter().filter(|time| time.is_sane() && time.matters()).collect();
    kept.sort_by(|a, b| b.seconds.total_cmp(&a.seconds).then_with(|| a.logical_id.cmp(&b.logical_id)));
    kept.truncate(MOST_RESOURCES);
    kept.sort_by(|a, b| a.logical_id.cmp(&b.logical_id));
    kept
}

/// How long an operation on a resource usually takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usual {
    /// The 90th percentile of the earlier times, or the figure of the table.
    pub time: Duration,
    /// Where it comes from.
    pub basis: UsualBasis,
}

/// Where a usual time comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsualBasis {
    /// This many earlier times of the resource itself.
    Resource(usize),
    /// This many earlier times of resources of its type.
    Type(usize),
    /// The table of types, because there are too few earlier times.
    Table,
}

/// A resource of a stack.
#[derive(Debug, Clone, Copy)]
pub struct ResourceOf<'a> {
    /// The id of the stack.
    pub stack: &'a str,
    /// Where the stack is.
    pub site: Site<'a>,
    /// The logical id.
    pub logical_id: &'a str,
    /// The type.
    pub resource_type: &'a str,
}

impl History {
    /// How long an operation on a resource usually takes: by the earlier runs of the same stack, else by those of
    /// resources of the type, else by the table.
    pub fn usual(&self, resource: ResourceOf<'_>, operation: ResourceOperation) -> Usual {
        let ResourceOf { stack, site, logical_id, resource_type } = resource;
        let is_like =
            |time: &&ResourceTime| time.resource_type == resource_type && time.operation == operation;
        let own =
            self.of(HistoryKind::Stack, stack, site).into_iter().rev().flat_map(|entry| &entry.resources);
        let own = own.filter(is_like).filter(|time| time.logical_id == logical_id).take(SAMPLES);
        if let Some((time, samples)) = percentile(own) {
            return Usual { time, basis: UsualBasis::Resource(samples) };
        }
        let here = self.entries.values().filter(|entry| entry.endpoint == self.endpoint);
        let mut of_type: Vec<(&Entry, &ResourceTime)> = here
            .flat_map(|entry| entry.resources.iter().filter(is_like).map(move |time| (entry, time)))
            .collect();
        // Those of one step keep their order.
        of_type.sort_by(|(a, _), (b, _)| (&b.at, &b.run, &b.step).cmp(&(&a.at, &a.run, &a.step)));
        let of_type = of_type.into_iter().map(|(_, time)| time);
        if let Some((time, samples)) = percentile(of_type.take(SAMPLES_OF_TYPE)) {
            return Usual { time, basis: UsualBasis::Type(samples) };
        }
        Usual { time: Durations::typical().of(resource_type, operation), basis: UsualBasis::Table }
    }

    /// The usual time, if the operation has taken so much longer that the resource is stuck.
    pub fn exceeded(
        &self,
        resource: ResourceOf<'_>,
        operation: ResourceOperation,
        taken: Duration,
    ) -> Option<Usual> {
        // This is asked often, and the answer is nearly always no.
        if taken < AT_LEAST {
            return None;
        }
        Some(self.usual(resource, operation)).filter(|usual| taken >= usual.time * TIMES)
    }
}

/// The 90th percentile (nearest rank), and of how many times. `None` if there are too few.
fn percentile<'a>(times: impl Iterator<Item = &'a ResourceTime>) -> Option<(Duration, usize)> {
    let mut seconds: Vec<f64> = times.map(|time| time.seconds).collect();
    if seconds.len() < FEWEST {
        return None;
    }
    seconds.sort_by(f64::total_cmp);
    let rank = (seconds.len() * 9).div_ceil(10);
    let time = Duration::try_from_secs_f64(*seconds.get(rank.checked_sub(1)?)?).ok()?;
    Some((time, seconds.len()))
}
