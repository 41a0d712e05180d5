//! The limits of a deployment, from the innermost to the outermost.
//!
//! A limit that is not below the next outer one never takes effect: the outer one ends the work first, and
//! less orderly. This check needs no I/O, and serves generated files and linted files alike.

use std::fmt;
use std::time::Duration;

/// The known limits. Unknown limits are not checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Timeouts {
    /// The limit of one stack.
    pub stack: Option<Duration>,
    /// The limit of a phase of the plan.
    pub phase: Option<Duration>,
    /// The limit of the runner, which stops in good order and writes its reports.
    pub runner: Option<Duration>,
    /// The limit of the build, which CodeBuild ends without warning.
    pub build: Option<Duration>,
    /// The limit of a batch of builds.
    pub batch: Option<Duration>,
    /// The time that a build may wait in the queue, which counts for the outside limit.
    pub queue: Option<Duration>,
    /// The limit of anything that waits for the build, such as a pipeline or a wait condition.
    pub outside: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Stack,
    Phase,
    Runner,
    Build,
    Batch,
    /// The build or the batch, including its time in the queue.
    Queue,
    Outside,
}

/// A limit that is not below the next outer one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disorder {
    pub inner: (Level, Duration),
    pub outer: (Level, Duration),
}

impl Timeouts {
    /// The innermost limit that cannot take effect, and the limit that ends it first.
    pub fn disorder(&self) -> Option<Disorder> {
        let levels = [
            (Level::Stack, self.stack),
            (Level::Phase, self.phase),
            (Level::Runner, self.runner),
            (Level::Build, self.build),
            (Level::Batch, self.batch),
            (Level::Outside, self.outside),
        ];
        let known: Vec<_> = levels.into_iter().filter_map(|(level, limit)| Some((level, limit?))).collect();
        let waiting = self.queue.zip(self.batch.or(self.build)).zip(self.outside);
        let waiting = waiting.map(|((queue, build), outside)| {
            [(Level::Queue, queue.saturating_add(build)), (Level::Outside, outside)]
        });
        let mut pairs = known.windows(2).map(|pair| [pair[0], pair[1]]).chain(waiting);
        pairs.find(|[inner, outer]| inner.1 >= outer.1).map(|[inner, outer]| Disorder { inner, outer })
    }
}

impl Level {
    fn what(self) -> &'static str {
        match self {
            Self::Stack => "a stack",
            Self::Phase => "a phase",
            Self::Runner => "the runner",
            Self::Build => "the build",
            Self::Batch => "the batch",
            Self::Queue => "the build with its wait for its turn",
            Self::Outside => "what waits for the build",
        }
    }

    /// The setting of `paceline.yaml` for this limit.
    pub fn setting(self) -> &'static str {
        match self {
            Self::Stack => "codebuild.timeouts.stack",
            Self::Phase | Self::Runner => "codebuild.timeouts.runner",
            Self::Build | Self::Batch => "codebuild.timeout",
            Self::Queue => "codebuild.queued-timeout",
            Self::Outside => "codebuild.timeouts.outside",
        }
    }
}

impl fmt::Display for Disorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minutes = |limit: Duration| limit.as_secs().div_ceil(60);
        let ((inner, short), (outer, long)) = (self.inner, self.outer);
        write!(f, "{} may take {}m, ", inner.what(), minutes(short))?;
        write!(f, "and {} ends after {}m", outer.what(), minutes(long))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(limits: [u64; 6]) -> Timeouts {
        let [stack, phase, runner, build, queue, outside] =
            limits.map(|minutes| (minutes > 0).then(|| Duration::from_mins(minutes)));
        Timeouts { stack, phase, runner, build, batch: None, queue, outside }
    }

    #[track_caller]
    fn check(limits: [u64; 6], expected: Option<&str>) {
        let disorder = minutes(limits).disorder().map(|disorder| disorder.to_string());
        assert_eq!(disorder.as_deref(), expected);
    }

    #[test]
    fn each_limit_must_be_below_the_next_outer_one() {
        check([60, 90, 230, 240, 60, 600], None);
        check([0, 0, 0, 240, 0, 0], None);
        check([0; 6], None);
        // Limits between two known limits may be unknown.
        check([300, 0, 0, 240, 0, 0], Some("a stack may take 300m, and the build ends after 240m"));
        check([60, 60, 0, 0, 0, 0], Some("a stack may take 60m, and a phase ends after 60m"));
        check([0, 0, 240, 240, 0, 0], Some("the runner may take 240m, and the build ends after 240m"));
        check(
            [0, 0, 0, 85, 0, 60],
            Some("the build may take 85m, and what waits for the build ends after 60m"),
        );
        check(
            [0, 0, 0, 240, 480, 600],
            Some(
                "the build with its wait for its turn may take 720m, and what waits for the build ends after 600m",
            ),
        );
    }

    #[test]
    fn a_batch_encloses_its_builds() {
        let limit = |minutes| Some(Duration::from_mins(minutes));
        let timeouts = Timeouts { batch: limit(240), ..minutes([0, 0, 0, 240, 0, 0]) };
        assert_eq!(timeouts.disorder().unwrap().outer, (Level::Batch, Duration::from_hours(4)));
        let timeouts = Timeouts { batch: limit(480), ..minutes([0, 0, 0, 240, 60, 500]) };
        assert_eq!(timeouts.disorder().unwrap().inner, (Level::Queue, Duration::from_hours(9)));
    }
}
