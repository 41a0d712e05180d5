//! Notices for a person that AWS does not answer, while no step is running whose events could report it.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::error::{AwsError, ErrorKind};

/// The shortest time between two notices about the same operation, for all its calls together.
const EVERY: Duration = Duration::from_secs(30);

/// Passes lines to a person. The default drops them.
#[derive(Clone, Default)]
pub struct RetryNotices(Option<Arc<Inner>>);

struct Inner {
    say: Box<dyn Fn(&str) + Send + Sync>,
    said: Mutex<HashMap<String, Instant>>,
}

impl RetryNotices {
    /// Calls `say` with each line.
    pub fn new(say: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(Inner { say: Box::new(say), said: Mutex::default() })))
    }

    /// Reports that a call is tried again.
    pub(crate) fn retried(&self, operation: &str, error: &AwsError) {
        let Some(inner) = &self.0 else { return };
        {
            let mut said = inner.said.lock().unwrap_or_else(PoisonError::into_inner);
            let now = Instant::now();
            if said.get(operation).is_some_and(|last| now.duration_since(*last) < EVERY) {
                return;
            }
            said.insert(operation.to_owned(), now);
        }
        let what = match error.kind {
            ErrorKind::Throttled => "AWS asks for fewer calls",
            _ => "AWS does not answer",
        };
        (inner.say)(&format!("{what} ({operation}): {error}; trying again"));
    }
}

impl fmt::Debug for RetryNotices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RetryNotices").field(&self.0.is_some()).finish()
    }
}
