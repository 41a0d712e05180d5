//! Copies of runs in a staging bucket, so that another machine can continue a run, roll it back, watch it and report it.
//!
//! | key | content |
//! |---|---|
//! | `paceline/runs/v1/<run>/<part>-<number>.jsonl` | a piece of the journal. Each process of a run writes a part |
//! | `paceline/runs/v1/<run>/ended` | nothing: the run has ended and cannot be continued |
//! | `paceline/captures/v1/<run>/<file>` | a file of a capture: what a stack was before the run changed it |
//! | `paceline/prepared/v1/<run>/<file>` | a stack as the run has prepared it |
//! | `paceline/history/v1/<run>.jsonl` | the durations of the run's steps, for the forecasts of others |
//!
//! Names of runs begin with the time of their start, so the order of the keys is that of the runs.
//!
//! A copy never slows a run down for long and never fails it. It is written beside the run. What could not be written is
//! told once, and missing when the machine is gone.

mod kept;
mod writer;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use camino::Utf8PathBuf;
use paceline_engine::Event;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

pub use self::kept::{KeptRun, KeptRuns};
use self::writer::{Line, Writer};
use crate::error::AwsError;
use crate::staging::StagingBucket;

/// The beginning of the keys of journals. A later form of the keys gets another number.
const JOURNALS: &str = "paceline/runs/v1/";
/// The beginning of the keys of captures.
const CAPTURES: &str = "paceline/captures/v1/";
/// The beginning of the keys of what runs have prepared.
const PREPARED: &str = "paceline/prepared/v1/";
/// The beginning of the keys of durations.
const HISTORIES: &str = "paceline/history/v1/";
/// The name of the object that says that a run has ended.
const ENDED: &str = "ended";
/// How long a stack waits until its capture is in the bucket.
const CAPTURE: Duration = Duration::from_secs(10);
/// How long one call may be tried again.
const PATIENCE: Duration = Duration::from_secs(5);

/// Tells a person something, once for each problem.
type Tell = Arc<dyn Fn(String) + Send + Sync>;

/// The copy of a run that is in progress.
pub struct RunCopy {
    bucket: Arc<StagingBucket>,
    run: String,
    lines: Mutex<Option<mpsc::UnboundedSender<Line>>>,
    writing: Mutex<Option<AbortOnDropHandle<bool>>>,
    /// `None` after a capture could not be written.
    tell: Mutex<Option<Tell>>,
}

impl std::fmt::Debug for RunCopy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunCopy").field("run", &self.run).finish_non_exhaustive()
    }
}

/// Puts the durations of a run where others find them: one object, which replaces that of an earlier part of the run.
pub(crate) async fn share_history(bucket: &StagingBucket, run: &str, lines: String) -> Result<(), AwsError> {
    let key = format!("{HISTORIES}{run}.jsonl");
    Box::pin(bucket.within(PATIENCE).open().put_bytes(&key, lines.into_bytes())).await
}

impl RunCopy {
    /// Begins a copy. `part` counts the processes of the run, from 1. `earlier` are the events of the processes before.
    pub(crate) fn begin(
        bucket: &StagingBucket,
        run: &str,
        part: usize,
        earlier: &[Event],
        tell: impl Fn(String) + Send + Sync + 'static,
    ) -> Arc<Self> {
        let (bucket, tell): (_, Tell) = (Arc::new(bucket.within(PATIENCE)), Arc::new(tell));
        let (sender, waiting) = mpsc::unbounded_channel();
        let writer = Writer::new(Arc::clone(&bucket), run, part, Arc::clone(&tell));
        let copy = Self {
            bucket,
            run: run.to_owned(),
            lines: Mutex::new(Some(sender)),
            writing: Mutex::new(Some(AbortOnDropHandle::new(tokio::spawn(writer.write(waiting))))),
            tell: Mutex::new(Some(tell)),
        };
        for event in earlier {
            copy.add(event);
        }
        Arc::new(copy)
    }

    /// Adds an event to the copy of the journal. It is written later.
    pub fn add(&self, event: &Event) {
        let sender = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Some(sender), Some(line)) = (sender.as_ref(), Line::of(event)) {
            // After a refusal, nobody receives lines any more.
            let _ = sender.send(line);
        }
    }

    /// Copies the files of a capture. Waits for that a few seconds, because the capture has to be there before the stack
    /// is changed.
    pub(crate) async fn keep_capture(&self, files: &[Utf8PathBuf]) {
        self.keep(CAPTURES, files, "only this machine can roll this run back", "what its stacks were").await;
    }

    /// Copies the file of a prepared stack, as [`keep_capture`](Self::keep_capture) does.
    pub(crate) async fn keep_prepared(&self, file: &Utf8PathBuf) {
        let files = std::slice::from_ref(file);
        self.keep(PREPARED, files, "only this machine can execute what this run prepares", "it").await;
    }

    async fn keep(&self, folder: &str, files: &[Utf8PathBuf], problem: &str, what: &str) {
        if self.tell.lock().unwrap_or_else(PoisonError::into_inner).is_none() {
            return;
        }
        let bucket = self.bucket.open();
        let put = async {
            for file in files {
                let contents = fs_err::read(file).map_err(|error| error.to_string())?;
                let key = format!("{folder}{}/{}", self.run, file.file_name().unwrap_or_default());
                Box::pin(bucket.put_bytes(&key, contents)).await.map_err(|error| error.to_string())?;
            }
            Ok(())
        };
        let put: Result<(), String> =
            tokio::time::timeout(CAPTURE, put).await.unwrap_or_else(|_| Err("there was no answer".into()));
        if let Err(why) = put {
            let tell = self.tell.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(tell) = tell {
                let bucket = &self.bucket.name;
                tell(format!("{problem}: s3://{bucket} does not take {what}: {why}"));
            }
        }
    }

    /// Writes the rest of the journal. Gives whether all of it is in the bucket. When this is dropped, the rest is given up.
    pub async fn finish(&self) -> bool {
        drop(self.lines.lock().unwrap_or_else(PoisonError::into_inner).take());
        let writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner).take();
        match writing {
            // A writer that has panicked has nothing more to write.
            Some(writing) => writing.await.unwrap_or(false),
            None => false,
        }
    }
}
