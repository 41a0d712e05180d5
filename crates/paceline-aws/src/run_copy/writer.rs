//! Writes the journal of a run to a bucket, beside the run.
//!
//! S3 cannot append to an object. So the journal is in pieces, and the last piece is written again until it is large enough.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use paceline_engine::{Event, is_relied_on};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::{ENDED, JOURNALS, Tell};
use crate::error::{AwsError, ErrorKind};
use crate::publish::Condition;
use crate::staging::StagingBucket;

/// The time from one write to the next, if a step has ended in between.
const SOON: Duration = Duration::from_secs(2);
/// The same time if nothing has happened that a resumed run relies on.
const LATE: Duration = Duration::from_secs(10);
/// A piece with so many bytes is complete. The next line begins another one.
const PIECE: usize = 256 * 1024;

/// An event as a line of the journal.
pub(super) struct Line {
    text: Vec<u8>,
    is_urgent: bool,
    /// Whether the run has ended with this event, and cannot be continued.
    ends: bool,
}

impl Line {
    pub(super) fn of(event: &Event) -> Option<Self> {
        let mut text = serde_json::to_vec(event).ok()?;
        text.push(b'\n');
        Some(Self { text, is_urgent: is_relied_on(&event.fact), ends: event.fact.ends_run() })
    }
}

/// Writes one part of a journal.
pub(super) struct Writer {
    bucket: Arc<StagingBucket>,
    /// The beginning of the keys of the run.
    folder: String,
    part: usize,
    tell: Tell,
    /// The complete pieces that are not written yet, with their numbers.
    complete: VecDeque<(usize, Vec<u8>)>,
    /// The number of the last piece, and its lines so far.
    number: usize,
    piece: Vec<u8>,
    /// Whether the first piece of the part is in the bucket, so that it is ours.
    has_begun: bool,
    has_ended: bool,
    has_warned: bool,
}

impl Writer {
    pub(super) fn new(bucket: Arc<StagingBucket>, run: &str, part: usize, tell: Tell) -> Self {
        Self {
            bucket,
            folder: format!("{JOURNALS}{run}/"),
            part,
            tell,
            complete: VecDeque::new(),
            number: 1,
            piece: Vec::new(),
            has_begun: false,
            has_ended: false,
            has_warned: false,
        }
    }

    /// Writes lines until there are no more, or until they are refused. Gives whether all are written.
    pub(super) async fn write(mut self, mut waiting: mpsc::UnboundedReceiver<Line>) -> bool {
        let (mut written, mut is_whole) = (None::<Instant>, false);
        while let Some(line) = waiting.recv().await {
            let due = |is_urgent: bool| {
                written.map_or_else(Instant::now, |written| written + if is_urgent { SOON } else { LATE })
            };
            let mut at = due(line.is_urgent);
            self.add(&line);
            let mut is_open = true;
            while is_open {
                tokio::select! {
                    biased;
                    line = waiting.recv() => match line {
                        Some(line) => {
                            at = at.min(due(line.is_urgent));
                            self.add(&line);
                        }
                        None => is_open = false,
                    },
                    () = sleep_until(at) => break,
                }
            }
            let put = self.put().await;
            written = Some(Instant::now());
            is_whole = put.is_ok();
            if let Err(error) = put
                && !self.goes_on_after(&error)
            {
                return false;
            }
        }
        if self.has_ended && is_whole {
            // A run without this object is looked at again, and found to have ended.
            let _ = Box::pin(self.bucket.open().put_empty(&format!("{}{ENDED}", self.folder))).await;
        }
        is_whole
    }

    /// Adds a line to the last piece.
    fn add(&mut self, line: &Line) {
        if !self.piece.is_empty() && self.piece.len() + line.text.len() > PIECE {
            self.complete.push_back((self.number, std::mem::take(&mut self.piece)));
            self.number += 1;
        }
        self.piece.extend(&line.text);
        self.has_ended = line.ends;
    }

    /// Writes the complete pieces and the last one.
    async fn put(&mut self) -> Result<(), AwsError> {
        while let Some((number, piece)) = self.complete.front() {
            self.put_piece(*number, piece.clone()).await?;
            self.has_begun = true;
            self.complete.pop_front();
        }
        self.put_piece(self.number, self.piece.clone()).await?;
        self.has_begun = true;
        Ok(())
    }

    async fn put_piece(&self, number: usize, piece: Vec<u8>) -> Result<(), AwsError> {
        let bucket = self.bucket.open();
        let key = format!("{}{:04}-{number:06}.jsonl", self.folder, self.part);
        // The first piece of a part must be new. So no two processes write the same part.
        if self.has_begun {
            return Box::pin(bucket.put_bytes(&key, piece)).await;
        }
        if Box::pin(bucket.put_if(&key, piece, &Condition::New)).await? {
            return Ok(());
        }
        Err(AwsError::setup("another process has continued the run").hint("see who else deploys this app"))
    }

    /// Tells the first failure. Whether the next write may succeed.
    fn goes_on_after(&mut self, error: &AwsError) -> bool {
        let may_pass =
            matches!(error.kind, ErrorKind::Throttled | ErrorKind::Unreachable | ErrorKind::NotYet);
        if !std::mem::replace(&mut self.has_warned, true) {
            (self.tell)(format!(
                "the journal of this run is on this machine only, so no other can continue it: s3://{} does not take it: {error}",
                self.bucket.name
            ));
        }
        may_pass
    }
}
