//! A simulated AWS, and runs that use it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_cloudformation::Client;
use aws_smithy_async::time::{SharedTimeSource, TimeSource};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use camino::{Utf8Path, Utf8PathBuf};
use jiff::SignedDuration;
use paceline_assembly::Overrides;
use paceline_aws::{
    Aws, AwsOptions, ChangeGuard, Images, Method, MissingFiles, PreflightError, RetryNotices, TokenKey, Wire,
};
use paceline_config::Config;
use paceline_engine::event::{Cause, StackSubmitted, StepFinished};
use paceline_engine::{Earlier, Event, ExitCode, Fact, Outcome, PreparedRun, RunOptions, Stop};
use paceline_host::Commands;
use paceline_plan::history::History;
use paceline_plan::{DeployOptions, Destruction, Plan, PlanOptions};
use paceline_sim::{
    Durations, Faults, Operation, Proxy, Sessions, SimHttpClient, SimOptions, Simulator, VirtualClock,
};
use serde_json::Value;

use crate::app::{App, REGION};

/// The greatest number of steps of the clock in a test that waits for something.
const MOST_STEPS: usize = 100_000;

const MUTATING: [&str; 12] = [
    "CreateStack",
    "UpdateStack",
    "DeleteStack",
    "CreateChangeSet",
    "ExecuteChangeSet",
    "DeleteChangeSet",
    "RollbackStack",
    "ContinueUpdateRollback",
    "UpdateTerminationProtection",
    "PutObject",
    "PutImage",
    "PutParameter",
];

/// The longest time of a run, in virtual time.
const NEVER: Duration = Duration::from_hours(72);

/// A simulated AWS.
pub(crate) struct World {
    pub(crate) sim: Simulator,
    /// The proxy of the run's calls. It can disturb them.
    pub(crate) proxy: Proxy,
    pub(crate) wire: Wire,
    /// The client of others than the run. Its calls are not disturbed.
    direct: SimHttpClient,
    clock: VirtualClock,
    said: Arc<Mutex<Vec<String>>>,
}

#[derive(Debug)]
struct SimulatedTime(VirtualClock);

impl TimeSource for SimulatedTime {
    fn now(&self) -> SystemTime {
        self.0.system_time()
    }
}

/// The differences between a run and the usual one.
#[derive(Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
pub(crate) struct How {
    pub(crate) config: &'static str,
    /// True if the stacks are deleted.
    pub(crate) deletes: bool,
    pub(crate) method: Method,
    pub(crate) images: Images,
    pub(crate) missing_files: MissingFiles,
    pub(crate) commands: Commands,
    /// The value of the `multi-region` switch.
    pub(crate) multi_region: Option<String>,
    pub(crate) stop: Stop,
    /// How far the clock of the run's machine is ahead of the clock of AWS.
    pub(crate) clock_ahead: SignedDuration,
    pub(crate) earlier: Option<Earlier>,
    /// An edge that is removed from the plan: the stack that waits, and the stack that it waits for.
    pub(crate) without: Option<(String, String)>,
    /// The faults of AWS after the run has connected. They do not disturb the connecting, where the SDK
    /// itself tries again at random.
    pub(crate) faults: Option<Faults>,
    /// The time limit for the operation on a stack.
    pub(crate) limit: Option<Duration>,
    /// The key for secret values in tokens.
    pub(crate) token_key: TokenKey,
    /// The time after which the run stops by itself.
    pub(crate) deadline: Option<Duration>,
    /// Whether the run reads and writes records of what was deployed.
    pub(crate) records: bool,
    /// The folder in which the run keeps what its stacks were before.
    pub(crate) captures: Option<Utf8PathBuf>,
    /// Values for the parameters of all stacks.
    pub(crate) parameters: BTreeMap<String, String>,
    /// What the run asks of every stack operation.
    pub(crate) deploys: DeployOptions,
    /// What the run asks of every stack in place of what the assembly says.
    pub(crate) overrides: Overrides,
    /// The name of the bootstrap stack.
    pub(crate) toolkit: Option<String>,
    /// Whether the run only prepares a deployment.
    pub(crate) prepares: bool,
    /// The prepared run that is executed.
    pub(crate) prepared: Option<Arc<PreparedRun>>,
    /// Whether the change sets that the run prepares are deleted at once.
    pub(crate) discards: bool,
    /// Checks the change sets that were not prepared.
    pub(crate) guard: Option<ChangeGuard>,
    /// The durations of earlier runs.
    pub(crate) history: Arc<History>,
    /// The events of the run before this process, if the run has a copy in the staging bucket.
    pub(crate) copies: Option<Vec<Event>>,
}

/// The name of every run.
pub(crate) const RUN: &str = "test";

impl World {
    pub(crate) fn new(options: SimOptions) -> Self {
        let clock = VirtualClock::starting_at("2026-01-01T00:00:00Z".parse().unwrap());
        let sim = Simulator::new(SimOptions { sessions: Sessions::Ending, ..options });
        let direct = SimHttpClient::new(sim.clone(), clock);
        let proxy = Proxy::new(direct.clone());
        let credentials = Credentials::new("AKIASIMULATED", "simulated", None, None, "test");
        let said: Arc<Mutex<Vec<String>>> = Arc::default();
        let wire = Wire {
            http: Some(SharedHttpClient::new(proxy.clone())),
            credentials: Some(SharedCredentialsProvider::new(credentials)),
            time: Some(SharedTimeSource::new(SimulatedTime(clock))),
            notices: {
                let said = Arc::clone(&said);
                RetryNotices::new(move |line| said.lock().unwrap().push(line.to_owned()))
            },
        };
        Self { sim, proxy, wire, direct, clock, said }
    }

    /// A world in which `Custom::Slow` takes a minute.
    pub(crate) fn slow() -> Self {
        Self::new(SimOptions { durations: slow_durations(), ..SimOptions::default() })
    }

    pub(crate) fn with_faults(faults: Faults) -> Self {
        Self::new(SimOptions { faults, durations: slow_durations(), ..SimOptions::default() })
    }

    pub(crate) fn now(&self) -> jiff::Timestamp {
        self.clock.now()
    }

    /// The client of somebody else. It bypasses the proxy.
    pub(crate) async fn client(&self) -> Client {
        Client::new(&self.config().await)
    }

    pub(crate) async fn config(&self) -> aws_config::SdkConfig {
        aws_config::defaults(BehaviorVersion::v2026_01_12())
            .http_client(self.direct.clone())
            .credentials_provider(self.wire.credentials.clone().unwrap())
            .region(Region::new(REGION))
            .load()
            .await
    }

    pub(crate) async fn deploy(&self, app: &App) -> Ran {
        self.run(app, How::default()).await
    }

    pub(crate) async fn destroy(&self, app: &App) -> Ran {
        self.run(app, How { deletes: true, ..How::default() }).await
    }

    /// Runs the checks before a deletion.
    pub(crate) async fn survey(
        &self,
        app: &App,
        config: &str,
        options: &PlanOptions,
    ) -> Result<Vec<String>, PreflightError> {
        let assembly = app.read();
        let config = Config::parse(config, Utf8Path::new("paceline.yaml")).unwrap();
        let destruction = Destruction::make(&assembly, &config, options).unwrap();
        let options = AwsOptions { wire: self.wire.clone(), ..AwsOptions::default() };
        let aws = Box::pin(Aws::connect(assembly, &destruction.plan, options)).await?;
        aws.survey(&destruction).await
    }

    pub(crate) async fn run(&self, app: &App, how: How) -> Ran {
        let events = Arc::default();
        let run = Box::pin(self.recording(app, how, Arc::clone(&events)));
        tokio::time::timeout(NEVER, run).await.expect("the run goes on for ever").unwrap();
        let events = Mutex::into_inner(Arc::into_inner(events).unwrap()).unwrap();
        Ran { events }
    }

    /// Runs the app. An error is the reason why nothing was begun.
    pub(crate) async fn try_run(&self, app: &App, how: How) -> Result<Ran, PreflightError> {
        let events = Arc::default();
        let run = Box::pin(self.recording(app, how, Arc::clone(&events)));
        tokio::time::timeout(NEVER, run).await.expect("the run goes on for ever")?;
        let events = events.lock().unwrap().clone();
        Ok(Ran { events })
    }

    /// Kills a run after this time. Only the recorded events remain.
    pub(crate) async fn kill_after(&self, app: &App, how: How, time: Duration) -> Ran {
        let events = Arc::default();
        let run = Box::pin(self.recording(app, how, Arc::clone(&events)));
        tokio::time::timeout(time, run).await.expect_err("the run ended before it was killed");
        // When the tasks have been dropped, their calls are gone as well.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let events = events.lock().unwrap().clone();
        Ran { events }
    }

    /// Kills a run after this time, unless it has ended by then.
    pub(crate) async fn kill_or_end(&self, app: &App, how: How, time: Duration) -> Ran {
        let events = Arc::default();
        let run = Box::pin(self.recording(app, how, Arc::clone(&events)));
        if let Ok(ended) = tokio::time::timeout(time, run).await {
            ended.unwrap();
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        let events = events.lock().unwrap().clone();
        Ran { events }
    }

    /// A connection with which an app could be deployed.
    pub(crate) async fn connected(&self, app: &App) -> Aws {
        self.try_connect(app).await.unwrap()
    }

    /// The same, unless something prevents it.
    pub(crate) async fn try_connect(&self, app: &App) -> Result<Aws, PreflightError> {
        let assembly = app.read();
        let plan = Plan::make(&assembly, &Config::default(), &PlanOptions::default()).unwrap();
        let options = AwsOptions { wire: self.wire.clone(), ..AwsOptions::default() };
        Box::pin(Aws::connect(assembly, &plan, options)).await
    }

    /// The notes for a person before a run starts.
    pub(crate) async fn notes(&self, app: &App) -> Vec<String> {
        self.connected(app).await.notes().to_vec()
    }

    /// The obstacles that prevent a run from starting.
    pub(crate) async fn refused(&self, app: &App) -> PreflightError {
        self.refused_with(app, "").await
    }

    /// The same with a configuration.
    pub(crate) async fn refused_with(&self, app: &App, config: &str) -> PreflightError {
        let assembly = app.read();
        let config = Config::parse(config, Utf8Path::new("paceline.yaml")).unwrap();
        let plan = Plan::make(&assembly, &config, &PlanOptions::default()).unwrap();
        let options = AwsOptions { wire: self.wire.clone(), ..AwsOptions::default() };
        Box::pin(Aws::connect(assembly, &plan, options)).await.expect_err("nothing stood in the way")
    }

    async fn recording(
        &self,
        app: &App,
        how: How,
        events: Arc<Mutex<Vec<Event>>>,
    ) -> Result<(), PreflightError> {
        let mut assembly = app.read();
        how.overrides.give_to(&mut Arc::make_mut(&mut assembly).stacks);
        let config = Config::parse(how.config, Utf8Path::new("paceline.yaml")).unwrap();
        let (stack_retries, stuck) = (Some(config.on_failure.retries), config.on_failure.stuck);
        let mut plan = if how.deletes {
            Destruction::make(&assembly, &config, &PlanOptions::default()).unwrap().plan
        } else {
            let (multi_region, deploys) = (how.multi_region, how.deploys);
            let options = PlanOptions { multi_region, deploys, ..PlanOptions::default() };
            Plan::make(&assembly, &config, &options).unwrap()
        };
        let How {
            method,
            images,
            missing_files,
            commands,
            stop,
            clock_ahead,
            earlier,
            without,
            faults,
            limit,
            token_key,
            deadline,
            records,
            captures,
            parameters,
            overrides,
            toolkit,
            copies,
            prepares,
            prepared,
            guard,
            discards,
            history,
            ..
        } = how;
        if prepares {
            plan = plan.preparing();
        }
        if let Some((from, to)) = without {
            lose(&mut plan, &from, &to);
        }
        let plan = Arc::new(plan);
        let options = AwsOptions {
            wire: self.wire.clone(),
            method,
            images,
            stack_limit: limit,
            stack_retries,
            stuck,
            history,
            missing_files,
            commands,
            token_key,
            records,
            captures,
            prepared,
            guard,
            discards_change_sets: discards,
            parameters: BTreeMap::from([("*".to_owned(), parameters)]),
            overrides,
            toolkit,
            ..AwsOptions::default()
        };
        let performer = Arc::new(Box::pin(Aws::connect(assembly, &plan, options)).await?);
        if let Some(faults) = faults {
            self.sim.set_faults(faults);
        }
        let run =
            RunOptions { earlier, stop, deadline, ..RunOptions::simulated(self.clock.now() + clock_ahead) };
        let Some(before) = copies else {
            self.perform(plan, performer, run, events).await;
            return Ok(());
        };
        let part = before.iter().filter(|event| matches!(event.fact, Fact::RunStarted(_))).count() + 1;
        let said = Arc::clone(&self.said);
        let tell = move |line| said.lock().unwrap().push(line);
        let copy = Box::pin(performer.copy_run(&plan, RUN, part, &before, tell)).await.unwrap();
        let run = RunOptions { id: RUN.to_owned(), ..run };
        let mut record = |event: &Event| {
            events.lock().unwrap().push(event.clone());
            copy.add(event);
            Ok(())
        };
        paceline_engine::run(plan, performer, run, &mut record).await.unwrap();
        copy.finish().await;
        Ok(())
    }

    /// Executes a plan, and records the events of the run.
    pub(crate) async fn perform(
        &self,
        plan: Arc<Plan>,
        performer: Arc<Aws>,
        run: RunOptions,
        events: Arc<Mutex<Vec<Event>>>,
    ) {
        let run =
            RunOptions { id: RUN.to_owned(), app: "cdk.out".to_owned(), version: "0".to_owned(), ..run };
        let mut record = |event: &Event| {
            events.lock().unwrap().push(event.clone());
            Ok(())
        };
        let ran = Arc::clone(&performer);
        paceline_engine::run(plan, performer, run, &mut record).await.unwrap();
        ran.settle().await;
    }

    /// The calls that change something, as `Operation Stack`.
    pub(crate) fn mutations(&self) -> Vec<String> {
        let calls = self.sim.calls().into_iter().filter(|call| MUTATING.contains(&call.operation.as_str()));
        // A call may name a stack by its name or by its id.
        let name = |stack: String| stack.split('/').nth(1).map_or(stack.clone(), str::to_owned);
        calls.map(|call| format!("{} {}", call.operation, name(call.stack.unwrap_or_default()))).collect()
    }

    /// The number of times that an operation was done.
    pub(crate) fn count(&self, operation: &str) -> usize {
        let calls = self.sim.calls();
        calls.iter().filter(|call| call.operation == operation && call.status == 200).count()
    }

    /// The statuses of all stacks that have had this name. Deleted stacks come first.
    pub(crate) fn statuses(&self, name: &str) -> Vec<String> {
        let mut all: Vec<_> = self.sim.stacks().into_iter().filter(|stack| stack.name == name).collect();
        all.sort_by_key(|stack| stack.started);
        all.into_iter().map(|stack| stack.status).collect()
    }

    /// The name of a nested stack.
    pub(crate) fn nested(&self) -> String {
        self.sim.stacks().into_iter().find(|stack| stack.parent.is_some()).unwrap().name
    }

    /// Creates a stack as somebody else, and waits until it is at rest.
    pub(crate) async fn create(&self, name: &str, template: &Value) {
        let client = self.client().await;
        client
            .create_stack()
            .stack_name(name)
            .template_body(template.to_string())
            .capabilities(aws_sdk_cloudformation::types::Capability::CapabilityNamedIam)
            .send()
            .await
            .unwrap();
        self.rest().await;
    }

    /// Updates a stack as somebody else.
    pub(crate) async fn update(&self, name: &str, template: &Value) {
        let client = self.client().await;
        client.update_stack().stack_name(name).template_body(template.to_string()).send().await.unwrap();
    }

    /// The notices about calls that no step's events report.
    pub(crate) fn said(&self) -> Vec<String> {
        self.said.lock().unwrap().clone()
    }

    /// Lets time pass.
    pub(crate) async fn pass(&self, time: Duration) {
        tokio::time::sleep(time).await;
        self.sim.advance(self.clock.now());
    }

    /// Lets time pass until nothing is due any more.
    pub(crate) async fn rest(&self) {
        for _ in 0..MOST_STEPS {
            let Some(due) = self.sim.next_due() else { return };
            let wait = due.duration_since(self.clock.now());
            tokio::time::sleep(Duration::try_from(wait).unwrap_or_default()).await;
            self.sim.advance(due);
        }
        panic!("something is always due");
    }

    /// Lets time pass in steps until the newest stack of this name has this status.
    pub(crate) async fn until(&self, stack: &str, status: &str, step: Duration) {
        for _ in 0..MOST_STEPS {
            if self.statuses(stack).last().is_some_and(|last| last == status) {
                return;
            }
            self.pass(step).await;
        }
        panic!("{stack} is never in {status}: {:?}", self.statuses(stack));
    }

    /// The number of operations of a stack that began with this status.
    pub(crate) async fn began(&self, stack: &str, status: &str) -> usize {
        let client = self.client().await;
        let answer = client.describe_stack_events().stack_name(stack).send().await.unwrap();
        let events = answer.stack_events().iter();
        events
            .filter(|event| event.physical_resource_id() == event.stack_id())
            .filter(|event| event.resource_status().is_some_and(|now| now.as_str() == status))
            .count()
    }
}

/// Removes the wait of one stack for another, and for its gate, from the plan.
fn lose(plan: &mut Plan, from: &str, to: &str) {
    let number = |id: &str| plan.stacks.iter().position(|stack| stack.id == id).unwrap();
    let (from, to) = (plan.deploy_step(number(from)).unwrap(), number(to));
    let before = plan.steps[from].needs.len();
    let of_it: Vec<bool> = plan.steps.iter().map(|step| step.work.stack() == Some(to)).collect();
    plan.steps[from].needs.retain(|&need| !of_it[need]);
    assert!(plan.steps[from].needs.len() < before, "there is no such edge");
}

pub(crate) fn slow_durations() -> Durations {
    let minute = Duration::from_mins(1);
    let all = [Operation::Create, Operation::Update, Operation::Delete];
    all.into_iter()
        .fold(Durations::typical(), |durations, operation| durations.with("Custom::Slow", operation, minute))
}

/// The events of a run.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) events: Vec<Event>,
}

impl Ran {
    pub(crate) fn finished(&self, step: &str) -> &StepFinished {
        let mut all = self.events.iter().filter_map(|event| match &event.fact {
            Fact::StepFinished(finished) if finished.step.step == step => Some(finished),
            _ => None,
        });
        all.next().unwrap_or_else(|| panic!("{step} has not finished"))
    }

    /// The end of the deployment or the deletion of a stack.
    pub(crate) fn stack(&self, id: &str) -> &StepFinished {
        let mut all = self.events.iter().filter_map(|event| match &event.fact {
            Fact::StepFinished(finished) => Some(finished),
            _ => None,
        });
        let is_it = |finished: &&StepFinished| {
            finished.step.is_of_stack() && finished.step.stack.as_deref() == Some(id)
        };
        all.find(is_it).unwrap_or_else(|| panic!("{id} has not finished"))
    }

    #[track_caller]
    pub(crate) fn check(&self, expected: &[(&str, Outcome)]) {
        for (id, outcome) in expected {
            let finished = self.stack(id);
            assert_eq!(finished.outcome, *outcome, "{id}: {:?}", finished.cause);
        }
    }

    pub(crate) fn cause(&self, id: &str) -> &Cause {
        self.stack(id).cause.as_ref().unwrap()
    }

    /// Checks that all stacks ended in this outcome.
    #[track_caller]
    pub(crate) fn check_all(&self, outcome: Outcome) {
        for event in &self.events {
            if let Fact::StepFinished(finished) = &event.fact
                && finished.step.is_of_stack()
            {
                assert_eq!(finished.outcome, outcome, "{}: {:?}", finished.step.step, finished.cause);
            }
        }
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        match &self.events.last().unwrap().fact {
            Fact::RunFinished(finished) => finished.exit_code,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn retries(&self) -> Vec<&str> {
        let reasons = self.events.iter().filter_map(|event| match &event.fact {
            Fact::StepRetried(retried) => Some(retried.reason.as_str()),
            _ => None,
        });
        reasons.collect()
    }

    pub(crate) fn warnings(&self) -> Vec<&str> {
        let messages = self.events.iter().filter_map(|event| match &event.fact {
            Fact::StepWarned(warned) => Some(warned.message.as_str()),
            _ => None,
        });
        messages.collect()
    }

    pub(crate) fn submitted(&self) -> Vec<&StackSubmitted> {
        let submitted = self.events.iter().filter_map(|event| match &event.fact {
            Fact::StackSubmitted(submitted) => Some(submitted),
            _ => None,
        });
        submitted.collect()
    }

    /// The position of an event of a stack's deployment.
    pub(crate) fn position(&self, id: &str, is_it: impl Fn(&Fact) -> bool) -> usize {
        let step = format!("deploy:{id}");
        let found = self.events.iter().position(|event| {
            event.fact.step().is_some_and(|reference| reference.step == step) && is_it(&event.fact)
        });
        found.unwrap_or_else(|| panic!("{id} has no such event"))
    }

    /// The work of this run before its interruption, as its journal would show it.
    pub(crate) fn earlier(&self) -> Earlier {
        let done = self
            .events
            .iter()
            .filter_map(|event| match &event.fact {
                Fact::StackSubmitted(submitted) => Some((submitted.step.step.clone(), None)),
                Fact::StepFinished(finished)
                    if matches!(finished.outcome, Outcome::Deployed | Outcome::Deleted) =>
                {
                    Some((finished.step.step.clone(), None))
                }
                _ => None,
            })
            .collect();
        Earlier {
            seq: self.events.last().map_or(0, |event| event.seq),
            done,
            touched: true,
            began: self.events.first().map(|event| event.at),
        }
    }
}
