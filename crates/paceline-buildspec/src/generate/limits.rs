//! The timeouts of a build. Missing timeouts follow from the given ones, and contradictions are errors.

use std::time::Duration;

use paceline_config::{BuildTimeout, CodeBuild, QueueTimeout};

use super::scripts::margin_minutes;
use super::{Generation, batch};
use crate::project::{Project, ProjectError, Timeouts};

impl Generation {
    /// The time limit of the runner: the setting, or the rest of the build.
    pub fn runner_limit(&self) -> Duration {
        runner_limit(&self.codebuild)
    }
}

/// Refuses a limit of a stack that cannot take effect. This is for commands that generate nothing.
pub fn check_stack_limit(codebuild: &CodeBuild) -> Result<(), ProjectError> {
    let stack = codebuild.timeouts.stack.map(in_whole_minutes);
    refuse(Timeouts { stack, runner: Some(runner_limit(codebuild)), ..Timeouts::default() })
}

fn runner_limit(codebuild: &CodeBuild) -> Duration {
    let build = codebuild.timeout.minutes();
    let automatic = || in_minutes(build.saturating_sub(margin_minutes(build)));
    codebuild.timeouts.runner.map_or_else(automatic, in_whole_minutes)
}

fn refuse(timeouts: Timeouts) -> Result<(), ProjectError> {
    timeouts.disorder().map_or(Ok(()), |disorder| Err(ProjectError::Timeouts(disorder)))
}

fn in_minutes(minutes: u32) -> Duration {
    Duration::from_secs(u64::from(minutes) * 60)
}

/// The limit in whole minutes, rounded up, because CodeBuild and CloudFormation only count minutes.
pub(super) fn whole_minutes(limit: Duration) -> u32 {
    u32::try_from(limit.as_secs().div_ceil(60)).unwrap_or(u32::MAX)
}

fn in_whole_minutes(limit: Duration) -> Duration {
    in_minutes(whole_minutes(limit))
}

/// The time that a build may wait in the queue: the limit of CodeBuild, or the time that a waiting caller has
/// left.
pub(super) fn queue_minutes(generation: &Generation) -> u32 {
    let settings = &generation.codebuild;
    let largest = batch_minutes(generation).unwrap_or(settings.timeout.minutes());
    // The caller has to wait a minute longer than the build takes.
    let left = settings
        .timeouts
        .outside
        .map(|outside| whole_minutes(outside).saturating_sub(largest.saturating_add(1)));
    let automatic = QueueTimeout::from_minutes(left.unwrap_or(u32::MAX));
    settings.queued_timeout.unwrap_or(automatic).minutes()
}

/// The timeout of a batch: enough for its longest chain of builds, and for the build that reads the graph.
pub(super) fn batch_minutes(generation: &Generation) -> Option<u32> {
    let by = generation.codebuild.batch?;
    let builds = batch::depth(&batch::parts(&generation.graph, by)).saturating_add(1);
    let all = generation.codebuild.timeout.minutes().saturating_mul(builds);
    Some(BuildTimeout::from_minutes(all).minutes())
}

pub(super) fn check(generation: &Generation, project: &Project) -> Result<(), ProjectError> {
    refuse(Timeouts {
        stack: generation.codebuild.timeouts.stack.map(in_whole_minutes),
        runner: Some(generation.runner_limit()),
        build: Some(in_minutes(project.timeout_in_minutes)),
        batch: project.build_batch_config.as_ref().map(|batch| in_minutes(batch.timeout_in_mins)),
        queue: Some(in_minutes(project.queued_timeout_in_minutes)),
        outside: generation.codebuild.timeouts.outside.map(in_whole_minutes),
        ..Timeouts::default()
    })
}
