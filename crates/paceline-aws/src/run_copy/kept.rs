//! Reads the copies of runs that the staging buckets of an app have.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::{join_all, try_join_all};
use jiff::{SignedDuration, Timestamp};
use paceline_assembly::Assembly;
use paceline_engine::{FetchedRun, join_parts};

use super::{CAPTURES, ENDED, HISTORIES, JOURNALS, PATIENCE, PREPARED};
use crate::error::{AwsError, PreflightError};
use crate::publish::{AssetTarget, Listed};
use crate::sdk::Wire;
use crate::session::Sessions;
use crate::staging::{self, StagingBucket};

/// Runs that began earlier are not looked for.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How many durations of runs are read, the newest first.
const HISTORY: usize = 50;

/// The staging buckets of an app, with the copies of runs in them.
#[derive(Debug)]
pub struct KeptRuns {
    buckets: Vec<Arc<StagingBucket>>,
}

/// The copy of a run, as it was when it was listed. Two copies are equal if nothing was written in between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptRun {
    /// The name of the run.
    pub run: String,
    /// Whether the run has ended, so that it cannot be continued. A failed run may have been continued by a later build.
    pub has_ended: bool,
    /// When it ended, in seconds.
    ended: Option<i64>,
    bucket: usize,
    pieces: Vec<Listed>,
    /// The buckets with earlier parts. A run that was continued with a changed app may have another first environment.
    earlier: Vec<usize>,
}

impl KeptRun {
    /// When the journal was last written, in seconds.
    pub fn written(&self) -> i64 {
        self.pieces.iter().map(|piece| piece.written).max().unwrap_or_default()
    }
}

impl KeptRuns {
    /// Assumes the roles that publish files to the staging buckets of an app, in the order of accounts and regions. Buckets
    /// whose role cannot be assumed are left out, unless that is the case for all.
    pub async fn open(wire: &Wire, assembly: &Assembly) -> Result<Self, PreflightError> {
        let sessions = Sessions::for_stacks(wire, &assembly.stacks).await?;
        let mut wanted = BTreeMap::new();
        for stack in &assembly.stacks {
            let Some(to) = staging::destination(stack) else { continue };
            let home = sessions.target(stack).await?;
            let name = home.resolve(&to.bucket);
            wanted.entry((home.of_destination(to.region.as_ref()), name)).or_insert(to.role.as_ref());
        }
        let opened = wanted.into_iter().map(|((target, name), role)| {
            let sessions = &sessions;
            async move {
                let caller = sessions.caller(&target).within(PATIENCE);
                let config = sessions.assume_by(&caller, role, &target).await?;
                Ok::<_, AwsError>(StagingBucket::new(AssetTarget { target, config, caller }, name))
            }
        });
        let (mut buckets, mut errors) = (Vec::new(), Vec::new());
        for opened in join_all(opened).await {
            match opened {
                Ok(bucket) => buckets.push(bucket),
                Err(error) => errors.push(error),
            }
        }
        if buckets.is_empty() && !errors.is_empty() {
            return Err(PreflightError(errors));
        }
        Ok(Self { buckets })
    }

    /// Whether the app has no staging bucket: no stack has an asset.
    pub fn is_empty(&self) -> bool {
        self.buckets.is_empty()
    }

    /// The runs of the last 30 days, the last written first.
    pub async fn list(&self, now: Timestamp) -> Result<Vec<KeptRun>, AwsError> {
        let after = format!("{JOURNALS}{}", (now - KEPT).strftime("%Y%m%dT%H%M%SZ"));
        let listed = self.buckets.iter().map(|bucket| {
            let after = &after;
            async move { Box::pin(bucket.open().list(JOURNALS, Some(after))).await }
        });
        let mut runs: BTreeMap<(String, usize), KeptRun> = BTreeMap::new();
        for (bucket, listed) in try_join_all(listed).await?.into_iter().enumerate() {
            for object in listed {
                let rest = object.key.strip_prefix(JOURNALS).and_then(|rest| rest.split_once('/'));
                let Some((run, name)) = rest else { continue };
                let kept = runs.entry((run.to_owned(), bucket)).or_insert_with(|| KeptRun {
                    run: run.to_owned(),
                    has_ended: false,
                    ended: None,
                    bucket,
                    pieces: Vec::new(),
                    earlier: Vec::new(),
                });
                if name == ENDED {
                    kept.ended = kept.ended.max(Some(object.written));
                } else {
                    kept.pieces.push(object);
                }
            }
        }
        let mut runs: Vec<KeptRun> = runs.into_values().filter(|kept| !kept.pieces.is_empty()).collect();
        runs.sort_by_key(|kept| std::cmp::Reverse((kept.written(), kept.run.clone())));
        // The last part of a run has the events of the parts before, too.
        let mut known: Vec<KeptRun> = Vec::new();
        for kept in runs {
            match known.iter_mut().find(|known| known.run == kept.run) {
                Some(last) => {
                    last.ended = last.ended.max(kept.ended);
                    last.earlier.push(kept.bucket);
                }
                None => known.push(kept),
            }
        }
        for kept in &mut known {
            // A process writes the object with the end last.
            kept.has_ended = kept.ended >= Some(kept.written());
        }
        Ok(known)
    }

    /// Reads the journal of a run.
    pub async fn journal(&self, kept: &KeptRun) -> Result<Vec<u8>, AwsError> {
        let bucket = self.buckets[kept.bucket].open();
        let read = kept.pieces.iter().map(|piece| {
            let bucket = &bucket;
            async move { Box::pin(bucket.get(&piece.key)).await }
        });
        let mut parts: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
        for (piece, read) in kept.pieces.iter().zip(try_join_all(read).await?) {
            let name = piece.key.rsplit('/').next().unwrap_or_default();
            let part = name.split_once('-').map_or(name, |(part, _)| part);
            let lines = read.map(|(lines, _)| lines).unwrap_or_default();
            parts.entry(part).or_default().extend(lines);
        }
        Ok(join_parts(&parts.into_values().collect::<Vec<_>>()))
    }

    /// Reads runs with their captures.
    pub async fn fetch_all(&self, kept: &[KeptRun]) -> Result<Vec<FetchedRun>, AwsError> {
        try_join_all(kept.iter().map(|kept| async move { Box::pin(self.fetch(kept)).await })).await
    }

    /// Reads a run with its captures and what it has prepared.
    pub async fn fetch(&self, kept: &KeptRun) -> Result<FetchedRun, AwsError> {
        let (captures, prepared) = (self.files(kept, CAPTURES), self.files(kept, PREPARED));
        let (captures, prepared) = futures_util::future::try_join(captures, prepared).await?;
        let journal = Box::pin(self.journal(kept)).await?;
        Ok(FetchedRun { run: kept.run.clone(), journal, captures, prepared })
    }

    /// The files of a run below a prefix: name and contents. What a later part has kept replaces what an earlier one had.
    async fn files(&self, kept: &KeptRun, prefix: &str) -> Result<Vec<(String, Vec<u8>)>, AwsError> {
        let folder = format!("{prefix}{}/", kept.run);
        let mut files = BTreeMap::new();
        for &bucket in kept.earlier.iter().rev().chain([&kept.bucket]) {
            let bucket = self.buckets[bucket].open();
            let keys = Box::pin(bucket.keys(&folder)).await?;
            let read = keys.iter().map(|key| {
                let bucket = &bucket;
                async move { Box::pin(bucket.get(key)).await }
            });
            let read = try_join_all(read).await?;
            files.extend(
                keys.iter().zip(read).filter_map(|(key, read)| {
                    Some((key.strip_prefix(&folder)?.to_owned(), read?.0.to_vec()))
                }),
            );
        }
        Ok(files.into_iter().collect())
    }

    /// The durations of the newest runs that were shared, except those of the runs that `is_known` names: lines of a
    /// history.
    pub async fn history(&self, is_known: impl Fn(&str) -> bool) -> Result<String, AwsError> {
        let listed =
            self.buckets.iter().map(|bucket| async move { Box::pin(bucket.open().keys(HISTORIES)).await });
        let mut found = Vec::new();
        for (bucket, keys) in self.buckets.iter().zip(try_join_all(listed).await?) {
            found.extend(keys.into_iter().map(|key| (key, bucket)));
        }
        found.sort_by(|a, b| b.0.cmp(&a.0));
        let run = |key: &str| key.strip_prefix(HISTORIES)?.strip_suffix(".jsonl").map(str::to_owned);
        found.truncate(HISTORY);
        found.retain(|(key, _)| run(key).is_some_and(|run| !is_known(&run)));
        let read = found.iter().map(|(key, bucket)| async move { Box::pin(bucket.open().get(key)).await });
        let read = try_join_all(read).await?;
        Ok(read
            .into_iter()
            .flatten()
            .map(|(lines, _)| String::from_utf8_lossy(&lines).into_owned())
            .collect())
    }
}
