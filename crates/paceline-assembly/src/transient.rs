//! Failures that disappear by themselves. Services report them while a new role or policy is not known
//! everywhere yet, and when they are called too fast.
//!
//! IAM is eventually consistent (IAM User Guide, "Troubleshoot IAM"). Its changes take seconds, sometimes a
//! minute. Each service has its own words for a role that it does not know yet, and none of them documents
//! these words. The wordings here are from public reports. Many services use the same words for a role that
//! will never work, so callers try again only a few times.

/// The reason why a failure disappears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureClass {
    /// A role, a policy or an instance profile is too new.
    Iam,
    /// Two resources made AWS create the same service-linked role at once.
    ServiceLinkedRole,
    /// A service was called too fast.
    Throttled,
    /// A service had an internal error.
    Service,
}

/// A wording in lower case, the reason why the failure disappears, and the source of the wording.
type Row = (&'static str, FailureClass, &'static str);

const WORDINGS: [Row; 37] = [
    // Roles that a service cannot assume yet.
    ("cannot be assumed by", FailureClass::Iam, "Lambda: apex/up#189, terraform-provider-aws#14285"),
    ("is invalid or cannot be assumed", FailureClass::Iam, "CloudFormation: terraform-provider-aws#22834"),
    ("ecs was unable to assume the", FailureClass::Iam, "ECS: terraform-provider-aws#38538, boto3#1878"),
    ("unable to assume role and validate the", FailureClass::Iam, "ECS: hashicorp/terraform#4375"),
    ("unable to assume the service linked role", FailureClass::Iam, "ECS: 1Password/scim-examples#288"),
    ("is unable to assume provided role", FailureClass::Iam, "Glue: go-to-k/cdkd, retryable-errors"),
    ("is unable to assume the role", FailureClass::Iam, "Glue: go-to-k/cdkd, retryable-errors"),
    ("firehose is unable to assume role", FailureClass::Iam, "Firehose: go-to-k/cdkd, retryable-errors"),
    (
        "is authorized to assume the provided role",
        FailureClass::Iam,
        "Step Functions: go-to-k/cdkd, retryable-errors",
    ),
    (
        "permissions required to assume the role",
        FailureClass::Iam,
        "CodeDeploy: go-to-k/cdkd, retryable-errors",
    ),
    (
        "codebuild is not authorized to perform: sts:assumerole",
        FailureClass::Iam,
        "CodeBuild User Guide, Troubleshooting",
    ),
    ("does not have a trust relationship allowing", FailureClass::Iam, "Cognito: go-to-k/cdkd#2901"),
    ("the role has adequate trust relationships", FailureClass::Iam, "CloudTrail: go-to-k/cdkd#1160"),
    ("error in assuming access role", FailureClass::Iam, "App Runner: pulumi/pulumi-aws#2411"),
    ("is not a valid role to allow", FailureClass::Iam, "SNS: go-to-k/cdkd, retryable-errors"),
    // Roles whose policies have not arrived yet.
    (
        "the provided execution role does not have permissions to call",
        FailureClass::Iam,
        "Lambda: aws/aws-cdk#7998",
    ),
    ("please ensure the role can perform", FailureClass::Iam, "Lambda: go-to-k/cdkd, retryable-errors"),
    (
        "the operator role is invalid or doesn't have sufficient permissions",
        FailureClass::Iam,
        "Lambda: go-to-k/cdkd#3174",
    ),
    (
        "is not authorized to access the log destination",
        FailureClass::Iam,
        "Step Functions: go-to-k/cdkd#2783",
    ),
    (
        "the role arn does not have required permissions",
        FailureClass::Iam,
        "API Gateway: terraform-provider-aws, account",
    ),
    (
        "could not successfully write to cloudwatch logs using the arn",
        FailureClass::Iam,
        "API Gateway: hashicorp/terraform#8533",
    ),
    ("required permissions for: enhanced_monitoring", FailureClass::Iam, "RDS: go-to-k/cdkd#794"),
    (
        "caught serviceaccessdeniedexception for ecsinfrastructurerole",
        FailureClass::Iam,
        "ECS: go-to-k/cdkd#805",
    ),
    // Principals that a policy names and a service does not know yet.
    ("invalid principal in policy", FailureClass::Iam, "S3, IAM: terraform-provider-aws#12436"),
    ("one or more invalid principals", FailureClass::Iam, "KMS: go-to-k/cdkd, retryable-errors"),
    ("policy error: principalnotfound", FailureClass::Iam, "SNS: go-to-k/cdkd#839"),
    ("kms key is invalid for creategrant", FailureClass::Iam, "KMS: go-to-k/cdkd, retryable-errors"),
    // Instance profiles.
    ("invalid iam instance profile", FailureClass::Iam, "EC2: hashicorp/terraform#2037"),
    ("invalid iaminstanceprofile", FailureClass::Iam, "Auto Scaling: go-to-k/cdkd, retryable-errors"),
    ("invalid instanceprofile", FailureClass::Iam, "EMR: go-to-k/cdkd, retryable-errors"),
    ("failed to authorize instance profile", FailureClass::Iam, "EMR: go-to-k/cdkd, retryable-errors"),
    // Other failures.
    (
        "has been taken in this account, please try a different suffix",
        FailureClass::ServiceLinkedRole,
        "bcgov#13",
    ),
    ("rate exceeded", FailureClass::Throttled, "every service"),
    ("throttlingexception", FailureClass::Throttled, "every service"),
    (
        "handlererrorcode: throttling",
        FailureClass::Throttled,
        "CloudFormation CLI User Guide, handler error codes",
    ),
    ("handlererrorcode: serviceinternalerror", FailureClass::Service, "the same"),
    ("handlererrorcode: networkfailure", FailureClass::Service, "the same"),
];

/// The reason why a failure with this message disappears by itself. `None` if it does not.
pub fn failure_class(message: &str) -> Option<FailureClass> {
    let message = message.to_lowercase();
    // A policy forbids the call, and policies do not change by themselves.
    if message.contains("explicit deny") {
        return None;
    }
    WORDINGS.iter().find(|(wording, ..)| message.contains(wording)).map(|(_, class, _)| *class)
}

/// Returns whether the same operation may succeed later.
pub fn is_transient(message: &str) -> bool {
    failure_class(message).is_some()
}

/// What EC2 says of a resource to which something is still attached (EC2 API Reference, "Error codes").
const IN_USE: [&str; 5] = [
    "DependencyViolation",
    "has a dependent object",
    "has dependencies and cannot be deleted",
    "InvalidNetworkInterface.InUse",
    "is currently in use",
];

/// Returns whether a deletion failed with this message because something is still attached to a resource of a network.
/// The network interfaces of functions in a VPC are released some time after the function is deleted (Lambda Developer
/// Guide, "Understanding Hyperplane Elastic Network Interfaces").
pub fn is_in_use(message: &str) -> bool {
    IN_USE.iter().any(|wording| message.contains(wording))
}

/// What CloudFormation and its resource handlers say, in lower case, of a resource that took longer than it may: the error
/// code `NotStabilized` (CloudFormation CLI User Guide, handler error codes), and the words for resources without a
/// handler (CloudFormation User Guide, "Troubleshooting CloudFormation").
const TIMED_OUT: [&str; 8] = [
    "handlererrorcode: notstabilized",
    "exceeded attempts to wait",
    "timed out",
    "did not stabilize",
    "failed to stabilize",
    "within the specified duration",
    "did not receive a response from your custom resource",
    "exceeded the timeout",
];

/// Whether a resource failed with this message because it took longer than it may.
pub fn is_timeout(message: &str) -> bool {
    let message = message.to_lowercase();
    TIMED_OUT.iter().any(|wording| message.contains(wording))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Real messages of services, one for each wording and in the same order.
    const SAID: [&str; WORDINGS.len()] = [
        "The role defined for the function cannot be assumed by Lambda. (Service: Lambda, Status Code: 400)",
        "Role arn:aws:iam::111111111111:role/cdk-hnb659fds-cfn-exec-role is invalid or cannot be assumed",
        "ECS was unable to assume the role 'arn:aws:iam::111111111111:role/task' that was provided for this task. \
         Please verify that the role being passed has the proper trust relationship and permissions",
        "Unable to assume role and validate the listeners configured on your load balancer. Please verify the role \
         being passed has the proper permissions.",
        "Invalid request provided: CreateCluster Invalid Request: Unable to assume the service linked role. Please \
         verify that the ECS service linked role exists.",
        "Service is unable to assume provided role. Please verify role's TrustPolicy",
        "Service is unable to assume the role arn:aws:iam::111111111111:role/g to access null.",
        "Firehose is unable to assume role arn:aws:iam::111111111111:role/f. Please check the role provided.",
        "Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume \
         the provided role.",
        "AWS CodeDeploy does not have the permissions required to assume the role arn:aws:iam::1:role/d.",
        "CodeBuild is not authorized to perform: sts:AssumeRole on arn:aws:iam::111111111111:role/b",
        "Role does not have a trust relationship allowing Cognito to assume the role",
        "Access denied. Verify in IAM that the role has adequate trust relationships.",
        "Error in assuming access role arn:aws:iam::111111111111:role/apprunner",
        "Invalid parameter: LambdaSuccessFeedbackRoleArn: arn:aws:iam::1:role/r is not a valid role to allow SNS \
         to write to Cloudwatch Logs",
        "The provided execution role does not have permissions to call CreateNetworkInterface on EC2 (Service: \
         Lambda, Status Code: 400)",
        "Cannot access stream arn:aws:kinesis:s. Please ensure the role can perform the GetRecords, \
         GetShardIterator, DescribeStream, ListShards, and ListStreams Actions on your stream in IAM.",
        "The operator role is invalid or doesn't have sufficient permissions. Verify the role and permissions and \
         try again.",
        "The state machine IAM Role is not authorized to access the Log Destination",
        "The role ARN does not have required permissions configured. Please grant trust permission for API Gateway \
         and add the required role policy.",
        "API Gateway could not successfully write to CloudWatch Logs using the ARN specified. This account may have \
         reached a limit in CloudWatch Logs.",
        "IAM role ARN value is invalid or does not include the required permissions for: ENHANCED_MONITORING",
        "CreateCapacityProvider error: Caught ServiceAccessDeniedException for ECSInfrastructureRole[arn:aws:x]",
        "Invalid principal in policy: \"AWS\":\"arn:aws:iam::123456789012:user/bodebug\"",
        "Policy contains a statement with one or more invalid principals. (Service: Kms, Status Code: 400)",
        "Invalid parameter: Policy Error: PrincipalNotFound (Service: Sns, Status Code: 400)",
        "The KMS key is invalid for CreateGrant",
        "Value (p) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name",
        "Invalid IamInstanceProfile: arn:aws:iam::1:instance-profile/p (Service: AmazonAutoScaling)",
        "Invalid InstanceProfile: MyStack-EmrEc2InstanceProfile.",
        "Failed to authorize instance profile arn:aws:iam::111111111111:instance-profile/p",
        "Service role name AWSServiceRoleForECS has been taken in this account, please try a different suffix.",
        "Rate exceeded (Service: Iam, Status Code: 400)",
        "ThrottlingException: Too many requests",
        "Resource handler returned message: \"slow\" (RequestToken: t, HandlerErrorCode: Throttling)",
        "Resource handler returned message: \"no\" (RequestToken: t, HandlerErrorCode: ServiceInternalError)",
        "Resource handler returned message: \"no\" (RequestToken: t, HandlerErrorCode: NetworkFailure)",
    ];

    #[test]
    fn each_wording_matches_a_real_message() {
        for ((wording, class, _), said) in WORDINGS.iter().zip(SAID) {
            assert!(said.to_lowercase().contains(wording), "{wording}: {said}");
            assert_eq!(failure_class(said), Some(*class), "{said}");
            assert_eq!(failure_class(&said.to_uppercase()), Some(*class), "{said}");
            assert_eq!(wording.to_lowercase(), *wording);
        }
    }

    #[test]
    fn a_permanent_failure_is_not_tried_again() {
        let said = [
            // The team's own policies forbid the call.
            "User: arn:aws:sts::1:assumed-role/cdk-hnb659fds-cfn-exec-role/AWSCloudFormation is not authorized to \
             perform: s3:CreateBucket on resource: arn:aws:s3:::b",
            "API: iam:CreateRole User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: iam:CreateRole",
            "User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: iam:PassRole on resource: x",
            "User: arn:aws:sts::1:assumed-role/AWSCodeBuild-1 is not authorized to perform: sts:AssumeRole on \
             resource: arn:aws:iam::2:role/deploy",
            "The provided execution role does not have permissions to call CreateNetworkInterface on EC2 because of \
             an explicit deny in a service control policy",
            "Access denied. Check the S3 bucket policy for the trail destination.",
            "AccessDeniedException: User: arn:aws:iam::1:user/dev is missing permission ecs:CreateCapacityProvider",
            "The security token included in the request is invalid",
            // The template is wrong.
            "Template format error: Unresolved resource dependencies [Role] in the Resources block",
            "1 validation error detected: Value at 'roleArn' failed to satisfy constraint",
            "b already exists in stack arn:aws:cloudformation:us-east-1:1:stack/S/1",
            "Role with name r already exists. (Service: Iam, Status Code: 409, HandlerErrorCode: AlreadyExists)",
            "The maximum number of VPCs has been reached. (HandlerErrorCode: ServiceLimitExceeded)",
            "Resource handler returned message: \"not stable\" (HandlerErrorCode: NotStabilized)",
        ];
        for said in said {
            assert_eq!(failure_class(said), None, "{said}");
        }
    }

    #[test]
    fn a_resource_that_took_too_long_says_so() {
        for said in [
            "Resource handler returned message: \"Exceeded attempts to wait\" (HandlerErrorCode: NotStabilized)",
            "WaitCondition timed out. Received 0 conditions when expecting 1",
            "Failed to receive 1 resource signal(s) within the specified duration",
            "CloudFormation did not receive a response from your Custom Resource. Please check your logs for requestId [1].",
            "Custom Resource failed to stabilize in expected time. If you are using the Python cfn-response module, ...",
        ] {
            assert!(is_timeout(said), "{said}");
        }
        assert!(!is_timeout("Rate exceeded (Service: Iam, Status Code: 400)"));
        assert!(!is_timeout("Property Timeout must be a number"));
    }
}
