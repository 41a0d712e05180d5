//! Ids of traces and spans, which are the same for the same run on every machine.

use std::fmt;

use paceline_text::hex;
use sha2::{Digest as _, Sha256};

/// The id of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct TraceId([u8; 16]);

/// The id of a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct SpanId([u8; 8]);

impl TraceId {
    pub(super) fn of(run: &str) -> Self {
        Self(first_bytes("trace", &[run]))
    }
}

impl SpanId {
    /// The span of a part of a run; the first part is the root span.
    pub(super) fn of_part(run: &str, part: usize) -> Self {
        Self(first_bytes("part", &[run, &part.to_string()]))
    }

    /// The span of a step. `time` counts how often the step was performed before.
    pub(super) fn of_step(run: &str, step: &str, time: usize) -> Self {
        Self(first_bytes("step", &[run, step, &time.to_string()]))
    }
}

/// The first bytes of a digest. An id of zeros only is not valid, and no digest begins with so many.
fn first_bytes<const N: usize>(kind: &str, parts: &[&str]) -> [u8; N] {
    let mut digest = Sha256::new();
    digest.update("paceline otlp ");
    digest.update(kind);
    for part in parts {
        // The length keeps two lists of parts with the same text apart.
        digest.update(part.len().to_le_bytes());
        digest.update(part);
    }
    let digest = digest.finalize();
    std::array::from_fn(|at| digest[at])
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}
