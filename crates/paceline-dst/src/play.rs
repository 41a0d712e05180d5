//! Lets a story happen.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use paceline_assembly::Assembly;
use paceline_aws::{Applicant, Aws, AwsOptions, LockMode, Method, MissingFiles, Wire};
use paceline_config::Config;
use paceline_engine::{Event, ExitCode, Fact, Journal, Outcome, RunOptions, Stop};
use paceline_plan::{Plan, PlanOptions};
use paceline_sim::{
    Calls, Durations, Failure, Faults, Mishap as Disturbance, Operation as ResourceOperation, Proxy,
    SimHttpClient, SimOptions, Simulator, StaleReads, VirtualClock,
};
use tempfile::TempDir;

use crate::app::{self, SLOW, Version};
use crate::operations::{StackHistory, histories};
use crate::others;
use crate::story::{Act, Before, MishapKind, Story};

/// A process that takes longer in virtual time goes on for ever.
const NEVER: Duration = Duration::from_hours(48);
/// The name of the rival's process, and of its disk.
pub(crate) const RIVAL: &str = "rival";
/// The age of an answer from the past.
const AGE: Duration = Duration::from_secs(20);
/// The number of times that AWS is waited for until nothing is due.
const MOST_STEPS: usize = 100_000;

/// A process of Paceline.
#[derive(Debug, Clone)]
pub struct Process {
    /// Who runs it, for people: `run`, `rival`, `repair`, `again`.
    pub name: &'static str,
    pub events: Vec<Event>,
    /// Why it ended before it deployed anything.
    pub refused: Option<String>,
    pub is_killed: bool,
    /// Whether it went on for ever.
    pub is_endless: bool,
}

impl Process {
    /// The exit code, if it ended by itself.
    pub fn exit_code(&self) -> Option<ExitCode> {
        match &self.events.last()?.fact {
            Fact::RunFinished(finished) => Some(finished.exit_code),
            _ => None,
        }
    }

    /// The outcome of each stack that ended in this process, with the message of its cause.
    pub fn outcomes(&self) -> impl Iterator<Item = (&str, Outcome, &str)> {
        self.events.iter().filter_map(|event| match &event.fact {
            Fact::StepFinished(finished) if finished.step.is_of_stack() => {
                let cause = finished.cause.as_ref().map_or("", |cause| cause.message.as_str());
                Some((finished.step.stack.as_deref()?, finished.outcome, cause))
            }
            _ => None,
        })
    }
}

/// What happened in a story.
#[derive(Debug)]
pub struct Tale {
    /// The processes of the run, in order, and of its rival.
    pub processes: Vec<Process>,
    /// A run after all disturbances have ended.
    pub repair: Process,
    /// A run after the repair, which has nothing to do.
    pub again: Process,
    /// The acts of others that CloudFormation accepted: when, and on which stack.
    pub acts: Vec<(Timestamp, usize, Act)>,
    /// When all disturbances had ended.
    pub calm: Timestamp,
    /// What CloudFormation did, by the place of the stack in the app.
    pub histories: Vec<StackHistory>,
    /// The templates at the end, by the place of the stack in the app. `None` if the stack does not exist.
    pub templates: Vec<Option<String>>,
    /// The calls of the last run that changed something.
    pub changes_again: Vec<String>,
}

struct World<'a> {
    story: &'a Story,
    sim: Simulator,
    proxy: Proxy,
    wire: Wire,
    clock: VirtualClock,
    assembly: Arc<Assembly>,
    /// The app of the rival.
    rivals: Arc<Assembly>,
    folder: Utf8PathBuf,
}

/// Lets a story happen on virtual time. An error is a fault of the simulation itself.
pub fn play(story: &Story) -> Result<Tale> {
    fastrand::seed(story.seed);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()?;
    runtime.block_on(Box::pin(play_on(story)))
}

async fn play_on(story: &Story) -> Result<Tale> {
    let folder = TempDir::new()?;
    let path = Utf8Path::from_path(folder.path()).context("the temporary folder is not UTF-8")?;
    let clock = VirtualClock::starting_at("2026-01-01T00:00:00Z".parse()?);
    let sim = Simulator::new(options(story));
    let proxy = Proxy::new(SimHttpClient::new(sim.clone(), clock));
    let world = World {
        story,
        wire: Wire::simulated(proxy.clone(), move || clock.system_time()),
        assembly: app::assembly(story, Version::New, &path.join("cdk.out"))?,
        rivals: app::assembly(story, Version::Rival, &path.join("rival.out"))?,
        sim,
        proxy,
        clock,
        folder: path.to_owned(),
    };
    world.deploy_before().await?;
    let acts = world.disturb();
    let (mut processes, rival) = tokio::join!(world.run(), world.rival());
    processes.extend(rival);
    world.calm().await?;
    let calm = clock.now();
    let repair = world.process("repair", "repair", None).await;
    world.rest().await?;
    let before = world.proxy.passed().len();
    let again = world.process("again", "again", None).await;
    let changes = world.proxy.passed().split_off(before);
    let changes_again = changes
        .into_iter()
        .filter(|passed| passed.call.service == "cloudformation" && !passed.call.is_read())
        .map(|passed| format!("{} {}", passed.call.operation, passed.call.stack.unwrap_or_default()))
        .collect();
    let acts = acts.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let (histories, templates) = (histories(&world.sim, clock.now(), story), world.templates());
    Ok(Tale { processes, repair, again, acts, calm, histories, templates, changes_again })
}

fn options(story: &Story) -> SimOptions {
    let mut durations = Durations::typical();
    for (place, stack) in story.stacks.iter().enumerate() {
        for operation in [ResourceOperation::Create, ResourceOperation::Update, ResourceOperation::Delete] {
            let kind = format!("{SLOW}{place}");
            durations = durations.with(&kind, operation, Duration::from_secs(stack.seconds));
        }
    }
    SimOptions { seed: story.seed, durations, ..SimOptions::default() }
}

fn faults(story: &Story) -> Faults {
    let chance = |percent: u8| f64::from(percent) / 100.0;
    let weather = &story.weather;
    let failing = story.stacks.iter().enumerate().filter(|(_, stack)| stack.fails > 0);
    let failures = failing.map(|(place, stack)| failure(place, stack.fails));
    Faults {
        failures: failures.collect(),
        throttle: chance(weather.throttled),
        lost_replies: chance(weather.lost_replies),
        server_errors: chance(weather.server_errors),
        stale_reads: (weather.stale > 0)
            .then(|| StaleReads { probability: 0.3, up_to: Duration::from_secs(weather.stale) }),
        unpropagated_roles_fail: weather.roles_fail,
        ..Faults::default()
    }
}

/// A resource that fails so many times.
fn failure(place: usize, times: u32) -> Failure {
    Failure {
        stack: app::name(place),
        logical_id: "Slow".to_owned(),
        operation: None,
        reason: "it is broken".to_owned(),
        times,
    }
}

fn disturbance(kind: MishapKind) -> Disturbance {
    match kind {
        MishapKind::NeverAnswered => Disturbance::never_answered(),
        MishapKind::NeverArrived => Disturbance::never_answered().request_lost(),
        MishapKind::Reset => Disturbance::reset(),
        MishapKind::WebPage => Disturbance::html(),
        MishapKind::HalfAnAnswer => Disturbance::truncated(),
        MishapKind::BadGateway => Disturbance::bad_gateway(),
        MishapKind::Throttled => Disturbance::throttled(),
        MishapKind::Expired => Disturbance::request_expired(),
        MishapKind::FromThePast => Disturbance::from_the_past(AGE),
    }
}

type Acts = Arc<Mutex<Vec<(Timestamp, usize, Act)>>>;

impl World<'_> {
    /// Deploys the earlier version of the stacks that have one.
    async fn deploy_before(&self) -> Result<()> {
        for (place, stack) in self.story.stacks.iter().enumerate() {
            match stack.before {
                Before::Absent => continue,
                Before::Deployed => self.sim.set_faults(Faults::default()),
                Before::RolledBack => {
                    self.sim.set_faults(Faults { failures: vec![failure(place, 1)], ..Faults::default() });
                }
            }
            let template = app::template(self.story, place, Version::Before).to_string();
            let parameters = [
                ("StackName", &*app::name(place)),
                ("TemplateBody", &template),
                ("Capabilities.member.1", "CAPABILITY_NAMED_IAM"),
            ];
            let answer =
                others::call(&self.sim, self.clock.now(), app::region(stack), "CreateStack", &parameters);
            anyhow::ensure!(answer.is_accepted, "the stack before the run: {}", answer.body);
            self.rest().await?;
        }
        Ok(())
    }

    /// Arranges the disturbances. Returns the acts of others that CloudFormation has accepted so far.
    fn disturb(&self) -> Acts {
        self.sim.set_faults(faults(self.story));
        let cloudformation = || Calls::to("cloudformation");
        for mishap in &self.story.mishaps {
            self.proxy.on(cloudformation().from(mishap.call).times(mishap.times), disturbance(mishap.kind));
        }
        let acts = Acts::default();
        for other in &self.story.others {
            let (sim, clock, story) = (self.sim.clone(), self.clock, self.story.clone());
            let (place, act, acts) = (other.stack, other.act, Arc::clone(&acts));
            self.proxy.before(cloudformation().nth(other.call), move |_| {
                if others::act(&sim, clock.now(), &story, place, act) {
                    acts.lock().unwrap_or_else(PoisonError::into_inner).push((clock.now(), place, act));
                    if act == Act::Replace {
                        tokio::spawn(others::create_when_possible(sim.clone(), clock, story.clone(), place));
                    }
                }
                std::future::ready(())
            });
        }
        acts
    }

    /// The run: it is killed and started again, until it ends by itself.
    async fn run(&self) -> Vec<Process> {
        let mut processes = Vec::new();
        let mut disk = 0;
        for kill in &self.story.kills {
            let after = Duration::from_secs(kill.after);
            let process = self.process("run", &format!("disk-{disk}"), Some(after)).await;
            let is_killed = process.is_killed;
            processes.push(process);
            if !is_killed {
                return processes;
            }
            disk += usize::from(kill.is_disk_lost);
            // When the tasks have been dropped, their calls are gone as well.
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        processes.push(self.process("run", &format!("disk-{disk}"), None).await);
        processes
    }

    async fn rival(&self) -> Option<Process> {
        let rival = self.story.rival.as_ref()?;
        tokio::time::sleep(Duration::from_secs(rival.after)).await;
        Some(self.process(RIVAL, RIVAL, None).await)
    }

    /// Starts a process on a machine. Ends it after some time, if asked to.
    async fn process(&self, name: &'static str, disk: &str, killed_after: Option<Duration>) -> Process {
        let events = Arc::default();
        let running = Box::pin(self.deploy(disk, Arc::clone(&events)));
        let ended = tokio::time::timeout(killed_after.unwrap_or(NEVER), running).await;
        let events = events.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let is_cut_off = ended.is_err();
        let refused = ended.ok().and_then(Result::err).map(|error| format!("{error:#}"));
        Process {
            name,
            events,
            refused,
            is_killed: is_cut_off && killed_after.is_some(),
            is_endless: is_cut_off && killed_after.is_none(),
        }
    }

    /// Deploys the app, or goes on with the run that the disk has a journal of.
    async fn deploy(&self, disk: &str, events: Arc<Mutex<Vec<Event>>>) -> Result<()> {
        let runs = self.folder.join(disk);
        let is_other = disk == RIVAL && self.story.rival.as_ref().is_some_and(|rival| rival.is_other_version);
        let assembly = if is_other { &self.rivals } else { &self.assembly };
        let plan = Arc::new(Plan::make(assembly, &Config::default(), &PlanOptions::default())?);
        let (run, earlier, mut journal) = if let Some(unfinished) = Journal::find_unfinished(&runs, &plan)? {
            let (run, earlier) = (unfinished.run.clone(), unfinished.earlier.clone());
            (run, Some(earlier), unfinished.into_parts().0)
        } else {
            let run = format!("run-{}", self.clock.now().as_millisecond());
            let journal = Journal::create(&runs, &run)?;
            (run, None, journal)
        };
        let options = AwsOptions {
            wire: self.wire.clone(),
            method: if self.story.change_sets { Method::ChangeSet } else { Method::Direct },
            // The asset has no source: reading a file in another thread would end at a random moment.
            missing_files: MissingFiles::Pretended,
            records: true,
            captures: Some(runs.clone()),
            ..AwsOptions::default()
        };
        let aws = Arc::new(Box::pin(Aws::connect(Arc::clone(assembly), &plan, options)).await?);
        let applicant = Applicant {
            id: format!("{disk}/{run}"),
            run: run.clone(),
            holder: disk.to_owned(),
            now: self.clock.now(),
        };
        let leases = Box::pin(aws.lock(&plan, &applicant, LockMode::Wait, |_| {})).await?;
        let stop = Stop::default();
        let options = RunOptions {
            id: run,
            app: "cdk.out".to_owned(),
            version: "0".to_owned(),
            earlier,
            order: Some(journal.order),
            stop: stop.clone(),
            ..RunOptions::simulated(self.clock.now())
        };
        let mut record = |event: &Event| {
            journal.append(event)?;
            events.lock().unwrap_or_else(PoisonError::into_inner).push(event.clone());
            Ok(())
        };
        {
            let mut running = Box::pin(paceline_engine::run(plan, Arc::clone(&aws), options, &mut record));
            tokio::select! {
                biased;
                ended = &mut running => drop(ended?),
                reason = leases.lost() => {
                    stop.request(format!("the lease on its stacks is lost: {reason}"));
                    running.await?;
                }
            }
        }
        leases.release().await;
        aws.settle().await;
        Ok(())
    }

    /// Ends all disturbances, and waits until AWS is at rest.
    async fn calm(&self) -> Result<()> {
        self.proxy.clear();
        self.sim.set_faults(Faults::default());
        self.rest().await
    }

    async fn rest(&self) -> Result<()> {
        for _ in 0..MOST_STEPS {
            let Some(due) = self.sim.next_due() else { return Ok(()) };
            let wait = due.duration_since(self.clock.now());
            tokio::time::sleep(Duration::try_from(wait).unwrap_or_default()).await;
            self.sim.advance(due);
        }
        anyhow::bail!("something is always due")
    }

    fn templates(&self) -> Vec<Option<String>> {
        let template = |(place, stack)| {
            let parameters = [("StackName", &*app::name(place))];
            let answer =
                others::read(&self.sim, self.clock.now(), app::region(stack), "GetTemplate", &parameters);
            answer.is_accepted.then_some(answer.body)
        };
        self.story.stacks.iter().enumerate().map(template).collect()
    }
}
