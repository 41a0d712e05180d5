//! Executes a plan in AWS or in the embedded AWS, with a journal and reports.

use std::future::Future;
use std::sync::Arc;

use camino::Utf8Path;
use jiff::{SignedDuration, Timestamp};
use paceline_aws::Aws;
use paceline_engine::{Event, ExitCode, Journal, PlanLock, RepeatedCommand, RunOptions, Unfinished};
use paceline_plan::Plan;
use paceline_report::Record;

use super::figures::Audience;
use super::lease;
use super::listeners::Listeners;
use super::notices::Notices;
use crate::failure::Failure;
use crate::settings::RunSettings;
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
}

/// A run that has ended.
pub(crate) struct Finished {
    /// The documented exit code.
    pub exit_code: ExitCode,
    pub record: Record,
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
        Box::pin(self.run(Arc::clone(&self.plan), connect, run, listeners)).await
    }

    /// Executes the plan in AWS. If an interrupted run of this plan exists, continues that run.
    pub(super) async fn perform(
        &self,
        connect: impl Future<Output = Result<Aws, Failure>>,
    ) -> Result<Finished, Failure> {
        let runs = Utf8Path::new(RUNS);
        let _lock = PlanLock::take(runs, &self.lock)?;
        let plan = Arc::new(Plan::clone(&self.plan).with_scripts(script));
        let unfinished = Journal::find_unfinished(runs, &plan)?;
        if self.settings.resume && unfinished.is_none() {
            let message = "there is no interrupted run of this app as it is now";
            return Err(Failure::usage(message, "run it without --resume to begin at the start"));
        }
        let now = Timestamp::now();
        let (run, journal, events) = if let Some(unfinished) = unfinished {
            let Unfinished { run, earlier, again, .. } = &unfinished;
            terminal::mention(&format!("continuing the interrupted run {run}"));
            for RepeatedCommand { command, edited } in again {
                let why = if *edited { "it was edited" } else { "another run changed what it follows" };
                terminal::note(&format!("the command `{command}` runs again: {why} after the interruption"));
            }
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
        let run = RunOptions { order: Some(journal.order), endpoint: paceline_aws::endpoint(), ..run };
        let listeners = Listeners::open(self.settings, self.outputs, &plan, Some(journal), &events)?;
        Box::pin(self.run(plan, connect, run, listeners)).await
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
            stop: interrupt::stop(),
            // The deadline of the process stops the run, too. It counts from the start of the process.
            deadline: None,
        }
    }

    async fn run(
        &self,
        plan: Arc<Plan>,
        connect: impl Future<Output = Result<Aws, Failure>>,
        mut run: RunOptions,
        mut listeners: Listeners,
    ) -> Result<Finished, Failure> {
        let is_simulated = run.simulated;
        let connected = interrupt::stoppable(async {
            let performer = Arc::new(connect.await?);
            Ok((performer, if is_simulated { None } else { build::own().await }))
        });
        let (performer, build) = match connected.await.and_then(|connected| connected) {
            Ok(connected) => connected,
            Err(failure) => {
                listeners.discard();
                return Err(failure);
            }
        };
        run.build = build;
        let leases = match lease::take(&performer, &plan, &run, self.settings.lock).await {
            Ok(leases) => leases,
            Err(failure) => {
                listeners.discard();
                return Err(failure);
            }
        };
        interrupt::run_has_begun();
        let (aws, stop) = (Arc::clone(&performer), run.stop.clone());
        let mut notices = Notices::open(&self.audience, &aws, is_simulated);
        let mut hear = |event: &Event| {
            listeners.event(event)?;
            notices.event(event, || listeners.figures().0);
            Ok(())
        };
        let running = paceline_engine::run(plan, performer, run, &mut hear);
        let ended = lease::during(running, leases, &stop).await;
        let ended = ended.map_err(|error| {
            let hint = "free some disk space, then run the same command again: it continues the run";
            Failure::usage(format!("cannot keep the journal: {error}"), hint)
                .with_exit_code(ExitCode::Interrupted)
        })?;
        let (record, counts) = listeners.figures();
        let figures = self.audience.figures(self.settings, &aws, &record, &counts);
        let settled = async {
            // An interrupted process has to end soon.
            if ended.exit_code != ExitCode::Interrupted {
                aws.settle().await;
            }
        };
        tokio::join!(figures, notices.finish(), settled);
        let record = listeners.finish(self.phased.as_ref());
        Ok(Finished { exit_code: ended.exit_code, record })
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
