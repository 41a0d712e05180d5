//! The machines that Paceline runs on, and its processes there.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use jiff::{SignedDuration, Timestamp};
use paceline_aws::{
    Applicant, Aws, AwsOptions, LateApp, LateSynthesis, LockMode, Method, MissingFiles, Wire,
};
use paceline_config::Config;
use paceline_engine::{Event, Journal, RunOptions, Stop, journal_path};
use paceline_plan::{Destruction, Plan, PlanOptions};
use paceline_sim::{Proxy, VirtualClock};

use crate::app::App;
use crate::play::{Process, RIVAL};
use crate::story::{FullDisk, Kill, Story};

/// A process that takes longer in virtual time goes on for ever.
const NEVER: Duration = Duration::from_hours(48);

/// What the processes of a story share.
pub(crate) struct Machines<'a> {
    pub(crate) story: &'a Story,
    pub(crate) proxy: Proxy,
    pub(crate) clock: VirtualClock,
    pub(crate) app: App,
    /// The app of the rival.
    pub(crate) rivals: App,
    pub(crate) config: Config,
    pub(crate) folder: Utf8PathBuf,
    /// When the clock of the run's machine jumps.
    pub(crate) jumps_at: Option<Timestamp>,
    /// How many events the run has written to its disk.
    pub(crate) written: Mutex<u32>,
}

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    Deploy,
    Destroy,
}

/// What a process has left when it ended or was killed.
#[derive(Debug, Default)]
struct Left {
    events: Vec<Event>,
    /// The true time of each event.
    times: Vec<Timestamp>,
    full_at: Option<Timestamp>,
}

impl Machines<'_> {
    /// A run: it is killed and started again, until it ends by itself.
    pub(crate) async fn run(&self, task: Task, disks: &str, kills: &[Kill]) -> Vec<Process> {
        let (mut processes, mut kills, mut disk) = (Vec::new(), kills.iter(), 0);
        loop {
            let kill = kills.next();
            let after = kill.map(|kill| Duration::from_secs(kill.after));
            let process = self.process(task, "run", &format!("{disks}-{disk}"), after).await;
            let (is_killed, is_full) = (process.is_killed, process.full_at.is_some());
            processes.push(process);
            if !is_killed && !is_full {
                return processes;
            }
            disk += usize::from(is_killed && kill.is_some_and(|kill| kill.is_disk_lost));
            // When the tasks have been dropped, their calls are gone as well.
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    /// Starts a process on a machine. Ends it after some time, if asked to.
    pub(crate) async fn process(
        &self,
        task: Task,
        name: &'static str,
        disk: &str,
        killed_after: Option<Duration>,
    ) -> Process {
        let left = Arc::default();
        let started = self.clock.now();
        let running = Box::pin(self.work(task, name, disk, Arc::clone(&left)));
        let ended = tokio::time::timeout(killed_after.unwrap_or(NEVER), running).await;
        let left = std::mem::take(&mut *left.lock().unwrap_or_else(PoisonError::into_inner));
        let is_cut_off = ended.is_err();
        let refused = ended.ok().and_then(Result::err).map(|error| format!("{error:#}"));
        Process {
            name,
            started,
            events: left.events,
            times: left.times,
            full_at: left.full_at,
            refused,
            is_killed: is_cut_off && killed_after.is_some(),
            is_endless: is_cut_off && killed_after.is_none(),
        }
    }

    /// How far the clock of a machine is wrong.
    fn error(&self, name: &str) -> impl Fn(Timestamp) -> Timestamp + Send + Sync + Copy + 'static {
        let by = self.story.jump.as_ref().map_or(0, |jump| jump.by);
        let from = self.jumps_at.filter(|_| name != RIVAL);
        move |now| match from {
            Some(from) if now >= from => now + SignedDuration::from_secs(by),
            _ => now,
        }
    }

    /// Deploys or deletes the app, or goes on with the run that the disk has a journal of.
    async fn work(&self, task: Task, name: &'static str, disk: &str, left: Arc<Mutex<Left>>) -> Result<()> {
        let runs = self.folder.join(disk);
        let is_other = name == RIVAL && self.story.rival.as_ref().is_some_and(|rival| rival.is_other_version);
        let App { assembly, made_again } = if is_other { &self.rivals } else { &self.app };
        let (config, how) = (&self.config, PlanOptions::default());
        let destruction = match task {
            Task::Deploy => None,
            Task::Destroy => Some(Destruction::make(assembly, config, &how)?),
        };
        let plan = match &destruction {
            Some(destruction) => destruction.plan.clone(),
            None => Plan::make(assembly, config, &how)?,
        };
        let late = LateSynthesis {
            config: config.clone(),
            options: how,
            apps: BTreeMap::from([(None, LateApp::Pretend(Some(made_again.clone())))]),
            keep: Utf8PathBuf::new(),
        };
        let (plan, clock, wrong) = (Arc::new(plan), self.clock, self.error(name));
        let now = wrong(clock.now());
        let (run, earlier, mut journal) = if let Some(unfinished) = Journal::find_unfinished(&runs, &plan)? {
            let (run, earlier) = (unfinished.run.clone(), unfinished.earlier.clone());
            (run, Some(earlier), unfinished.into_parts().0)
        } else {
            let run = name_of_run(&runs, now);
            let journal = Journal::create(&runs, &run)?;
            (run, None, journal)
        };
        let options = AwsOptions {
            wire: Wire::simulated(self.proxy.clone(), move || wrong(clock.now()).into()),
            method: if self.story.change_sets { Method::ChangeSet } else { Method::Direct },
            // One asset has no source. The others are read in this thread, because another thread would end at a random
            // moment.
            missing_files: MissingFiles::Pretended,
            records: true,
            late: Some(Arc::new(late)),
            captures: (task == Task::Deploy).then(|| runs.clone()),
            ..AwsOptions::default()
        };
        let aws = Arc::new(Box::pin(Aws::connect(Arc::clone(assembly), &plan, options)).await?);
        if let Some(destruction) = &destruction {
            aws.survey(destruction).await?;
        }
        let (id, holder) = (format!("{disk}/{run}"), disk.to_owned());
        let applicant = Applicant { id, run: run.clone(), holder, now };
        let leases = Box::pin(aws.lock(&plan, &applicant, LockMode::Wait, |_| {})).await?;
        let stop = Stop::default();
        let options = RunOptions {
            id: run.clone(),
            app: "cdk.out".to_owned(),
            version: "0".to_owned(),
            earlier,
            order: Some(journal.order),
            stop: stop.clone(),
            ..RunOptions::simulated(wrong(clock.now()))
        };
        let full = self.story.full_disk.as_ref().filter(|_| name == "run" && task == Task::Deploy);
        let mut record = |event: &Event| {
            let mut left = left.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(full) = full
                && self.is_full(full)
            {
                left.full_at.get_or_insert(clock.now());
                if full.is_torn {
                    tear(&journal_path(&runs, &run), event)?;
                }
                return Err(std::io::ErrorKind::StorageFull.into());
            }
            journal.append(event)?;
            left.times.push(clock.now());
            left.events.push(event.clone());
            Ok(())
        };
        let ended = {
            let mut running = Box::pin(paceline_engine::run(plan, Arc::clone(&aws), options, &mut record));
            tokio::select! {
                biased;
                ended = &mut running => ended,
                reason = leases.lost() => {
                    stop.request(format!("the lease on its stacks is lost: {reason}"));
                    running.await
                }
            }
        };
        leases.release().await;
        ended?;
        aws.settle().await;
        Ok(())
    }

    /// Counts an event. The disk is full for one event. Whoever starts the command again has made some room.
    fn is_full(&self, full: &FullDisk) -> bool {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        *written += 1;
        *written == full.event + 1
    }
}

/// The name of a new run. After a jump of the clock, there may be one of that time.
fn name_of_run(runs: &Utf8Path, now: Timestamp) -> String {
    let mut millisecond = now.as_millisecond();
    while runs.join(format!("run-{millisecond}")).exists() {
        millisecond += 1;
    }
    format!("run-{millisecond}")
}

/// Writes a part of an event to the end of a journal.
fn tear(journal: &Utf8Path, event: &Event) -> std::io::Result<()> {
    let line = serde_json::to_string(event)?;
    let mut file = fs_err::OpenOptions::new().append(true).open(journal)?;
    file.write_all(&line.as_bytes()[..line.len() / 2])
}
