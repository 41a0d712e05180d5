//! What the builds of a project may do, and no more.
//!
//! The role may do what the build itself does. Stacks and assets are deployed with the roles of
//! `cdk bootstrap`, which is also where the rights to push images are.

use serde::Serialize;

use super::{ArtifactsType, CacheType, Project, SourceType};

/// What the role needs beyond what the project says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Access {
    /// The accounts of the plan. None stands for the account of the project.
    pub accounts: Vec<String>,
    /// `bucket/key` of the runner, when it is fetched from S3.
    pub runner_object: Option<String>,
    pub artifacts_bucket: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Statement {
    pub sid: &'static str,
    /// For the comment above it.
    pub why: &'static str,
    pub actions: Vec<&'static str>,
    pub resources: Vec<Resource>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", content = "text", rename_all = "kebab-case")]
pub enum Resource {
    Any,
    LogGroup,
    /// An ARN with `${AWS::…}` in it.
    Sub(String),
}

/// The roles of `cdk bootstrap` that a deployment assumes, by the middle of their names.
const BOOTSTRAP_ROLES: [&str; 4] =
    ["deploy-role", "file-publishing-role", "image-publishing-role", "lookup-role"];

/// Only this project's builds may take the role.
pub fn project_arn(project: &Project) -> String {
    format!("arn:${{AWS::Partition}}:codebuild:${{AWS::Region}}:${{AWS::AccountId}}:project/{}", project.name)
}

pub fn role_description(project: &Project) -> String {
    format!("Builds of the CodeBuild project {}", project.name)
}

pub fn batch_role_description(project: &Project) -> String {
    format!("Batches of the CodeBuild project {}", project.name)
}

/// The statements of the service role. There are none when the project names a role of its own.
pub fn statements(project: &Project, access: &Access) -> Vec<Statement> {
    if project.service_role.is_some() {
        return Vec::new();
    }
    let mut statements = vec![
        Statement {
            sid: "WriteBuildLog",
            why: "The ARN of a log group covers its streams.",
            actions: vec!["logs:CreateLogStream", "logs:PutLogEvents"],
            resources: vec![Resource::LogGroup],
        },
        Statement {
            sid: "WriteReports",
            why: "The report groups of this project.",
            actions: vec![
                "codebuild:BatchPutTestCases",
                "codebuild:CreateReport",
                "codebuild:CreateReportGroup",
                "codebuild:UpdateReport",
            ],
            resources: vec![sub(&format!(
                "codebuild:${{AWS::Region}}:${{AWS::AccountId}}:report-group/{}-*",
                project.name
            ))],
        },
        Statement {
            sid: "AssumeBootstrapRoles",
            why: "Deploying and publishing, in the accounts of the plan and in no other.",
            actions: vec!["sts:AssumeRole"],
            resources: bootstrap_roles(&access.accounts),
        },
        Statement {
            sid: "WaitForRoles",
            why: "A stack that uses a new role waits until the role can be used.",
            actions: vec![
                "iam:GetInstanceProfile",
                "iam:GetRole",
                "iam:ListAttachedRolePolicies",
                "iam:ListRolePolicies",
            ],
            resources: vec![
                sub("iam::${AWS::AccountId}:instance-profile/*"),
                sub("iam::${AWS::AccountId}:role/*"),
            ],
        },
        Statement {
            sid: "ReadStacks",
            why: "One call describes every stack of a Region. It names no stack, and needs ListStacks too. How many stacks there may be is checked before anything is touched.",
            actions: vec![
                "cloudformation:DescribeAccountLimits",
                "cloudformation:DescribeStacks",
                "cloudformation:ListStacks",
            ],
            resources: vec![Resource::Any],
        },
    ];
    if let Some(object) = &access.runner_object {
        statements.push(Statement {
            sid: "FetchRunner",
            why: "The runner, whose SHA-256 the buildspec checks.",
            actions: vec!["s3:GetObject", "s3:GetObjectVersion"],
            resources: vec![sub(&format!("s3:::{object}"))],
        });
    }
    statements.extend(read_source(project));
    statements.extend(keep_artifacts(project, access));
    if let (CacheType::S3, Some(location)) = (project.cache.kind, &project.cache.location) {
        statements.push(Statement {
            sid: "UseCache",
            why: "The cache between builds.",
            actions: vec!["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"],
            resources: vec![sub(&format!("s3:::{location}/*"))],
        });
    }
    statements.extend(pull_image(project));
    statements.extend(join_vpc(project));
    statements
}

fn sub(rest: &str) -> Resource {
    Resource::Sub(format!("arn:${{AWS::Partition}}:{rest}"))
}

fn bootstrap_roles(accounts: &[String]) -> Vec<Resource> {
    let own = ["${AWS::AccountId}".to_owned()];
    let accounts = if accounts.is_empty() { &own[..] } else { accounts };
    let roles = accounts.iter().flat_map(|account| {
        // `cdk-<qualifier>-<role>-<account>-<region>`, the names that `cdk bootstrap` gives.
        BOOTSTRAP_ROLES.map(|role| sub(&format!("iam::{account}:role/cdk-*-{role}-{account}-*")))
    });
    roles.collect()
}

fn read_source(project: &Project) -> Option<Statement> {
    let location = project.source.location.as_deref()?;
    let (actions, resource) = match project.source.kind {
        SourceType::S3 => {
            let object = location.trim_start_matches("arn:aws:s3:::");
            (vec!["s3:GetObject", "s3:GetObjectVersion"], format!("s3:::{object}"))
        }
        SourceType::Codecommit => {
            let repository = location.trim_end_matches('/').rsplit('/').next()?;
            (vec!["codecommit:GitPull"], format!("codecommit:*:${{AWS::AccountId}}:{repository}"))
        }
        // The others are reached with a connection or a credential of the account, which is not ours to grant.
        _ => return None,
    };
    Some(Statement {
        sid: "ReadSource",
        why: "The repository to build.",
        actions,
        resources: vec![sub(&resource)],
    })
}

fn keep_artifacts(project: &Project, access: &Access) -> Option<Statement> {
    let bucket = access.artifacts_bucket.as_deref()?;
    let mut actions = vec!["s3:GetBucketAcl", "s3:GetBucketLocation"];
    if project.artifacts.kind == ArtifactsType::Codepipeline {
        actions.extend(["s3:GetObject", "s3:GetObjectVersion"]);
    }
    actions.push("s3:PutObject");
    let resources = vec![sub(&format!("s3:::{bucket}")), sub(&format!("s3:::{bucket}/*"))];
    Some(Statement { sid: "KeepArtifacts", why: "What a build leaves.", actions, resources })
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
        Statement {
            sid: "LogInToRegistry",
            why: "A login is for the registry and not for one repository.",
            actions: vec!["ecr:GetAuthorizationToken"],
            resources: vec![Resource::Any],
        },
        Statement {
            sid: "PullBuildImage",
            why: "The image that the build runs in.",
            actions: vec![
                "ecr:BatchCheckLayerAvailability",
                "ecr:BatchGetImage",
                "ecr:GetDownloadUrlForLayer",
            ],
            resources: vec![sub(&format!("ecr:{region}:{account}:repository/{repository}"))],
        },
    ]
}

/// Not verified against an account: from memory of what CodeBuild asks for in a VPC.
fn join_vpc(project: &Project) -> Vec<Statement> {
    if project.vpc_config.is_none() {
        return Vec::new();
    }
    vec![
        Statement {
            sid: "JoinVpc",
            why: "These actions know no resources.",
            actions: vec![
                "ec2:CreateNetworkInterface",
                "ec2:DeleteNetworkInterface",
                "ec2:DescribeDhcpOptions",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeSubnets",
                "ec2:DescribeVpcs",
            ],
            resources: vec![Resource::Any],
        },
        Statement {
            sid: "HandOverInterface",
            why: "CodeBuild attaches the interface that the build has made.",
            actions: vec!["ec2:CreateNetworkInterfacePermission"],
            resources: vec![sub("ec2:${AWS::Region}:${AWS::AccountId}:network-interface/*")],
        },
    ]
}

/// Only for whoever starts, stops and repeats the builds of a batch: CodeBuild itself.
pub fn batch_statements(project: &Project) -> Vec<Statement> {
    if project.build_batch_config.is_none() {
        return Vec::new();
    }
    vec![Statement {
        sid: "RunBuildsOfBatch",
        why: "The builds of this project, of which a batch is made.",
        actions: vec!["codebuild:RetryBuild", "codebuild:StartBuild", "codebuild:StopBuild"],
        resources: vec![Resource::Sub(project_arn(project))],
    }]
}
