//! The access of a run to AWS: the roles that it assumes, and the calls that it makes with the build's own
//! credentials.
//!
//! The actions are those of the calls that the runner makes. The whole-program test `rights` records the
//! calls of a build that deploys and deletes, and checks that these lists contain exactly those calls.

use std::collections::BTreeSet;

use super::role::{Resource, Statement, sub};

/// The rights that the run of a plan needs from the build's own credentials.
///
/// Texts may contain `${AWS::Partition}`, `${AWS::AccountId}` and `${AWS::Region}`, which stand for those of
/// the project.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rights {
    /// The ARNs of the roles that the assembly names: to deploy, to publish and to look up.
    pub roles: Vec<String>,
    /// Those of these roles that the assembly names for lookups.
    pub lookup_roles: Vec<String>,
    /// Whether a role is assumed with session tags.
    pub session_tags: bool,
    /// Whether the plan has gates that wait for IAM roles.
    pub waits_for_roles: bool,
    /// Whether the build itself reads alarms, for a rollout.
    pub watches_alarms: bool,
    /// The repositories that the run creates at its start.
    pub prewarmed: Vec<Located>,
    /// The types of resources that the build asks their services about: those of [`EXPLAINED`], and [`CUSTOM_RESOURCE`]
    /// for all custom resources.
    pub explained: BTreeSet<String>,
    /// The work for which the assembly names no role, so that the build does it itself.
    pub unaided: Unaided,
    /// The names of the team's commands, which run with the build's credentials.
    pub commands: Vec<String>,
}

/// The work of a run without a role.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unaided {
    /// The stacks that the build deploys and deletes.
    pub stacks: Vec<OwnStack>,
    /// The buckets to which the build publishes files.
    pub buckets: Vec<String>,
    /// Whether the build keeps records of what it deployed in these buckets.
    pub records: bool,
    /// The repositories to which the build publishes images.
    pub repositories: Vec<Located>,
    /// The parameters that contain the version of a bootstrap.
    pub versions: Vec<Located>,
    /// The parameters that the build reads before a run, or to find out whether a stack is unchanged.
    pub parameters: Vec<Located>,
    /// Whether the build needs the bucket of the stack `CDKToolkit`, whose name is only known in the run.
    pub toolkit: bool,
}

/// A stack that the build deploys itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OwnStack {
    /// The name, account and region of the stack in CloudFormation.
    pub stack: Located,
    /// The id of the stack in the plan.
    pub id: String,
    /// The role that CloudFormation assumes. Without a role, CloudFormation acts with the build's rights.
    pub execution_role: Option<String>,
    /// Whether it has nested stacks.
    pub nests: bool,
}

/// A name in an account and a region.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Located {
    pub account: String,
    pub region: String,
    pub name: String,
}

/// The types of resources whose services tell why a resource hangs or has failed, and the calls for that.
pub const EXPLAINED: [(&str, &[&str]); 4] = [
    ("AWS::AutoScaling::AutoScalingGroup", &["autoscaling:DescribeScalingActivities"]),
    ("AWS::ECS::Service", &["ecs:DescribeServices", "ecs:DescribeTasks", "ecs:ListTasks"]),
    ("AWS::RDS::DBCluster", &["rds:DescribeEvents"]),
    ("AWS::RDS::DBInstance", &["rds:DescribeEvents"]),
];

/// The type that stands for all custom resources. The logs of their functions tell why one hangs or has failed.
pub const CUSTOM_RESOURCE: &str = "AWS::CloudFormation::CustomResource";

/// The calls that change or read one stack.
const STACK_ACTIONS: [&str; 15] = [
    "cloudformation:CancelUpdateStack",
    "cloudformation:ContinueUpdateRollback",
    "cloudformation:CreateChangeSet",
    "cloudformation:CreateStack",
    "cloudformation:DeleteChangeSet",
    "cloudformation:DeleteStack",
    "cloudformation:DescribeChangeSet",
    "cloudformation:DescribeStackEvents",
    "cloudformation:ExecuteChangeSet",
    "cloudformation:GetTemplate",
    "cloudformation:ListChangeSets",
    "cloudformation:ListStackResources",
    "cloudformation:RollbackStack",
    "cloudformation:UpdateStack",
    "cloudformation:UpdateTerminationProtection",
];

/// The calls of the runner and of `docker push` (ECR User Guide, "IAM permissions for pushing an image").
const PUSH_ACTIONS: [&str; 6] = [
    "ecr:BatchCheckLayerAvailability",
    "ecr:CompleteLayerUpload",
    "ecr:DescribeImages",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
];

impl Located {
    fn arn(&self, service: &str, resource: &str) -> Resource {
        sub(&format!("{service}:{}:{}:{resource}", self.region, self.account))
    }
}

impl Rights {
    /// The rights that a synthesis needs: to look up what is there.
    #[must_use]
    pub fn of_synthesis(&self) -> Self {
        Self { roles: self.lookup_roles.clone(), session_tags: self.session_tags, ..Self::default() }
    }

    /// The statement for the roles.
    pub(super) fn assume_roles(&self) -> Option<Statement> {
        let mut actions = vec!["sts:AssumeRole"];
        actions.extend(self.session_tags.then_some("sts:TagSession"));
        (!self.roles.is_empty()).then(|| {
            Statement::new(
                "AssumeRoles",
                "The roles that the assembly names for deploying, publishing and lookups, and no others.",
                actions,
                self.roles.iter().cloned().map(Resource::Sub).collect(),
            )
        })
    }

    /// The statements of the role, without those that are not needed.
    pub fn statements(&self, project_arn: &str) -> Vec<Statement> {
        let mut statements = Vec::from_iter(self.assume_roles());
        if self.waits_for_roles {
            statements.push(Statement::new(
                "WaitForRoles",
                "A stack that uses a new role waits until the role can be used.",
                vec![
                    "iam:GetInstanceProfile",
                    "iam:GetRole",
                    "iam:ListAttachedRolePolicies",
                    "iam:ListRolePolicies",
                ],
                vec![sub("iam::${AWS::AccountId}:instance-profile/*"), sub("iam::${AWS::AccountId}:role/*")],
            ));
        }
        if self.watches_alarms {
            statements.push(Statement::new(
                "WatchAlarms",
                "A rollout watches the alarms of its first region. Composite alarms are shown only to a right for all alarms.",
                vec!["cloudwatch:DescribeAlarms"],
                vec![Resource::Any],
            ));
        }
        statements.push(Statement::new(
            "ReadLimits",
            "A run checks the quota of stacks before it touches anything.",
            vec!["cloudformation:DescribeAccountLimits"],
            vec![Resource::Any],
        ));
        statements.push(Statement::new(
            "ReadOwnBuild",
            "The reports of a run show the phases of its build.",
            vec!["codebuild:BatchGetBuilds"],
            vec![Resource::Sub(project_arn.to_owned())],
        ));
        let explained = EXPLAINED.iter().filter(|(resource_type, _)| self.explained.contains(*resource_type));
        let actions: BTreeSet<&str> = explained.flat_map(|(_, actions)| *actions).copied().collect();
        if !actions.is_empty() {
            statements.push(Statement::new(
                "AskServices",
                "When a resource hangs or fails, its service is asked why. The names are only known then.",
                actions.into_iter().collect(),
                vec![Resource::Any],
            ));
        }
        if self.explained.contains(CUSTOM_RESOURCE) {
            statements.push(Statement::new(
                "ReadFunctionLogs",
                "When a custom resource hangs or fails, the errors in the log of its function tell why. The names are only known then.",
                vec!["cloudformation:DescribeStackResource", "logs:FilterLogEvents"],
                vec![
                    sub("cloudformation:*:${AWS::AccountId}:stack/*"),
                    sub("logs:*:${AWS::AccountId}:log-group:/aws/lambda/*"),
                ],
            ));
        }
        if !self.prewarmed.is_empty() {
            let arn = |it: &Located| it.arn("ecr", &format!("repository/{}", it.name));
            statements.push(Statement::new(
                "CreateRepositories",
                "The repositories that `prewarm` in paceline.yaml asks for.",
                vec!["ecr:CreateRepository", "ecr:DescribeRepositories"],
                distinct(self.prewarmed.iter().map(arn)),
            ));
        }
        statements.extend(self.unaided.statements());
        statements
    }
}

impl Unaided {
    fn statements(&self) -> Vec<Statement> {
        let mut statements = Vec::new();
        if !self.stacks.is_empty() {
            statements.push(Statement::new(
                "ReadStacks",
                "One call describes every stack of a Region. It names no stack, and needs ListStacks too.",
                vec!["cloudformation:DescribeStacks", "cloudformation:ListStacks"],
                vec![Resource::Any],
            ));
            let arn =
                |own: &OwnStack| own.stack.arn("cloudformation", &format!("stack/{}/*", own.stack.name));
            statements.push(Statement::new(
                "ChangeStacks",
                "The stacks for which the assembly names no deploy role.",
                STACK_ACTIONS.to_vec(),
                distinct(self.stacks.iter().map(arn)),
            ));
        }
        // CloudFormation makes up the names of nested stacks from the name of their parent.
        let arn = |own: &OwnStack| own.stack.arn("cloudformation", &format!("stack/{}-*/*", own.stack.name));
        let nested = distinct(self.stacks.iter().filter(|own| own.nests).map(arn));
        if !nested.is_empty() {
            statements.push(Statement::new(
                "ReadNestedStacks",
                "The nested stacks of these stacks: their events tell why one hangs or has failed.",
                vec!["cloudformation:DescribeStackEvents"],
                nested,
            ));
        }
        let roles = self.stacks.iter().filter_map(|own| own.execution_role.clone());
        let roles = distinct(roles.map(Resource::Sub));
        if !roles.is_empty() {
            statements.push(Statement {
                condition: Some(("iam:PassedToService", "cloudformation.amazonaws.com")),
                ..Statement::new(
                    "PassExecutionRoles",
                    "The roles that CloudFormation assumes for these stacks.",
                    vec!["iam:PassRole"],
                    roles,
                )
            });
        }
        statements.extend(self.publish());
        let arn = |it: &Located| it.arn("ssm", &format!("parameter/{}", it.name.trim_start_matches('/')));
        if !self.versions.is_empty() {
            statements.push(Statement::new(
                "ReadBootstrapVersion",
                "A run checks the bootstrap version of each environment first.",
                vec!["ssm:GetParameter"],
                distinct(self.versions.iter().map(arn)),
            ));
        }
        if !self.parameters.is_empty() {
            statements.push(Statement::new(
                "LookUpParameters",
                "The parameters that stacks read. They decide about the order, whether a stack is unchanged, and whether the context of an app is up to date.",
                vec!["ssm:GetParameters"],
                distinct(self.parameters.iter().map(arn)),
            ));
        }
        statements
    }

    fn publish(&self) -> Vec<Statement> {
        let mut statements = Vec::new();
        let mut buckets = self.buckets.clone();
        if self.toolkit {
            // The names of that bucket in the older and the newer bootstrap template.
            buckets.push("cdktoolkit-stagingbucket-*".to_owned());
            buckets.push("cdk-*-assets-${AWS::AccountId}-*".to_owned());
        }
        if !buckets.is_empty() {
            statements.push(Statement::new(
                "FindFiles",
                "A file that exists is not published again.",
                vec!["s3:ListBucket"],
                distinct(buckets.iter().map(|bucket| sub(&format!("s3:::{bucket}")))),
            ));
            statements.push(Statement::new(
                "PublishFiles",
                "The files for which the assembly names no role. CloudFormation reads templates with the rights of its caller.",
                vec!["s3:GetObject", "s3:PutObject"],
                distinct(buckets.iter().map(|bucket| sub(&format!("s3:::{bucket}/*")))),
            ));
            if self.records {
                statements.push(Statement::new(
                    "ReplaceRecords",
                    "The record of a deployment replaces the record before it.",
                    vec!["s3:DeleteObject"],
                    distinct(buckets.iter().map(|bucket| sub(&format!("s3:::{bucket}/paceline/deployed/*")))),
                ));
            }
        }
        if !self.repositories.is_empty() {
            statements.push(Statement::new(
                "LogInToPush",
                "A login is for the registry and not for one repository.",
                vec!["ecr:GetAuthorizationToken"],
                vec![Resource::Any],
            ));
            let arn = |it: &Located| it.arn("ecr", &format!("repository/{}", it.name));
            statements.push(Statement::new(
                "PublishImages",
                "The images for which the assembly names no role.",
                PUSH_ACTIONS.to_vec(),
                distinct(self.repositories.iter().map(arn)),
            ));
        }
        statements
    }

    /// The ids of the stacks whose resources CloudFormation creates with the build's rights.
    pub fn without_execution_role(&self) -> Vec<&str> {
        let own = self.stacks.iter().filter(|own| own.execution_role.is_none());
        own.map(|own| own.id.as_str()).collect()
    }
}

/// The resources in their order, without duplicates.
fn distinct(resources: impl Iterator<Item = Resource>) -> Vec<Resource> {
    let mut all: Vec<Resource> = Vec::new();
    for resource in resources {
        if !all.contains(&resource) {
            all.push(resource);
        }
    }
    all
}
