//! Links to a stack in the AWS console.

use paceline_text::{in_url, one_line};

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
    let id = in_url(arn);
    Some(format!("https://{region}.{domain}/cloudformation/home?region={region}#/stacks/events?stackId={id}"))
}
