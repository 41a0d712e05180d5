//! The API rates that CloudFormation documents.

/// The documented limit of an operation, in requests per second. `None` if no limit is documented.
///
/// AWS General Reference, "AWS CloudFormation endpoints and quotas": per account and region, not adjustable.
/// `DescribeEvents` is not in that table.
pub(super) fn rate(operation: &str) -> Option<f64> {
    match operation {
        "CreateStack"
        | "UpdateStack"
        | "DeleteStack"
        | "CreateChangeSet"
        | "ExecuteChangeSet"
        | "DescribeChangeSet"
        | "DeleteChangeSet"
        | "ListChangeSets"
        | "RollbackStack"
        | "ContinueUpdateRollback"
        | "CancelUpdateStack"
        | "ValidateTemplate"
        | "GetTemplateSummary"
        | "ListImports"
        | "UpdateTerminationProtection"
        | "DescribeAccountLimits" => Some(2.0),
        "DescribeStacks"
        | "DescribeStackEvents"
        | "DescribeStackResources"
        | "ListStacks"
        | "ListStackResources"
        | "ListExports"
        | "GetTemplate" => Some(10.0),
        "DescribeStackResource" => Some(20.0),
        _ => None,
    }
}
