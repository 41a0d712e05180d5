//! Sums up how long the gates of a run waited, by what they waited for.

use std::collections::BTreeMap;
use std::time::Duration;

use paceline_engine::StepKind;
use paceline_text::{count, duration, one_line};

use crate::record::{Record, StepRecord};

/// The gates that wait for the same thing.
#[derive(Debug, Default)]
struct Gates {
    waited: Duration,
    times: usize,
    /// The total count and its noun, such as `roles usable`, if all gates use the same noun.
    found: Option<(u64, String)>,
}

/// A line for each subject, such as `IAM roles: waited 24 s in 2 gates, 12 roles usable`.
pub(crate) fn gates(record: &Record) -> Vec<String> {
    let mut order: Vec<String> = Vec::new();
    let mut subjects: BTreeMap<String, Gates> = BTreeMap::new();
    for gate in record.of_kind(StepKind::Gate).filter(|gate| !gate.spans.is_empty()) {
        let subject = subject(gate);
        let found = gate.detail.as_deref().and_then(counted);
        if let Some(gates) = subjects.get_mut(&subject) {
            gates.found = match (gates.found.take(), found) {
                (Some((n, noun)), Some((m, other))) if noun == other => Some((n.saturating_add(m), noun)),
                _ => None,
            };
            gates.waited += waited(gate);
            gates.times += 1;
        } else {
            order.push(subject.clone());
            subjects.insert(subject, Gates { waited: waited(gate), times: 1, found });
        }
    }
    order
        .iter()
        .filter_map(|subject| {
            let gates = subjects.get(subject)?;
            let found = gates.found.as_ref().map(|(n, noun)| format!(", {n} {noun}")).unwrap_or_default();
            Some(format!(
                "{subject}: waited {} in {}{found}",
                duration(gates.waited),
                count(gates.times, "gate")
            ))
        })
        .collect()
}

/// How long a gate waited in all: a resumed run waits again.
fn waited(gate: &StepRecord) -> Duration {
    gate.spans.iter().filter_map(|span| Some(span.finished?.saturating_sub(span.started))).sum()
}

/// What a gate waits for, without the name of its stack.
fn subject(gate: &StepRecord) -> String {
    let title = one_line(&gate.step.title);
    let Some(stack) = &gate.step.stack else { return title };
    for link in [" of ", " after ", " in ", " for ", ": "] {
        if let Some(subject) = title.strip_suffix(&format!("{link}{stack}")) {
            return subject.to_owned();
        }
        if let Some(subject) = title.strip_prefix(&format!("{stack}{link}")) {
            return subject.to_owned();
        }
    }
    title
}

/// Splits `12 roles usable` into 12 and `roles usable`.
fn counted(detail: &str) -> Option<(u64, String)> {
    let detail = one_line(detail);
    let (number, noun) = detail.split_once(' ')?;
    Some((number.parse().ok()?, noun.to_owned()))
}
