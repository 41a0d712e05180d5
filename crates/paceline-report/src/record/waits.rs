//! The resource that a running step waits for: how long it has taken so far, and how long it usually takes.

use std::time::Duration;

use jiff::Timestamp;
use paceline_engine::ResourceStatus;
use paceline_engine::event::StackProgress;
use paceline_plan::durations::{Durations, ResourceOperation, Source};
use paceline_text::{duration, one_line};

use super::{Record, StepRecord, apply};

/// A resource on which AWS works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InProgress {
    pub(super) since: Timestamp,
    resource_type: String,
    /// CloudFormation's status, which tells the kind of operation.
    pub(super) status: ResourceStatus,
}

impl InProgress {
    pub(super) fn of(progress: &StackProgress) -> Self {
        Self {
            since: progress.happened_at,
            resource_type: one_line(&progress.resource_type),
            status: progress.status.clone(),
        }
    }

    /// The usual duration. `None` for types without a known one.
    fn usually(&self) -> Option<Duration> {
        let operation = match self.status {
            ResourceStatus::CreateInProgress | ResourceStatus::ImportInProgress => ResourceOperation::Create,
            ResourceStatus::DeleteInProgress => ResourceOperation::Delete,
            _ => ResourceOperation::Update,
        };
        let typical = Durations::typical().lookup(&self.resource_type, operation);
        (typical.source != Source::Default).then(|| Duration::from_secs(typical.seconds.into()))
    }
}

/// What a step waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Waits {
    /// Such as `Cluster (AWS::EKS::Cluster)`; empty when the step is not known to wait for a resource.
    pub(crate) what: String,
    /// How long the step has waited for it.
    pub(crate) so_far: Duration,
    /// How long it usually takes, if that is known.
    pub(crate) usually: Option<Duration>,
    /// How many other resources AWS works on.
    pub(crate) others: usize,
}

impl Waits {
    /// How much longer it will probably take. Zero if that is unknown.
    pub(crate) fn left(&self) -> Duration {
        self.usually.unwrap_or_default().saturating_sub(self.so_far)
    }

    /// Such as `waits for Cluster (AWS::EKS::Cluster): 3 min so far, usually 9 min`.
    pub(crate) fn shown(&self) -> String {
        let usually =
            self.usually.map(|usually| format!(", usually {}", duration(usually))).unwrap_or_default();
        let others = match self.others {
            0 => String::new(),
            1 => " and 1 other resource".to_owned(),
            n => format!(" and {n} other resources"),
        };
        let what = match self.what.as_str() {
            "" => "runs".to_owned(),
            what => format!("waits for {what}{others}"),
        };
        format!("{what}: {} so far{usually}", duration(self.so_far))
    }
}

impl Record {
    /// The resource that a step waits for: of those in progress, the one that will probably take longest from now on.
    pub(crate) fn waited_for(&self, step: &StepRecord) -> Option<Waits> {
        step.waited_for(self.at?)
    }

    /// The resource that a step waits for. If none is known, how long the step has been running.
    pub(crate) fn waits(&self, step: &StepRecord) -> Option<Waits> {
        if let Some(waits) = self.waited_for(step) {
            return Some(waits);
        }
        let so_far = self.elapsed.saturating_sub(step.started()?);
        let usually = Some(step.expected).filter(|expected| expected.as_secs() > 0);
        Some(Waits { what: String::new(), so_far, usually, others: 0 })
    }
}

impl StepRecord {
    /// The resource that the step waits for at this time, which may be later than the last event.
    pub(crate) fn waited_for(&self, now: Timestamp) -> Option<Waits> {
        let others = self.in_progress.len().checked_sub(1)?;
        let waits = self.in_progress.iter().map(|(id, it)| Waits {
            what: format!("{} ({})", one_line(id), it.resource_type),
            so_far: apply::since(it.since, now),
            usually: it.usually(),
            others,
        });
        waits.max_by(|a, b| (a.left(), a.so_far, &b.what).cmp(&(b.left(), b.so_far, &a.what)))
    }
}
