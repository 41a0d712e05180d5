//! The clock of this machine: AWS refuses requests that are signed at another time than its own.

use std::time::Duration;

use jiff::SignedDuration;
use paceline_aws::{AwsError, clock_ahead};
use paceline_plan::Plan;
use paceline_text::{Problem, duration};

use super::finding::{Check, Finding, Severity};
use crate::terminal;

/// A difference of this size shows that nobody sets the clock.
const SHOWS: Duration = Duration::from_mins(1);
/// From this difference on, AWS refuses requests (IAM User Guide, "Troubleshoot signed requests").
const REFUSED: Duration = Duration::from_mins(5);

/// What there is to say about the clock, compared with that of AWS.
pub(super) async fn compared(plan: &Plan) -> Result<Option<Finding>, AwsError> {
    let region = plan.stacks.iter().find_map(|stack| stack.region.as_deref()).unwrap_or("us-east-1");
    clock_ahead(&terminal::wire(), region).await.map(finding)
}

fn finding(ahead: SignedDuration) -> Option<Finding> {
    let off = ahead.unsigned_abs();
    let severity = match off {
        off if off < SHOWS => return None,
        off if off < REFUSED => Severity::Warning,
        _ => Severity::Error,
    };
    let side = if ahead.is_negative() { "behind" } else { "ahead of" };
    let message = format!(
        "the clock of this machine is {} {side} that of AWS, which refuses requests from {} on (S3 from 15 min)",
        duration(off),
        duration(REFUSED)
    );
    let hint = "let the machine set its clock by a time server: NTP, chrony or systemd-timesyncd".to_owned();
    let problem = Problem { place: Some("this machine".to_owned()), message, hint: Some(hint) };
    Some(Finding::new(severity, Check::Clock, problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_off_is_found_before_requests_are_refused() {
        let severity = |seconds| finding(SignedDuration::from_secs(seconds)).map(|found| found.severity);
        assert_eq!([severity(0), severity(59), severity(-59)], [None; 3]);
        assert_eq!([severity(60), severity(-299)], [Some(Severity::Warning); 2]);
        assert_eq!([severity(300), severity(-86_400)], [Some(Severity::Error); 2]);
    }
}
