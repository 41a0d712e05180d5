//! The answer as JSON. `paceline schema why-waiting` prints the JSON Schema.

use std::time::Duration;

use paceline_engine::event::{LimitWait, Outcome};
use paceline_text::{Nullable, document_schema, documented, json_document};
use serde_json::Value;

use super::WhyWaiting;

/// The version of the document. New fields do not raise it.
const SCHEMA: u32 = 1;

documented! {
    /// Which limits a stack of a run waited for. Times are in seconds since the start of the run. A newer version may add
    /// fields.
    struct WaitsDocument<'a> {
        /// The version of this format.
        schema: u32,
        /// The name of the run.
        run: &'a str,
        /// The stack.
        stack: &'a str,
        /// How its step ended; null if it has not ended.
        outcome: Nullable<&'static str>,
        /// When everything that it needs was complete; null if it never was.
        ready_s: Nullable<f64>,
        /// When it started; null if it has not started.
        started_s: Nullable<f64>,
        /// How long it was ready and did not run.
        queued_s: f64,
        /// The limits that it waited for.
        waited: Vec<WaitDocument<'a>>,
        /// The part of its wait for which the journal names no limit.
        unknown_s: f64,
        /// Its assets that waited, the longest wait first.
        assets: Vec<AssetDocument<'a>>,
        /// How long the run waited for the leases of other runs before anything started.
        lease_wait_s: f64,
    }

    /// An asset that waited.
    struct AssetDocument<'a> {
        /// Its name.
        title: &'a str,
        /// The limits that it waited for.
        waited: Vec<WaitDocument<'a>>,
    }

    /// A limit, and how long it was waited for.
    struct WaitDocument<'a> {
        /// Such as concurrency.stacks.
        limit: &'a str,
        /// The time.
        waited_s: f64,
        /// before-start or after-start, for a wait of the stack itself.
        when: Option<&'static str>,
    }
}

/// The JSON Schema of the answer.
pub fn why_waiting_schema() -> Value {
    document_schema::<WaitsDocument<'_>>("Limits that a stack of a run of Paceline waited for", SCHEMA)
}

impl WhyWaiting {
    /// The answer as JSON, with a line break at its end.
    pub fn json(&self) -> String {
        let step = &self.step;
        let after = step.after_start();
        let of = |when| move |wait| WaitDocument::of(wait, when);
        let waited = step.before_start.iter().map(of(Some("before-start")));
        let waited = waited.chain(after.iter().map(of(Some("after-start"))));
        let seconds = |time: Option<Duration>| Nullable(time.map(|time| time.as_secs_f64()));
        let assets = self
            .assets
            .iter()
            .map(|(title, waits)| AssetDocument { title, waited: waits.iter().map(of(None)).collect() });
        json_document(&WaitsDocument {
            schema: SCHEMA,
            run: &self.run,
            stack: &self.stack,
            outcome: Nullable(step.outcome.map(Outcome::as_str)),
            ready_s: seconds(step.ready),
            started_s: seconds(step.started),
            queued_s: step.queued().as_secs_f64(),
            waited: waited.collect(),
            unknown_s: step.unknown().as_secs_f64(),
            assets: assets.collect(),
            lease_wait_s: self.lease.as_secs_f64(),
        })
    }
}

impl<'a> WaitDocument<'a> {
    fn of(wait: &'a LimitWait, when: Option<&'static str>) -> Self {
        Self { limit: wait.limit.as_str(), waited_s: wait.waited_s, when }
    }
}
