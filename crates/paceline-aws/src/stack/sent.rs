//! What all operations send, and the result of sending one.

use aws_sdk_cloudformation::types::Capability;

use super::source::Source;

/// The result of sending an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sent {
    /// AWS accepted the operation. The stack's id is known.
    Accepted { id: String },
    /// There is nothing to change.
    NoChanges,
    /// The stack has changed since it was read. The text says how this was noticed.
    OutOfDate(String),
    /// AWS accepted an operation with this token earlier. It may have ended.
    Known,
}

/// The capabilities that CloudFormation gets. The CDK CLI gives the same ones.
pub(super) fn capabilities() -> Vec<Capability> {
    vec![Capability::CapabilityIam, Capability::CapabilityNamedIam, Capability::CapabilityAutoExpand]
}

/// The address of the template, or the template itself.
pub(super) fn split(source: &Source) -> (Option<String>, Option<String>) {
    match source {
        Source::Url(url) => (Some(url.clone()), None),
        Source::Body(body) => (None, Some(body.clone())),
    }
}
