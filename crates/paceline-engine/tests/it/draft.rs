//! Plans for test runs, built step by step.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::time::Duration;

use paceline_config::{Concurrency, FailurePolicy, IamRoles, Rollback, Strategy};
use paceline_plan::forecast::Basis;
use paceline_plan::{
    ApiLoads, Command, DeployOptions, EarlyNeed, Gate, Phase, Plan, PlannedStack, Publish, Step,
    StepOperation, Synthesize, ThrottledService, Work,
};

/// An unfinished plan. Steps are referred to by their positions.
pub(crate) struct Draft(Plan);

impl Draft {
    /// A plan without steps and with high limits.
    pub(crate) fn new() -> Self {
        Self(Plan {
            resume_key: "0123456789abcdef".to_owned(),
            stacks: Vec::new(),
            phases: vec![Phase { name: "services".to_owned(), barrier: false, stacks: vec!["A".to_owned()] }],
            steps: Vec::new(),
            left_out: Vec::new(),
            external: Vec::new(),
            relaxed: Vec::new(),
            kept_context: Vec::new(),
            borrowed: Vec::new(),
            by_name: Vec::new(),
            declared_only: Vec::new(),
            times: Vec::new(),
            ignore_times: false,
            deploys: DeployOptions::default(),
            warnings: Vec::new(),
            critical_path: Vec::new(),
            strategy: Strategy::Graph,
            concurrency: limits(1000, 1000, 1000),
            policy: FailurePolicy::SkipDependents,
            rollback: Rollback::Stack,
            undoes: None,
            prepares: false,
        })
    }

    /// Sets how many stacks, files and images may run at once.
    pub(crate) fn limited(mut self, stacks: usize, assets: usize, images: usize) -> Self {
        self.0.concurrency = limits(stacks, assets, images);
        self
    }

    pub(crate) fn finishing_running(mut self) -> Self {
        self.0.policy = FailurePolicy::FinishRunning;
        self
    }

    pub(crate) fn failing_fast(mut self) -> Self {
        self.0.policy = FailurePolicy::FailFast;
        self
    }

    pub(crate) fn stack(&mut self, id: &str, seconds: u64, needs: &[usize]) -> usize {
        let expected = Duration::from_secs(seconds);
        self.0.stacks.push(PlannedStack {
            id: id.to_owned(),
            name: format!("{id}-name"),
            account: Some("111111111111".to_owned()),
            region: Some("eu-west-1".to_owned()),
            phase: (id == "A").then(|| "services".to_owned()),
            level: 0,
            resources: 1,
            expected,
            expected_from: Basis::Measured,
            operation: StepOperation::Create,
            api_loads: ApiLoads::new(),
            template: String::new(),
            settings: String::new(),
            depends_on: Vec::new(),
        });
        let stack = self.0.stacks.len() - 1;
        self.step(format!("deploy:{id}"), Work::Deploy { stack }, seconds, needs)
    }

    /// Sets how many resources may be in operations at once in a region.
    pub(crate) fn limited_to_resources(mut self, resources: usize) -> Self {
        self.0.concurrency.resources = NonZeroUsize::new(resources);
        self
    }

    /// Gives the stack of a step this many resources, in this region.
    pub(crate) fn sized(&mut self, step: usize, resources: usize, region: &str) {
        let stack = self.changed_by(step);
        (stack.resources, stack.region) = (resources, Some(region.to_owned()));
    }

    /// Expects nothing to be changed in the stack of a step.
    pub(crate) fn unchanged(&mut self, step: usize) {
        self.changed_by(step).operation = StepOperation::Unchanged;
    }

    /// Lets the operation of a step occupy API Gateway for some time.
    pub(crate) fn loaded(&mut self, step: usize, seconds: u64) {
        self.changed_by(step).api_loads =
            [(ThrottledService::ApiGateway, Duration::from_secs(seconds))].into();
    }

    fn changed_by(&mut self, step: usize) -> &mut PlannedStack {
        let stack = self.0.steps[step].work.changes().unwrap();
        &mut self.0.stacks[stack]
    }

    /// Adds the deletion of a stack, in the place where a plan would deploy it.
    pub(crate) fn deletion(&mut self, id: &str, seconds: u64, needs: &[usize]) -> usize {
        let step = self.stack(id, seconds, needs);
        let stack = self.0.stacks.len() - 1;
        let deletes = &mut self.0.steps[step];
        (deletes.id, deletes.work) = (format!("delete:{id}"), Work::Delete { stack });
        step
    }

    pub(crate) fn file(&mut self, id: &str, seconds: u64) -> usize {
        self.step(format!("publish:{id}"), publish(id, false), seconds, &[])
    }

    pub(crate) fn image(&mut self, id: &str, seconds: u64) -> usize {
        self.step(format!("publish:{id}"), publish(id, true), seconds, &[])
    }

    /// Adds a step that publishes an image to one of several places. Its duration is not measured.
    pub(crate) fn image_to(&mut self, id: &str, place: &str, seconds: u64) -> usize {
        let step = self.step(format!("publish:{place}"), publish(id, true), seconds, &[]);
        self.0.steps[step].expected_from = Basis::Default;
        step
    }

    pub(crate) fn gate(&mut self, after: usize, seconds: u64) -> usize {
        let stack = self.0.steps[after].work.stack().unwrap();
        let id = format!("gate:iam-roles:{}", self.0.stacks[stack].id);
        self.step(id, Work::Gate { stack, gate: Gate::IamRoles(IamRoles::All) }, seconds, &[after])
    }

    pub(crate) fn command(&mut self, name: &str, seconds: u64, needs: &[usize]) -> usize {
        let work = Work::Command(Command {
            name: name.to_owned(),
            stack: 0,
            run: format!("./{name}.sh"),
            shell: "sh".to_owned(),
            dir: ".".into(),
            env: BTreeMap::new(),
            timeout: None,
            retries: 0,
            scripts: BTreeMap::new(),
        });
        self.step(format!("command:{name}"), work, seconds, needs)
    }

    /// Adds a synthesis for the stack at this position, which is added later.
    pub(crate) fn synthesis(&mut self, app: &str, stack: usize, seconds: u64, needs: &[usize]) -> usize {
        let work = Synthesize { app: Some(app.to_owned()), stacks: vec![stack], lookups: BTreeSet::new() };
        self.step(format!("synth:{app}"), Work::Synthesize(work), seconds, needs)
    }

    /// Makes a step wait for another only until these resources of its stack are complete.
    pub(crate) fn until(&mut self, step: usize, need: usize, resources: &[&str]) {
        let resources = resources.iter().map(|id| (*id).to_owned()).collect();
        self.0.steps[step].early_needs.push(EarlyNeed { need, resources, after: Duration::ZERO });
    }

    pub(crate) fn is_stack(&self, step: usize) -> bool {
        self.0.steps[step].work.changes().is_some()
    }

    pub(crate) fn plan(mut self) -> Plan {
        if self.0.stacks.is_empty() {
            // An asset belongs to a stack.
            self.stack("Only", 1, &[]);
        }
        self.0
    }

    fn step(&mut self, id: String, work: Work, seconds: u64, needs: &[usize]) -> usize {
        let (needs, early) = (needs.to_vec(), Vec::new());
        let (expected, expected_from) = (Duration::from_secs(seconds), Basis::Measured);
        self.0.steps.push(Step { id, work, needs, early_needs: early, expected, expected_from });
        self.0.steps.len() - 1
    }
}

fn publish(id: &str, image: bool) -> Work {
    let (asset, destination) = (id.to_owned(), "current".to_owned());
    let manifest = "A".to_owned();
    Work::Publish(Publish { stack: 0, manifest, asset, destination, image, title: format!("Asset {id}") })
}

fn limits(stacks: usize, assets: usize, images: usize) -> Concurrency {
    let limit = |n| NonZeroUsize::new(n).unwrap();
    Concurrency {
        stacks: limit(stacks),
        assets: limit(assets),
        images: limit(images),
        ..Concurrency::default()
    }
}
