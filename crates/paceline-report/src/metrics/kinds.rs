//! Every metric that there is. `docs/metrics.md` lists the same ones.

/// A metric: its name, its unit, and the names of its dimensions.
#[derive(Debug, PartialEq, Eq)]
pub struct MetricKind {
    /// The name in CloudWatch.
    pub name: &'static str,
    /// The unit of its values.
    pub unit: Unit,
    /// The names of its dimensions. CloudWatch keeps a separate metric for each combination of their values.
    pub dimensions: &'static [&'static str],
}

/// A unit of CloudWatch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Seconds, to the millisecond.
    Seconds,
    /// A number of things.
    Count,
}

impl Unit {
    /// The word that CloudWatch has for it (API reference, `MetricDatum`).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Seconds => "Seconds",
            Self::Count => "Count",
        }
    }
}

impl MetricKind {
    /// Every metric.
    pub const ALL: [&'static Self; 15] = [
        &Self::RUN_DURATION,
        &Self::CRITICAL_PATH,
        &Self::TIME_SAVED,
        &Self::RUNS,
        &Self::STACKS,
        &Self::STACK_DURATION_BY_REGION,
        &Self::STACK_DURATION,
        &Self::IAM_ROLE_WAIT,
        &Self::IAM_CONSISTENCY_FAILURES,
        &Self::RESOURCE_TIMEOUTS,
        &Self::PARALLEL_COMPLETIONS,
        &Self::RETRIES,
        &Self::THROTTLES,
        &Self::BUILD_PHASE_DURATION,
        &Self::STACK_EVENTS,
    ];

    pub(super) const RUN_DURATION: Self = Self::of_deployment("RunDuration", Unit::Seconds);
    pub(super) const CRITICAL_PATH: Self = Self::of_deployment("CriticalPath", Unit::Seconds);
    pub(super) const TIME_SAVED: Self = Self::of_deployment("TimeSaved", Unit::Seconds);
    pub(super) const IAM_ROLE_WAIT: Self = Self::of_deployment("IamRoleWait", Unit::Seconds);
    pub(super) const IAM_CONSISTENCY_FAILURES: Self =
        Self::of_deployment("IamConsistencyFailures", Unit::Count);
    pub(super) const RESOURCE_TIMEOUTS: Self = Self::of_deployment("ResourceTimeouts", Unit::Count);
    pub(super) const PARALLEL_COMPLETIONS: Self = Self::of_deployment("ParallelCompletions", Unit::Count);
    pub(super) const RUNS: Self = Self::by("Runs", Unit::Count, &["Deployment", "Outcome"]);
    pub(super) const STACKS: Self = Self::by("Stacks", Unit::Count, &["Deployment", "Outcome"]);
    pub(super) const STACK_DURATION_BY_REGION: Self =
        Self::by("StackDuration", Unit::Seconds, &["Deployment", "Region"]);
    pub(super) const STACK_DURATION: Self =
        Self::by("StackDuration", Unit::Seconds, &["Deployment", "Stack"]);
    pub(super) const RETRIES: Self = Self::by("Retries", Unit::Count, &["Deployment", "Class"]);
    pub(super) const THROTTLES: Self = Self::by("Throttles", Unit::Count, &["Deployment", "Operation"]);
    pub(super) const BUILD_PHASE_DURATION: Self =
        Self::by("BuildPhaseDuration", Unit::Seconds, &["Deployment", "Phase"]);
    pub(super) const STACK_EVENTS: Self =
        Self::by("StackEvents", Unit::Count, &["Deployment", "ResourceType"]);

    const fn of_deployment(name: &'static str, unit: Unit) -> Self {
        Self::by(name, unit, &["Deployment"])
    }

    const fn by(name: &'static str, unit: Unit, dimensions: &'static [&'static str]) -> Self {
        Self { name, unit, dimensions }
    }
}
