//! Links to a stack in the AWS console.

use std::fmt::Write;

use paceline_text::one_line;

use crate::record::{Record, StepRecord};

/// The domain of the console by the prefix of the ARNs of a partition.
///
/// Source: the partitions' own documentation of "Signing in to the console".
const CONSOLES: [(&str, &str); 3] = [
    ("arn:aws:", "console.aws.amazon.com"),
    ("arn:aws-cn:", "console.amazonaws.cn"),
    ("arn:aws-us-gov:", "console.amazonaws-us-gov.com"),
];

/// The page with the events of a step's stack. `None` in a simulation, at another endpoint, and for a stack without an
/// id.
pub(crate) fn stack_link(record: &Record, step: &StepRecord) -> Option<String> {
    if record.simulated || record.endpoint.is_some() {
        return None;
    }
    let (arn, region) = (step.stack_arn.as_deref()?, step.step.region.as_deref()?);
    let (_, domain) = CONSOLES.iter().find(|(start, _)| arn.starts_with(start))?;
    let region = one_line(region);
    let id = encoded(arn);
    Some(format!("https://{region}.{domain}/cloudformation/home?region={region}#/stacks/events?stackId={id}"))
}

/// Percent-encodes an id for a URL.
fn encoded(id: &str) -> String {
    let mut out = String::with_capacity(id.len() + 16);
    for byte in id.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => out.push(char::from(byte)),
            // Writing to a string does not fail.
            _ => drop(write!(out, "%{byte:02X}")),
        }
    }
    out
}
