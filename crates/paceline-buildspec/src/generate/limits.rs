//! The limits of a build as one set: what is given is kept, what is not follows from it, and what contradicts is
//! refused.

use std::time::Duration;

use super::steps::margin_minutes;
use super::{Generation, batch};
use crate::project::{Project, ProjectError, Timeouts};

/// The most that CodeBuild allows, in minutes.
const LONGEST_QUEUE: u32 = 480;
const SHORTEST_QUEUE: u32 = 5;
const LONGEST: u32 = 2160;

/// How long a build may wait for its turn: as long as CodeBuild allows, or as what waits outside leaves.
pub(super) fn queue_minutes(generation: &Generation) -> u32 {
    let settings = &generation.codebuild;
    let largest = batch_minutes(generation).unwrap_or(settings.timeout_minutes);
    // What waits outside has to be there for a minute longer.
    let left = settings.outside_minutes.map(|outside| outside.saturating_sub(largest.saturating_add(1)));
    let automatic = left.map_or(LONGEST_QUEUE, |left| left.clamp(SHORTEST_QUEUE, LONGEST_QUEUE));
    settings.queued_timeout_minutes.unwrap_or(automatic)
}

/// How long a batch may take: as long as the builds that come one after the other, and a build to read the graph.
pub(super) fn batch_minutes(generation: &Generation) -> Option<u32> {
    let by = generation.codebuild.batch?;
    let builds = batch::depth(&batch::parts(&generation.graph, by)).saturating_add(1);
    Some(generation.codebuild.timeout_minutes.saturating_mul(builds).min(LONGEST))
}

pub(super) fn check(generation: &Generation, project: &Project) -> Result<(), ProjectError> {
    let minutes = |minutes: u32| Duration::from_secs(u64::from(minutes) * 60);
    let settings = &generation.codebuild;
    let automatic = settings.timeout_minutes.saturating_sub(margin_minutes(settings.timeout_minutes));
    let timeouts = Timeouts {
        runner: Some(minutes(settings.runner_minutes.unwrap_or(automatic))),
        build: Some(minutes(project.timeout_in_minutes)),
        batch: project.build_batch_config.as_ref().map(|batch| minutes(batch.timeout_in_mins)),
        queue: Some(minutes(project.queued_timeout_in_minutes)),
        outside: settings.outside_minutes.map(minutes),
        ..Timeouts::default()
    };
    timeouts.disorder().map_or(Ok(()), |disorder| Err(ProjectError::Timeouts(disorder)))
}
