//! Every report of hand-made runs, as snapshots, and what must hold for any run.

#![expect(clippy::unwrap_used, reason = "what fails here fails a test")]

mod console;
mod data;
mod durations;
mod files;
mod history;
mod journal;
mod live;
mod metrics;
mod notice;
mod odd;
mod otlp;
mod pages;
mod past_runs;
mod record;
mod runs;
mod timeline;
mod why_waiting;
