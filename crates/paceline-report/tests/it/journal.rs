//! Makes events by hand: facts at seconds of a run, in any order.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use paceline_config::Strategy;
use paceline_engine::event::{
    AssetKind, Cause, Event, Fact, Kept, Outcome, PlannedPhase, PlannedStep, RunFinished, RunStarted, SCHEMA,
    ServiceReason, ServiceReport, StackAccepted, StackCall, StackProgress, StackSubmitted, StepFinished,
    StepKind, StepRef, StepRetried, StepStarted, StepWarned, StuckResource, UsualSource,
};

/// What every step deploys.
const CONTENT: &str = "0123456789ab";

const START: i64 = 1_763_368_200;

/// The facts of a run, to be put in order.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    steps: Vec<PlannedStep>,
    phases: Vec<PlannedPhase>,
    facts: Vec<(u64, Fact)>,
}

/// How a step went.
#[derive(Debug, Clone)]
pub(crate) struct Went {
    pub(crate) outcome: Outcome,
    pub(crate) cause: Option<Cause>,
    pub(crate) detail: Option<&'static str>,
    pub(crate) resumed: bool,
}

impl From<Outcome> for Went {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, cause: None, detail: None, resumed: false }
    }
}

pub(crate) fn found(detail: &'static str) -> Went {
    Went { detail: Some(detail), ..Outcome::Deployed.into() }
}

/// What a service says.
fn service() -> ServiceReport {
    ServiceReport {
        name: "Amazon ECS".to_owned(),
        state: Some("0 of 2 tasks run".to_owned()),
        reasons: vec![ServiceReason { reason: "the image is not there".to_owned(), count: 12 }],
        not_asked: Some("it was asked before".to_owned()),
    }
}

pub(crate) fn failed(at: &str, message: &str, hint: &str) -> Went {
    let cause = Cause {
        at: Some(at.to_owned()),
        message: message.to_owned(),
        hint: Some(hint.to_owned()),
        preflight: false,
        source: at.starts_with("TransitGateway").then(|| "lib/shop.ts:12:5".to_owned()),
        service: at.starts_with("TransitGateway").then(|| Box::new(service())),
    };
    Went { cause: Some(cause), ..Outcome::Failed.into() }
}

impl Journal {
    pub(crate) fn phase(&mut self, name: &str, stacks: &[&str]) {
        let stacks = stacks.iter().map(|&stack| stack.to_owned()).collect();
        self.phases.push(PlannedPhase { name: name.to_owned(), stacks });
    }

    fn plan(&mut self, step: StepRef, needs: &[&str], expected_s: f64) {
        let needs = needs.iter().map(|&need| need.to_owned()).collect();
        let content = Some(CONTENT.to_owned());
        self.steps.push(PlannedStep { step, needs, expected_s, content, identity: None });
    }

    pub(crate) fn stack(&mut self, id: &str, region: &str, needs: &[&str], expected_s: f64) {
        let phase = self.phases.iter().find(|phase| phase.stacks.iter().any(|stack| stack == id));
        let step = StepRef {
            step: format!("deploy:{id}"),
            kind: StepKind::Deploy,
            asset: None,
            title: id.to_owned(),
            stack: Some(id.to_owned()),
            stack_name: Some(id.replace('/', "-")),
            account: Some("111122223333".to_owned()),
            region: Some(region.to_owned()),
            phase: phase.map(|phase| phase.name.clone()),
        };
        self.plan(step, needs, expected_s);
    }

    /// The deletion of a stack.
    pub(crate) fn deletion(&mut self, id: &str, region: &str, needs: &[&str], expected_s: f64) {
        self.stack(id, region, needs, expected_s);
        if let Some(planned) = self.steps.last_mut() {
            (planned.step.step, planned.step.kind) = (format!("delete:{id}"), StepKind::Delete);
        }
    }

    pub(crate) fn gate(&mut self, stack: &str) {
        let step = StepRef {
            step: format!("gate:iam-roles:{stack}"),
            title: format!("IAM roles of {stack}"),
            stack: Some(stack.to_owned()),
            ..plain("gate", stack)
        };
        self.plan(step, &[&format!("deploy:{stack}")], 10.0);
    }

    /// The bake of a rollout.
    pub(crate) fn bake(&mut self, region: &str, needs: &[&str]) {
        let step = StepRef {
            step: format!("gate:bake:{region}"),
            title: format!("bake of {region}"),
            region: Some(region.to_owned()),
            ..plain("gate", region)
        };
        self.plan(step, needs, 600.0);
    }

    pub(crate) fn asset(&mut self, name: &str) {
        self.plan(plain("publish", name), &[], 5.0);
    }

    pub(crate) fn other(&mut self, kind: &str, name: &str, needs: &[&str]) {
        self.plan(plain(kind, name), needs, 5.0);
    }

    fn reference(&self, id: &str) -> StepRef {
        self.steps.iter().find(|planned| planned.step.step == id).unwrap().step.clone()
    }

    pub(crate) fn fact(&mut self, at: u64, fact: Fact) {
        self.facts.push((at, fact));
    }

    pub(crate) fn run_started(&mut self, at: u64, resumed: bool) {
        let started = RunStarted {
            paceline: "0.1.0".to_owned(),
            app: "cdk.out".to_owned(),
            plan: "0123456789abcdef".to_owned(),
            resumed,
            order: None,
            endpoint: None,
            undoes: None,
            prepares: false,
            executes: None,
            simulated: false,
            lease_wait_s: 0.0,
            strategy: Strategy::Graph,
            phases: self.phases.clone(),
            steps: self.steps.clone(),
            settings: None,
        };
        self.fact(at, Fact::RunStarted(started));
    }

    /// A step that became ready, was started and ended at those seconds.
    pub(crate) fn step(&mut self, id: &str, ready: u64, start: u64, end: u64, went: impl Into<Went>) {
        self.begin(id, ready, start);
        self.end(id, end, end - start, went);
    }

    pub(crate) fn begin(&mut self, id: &str, ready: u64, start: u64) {
        let step = self.reference(id);
        self.fact(ready, Fact::StepReady(step.clone()));
        self.fact(start, Fact::StepStarted(StepStarted { step: step.clone(), waited: Vec::new() }));
        if step.kind == StepKind::Deploy {
            let (operation, token) = (StackCall::Create, "token".to_owned());
            self.fact(start, Fact::StackSubmitted(StackSubmitted { step, operation, token }));
        } else if step.kind == StepKind::Delete {
            let (operation, token) = (StackCall::Delete, "token".to_owned());
            self.fact(start, Fact::StackSubmitted(StackSubmitted { step, operation, token }));
        }
    }

    pub(crate) fn started(&mut self, id: &str, at: u64) {
        let step = self.reference(id);
        self.fact(at, Fact::StepStarted(StepStarted { step, waited: Vec::new() }));
    }

    /// AWS has accepted an operation on the stack.
    pub(crate) fn accepted(&mut self, id: &str, at: u64) {
        let step = self.reference(id);
        let (region, name) = (step.region.unwrap_or_default(), step.stack_name.unwrap_or_default());
        self.accepted_as(id, at, &format!("arn:aws:cloudformation:{region}:111122223333:stack/{name}/1a2b"));
    }

    pub(crate) fn accepted_as(&mut self, id: &str, at: u64, stack_id: &str) {
        let (step, stack_id) = (self.reference(id), stack_id.to_owned());
        self.fact(at, Fact::StackAccepted(StackAccepted { step, stack_id, token: None }));
    }

    pub(crate) fn submitted(&mut self, id: &str, at: u64, operation: &str) {
        let (step, operation, token) = (self.reference(id), operation.into(), "token".to_owned());
        self.fact(at, Fact::StackSubmitted(StackSubmitted { step, operation, token }));
    }

    /// The stack itself reaches a status.
    pub(crate) fn turned(&mut self, id: &str, at: u64, status: &str) {
        let name = self.reference(id).stack_name.unwrap();
        self.progress(id, at, (&name, "AWS::CloudFormation::Stack"), status, 0);
    }

    #[expect(clippy::cast_precision_loss, reason = "the seconds of a test are few")]
    pub(crate) fn end(&mut self, id: &str, at: u64, took: u64, went: impl Into<Went>) {
        let step = self.reference(id);
        let went = went.into();
        let mut outputs = BTreeMap::new();
        if step.kind == StepKind::Deploy && went.outcome.is_success() {
            let region = step.region.clone().unwrap_or_default();
            outputs.insert("Url".to_owned(), format!("https://{}.example/{region}", step.title));
        }
        let finished = StepFinished {
            step,
            outcome: went.outcome,
            cause: went.cause,
            because: None,
            detail: went.detail.map(str::to_owned),
            duration_s: took as f64,
            queued_s: 0.0,
            waited: Vec::new(),
            resumed: went.resumed,
            outputs,
        };
        self.fact(at, Fact::StepFinished(finished));
    }

    pub(crate) fn never(&mut self, id: &str, at: u64, outcome: Outcome, because: Option<&str>) {
        self.end(id, at, 0, outcome);
        if let Some((_, Fact::StepFinished(finished))) = self.facts.last_mut() {
            finished.because = because.map(str::to_owned);
        }
    }

    pub(crate) fn progress(&mut self, id: &str, at: u64, resource: (&str, &str), status: &str, done: usize) {
        self.progress_because(id, at, resource, status, done, None);
    }

    pub(crate) fn progress_because(
        &mut self,
        id: &str,
        at: u64,
        (logical_id, resource_type): (&str, &str),
        status: &str,
        done: usize,
        reason: Option<&str>,
    ) {
        let progress = StackProgress {
            step: self.reference(id),
            logical_id: logical_id.to_owned(),
            resource_type: resource_type.to_owned(),
            status: status.into(),
            reason: reason.map(str::to_owned),
            done,
            total: 84,
            unconfirmed: false,
            happened_at: time(at),
        };
        self.fact(at, Fact::StackProgress(progress));
    }

    pub(crate) fn facts_mut(&mut self) -> &mut Vec<(u64, Fact)> {
        &mut self.facts
    }

    /// What the stack itself says, told at one time of what happened at another.
    pub(crate) fn stack_said(&mut self, stack: &str, told: u64, status: &str, happened: u64) {
        let id = format!("deploy:{stack}");
        self.progress(&id, told, (stack, "AWS::CloudFormation::Stack"), status, 0);
        if let Some((_, Fact::StackProgress(progress))) = self.facts.last_mut() {
            progress.happened_at = time(happened);
        }
    }

    /// A retry that continues a stack from the point of its failure.
    pub(crate) fn continued(&mut self, id: &str, at: u64, (resources, of): (usize, usize), saved_s: f64) {
        self.retried(id, at, 2, "Function (AWS::Lambda::Function): the role cannot be assumed by Lambda");
        if let Some((_, Fact::StepRetried(retried))) = self.facts.last_mut() {
            retried.kept = Some(Kept { resources, of, saved_s });
        }
    }

    pub(crate) fn retried(&mut self, id: &str, at: u64, attempt: u32, reason: &str) {
        let step = self.reference(id);
        let reason = reason.to_owned();
        self.fact(
            at,
            Fact::StepRetried(StepRetried {
                class: None,
                step,
                reason,
                attempt,
                wait_s: 5.0,
                refused: false,
                after: Vec::new(),
                kept: None,
            }),
        );
    }

    /// A warning about a service that does not become steady.
    pub(crate) fn stuck(&mut self, id: &str, at: u64, message: &str) {
        let stuck = StuckResource {
            within: Vec::new(),
            logical_id: "Service".to_owned(),
            resource_type: "AWS::ECS::Service".to_owned(),
            physical_id: Some("arn:aws:ecs:us-east-1:111122223333:service/c/s".to_owned()),
            status: "UPDATE_IN_PROGRESS".into(),
            taken_s: 400.0,
            usual_s: 120.5,
            usual_from: UsualSource::Type,
            samples: 7,
            service: Some(service()),
        };
        let (step, message) = (self.reference(id), message.to_owned());
        self.fact(at, Fact::StepWarned(StepWarned { step, message, stuck: Some(Box::new(stuck)) }));
    }

    pub(crate) fn run_finished(&mut self, at: u64, since: u64, exit_code: u8) {
        self.run_ended(at, since, exit_code, &[]);
    }

    /// The run ends, and waits for these stacks.
    pub(crate) fn run_sleeps(&mut self, at: u64, since: u64, waits_for: &[&str]) {
        self.run_ended(at, since, 4, waits_for);
    }

    #[expect(clippy::cast_precision_loss, reason = "the seconds of a test are few")]
    fn run_ended(&mut self, at: u64, since: u64, exit_code: u8, waits_for: &[&str]) {
        let mut last: BTreeMap<&str, Outcome> = BTreeMap::new();
        for (_, fact) in &self.facts {
            if let Fact::StepFinished(finished) = fact
                && finished.step.is_of_stack()
            {
                last.insert(&finished.step.step, finished.outcome);
            }
        }
        let mut stacks = BTreeMap::new();
        for outcome in last.into_values() {
            *stacks.entry(outcome).or_default() += 1;
        }
        let duration_s = (at - since) as f64;
        let waits_for = waits_for.iter().map(|&stack| stack.to_owned()).collect();
        let exit_code = exit_code.into();
        self.fact(at, Fact::RunFinished(RunFinished { stacks, exit_code, duration_s, waits_for }));
    }

    /// The events in order. Facts of one second stay in the order in which they were told.
    pub(crate) fn events(mut self) -> Vec<Event> {
        self.facts.sort_by_key(|&(at, _)| at);
        let event = |(seq, (at, fact)): (u64, (u64, Fact))| Event {
            schema: SCHEMA,
            run: "2025-11-17-a1b2".to_owned(),
            seq,
            at: time(at),
            fact,
        };
        (1..).zip(self.facts).map(event).collect()
    }
}

fn time(at: u64) -> Timestamp {
    Timestamp::from_second(START).unwrap() + Duration::from_secs(at)
}

fn plain(kind: &str, name: &str) -> StepRef {
    StepRef {
        step: format!("{kind}:{name}"),
        kind: kind.into(),
        asset: (kind == "publish").then_some(AssetKind::File),
        title: name.to_owned(),
        stack: None,
        stack_name: None,
        account: Some("111122223333".to_owned()),
        region: Some("us-east-1".to_owned()),
        phase: None,
    }
}
