//! Executes a plan in AWS or in the embedded AWS, with a journal and reports.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use camino::Utf8Path;
use jiff::{SignedDuration, Timestamp};
use paceline_aws::{Aws, Leases};
use paceline_engine::{Event, ExitCode, Fact, Journal, PlanLock, RunOptions, Unfinished};
use paceline_plan::Plan;

use super::copies::Copies;
use super::figures::{Audience, in_time};
use super::finished::Finished;
use super::lease;
use super::listeners::Listeners;
use super::notices::Notices;
use super::policy::PolicyCheck;
use super::repeated::Repetition;
use super::resume::{self, Continuing};
use super::sleep;
use super::traces::RunTraces;
use crate::build::OwnBuild;
use crate::failure::Failure;
use crate::settings::{LockSetting, RunSettings};
use crate::{build, interrupt, terminal};

/// Where runs keep their journals, in the folder that `paceline` is called in.
pub const RUNS: &str = ".paceline/runs";
/// The id of a run contains its start, to the second.
const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// The work before a run, for the message about its interruption.
pub(super) const PREFLIGHT: &str = "roles, bootstrap and quotas were being checked";

/// A plan to execute, and the settings of its run.
pub(super) struct Execution<'a> {
    pub settings: &'a RunSettings,
    /// The file for the outputs of the stacks.
    pub outputs: Option<&'a Utf8Path>,
    /// The folder of the assembly.
    pub dir: &'a Utf8Path,
    /// The key of the lock. Two processes with the same key cannot run at the same time.
    pub lock: String,
    pub plan: Arc<Plan>,
    /// The name of the deployment, and who hears of it.
    pub audience: Audience,
    /// The plan with every phase as a barrier, for the comparison in the summary.
    pub phased: Option<Plan>,
    /// What the run keeps in the staging bucket.
    pub copies: Copies,
    /// Whether somebody has approved exactly this plan.
    pub is_approved: bool,
    /// The prepared run whose change sets are executed.
    pub executes: Option<String>,
    /// The rule that continues the run, if the run may sleep.
    pub sleep: Option<String>,
    /// Whether a run that fails is rolled back by itself.
    pub undoes_failed: bool,
    /// What is held against the run's changes before it begins.
    pub policy: Option<PolicyCheck<'a>>,
}

/// A run that may begin.
struct Started {
    plan: Arc<Plan>,
    performer: Arc<Aws>,
    leases: Option<Leases>,
    run: RunOptions,
    listeners: Listeners,
}

impl Started {
    async fn give_up(self) {
        if let Some(leases) = self.leases {
            leases.release().await;
        }
    }

    /// Gives up a run that may not begin. A new one leaves no folder behind.
    async fn refuse(self) {
        let Self { leases, run, listeners, .. } = self;
        if let Some(leases) = leases {
            leases.release().await;
        }
        if run.earlier.is_none() {
            lease::forget(&run.id);
        }
        listeners.discard();
    }
}

impl Execution<'_> {
    /// Executes the plan in the embedded AWS, without a journal.
    pub(super) async fn simulate(
        &self,
        start: Timestamp,
        connect: impl Future<Output = Result<Aws, Failure>>,
    ) -> Result<Finished, Failure> {
        let listeners = Listeners::open(self.settings, self.outputs, &self.plan, None, &[])?;
        let deadline = self.settings.deadline;
        let run = RunOptions { simulated: true, deadline, ..self.options("simulated".to_owned(), start) };
        let started = Box::pin(self.start(Arc::clone(&self.plan), connect, run, false, listeners)).await?;
        let finished = Box::pin(self.run(started, &[], None)).await?;
        Ok(finished.unwrap_or_else(Finished::nothing))
    }

    /// Executes the plan in AWS. If an interrupted run of this plan exists, continues that run.
    pub(super) async fn perform<C>(&self, connect: impl Fn() -> C) -> Result<Finished, Failure>
    where
        C: Future<Output = Result<Aws, Failure>>,
    {
        let _lock = PlanLock::take(Utf8Path::new(RUNS), &self.lock)?;
        let build = interrupt::stoppable(Box::pin(build::own())).await?;
        sleep::forget();
        // A run that could not fall asleep stays awake.
        let stays_awake = AtomicBool::new(self.sleep.is_none());
        loop {
            // If another machine has gone on with the run while this process waited, it begins with the new journal.
            if let Some(finished) =
                Box::pin(self.continue_or_begin(connect(), build.as_ref(), &stays_awake)).await?
            {
                return Ok(finished);
            }
        }
    }

    async fn continue_or_begin(
        &self,
        connect: impl Future<Output = Result<Aws, Failure>>,
        build: Option<&OwnBuild>,
        stays_awake: &AtomicBool,
    ) -> Result<Option<Finished>, Failure> {
        let runs = Utf8Path::new(RUNS);
        let plan = Arc::new(Plan::clone(&self.plan).with_scripts(script));
        let wake = self.sleep.as_ref().and_then(|_| sleep::to_wake(build));
        let wake = wake.filter(|_| self.settings.resume.is_none());
        let wanted = self.settings.resume.as_deref().or(wake.as_deref());
        // Without a copy of the journal, nothing is known of an earlier build.
        let may_repeat = self.copies.journal && wanted.is_none();
        let repeats = build.filter(|_| may_repeat).map_or(&[][..], |build| &build.repeats);
        let brought = self.copies.bring(wanted, !repeats.is_empty());
        let brought = interrupt::stoppable(Box::pin(brought)).await??;
        if wake.as_deref().is_some_and(sleep::has_ended) {
            return Ok(Some(Finished::left_to_others()));
        }
        let mut is_announced = false;
        let unfinished = match (wanted, self.after_failed_builds(&plan, repeats)?) {
            (_, Repetition::Stopped(finished)) => return Ok(Some(*finished)),
            (_, Repetition::Continues(unfinished)) => {
                is_announced = true;
                Some(unfinished)
            }
            (None, Repetition::None) => Journal::find_unfinished(runs, &plan)?,
            (Some(wanted), Repetition::None) => {
                let (assembly, is_approved) = (self.copies.assembly(), self.is_approved);
                let executes = self.executes.as_deref();
                Some(Continuing { plan: &plan, assembly, is_approved, executes }.open(wanted)?)
            }
        };
        let now = Timestamp::now();
        let (run, journal, events) = if let Some(unfinished) = unfinished {
            if !is_announced {
                let run = &unfinished.run;
                let lead = if wake.is_some() {
                    format!("continuing the run {run}, which slept")
                } else {
                    format!("continuing the interrupted run {run}")
                };
                resume::announce(lead, &unfinished, self.executes.as_deref());
            }
            let Unfinished { run, earlier, .. } = &unfinished;
            let options = RunOptions { earlier: Some(earlier.clone()), ..self.options(run.clone(), now) };
            let (journal, events) = unfinished.into_parts();
            (options, journal, events)
        } else {
            let mut named = now;
            let id = loop {
                let id = format!("{}-{}", named.strftime("%Y%m%dT%H%M%SZ"), &self.plan.resume_key[..8]);
                // Another run of this plan may have started in the same second.
                if !runs.join(&id).exists() {
                    break id;
                }
                named += SECOND;
            };
            let journal = Journal::create(runs, &id)?;
            (self.options(id, now), journal, Vec::new())
        };
        let may_sleep = self.copies.journal && !plan.prepares && !stays_awake.load(Ordering::Relaxed);
        let run = RunOptions {
            order: Some(journal.order),
            endpoint: paceline_aws::endpoint(),
            build: build.map(|build| build.phases.clone()),
            sleep: build.filter(|_| may_sleep).and_then(|build| sleep::when(build, &events)),
            ..run
        };
        let listeners = Listeners::open(self.settings, self.outputs, &plan, Some(journal), &events)?;
        let started = match Box::pin(self.start(plan, connect, run, wake.is_some(), listeners)).await {
            // Another build that woke up is at work already.
            Err(failure) if wake.is_some() && failure.is_busy => {
                terminal::say(&format!("this build does not continue the run: {failure}"));
                return Ok(Some(Finished::left_to_others()));
            }
            started => started?,
        };
        // With the leases, no other machine writes the journal any more. `--lock none` looks at no other run.
        if let Some(brought) = brought.as_ref().filter(|_| started.leases.is_some()) {
            let is_current = brought.is_current(&started.run.id).await;
            if !matches!(is_current, Ok(true)) {
                started.give_up().await;
                return is_current.map(|_| None);
            }
        }
        if let Some(rule) = self.sleep.as_ref().filter(|_| !sleep::waits_for(&events).is_empty()) {
            sleep::awake(rule).await;
        }
        let finished = Box::pin(self.run(started, &events, build)).await?;
        stays_awake.fetch_or(finished.is_none(), Ordering::Relaxed);
        Ok(finished)
    }

    fn options(&self, id: String, now: Timestamp) -> RunOptions {
        RunOptions {
            id,
            app: self.dir.to_string(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            now,
            simulated: false,
            earlier: None,
            order: None,
            endpoint: None,
            build: None,
            executes: self.executes.clone(),
            approvals: Vec::new(),
            lease_wait: Duration::ZERO,
            stop: interrupt::stop(),
            // The deadline of the process stops the run, too. It counts from the start of the process.
            deadline: None,
            sleep: None,
        }
    }

    /// Connects to AWS, takes leases on the stacks, and holds the policy against the changes.
    async fn start(
        &self,
        plan: Arc<Plan>,
        connect: impl Future<Output = Result<Aws, Failure>>,
        mut run: RunOptions,
        wakes: bool,
        listeners: Listeners,
    ) -> Result<Started, Failure> {
        let connected = interrupt::stoppable(connect).await.and_then(|connected| connected);
        let performer = match connected {
            Ok(performer) => Arc::new(performer),
            Err(failure) => {
                listeners.discard();
                return Err(failure);
            }
        };
        // The process of a run that wakes up does not wait for another one.
        let lock = match self.settings.lock {
            LockSetting::Wait if wakes => LockSetting::Refuse,
            lock => lock,
        };
        let leases = match lease::take(&performer, &plan, &run, lock).await {
            Ok(leases) => leases,
            Err(mut failure) => {
                listeners.discard();
                failure.is_busy |= wakes && failure.exit_code == ExitCode::Refused;
                return Err(failure);
            }
        };
        run.lease_wait = leases.as_ref().map_or(Duration::ZERO, Leases::waited);
        let mut started = Started { plan, performer, leases, run, listeners };
        let Some(policy) = &self.policy else { return Ok(started) };
        // The run that held the leases before may have changed the stacks.
        let held = interrupt::stoppable(Box::pin(policy.ensure(&started.plan, &started.performer))).await;
        match held.and_then(|held| held) {
            Ok(approvals) => {
                started.run.approvals = approvals;
                Ok(started)
            }
            Err(failure) => {
                started.refuse().await;
                Err(failure)
            }
        }
    }

    /// Runs the plan to its end. Gives `None` if the run was about to sleep and must go on.
    async fn run(
        &self,
        started: Started,
        earlier: &[Event],
        build: Option<&OwnBuild>,
    ) -> Result<Option<Finished>, Failure> {
        let Started { plan, performer, leases, run, mut listeners } = started;
        let (id, is_simulated) = (run.id.clone(), run.simulated);
        interrupt::run_has_begun();
        let copy = if self.copies.journal && !is_simulated {
            let is_start = |event: &&Event| matches!(event.fact, Fact::RunStarted(_));
            let part = earlier.iter().filter(is_start).count() + 1;
            let warn = |what: String| terminal::warn(&what);
            Box::pin(performer.copy_run(&plan, &id, part, earlier, warn)).await
        } else {
            None
        };
        let (aws, stop) = (Arc::clone(&performer), run.stop.clone());
        let mut notices = Notices::open(&self.audience, &aws, is_simulated || plan.prepares);
        let Audience { traces, deployment, .. } = &self.audience;
        let mut traces = RunTraces::open(traces, deployment, &aws, is_simulated, earlier);
        let mut hear = |event: &Event| {
            listeners.event(event)?;
            if let Some(copy) = &copy {
                copy.add(event);
            }
            notices.event(event, || listeners.figures().0);
            traces.event(event);
            Ok(())
        };
        let running = paceline_engine::run(Arc::clone(&plan), performer, run, &mut hear);
        let ended = lease::during(running, leases.as_ref(), &stop).await;
        let sleeps = ended.as_ref().is_ok_and(|ended| ended.sleeps);
        let leases = match leases {
            Some(leases) if !sleeps => {
                leases.release().await;
                None
            }
            leases => leases,
        };
        let ended = ended.map_err(|error| {
            let hint = "free some disk space, then run the same command again: it continues the run";
            Failure::usage(format!("cannot keep the journal: {error}"), hint)
                .with_exit_code(ExitCode::Interrupted)
        })?;
        let (record, counts) = listeners.figures();
        let figures = async {
            if !sleeps {
                self.audience.figures(self.settings, &aws, &record, &counts).await;
            }
        };
        let settled = async {
            // An interrupted process has to end soon.
            if ended.exit_code != ExitCode::Interrupted {
                aws.settle().await;
            }
        };
        let copied = async {
            match &copy {
                // The missing outputs were reported, or are written by the process that continues the run.
                Some(copy) => in_time(copy.finish()).await.unwrap_or(false),
                None => false,
            }
        };
        let shared = async {
            let lines = listeners.history();
            if self.copies.history && !is_simulated && !lines.is_empty() {
                let problem = match in_time(Box::pin(aws.share_history(&plan, &id, lines))).await {
                    Some(Ok(())) => return,
                    Some(Err(error)) => error.to_string(),
                    None => "there was no answer in time".to_owned(),
                };
                terminal::warn(&format!("the durations of the run are not shared: {problem}"));
            }
        };
        let ((), (), (), (), is_copied, ()) =
            tokio::join!(figures, notices.finish(), traces.finish(), settled, copied, shared);
        if let (true, Some(rule), Some(build)) = (sleeps, &self.sleep, build) {
            let slept = async {
                if !is_copied {
                    return Err("its journal is not in the staging bucket".to_owned());
                }
                sleep::fall_asleep(rule, build, &id, &record.waits_for, &aws, leases.as_ref()).await
            };
            let slept = interrupt::stoppable(Box::pin(slept)).await;
            if slept.is_err() && in_time(Box::pin(sleep::give_up(rule, leases))).await.is_none() {
                terminal::warn(&format!(
                    "there was no time to disable the rule {rule}: if it is enabled, a build continues this run"
                ));
            }
            if let Err(why) = slept? {
                terminal::note(&format!("the run stays awake: {why}"));
                listeners.discard();
                return Ok(None);
            }
        }
        let record = listeners.finish(self.phased.as_ref());
        Ok(Some(Finished {
            exit_code: ended.exit_code,
            record,
            is_said_again: false,
            is_left_to_others: sleeps,
            prepared: aws.prepared(),
            findings: aws.findings(),
        }))
    }
}

/// The most bytes of a file that is read as a script.
const LONGEST_SCRIPT: u64 = 4 << 20;

/// Reads a script that a command starts. Gives nothing for a folder, a missing file, or a file that is too large for a
/// script.
pub(crate) fn script(path: &Utf8Path) -> Option<Vec<u8>> {
    let is_script = path.metadata().is_ok_and(|it| it.is_file() && it.len() <= LONGEST_SCRIPT);
    is_script.then(|| fs_err::read(path).ok()).flatten()
}
