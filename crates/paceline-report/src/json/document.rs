//! The shape of the JSON report.

use std::collections::BTreeMap;

use paceline_text::documented;

documented! {
    /// What is known of a run from its events. All durations and times are in seconds; times count from the start of the
    /// run and leave out the time during which the run was interrupted. A newer version may add fields.
    struct ReportDocument {
        /// The version of this format.
        schema: u32,
        /// The name of the run; empty if there were no events.
        run: String,
        /// The version of Paceline that started the run last.
        paceline: String,
        /// The folder of the assembly, as it was given.
        app: String,
        /// What decides when a stack may start: graph or phases.
        strategy: String,
        /// Whether the run was simulated, so that its durations are not real.
        simulated: bool,
        /// The endpoint, if it was not AWS itself.
        endpoint: Option<String>,
        /// empty, unfinished, done, failed, refused (nothing was changed) or interrupted (it can be continued).
        status: String,
        /// One sentence about the result, as every report begins with.
        headline: String,
        /// The exit code of the command, once the run has finished.
        exit_code: Option<u32>,
        /// Why the run was stopped, if it was.
        stopping: Option<String>,
        /// The duration of the run.
        elapsed_s: f64,
        /// The parts of the run: one, and one more for each time it was resumed.
        parts: Vec<PartDocument>,
        /// The CodeBuild build of the last part.
        build: Option<BuildDocument>,
        /// How many stacks ended in which outcome.
        outcomes: BTreeMap<String, usize>,
        /// The phases of the plan in their order, each with the ids of its stacks.
        phases: Vec<PhaseDocument>,
        /// Every step in the order of the plan.
        steps: Vec<StepDocument>,
        /// The chain of steps that decided when the run finished, from the first to the last.
        critical_path: Vec<LinkDocument>,
        /// The steps that must be shorter for the run to finish earlier, the longest first.
        to_shorten: Vec<ShorteningDocument>,
        /// The operations that may still run in AWS although the run has ended.
        left_in_aws: Vec<LeftDocument>,
    }

    /// A process's part of the run.
    struct PartDocument {
        /// When it started, by the calendar: RFC 3339 in UTC.
        started_at: String,
        /// When it started, on the run's clock.
        started_s: f64,
        /// The time between the last event of the part before and its start.
        pause_s: f64,
    }

    /// A CodeBuild build.
    struct BuildDocument {
        /// Its id.
        id: String,
        /// Its phases before the run started.
        phases: Vec<BuildPhaseDocument>,
    }

    /// A phase of a build.
    struct BuildPhaseDocument {
        /// Such as `PROVISIONING`.
        name: String,
        /// Such as `SUCCEEDED`; missing while it runs.
        status: Option<String>,
        /// How long it took, or has taken so far.
        duration_s: f64,
    }

    /// A phase of the plan.
    struct PhaseDocument {
        /// Its name; empty for stacks in no phase.
        name: String,
        /// The ids of its stacks.
        stacks: Vec<String>,
    }

    /// A step of the run.
    struct StepDocument {
        /// Its id, such as `deploy:Services`.
        id: String,
        /// synth, publish, deploy, delete, gate or command.
        kind: String,
        /// Its name for people.
        title: String,
        /// The id of its stack.
        stack: Option<String>,
        /// The CloudFormation name of its stack.
        stack_name: Option<String>,
        /// The ARN of its stack.
        stack_arn: Option<String>,
        /// The kind of asset that it publishes: file or image.
        asset: Option<String>,
        /// Its account.
        account: Option<String>,
        /// Its region.
        region: Option<String>,
        /// The phase of its stack.
        phase: Option<String>,
        /// The ids of the steps that it needs.
        needs: Vec<String>,
        /// deployed, deleted, unchanged, prepared, failed, rolled-back, skipped or interrupted; missing until it has ended.
        outcome: Option<String>,
        /// Whether it was being performed at the last event.
        running: bool,
        /// The forecast of its duration.
        expected_s: Option<f64>,
        /// How long it took when it was last performed.
        duration_s: f64,
        /// How long it waited for the concurrency limit when it was last performed.
        queued_s: f64,
        /// The times it was performed: usually one.
        spans: Vec<SpanDocument>,
        /// The first cause, if it failed.
        cause: Option<CauseDocument>,
        /// The id of the step because of which it was skipped.
        because: Option<String>,
        /// What it found, in a few words.
        detail: Option<String>,
        /// Whether a resumed run found it already done.
        resumed: bool,
        /// The times it was tried again.
        retries: Vec<RetryDocument>,
        /// Its warnings.
        warnings: Vec<String>,
        /// The resources of its stack that took much longer than usual. Each has a warning, too.
        stuck: Vec<StuckDocument>,
        /// The operations on the resources of its stack, in the order of their starts.
        resources: Vec<ResourceDocument>,
    }

    /// A time during which a step was performed.
    struct SpanDocument {
        /// When the steps that it needs were complete.
        ready_s: Option<f64>,
        /// When it started.
        started_s: f64,
        /// When it ended; missing if it has not ended, or if the process was killed.
        finished_s: Option<f64>,
        /// How it ended.
        outcome: Option<String>,
    }

    /// The first cause of a failure.
    struct CauseDocument {
        /// The resource or the call that failed.
        at: Option<String>,
        /// The place in the app's source that made the resource, if the assembly has it.
        source: Option<String>,
        /// What AWS or a tool said.
        message: String,
        /// What to do about it.
        hint: Option<String>,
        /// What the service of the resource says, if Paceline can ask that service. The message has it too.
        service: Option<ServiceDocument>,
    }

    /// A resource that took much longer than usual.
    struct StuckDocument {
        /// The logical ids of the nested stacks around it, the outermost first.
        within: Vec<String>,
        /// Its logical id.
        logical_id: String,
        /// Such as `AWS::ECS::Service`.
        resource_type: String,
        /// Its physical id, if it had one already.
        physical_id: Option<String>,
        /// Its status, such as `CREATE_IN_PROGRESS`.
        status: String,
        /// The time that it had taken when it was named.
        taken_s: f64,
        /// The time that it usually takes: the 90th percentile of earlier runs, or the figure of the table of types.
        usual_s: f64,
        /// The source of the usual time: resource, type or table.
        usual_from: String,
        /// The number of earlier times from which the usual time was taken.
        samples: usize,
        /// What its service says, if Paceline can ask that service.
        service: Option<ServiceDocument>,
    }

    /// What a service says about a resource that hangs or has failed.
    struct ServiceDocument {
        /// The name of the service, such as `Amazon ECS`.
        name: String,
        /// The state of the resource, such as `0 of 2 tasks run`.
        state: Option<String>,
        /// The newest distinct reasons, the newest first.
        reasons: Vec<ReasonDocument>,
        /// Why the service could not be asked.
        not_asked: Option<String>,
    }

    /// A reason that a service gives, such as that of a stopped task.
    struct ReasonDocument {
        /// The reason.
        reason: String,
        /// How often the service gives it.
        count: usize,
    }

    /// A retry after a transient error.
    struct RetryDocument {
        /// When it was announced.
        at_s: f64,
        /// What went wrong.
        reason: String,
        /// The attempt that followed; the first retry is 2.
        attempt: u32,
        /// The pause before it.
        wait_s: f64,
        /// What it did not have to do again, if it continued the stack from the point of its failure.
        kept: Option<KeptDocument>,
    }

    /// The finished resources of a stack that was continued from the point of its failure.
    struct KeptDocument {
        /// The number of resources that stayed as they were.
        resources: usize,
        /// The number of resources of the stack.
        of: usize,
        /// The time that their work took, which was not spent again. The rollback, which did not happen either, is not
        /// counted.
        saved_s: f64,
    }

    /// An operation on a resource of a stack.
    struct ResourceDocument {
        /// Its logical id.
        logical_id: String,
        /// Such as `AWS::EKS::Cluster`.
        resource_type: String,
        /// Its last status, such as `CREATE_COMPLETE`.
        status: String,
        /// When the operation started.
        started_s: f64,
        /// When it ended; missing if that is unknown.
        finished_s: Option<f64>,
    }

    /// A step on the critical path.
    struct LinkDocument {
        /// The id of the step.
        step: String,
        /// When it started.
        started_s: f64,
        /// When it ended.
        finished_s: f64,
        /// The time before its start during which no step of the path was performed.
        idle_s: f64,
    }

    /// A step that is worth shortening.
    struct ShorteningDocument {
        /// The id of the step.
        step: String,
        /// How long it took.
        took_s: f64,
        /// How much earlier the run would at most have finished.
        gain_s: f64,
        /// The id of the step that must be shortened too, because it took about as long at the same time.
        twin: Option<String>,
    }

    /// An operation that may still run in AWS.
    struct LeftDocument {
        /// The id of the step.
        step: String,
        /// The last known status of the stack.
        status: Option<String>,
        /// Whether AWS has accepted the operation. If not, the call was sent and not answered.
        accepted: bool,
    }
}
