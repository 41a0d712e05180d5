//! Links to the AWS console.

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

/// The page with the events of a step's stack, or with the alarm that made the step fail. `None` in a simulation, at
/// another endpoint, and for a stack without an id.
pub(crate) fn link(record: &Record, step: &StepRecord) -> Option<String> {
    if record.simulated || record.endpoint.is_some() {
        return None;
    }
    let region = step.step.region.as_deref()?;
    if let Some(alarm) = step.alarm() {
        // The alarm is in the partition of the stacks of its region.
        let of_region = record.stacks().filter(|stack| stack.step.region.as_deref() == Some(region));
        let domain = of_region.into_iter().find_map(|stack| domain(stack.stack_arn.as_deref()?))?;
        let (region, name) = (one_line(region), in_url(alarm));
        return Some(format!(
            "https://{region}.{domain}/cloudwatch/home?region={region}#alarmsV2:alarm/{name}"
        ));
    }
    let arn = step.stack_arn.as_deref()?;
    let domain = domain(arn)?;
    let region = one_line(region);
    let id = in_url(arn);
    Some(format!("https://{region}.{domain}/cloudformation/home?region={region}#/stacks/events?stackId={id}"))
}

fn domain(arn: &str) -> Option<&'static str> {
    CONSOLES.iter().find(|(start, _)| arn.starts_with(start)).map(|(_, domain)| *domain)
}
