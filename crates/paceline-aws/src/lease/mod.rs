//! Leases: who may change which stacks now.
//!
//! An object in each staging bucket lists the leases on stacks of its environment ([`document`]). A run changes it with a
//! conditional write: S3 refuses the write if the object has changed since it was read. So two runs never have a lease on
//! the same stack. A run renews its leases while it works. If its process is killed, they end by themselves. If a run
//! finds that a lease is not its own any more, it starts nothing more.
//!
//! A lease is an agreement between runs of Paceline. Other tools and people do not know it, so a run still looks at a stack
//! directly before it changes it.

mod document;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{join_all, select_all};
use jiff::Timestamp;
use paceline_plan::Plan;
use paceline_text::first_few;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use self::document::{Document, Entry, SCHEMA};
use crate::error::AwsError;
use crate::performer::Aws;
use crate::publish::Condition;
use crate::staging::StagingBucket;

/// The key of the object in each staging bucket.
const KEY: &str = "paceline/leases/v1.json";
/// A lease that is not renewed ends after this time.
const LASTS: Duration = Duration::from_mins(3);
/// The lease of a run that sleeps ends after this time, if nothing wakes the run.
const SLEEPS: Duration = Duration::from_hours(24);
/// A lease is renewed this often.
const RENEWED: Duration = Duration::from_secs(45);
/// The most stacks of another run that are named.
const NAMED: usize = 3;
/// How often a waiting run looks again.
const LOOK: Duration = Duration::from_secs(10);
/// Other runs may write the object at the same time. After so many refused writes, the attempt counts as failed.
const WRITES: usize = 10;
/// The pause before a write that was refused is tried again.
const PAUSE: Duration = Duration::from_millis(200);
/// At the end of a run, the leases that cannot be given back in this time end by themselves.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a run does if another run has a lease on one of its stacks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LockMode {
    /// Waits until the stacks are free.
    #[default]
    Wait,
    /// Ends without having touched anything.
    Refuse,
}

/// The run that asks for leases.
#[derive(Debug, Clone)]
pub struct Applicant {
    /// The name of the run, for people.
    pub run: String,
    /// What tells the run from every other, also from a run of the same name on another machine. A process that
    /// continues the run on the same machine has the same.
    pub id: String,
    /// The person, machine or build that runs it.
    pub holder: String,
    /// The time now.
    pub now: Timestamp,
}

/// The leases of a run. They are renewed until this is dropped.
#[derive(Debug)]
pub struct Leases {
    held: Arc<Vec<Held>>,
    id: String,
    renewing: JoinHandle<()>,
    lost: watch::Receiver<Option<String>>,
    waited: Duration,
    clock: Clock,
}

/// A lease in one bucket.
#[derive(Debug)]
struct Held {
    bucket: Arc<StagingBucket>,
    fence: u64,
}

/// The time of the calendar, by tokio's clock.
#[derive(Debug, Clone, Copy)]
struct Clock {
    at: Timestamp,
    began: Instant,
}

impl Clock {
    fn now(self) -> Timestamp {
        self.at + self.began.elapsed()
    }
}

/// Why a lease could not be taken.
enum NotTaken {
    /// Another run has one of the stacks.
    By(Box<Entry>),
    /// The bucket cannot be used.
    Failed(AwsError),
}

impl Aws {
    /// Takes leases on all stacks of a plan. If another run has one of them, waits for it or ends with an error. `tell`
    /// gets sentences for a person: who is waited for, and which bucket cannot hold leases.
    pub async fn lock(
        &self,
        plan: &Plan,
        applicant: &Applicant,
        mode: LockMode,
        mut tell: impl FnMut(String),
    ) -> Result<Leases, AwsError> {
        let clock = Clock { at: applicant.now, began: Instant::now() };
        let mut wanted: BTreeMap<String, (Arc<StagingBucket>, BTreeSet<String>)> = BTreeMap::new();
        for planned in &plan.stacks {
            let Some(stack) = self.assembly.stack(&planned.id) else { continue };
            let Some(bucket) = self.staging_bucket(stack).await else { continue };
            let (_, stacks) = wanted.entry(bucket.name.clone()).or_insert_with(|| (bucket, BTreeSet::new()));
            stacks.insert(stack.name.clone());
        }
        let mut named = None;
        loop {
            // All runs take the buckets in one order, and none waits while it holds a lease. So two runs on the same stacks
            // neither wait for each other nor refuse each other.
            let (mut held, mut by, mut unusable) = (Vec::new(), None, Vec::new());
            for (bucket, stacks) in wanted.values() {
                match Box::pin(take(bucket, stacks, applicant, clock)).await {
                    Ok(fence) => held.push(Held { bucket: Arc::clone(bucket), fence }),
                    Err(NotTaken::Failed(error)) => unusable.push((bucket.name.clone(), error)),
                    Err(NotTaken::By(entry)) => {
                        by = Some(entry);
                        break;
                    }
                }
            }
            for (bucket, error) in unusable {
                tell(format!("no lease is kept in s3://{bucket}: {error}"));
                wanted.remove(&bucket);
            }
            let Some(by) = by else {
                let waited = named.map_or(Duration::ZERO, |_| clock.began.elapsed());
                return Ok(Leases::of(held, applicant.id.clone(), clock, waited));
            };
            join_all(held.iter().map(|held| give_back(held, &applicant.id))).await;
            let (stacks, since) = (first_few(&by.stacks, NAMED), by.since.strftime("%F %H:%M UTC"));
            let what = if by.sleeps {
                format!(
                    "the run {} sleeps while CloudFormation works on its stacks ({stacks}); a build continues it. It began to \
                     change them in {}, at {since}",
                    by.run, by.holder
                )
            } else {
                format!("the run {} of {} is changing {stacks}, since {since}", by.run, by.holder)
            };
            match mode {
                LockMode::Refuse => {
                    return Err(AwsError::setup(what).hint(
                        "wait until it has ended; `--lock wait` waits, and `--lock none` ignores other runs",
                    ));
                }
                LockMode::Wait if named.as_ref() != Some(&by.id) => {
                    tell(format!("waiting: {what}; `--lock none` ignores other runs"));
                    named = Some(by.id);
                }
                LockMode::Wait => {}
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// Takes a lease in one bucket, and gives its number.
async fn take(
    bucket: &StagingBucket,
    stacks: &BTreeSet<String>,
    applicant: &Applicant,
    clock: Clock,
) -> Result<u64, NotTaken> {
    let Applicant { run, id, holder, .. } = applicant;
    let taken = change(bucket, |document| {
        let now = clock.now();
        let (run, id, holder) = (run.clone(), id.clone(), holder.clone());
        let (stacks, until) = (stacks.clone(), now + LASTS);
        let wanted = Entry { run, id, holder, since: now, until, fence: 0, stacks, sleeps: false };
        document.take(&wanted, now)
    });
    taken.await.map_err(NotTaken::Failed)?.map_err(NotTaken::By)
}

/// Reads the object, changes it and writes it. Begins again if another run has written it in between. An unchanged object
/// is not written.
async fn change<T>(
    bucket: &StagingBucket,
    mut change: impl FnMut(&mut Document) -> T,
) -> Result<T, AwsError> {
    let open = bucket.open();
    for _ in 0..WRITES {
        let found = Box::pin(open.get(KEY)).await?;
        let (mut document, condition) = match found {
            Some((bytes, etag)) => {
                let parsed = Document::parse(&bytes).map_err(|schema| {
                    AwsError::setup(format!(
                        "the leases have format {schema}, and this version of Paceline knows {SCHEMA}"
                    ))
                    .hint("use the version of Paceline that the other runs use")
                })?;
                (parsed, Condition::Unchanged(etag))
            }
            None => (Document::default(), Condition::New),
        };
        let before = document.clone();
        let result = change(&mut document);
        if document == before {
            return Ok(result);
        }
        let bytes = serde_json::to_vec(&document).map_err(|error| AwsError::setup(error.to_string()))?;
        if Box::pin(open.put_if(KEY, bytes, &condition)).await? {
            return Ok(result);
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(AwsError::setup("other runs write the leases all the time"))
}

async fn give_back(held: &Held, id: &str) {
    // A lease that stays ends by itself.
    let _ = change(&held.bucket, |document| document.release(id, held.fence)).await;
}

impl Leases {
    fn of(held: Vec<Held>, id: String, clock: Clock, waited: Duration) -> Self {
        let (held, (sender, lost)) = (Arc::new(held), watch::channel(None));
        let renewing = tokio::spawn(renew(Arc::clone(&held), id.clone(), clock, sender));
        Self { held, id, renewing, lost, waited, clock }
    }

    /// How long the run waited for the leases of other runs.
    pub fn waited(&self) -> Duration {
        self.waited
    }

    /// Completes when a lease is lost, and gives the reason.
    pub async fn lost(&self) -> String {
        let mut lost = self.lost.clone();
        match lost.wait_for(Option::is_some).await {
            Ok(reason) => reason.clone().unwrap_or_default(),
            // The leases are not renewed any more, because they are being given back.
            Err(_) => std::future::pending().await,
        }
    }

    /// Keeps the leases for a run that sleeps, until a process continues it. Gives `false` if one of them cannot be kept.
    pub async fn keep_asleep(&self) -> bool {
        self.renewing.abort();
        let until = self.clock.now() + SLEEPS;
        let kept = self.held.iter().map(|held| async move {
            matches!(
                change(&held.bucket, |document| document.sleep(&self.id, held.fence, until)).await,
                Ok(true)
            )
        });
        join_all(kept).await.into_iter().all(|kept| kept)
    }

    /// Gives the leases back, so that other runs need not wait until they end.
    pub async fn release(self) {
        self.renewing.abort();
        let released = join_all(self.held.iter().map(|held| give_back(held, &self.id)));
        let _ = tokio::time::timeout(PATIENCE, released).await;
    }
}

impl Drop for Leases {
    fn drop(&mut self) {
        self.renewing.abort();
    }
}

/// Renews leases until one is lost.
async fn renew(held: Arc<Vec<Held>>, id: String, clock: Clock, lost: watch::Sender<Option<String>>) {
    if held.is_empty() {
        return;
    }
    let (reason, ..) = select_all(held.iter().map(|held| Box::pin(keep(held, &id, clock)))).await;
    lost.send_replace(Some(reason));
}

/// Renews one lease until it is lost, and gives the reason.
///
/// A call may be tried again for many minutes. So a lease also counts as lost when it ends while an answer is missing: from
/// then on, another run may take it.
async fn keep(held: &Held, id: &str, clock: Clock) -> String {
    let mut ends = Instant::now() + LASTS;
    let mut missing = "AWS does not answer".to_owned();
    loop {
        tokio::time::sleep(RENEWED).await;
        let asked = Instant::now();
        let until = clock.now() + LASTS;
        let renewed = change(&held.bucket, |document| document.renew(id, held.fence, until));
        match tokio::time::timeout_at(ends, renewed).await {
            Ok(Ok(true)) => ends = asked + LASTS,
            Ok(Ok(false)) => return "another process has taken over its stacks".to_owned(),
            Ok(Err(error)) if Instant::now() < ends => missing = error.to_string(),
            Ok(Err(error)) => return format!("its lease could not be renewed in time: {error}"),
            Err(_) => return format!("its lease could not be renewed in time: {missing}"),
        }
    }
}
