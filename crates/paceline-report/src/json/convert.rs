//! Fills the JSON report from a record.

use std::time::Duration;

use paceline_engine::event::{Outcome, ServiceReason, ServiceReport, StuckResource};
use paceline_text::to_the_millisecond;

use super::SCHEMA;
use super::document::{
    BuildDocument, BuildPhaseDocument, CauseDocument, KeptDocument, LeftDocument, LinkDocument, PartDocument,
    PhaseDocument, ReasonDocument, ReportDocument, ResourceDocument, RetryDocument, ServiceDocument,
    ShorteningDocument, SpanDocument, StepDocument, StuckDocument,
};
use crate::critical_path::{critical_path, what_to_shorten};
use crate::ending::headline;
use crate::figures::seconds;
use crate::record::{Record, StepRecord};

impl ReportDocument {
    pub(super) fn of(record: &Record) -> Self {
        Self {
            schema: SCHEMA,
            run: record.run.clone(),
            paceline: record.paceline.clone(),
            app: record.app.clone(),
            strategy: record.strategy.clone(),
            simulated: record.simulated,
            endpoint: record.endpoint.clone(),
            status: record.status().as_str().to_owned(),
            headline: headline(record),
            exit_code: record.exit_code.map(|code| code.code().into()),
            stopping: record.stopping.clone(),
            elapsed_s: s(record.elapsed),
            parts: parts(record),
            build: record.build.as_ref().map(|build| BuildDocument {
                id: build.build.clone(),
                phases: build
                    .phases
                    .iter()
                    .map(|phase| BuildPhaseDocument {
                        name: phase.name.clone(),
                        status: phase.status.clone(),
                        duration_s: s(seconds(phase.duration_s)),
                    })
                    .collect(),
            }),
            outcomes: record
                .outcomes()
                .into_iter()
                .map(|(outcome, count)| (outcome.as_str().to_owned(), count))
                .collect(),
            phases: record.phases().iter().map(phase).collect(),
            steps: record.steps.iter().map(step).collect(),
            critical_path: critical_path(record)
                .iter()
                .map(|link| LinkDocument {
                    step: id(link.step),
                    started_s: s(link.started),
                    finished_s: s(link.finished),
                    idle_s: s(link.idle),
                })
                .collect(),
            to_shorten: what_to_shorten(record)
                .iter()
                .map(|it| ShorteningDocument {
                    step: id(it.step),
                    took_s: s(it.took),
                    gain_s: s(it.gain),
                    twin: it.twin.map(id),
                })
                .collect(),
            left_in_aws: record
                .left_in_aws()
                .map(|(step, it)| LeftDocument {
                    step: id(step),
                    status: it.status.as_ref().map(|status| status.as_str().to_owned()),
                    accepted: it.accepted,
                })
                .collect(),
        }
    }
}

fn parts(record: &Record) -> Vec<PartDocument> {
    let parts = record.parts.iter().map(|part| PartDocument {
        started_at: format!("{:.3}", part.started_at),
        started_s: s(part.started),
        pause_s: s(part.pause),
    });
    parts.collect()
}

fn phase(phase: &crate::record::Phase<'_>) -> PhaseDocument {
    let stacks = phase.stacks.iter().map(|step| step.stack_id().to_owned()).collect();
    PhaseDocument { name: phase.name.to_owned(), stacks }
}

fn step(it: &StepRecord) -> StepDocument {
    StepDocument {
        id: id(it),
        kind: it.step.kind.as_str().to_owned(),
        title: it.step.title.clone(),
        stack: it.step.stack.clone(),
        stack_name: it.step.stack_name.clone(),
        stack_arn: it.stack_arn.clone(),
        asset: it.step.asset.as_ref().map(|asset| asset.as_str().to_owned()),
        account: it.step.account.clone(),
        region: it.step.region.clone(),
        phase: it.step.phase.clone(),
        needs: it.needs.clone(),
        outcome: it.outcome.map(word),
        running: it.running,
        expected_s: (!it.expected.is_zero()).then(|| s(it.expected)),
        duration_s: s(it.duration()),
        queued_s: s(it.queued()),
        spans: it
            .spans
            .iter()
            .map(|span| SpanDocument {
                ready_s: span.ready.map(s),
                started_s: s(span.started),
                finished_s: span.finished.map(s),
                outcome: span.outcome.map(word),
            })
            .collect(),
        cause: it.cause.as_ref().map(|cause| CauseDocument {
            at: cause.at.clone(),
            source: cause.source.clone(),
            message: cause.message.clone(),
            hint: cause.hint.clone(),
            service: cause.service.as_deref().map(service),
        }),
        because: it.because.clone(),
        detail: it.detail.clone(),
        resumed: it.resumed,
        retries: it
            .retries
            .iter()
            .map(|retry| RetryDocument {
                at_s: s(retry.at),
                reason: retry.reason.clone(),
                attempt: retry.attempt,
                wait_s: s(retry.wait),
                kept: retry.kept.map(|kept| KeptDocument {
                    resources: kept.resources,
                    of: kept.of,
                    saved_s: s(kept.saved),
                }),
            })
            .collect(),
        warnings: it.warnings.clone(),
        stuck: it.stuck.iter().map(stuck).collect(),
        resources: it
            .resources
            .iter()
            .map(|resource| ResourceDocument {
                logical_id: resource.logical_id.clone(),
                resource_type: resource.resource_type.clone(),
                status: resource.status.as_str().to_owned(),
                started_s: s(resource.started),
                finished_s: resource.finished.map(s),
            })
            .collect(),
    }
}

fn id(step: &StepRecord) -> String {
    step.step.step.clone()
}

fn word(outcome: Outcome) -> String {
    outcome.as_str().to_owned()
}

/// Seconds to the millisecond, as the events have them.
fn s(duration: Duration) -> f64 {
    to_the_millisecond(duration.as_secs_f64())
}

fn stuck(it: &StuckResource) -> StuckDocument {
    StuckDocument {
        within: it.within.clone(),
        logical_id: it.logical_id.clone(),
        resource_type: it.resource_type.clone(),
        physical_id: it.physical_id.clone(),
        status: it.status.as_str().to_owned(),
        taken_s: it.taken_s,
        usual_s: it.usual_s,
        usual_from: it.usual_from.as_str().to_owned(),
        samples: it.samples,
        service: it.service.as_ref().map(service),
    }
}

fn service(report: &ServiceReport) -> ServiceDocument {
    let reason = |it: &ServiceReason| ReasonDocument { reason: it.reason.clone(), count: it.count };
    ServiceDocument {
        name: report.name.clone(),
        state: report.state.clone(),
        reasons: report.reasons.iter().map(reason).collect(),
        not_asked: report.not_asked.clone(),
    }
}
