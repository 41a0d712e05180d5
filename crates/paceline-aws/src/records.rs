//! Records of what was deployed last, so that a run over unchanged stacks does not read every template again.
//!
//! A record is an empty object in the staging bucket of an environment. Its key says what a stack was deployed from, as long
//! as nobody changes the stack:
//!
//! `paceline/deployed/v2/<stack name>/<digest of what it was deployed from>-<digest of its id, creation and update time>`
//!
//! It was deployed from its template and the values of its [inputs](crate::inputs). A record is a hint and no truth. It
//! counts only while the stack's id and times are those in its key, and every operation on a stack changes one of them. A
//! missing, outdated or damaged record costs one `GetTemplate`, and for a stack with inputs one `UpdateStack` that changes
//! nothing. One listing gives all records of an environment.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use paceline_assembly::Template;
use paceline_text::hex;
use sha2::{Digest as _, Sha256};
use tokio::sync::OnceCell;
use tokio::task::JoinSet;

use crate::environment::StackView;
use crate::staging::StagingBucket;

/// The beginning of the keys of all records.
const PREFIX: &str = "paceline/deployed/";
/// What follows in the keys. A later form of the keys gets another number. The records of the first form knew no inputs.
const FORM: &str = "v2";
/// The earlier forms, which are deleted with the others.
const EARLIER_FORM: &str = "v1";
/// The most characters of a digest in a key. No two contents of one stack have the same.
const DIGEST: usize = 32;
/// At the end of a run, unwritten records are given up after this time. The next run then reads those templates.
const PATIENCE: Duration = Duration::from_secs(5);

/// The records in one bucket.
#[derive(Debug)]
pub(crate) struct Records {
    bucket: Arc<StagingBucket>,
    /// The keys of the records when they were first needed; empty if they cannot be listed.
    keys: OnceCell<BTreeSet<String>>,
    writing: Mutex<JoinSet<()>>,
}

impl Records {
    pub(crate) fn new(bucket: Arc<StagingBucket>) -> Arc<Self> {
        Arc::new(Self { bucket, keys: OnceCell::new(), writing: Mutex::default() })
    }

    /// Lists the records on the first call.
    async fn keys(&self) -> &BTreeSet<String> {
        let list = async {
            let bucket = self.bucket.open();
            Box::pin(bucket.keys(PREFIX)).await.unwrap_or_default().into_iter().collect()
        };
        self.keys.get_or_init(|| list).await
    }

    /// Returns whether a record says that the stack was deployed from this, and the stack has not changed since.
    pub(crate) async fn has(&self, from: &DeployedFrom, view: &StackView) -> bool {
        self.keys().await.contains(&key(from, view))
    }

    /// Writes a record in the background, and deletes the earlier ones of the stack. Nobody waits for it. The template must
    /// have been read after the view: then a change between the two makes the record useless, and never wrong.
    pub(crate) fn keep(self: &Arc<Self>, from: &DeployedFrom, view: &StackView) {
        self.keep_if(from, view, std::future::ready(true));
    }

    /// The same, if the stack turns out to be deployed from this.
    pub(crate) fn keep_if(
        self: &Arc<Self>,
        from: &DeployedFrom,
        view: &StackView,
        is_so: impl Future<Output = bool> + Send + 'static,
    ) {
        let (records, key, stack) = (Arc::clone(self), key(from, view), view.name.clone());
        self.spawn(async move {
            let known = records.keys().await;
            if known.contains(&key)
                || !is_so.await
                || Box::pin(records.bucket.open().put_empty(&key)).await.is_err()
            {
                return;
            }
            records.delete_of(&stack).await;
        });
    }

    /// Deletes the records of a stack in the background.
    pub(crate) fn forget(self: &Arc<Self>, stack: &str) {
        let (records, stack) = (Arc::clone(self), stack.to_owned());
        self.spawn(async move { records.delete_of(&stack).await });
    }

    /// Deletes the records that a stack had when the run began. A record that cannot be deleted does no harm.
    async fn delete_of(&self, stack: &str) {
        let bucket = self.bucket.open();
        for form in [EARLIER_FORM, FORM] {
            let folder = folder(form, stack);
            for key in self.keys().await.range(folder.clone()..).take_while(|key| key.starts_with(&folder)) {
                let _ = Box::pin(bucket.delete(key)).await;
            }
        }
    }

    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner).spawn(work);
    }

    /// Waits for the records that are being written, for a limited time.
    pub(crate) async fn settle(&self) {
        let mut writing = std::mem::take(&mut *self.writing.lock().unwrap_or_else(PoisonError::into_inner));
        let all = async { while writing.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(PATIENCE, all).await;
    }
}

/// What a stack was deployed from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeployedFrom {
    digest: String,
}

impl DeployedFrom {
    /// `inputs` is the digest of what the stack read from elsewhere.
    pub(crate) fn new(template: &Template, inputs: &str) -> Self {
        Self { digest: hex(&Sha256::digest(format!("{} {inputs}", template.digest()))) }
    }
}

fn folder(form: &str, stack: &str) -> String {
    format!("{PREFIX}{form}/{stack}/")
}

fn key(from: &DeployedFrom, view: &StackView) -> String {
    let state = hex(&Sha256::digest(format!("{} {}", view.id, view.stamp)));
    format!("{}{}-{}", folder(FORM, &view.name), &from.digest[..DIGEST], &state[..DIGEST])
}
