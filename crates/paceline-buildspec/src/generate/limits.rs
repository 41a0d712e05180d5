//! The limits of a build as one set: what is given is kept, what is not follows from it, and what contradicts is
//! refused.

use std::time::Duration;

use super::scripts::margin_minutes;
use super::{Generation, batch};
use crate::project::{CodeBuildSettings, Project, ProjectError, Timeouts};

/// The most that CodeBuild allows, in minutes.
const LONGEST_QUEUE: u32 = 480;
const SHORTEST_QUEUE: u32 = 5;
const LONGEST: u32 = 2160;

impl Generation {
    /// How long the runner may take at most: what is set, or what the build leaves it.
    pub fn runner_limit(&self) -> Duration {
        self.codebuild.runner_limit()
    }
}

impl CodeBuildSettings {
    fn runner_limit(&self) -> Duration {
        let minutes = self.timeout_minutes;
        let automatic = minutes.saturating_sub(margin_minutes(minutes));
        in_minutes(self.runner_minutes.unwrap_or(automatic))
    }

    /// Refuses the limit of a stack that cannot take effect, for whoever generates nothing.
    pub fn check_stack_limit(&self) -> Result<(), ProjectError> {
        let stack = self.stack_minutes.map(in_minutes);
        refuse(Timeouts { stack, runner: Some(self.runner_limit()), ..Timeouts::default() })
    }
}

fn refuse(timeouts: Timeouts) -> Result<(), ProjectError> {
    timeouts.disorder().map_or(Ok(()), |disorder| Err(ProjectError::Timeouts(disorder)))
}

fn in_minutes(minutes: u32) -> Duration {
    Duration::from_secs(u64::from(minutes) * 60)
}

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
    refuse(Timeouts {
        stack: generation.codebuild.stack_minutes.map(in_minutes),
        runner: Some(generation.runner_limit()),
        build: Some(in_minutes(project.timeout_in_minutes)),
        batch: project.build_batch_config.as_ref().map(|batch| in_minutes(batch.timeout_in_mins)),
        queue: Some(in_minutes(project.queued_timeout_in_minutes)),
        outside: generation.codebuild.outside_minutes.map(in_minutes),
        ..Timeouts::default()
    })
}
