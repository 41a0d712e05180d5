//! The rights of the builds of a project, and no more.
//!
//! The role has the rights that CodeBuild needs for a build, and those that the run needs as the build itself
//! ([`Rights`]). Stacks and assets are deployed with the roles that the assembly names.

use paceline_config::{METRIC_NAMESPACE, Notifications, SourceType};
use serde::Serialize;
use serde_json::json;

use super::{ArtifactsType, CacheType, Project, Rights, object, wake};

/// The access of the role beyond what the project itself shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Access {
    /// The rights that the run needs.
    pub rights: Rights,
    /// The `bucket/key` of the runner, if it is fetched from S3.
    pub runner_object: Option<String>,
    pub artifacts_bucket: Option<String>,
    /// Whether the run sends its metrics to CloudWatch.
    pub metrics: bool,
    /// Who the run notifies.
    pub notifications: Notifications,
    /// Whether runs may sleep.
    pub wake: bool,
    /// The ARNs of the team's own keys, with which the read and the stored data are encrypted.
    pub kms_keys: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Statement {
    pub sid: &'static str,
    /// The comment above the statement.
    pub why: &'static str,
    pub actions: Vec<&'static str>,
    pub resources: Vec<Resource>,
    /// A key of the request, and the value that it must have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<(&'static str, &'static str)>,
}

impl Statement {
    pub(crate) fn new(
        sid: &'static str,
        why: &'static str,
        actions: Vec<&'static str>,
        resources: Vec<Resource>,
    ) -> Self {
        Self { sid, why, actions, resources, condition: None }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", content = "text", rename_all = "kebab-case")]
pub enum Resource {
    Any,
    LogGroup,
    /// The role with which a rule starts a build.
    WakeRole,
    /// An ARN that contains `${AWS::…}`.
    Sub(String),
}

/// The ARN of the project. Only its builds may assume the role.
pub fn project_arn(project: &Project) -> String {
    format!("arn:${{AWS::Partition}}:codebuild:${{AWS::Region}}:${{AWS::AccountId}}:project/{}", project.name)
}

pub fn role_description(project: &Project) -> String {
    format!("Builds of the CodeBuild project {}", project.name)
}

pub fn batch_role_description(project: &Project) -> String {
    format!("Batches of the CodeBuild project {}", project.name)
}

/// The statements of the service role. There are none if the project names its own role.
pub fn statements(project: &Project, access: &Access) -> Vec<Statement> {
    if project.service_role.is_some() { Vec::new() } else { needed(project, access) }
}

/// The statements that builds need, whoever makes their role.
pub(crate) fn needed(project: &Project, access: &Access) -> Vec<Statement> {
    let mut statements = vec![write_log(), write_reports(project)];
    statements.extend(run_statements(&project_arn(project), access));
    statements.extend(build_statements(project, access));
    statements
}

/// The statements of the service role of builds that only plan. They may synthesize, and change nothing.
pub fn plan_statements(project: &Project, access: &Access) -> Vec<Statement> {
    if project.service_role.is_some() {
        return Vec::new();
    }
    let look_up = access.rights.of_synthesis().assume_roles();
    let look_up = look_up.map(|it| Statement {
        why: "The roles that the assembly names for lookups. A build that plans changes nothing.",
        ..it
    });
    let mut statements = vec![write_log()];
    statements.extend(look_up);
    statements.extend(build_statements(project, access));
    statements
}

fn write_log() -> Statement {
    Statement::new(
        "WriteBuildLog",
        "The ARN of a log group covers its streams.",
        vec!["logs:CreateLogStream", "logs:PutLogEvents"],
        vec![Resource::LogGroup],
    )
}

fn write_reports(project: &Project) -> Statement {
    Statement::new(
        "WriteReports",
        "The report groups of this project.",
        vec![
            "codebuild:BatchPutTestCases",
            "codebuild:CreateReport",
            "codebuild:CreateReportGroup",
            "codebuild:UpdateReport",
        ],
        vec![sub(&format!("codebuild:${{AWS::Region}}:${{AWS::AccountId}}:report-group/{}-*", project.name))],
    )
}

/// The statements for what a build reads and keeps, and for where it runs.
fn build_statements(project: &Project, access: &Access) -> Vec<Statement> {
    let mut statements = Vec::new();
    if let Some(object) = &access.runner_object {
        statements.push(Statement::new(
            "FetchRunner",
            "The runner, whose SHA-256 the buildspec checks.",
            vec!["s3:GetObject", "s3:GetObjectVersion"],
            vec![sub(&format!("s3:::{object}"))],
        ));
    }
    statements.extend(read_source(project));
    statements.extend(keep_artifacts(project, access));
    if let (CacheType::S3, Some(location)) = (project.cache.kind, &project.cache.location) {
        statements.push(Statement::new(
            "UseCache",
            "The cache between builds.",
            vec!["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"],
            vec![sub(&format!("s3:::{location}/*"))],
        ));
    }
    if project.auto_retry_limit.is_some_and(|limit| limit > 0) {
        statements.push(Statement::new(
            "RepeatBuild",
            "CodeBuild repeats a failed build with this role.",
            vec!["codebuild:RetryBuild"],
            vec![sub(&format!("codebuild:${{AWS::Region}}:${{AWS::AccountId}}:project/{}", project.name))],
        ));
    }
    if access.wake {
        statements.extend(wake_statements(&project.name));
    }
    statements.extend(use_keys(&access.kms_keys));
    statements.extend(pull_image(project));
    statements.extend(join_vpc(project));
    statements
}

/// The statements with which a run falls asleep, and wakes up again.
pub fn wake_statements(project: &str) -> [Statement; 2] {
    let rule = Resource::Sub(wake::rule_arn(project));
    let pass = Statement::new(
        "PassWakeRole",
        "The target of the rule keeps its role.",
        vec!["iam:PassRole"],
        vec![Resource::WakeRole],
    );
    [
        Statement::new(
            "SleepAndWakeUp",
            "The rule that continues a sleeping run.",
            vec!["events:DisableRule", "events:EnableRule", "events:ListTargetsByRule", "events:PutTargets"],
            vec![rule],
        ),
        Statement { condition: Some(("iam:PassedToService", "events.amazonaws.com")), ..pass },
    ]
}

/// The statements for the calls of the run itself. The other statements are for CodeBuild.
pub fn run_statements(project_arn: &str, access: &Access) -> Vec<Statement> {
    let mut statements = access.rights.statements(project_arn);
    statements.extend(send_metrics(access));
    statements.extend(notify(&access.notifications));
    statements
}

/// The largest number of characters of all inline policies of a role together, without white space (IAM User
/// Guide, "IAM and AWS STS quotas").
pub const LONGEST_POLICY: usize = 10_240;

/// The largest number of characters of an inline policy with these statements, in any account and region.
pub fn policy_length(statements: &[Statement]) -> usize {
    /// The longest name of a partition and of a region, and an account.
    const LONGEST: [(&str, &str); 3] = [
        ("${AWS::Partition}", "aws-us-gov"),
        ("${AWS::Region}", "ap-northeast-1"),
        ("${AWS::AccountId}", "111122223333"),
    ];
    let resource = |resource: &Resource| match resource {
        Resource::Any => "*".to_owned(),
        // A log group is named after its project, whose name has at most 150 characters.
        Resource::LogGroup => {
            format!("arn:aws-us-gov:logs:ap-northeast-1:111122223333:log-group:/aws/codebuild/{:x<150}:*", "")
        }
        // CloudFormation makes a name of at most 64 characters.
        Resource::WakeRole => format!("arn:aws-us-gov:iam::111122223333:role/{:x<64}", ""),
        Resource::Sub(arn) => LONGEST.iter().fold(arn.clone(), |arn, (from, to)| arn.replace(from, to)),
    };
    let said = statements.iter().map(|statement| {
        let mut said = json!({
            "Sid": statement.sid,
            "Effect": "Allow",
            "Action": statement.actions,
            "Resource": statement.resources.iter().map(resource).collect::<Vec<_>>(),
        });
        if let Some((key, value)) = statement.condition {
            said["Condition"] = json!({ "StringEquals": { key: value } });
        }
        said
    });
    json!({ "Version": "2012-10-17", "Statement": said.collect::<Vec<_>>() }).to_string().len()
}

pub(crate) fn sub(rest: &str) -> Resource {
    Resource::Sub(format!("arn:${{AWS::Partition}}:{rest}"))
}

fn send_metrics(access: &Access) -> Option<Statement> {
    access.metrics.then(|| Statement {
        condition: Some(("cloudwatch:namespace", METRIC_NAMESPACE)),
        ..Statement::new(
            "SendMetrics",
            "The action cannot be limited to resources, but to the namespace of the metrics.",
            vec!["cloudwatch:PutMetricData"],
            vec![Resource::Any],
        )
    })
}

fn notify(to: &Notifications) -> Vec<Statement> {
    let mut statements = Vec::new();
    if let Some(topic) = &to.sns {
        statements.push(Statement::new(
            "NotifyTopic",
            "The topic that gets a message when a run starts, fails and ends.",
            vec!["sns:Publish"],
            vec![Resource::Sub(topic.to_string())],
        ));
    }
    if let Some(bus) = &to.event_bus {
        let resource = if bus.region().is_some() {
            Resource::Sub(bus.to_string())
        } else {
            sub(&format!("events:${{AWS::Region}}:${{AWS::AccountId}}:event-bus/{bus}"))
        };
        statements.push(Statement::new(
            "NotifyEventBus",
            "The event bus that gets the same.",
            vec!["events:PutEvents"],
            vec![resource],
        ));
    }
    if let Some(webhook) = &to.webhook {
        let name = webhook.parameter.as_str().trim_start_matches('/');
        statements.push(Statement::new(
            "ReadWebhook",
            "The parameter that holds the URL of the webhook.",
            vec!["ssm:GetParameter"],
            vec![sub(&format!("ssm:${{AWS::Region}}:${{AWS::AccountId}}:parameter/{name}"))],
        ));
    }
    statements
}

fn read_source(project: &Project) -> Option<Statement> {
    let location = project.source.location.as_deref()?;
    let (actions, resource) = match project.source.kind {
        SourceType::S3 => (vec!["s3:GetObject", "s3:GetObjectVersion"], format!("s3:::{}", object(location))),
        SourceType::Codecommit => {
            let repository = location.trim_end_matches('/').rsplit('/').next()?;
            (vec!["codecommit:GitPull"], format!("codecommit:*:${{AWS::AccountId}}:{repository}"))
        }
        // Other sources are reached with a connection or a credential of the account, to which this role
        // cannot grant access.
        _ => return None,
    };
    Some(Statement::new("ReadSource", "The repository to build.", actions, vec![sub(&resource)]))
}

fn keep_artifacts(project: &Project, access: &Access) -> Option<Statement> {
    let bucket = access.artifacts_bucket.as_deref()?;
    let resources = vec![sub(&format!("s3:::{bucket}")), sub(&format!("s3:::{bucket}/*"))];
    let mut actions = vec!["s3:GetBucketAcl", "s3:GetBucketLocation"];
    // A pipeline passes the source on in its own bucket.
    let (sid, why) = if project.artifacts.kind == ArtifactsType::Codepipeline {
        actions.extend(["s3:GetObject", "s3:GetObjectVersion"]);
        ("UsePipelineBucket", "The source from the pipeline, and the artifacts of the build.")
    } else {
        ("KeepArtifacts", "The artifacts of the build.")
    };
    actions.push("s3:PutObject");
    Some(Statement::new(sid, why, actions, resources))
}

/// `CodeBuild` User Guide, "Encrypt build outputs using a customer managed key".
pub(crate) fn use_keys(keys: &[String]) -> Option<Statement> {
    let actions =
        vec!["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"];
    let keys: Vec<_> = keys.iter().cloned().map(Resource::Sub).collect();
    let why = "The keys of the objects that builds read and write.";
    (!keys.is_empty()).then(|| Statement::new("UseKeys", why, actions, keys))
}

fn pull_image(project: &Project) -> Vec<Statement> {
    let image = &project.environment.image;
    let host_and_rest = image.as_str().split_once('/').filter(|_| image.is_private_ecr());
    let Some((host, rest)) = host_and_rest else { return Vec::new() };
    let repository = rest.split(['@', ':']).next().unwrap_or(rest);
    // account.dkr.ecr.region.amazonaws.com
    let mut parts = host.split('.');
    let (account, region) = (parts.next().unwrap_or("*"), parts.nth(2).unwrap_or("*"));
    vec![
        Statement::new(
            "LogInToRegistry",
            "A login is for the registry and not for one repository.",
            vec!["ecr:GetAuthorizationToken"],
            vec![Resource::Any],
        ),
        Statement::new(
            "PullBuildImage",
            "The image that the build runs in.",
            vec!["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            vec![sub(&format!("ecr:{region}:{account}:repository/{repository}"))],
        ),
    ]
}

/// `CodeBuild` User Guide, "Allow CodeBuild access to AWS services required to create a VPC network
/// interface".
fn join_vpc(project: &Project) -> Vec<Statement> {
    if project.vpc_config.is_none() {
        return Vec::new();
    }
    vec![
        Statement::new(
            "JoinVpc",
            "These actions cannot be limited to resources.",
            vec![
                "ec2:CreateNetworkInterface",
                "ec2:DeleteNetworkInterface",
                "ec2:DescribeDhcpOptions",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeSubnets",
                "ec2:DescribeVpcs",
            ],
            vec![Resource::Any],
        ),
        Statement {
            condition: Some(("ec2:AuthorizedService", "codebuild.amazonaws.com")),
            ..Statement::new(
                "HandOverInterface",
                "CodeBuild attaches the network interface that the build has created.",
                vec!["ec2:CreateNetworkInterfacePermission"],
                vec![sub("ec2:${AWS::Region}:${AWS::AccountId}:network-interface/*")],
            )
        },
    ]
}

/// Only for CodeBuild itself, which starts, stops and repeats the builds of a batch.
pub fn batch_statements(project: &Project) -> Vec<Statement> {
    if project.build_batch_config.is_none() {
        return Vec::new();
    }
    vec![Statement::new(
        "RunBuildsOfBatch",
        "The builds of this project. A batch starts them.",
        vec!["codebuild:RetryBuild", "codebuild:StartBuild", "codebuild:StopBuild"],
        vec![Resource::Sub(project_arn(project))],
    )]
}
