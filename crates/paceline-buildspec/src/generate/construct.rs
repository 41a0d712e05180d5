//! The project as a CDK construct in TypeScript.
//!
//! The construct uses the typed classes of the CDK. A test compiles it and compares the synthesized template
//! with the CloudFormation template, because nothing here can read TypeScript back.

use paceline_config::{ComputeType, SourceType};
use serde::Serialize;

use super::{GenerateError, GeneratedFile, Generation, TOOL, project_files, render, scripts};
use crate::project::cloudformation::report_group_id;
use crate::project::role::{self, Statement};
use crate::project::wake;
use crate::project::{LocalCacheMode, Project};

#[derive(Serialize)]
struct Context<'a> {
    tool: &'static str,
    command: String,
    class: String,
    project: &'a Project,
    project_arn: String,
    retention: &'static str,
    report_groups: Vec<ReportGroup<'a>>,
    roles: Vec<Role>,
    /// Whether the construct creates the role of the builds.
    service_role: bool,
    source: Source<'a>,
    cache_modes: Vec<&'static str>,
    cache_bucket: Option<&'a str>,
    cache_prefix: Option<&'a str>,
    /// Whether the construct refers to a bucket.
    buckets: bool,
    compute: &'static str,
    docker_server: Option<DockerServer<'a>>,
    wake: Option<wake::Parts>,
}

#[derive(Serialize)]
struct ReportGroup<'a> {
    id: String,
    name: &'a str,
}

#[derive(Serialize)]
struct Role {
    variable: &'static str,
    id: &'static str,
    why: &'static str,
    description: String,
    statements: Vec<Statement>,
}

#[derive(Serialize)]
struct DockerServer<'a> {
    compute: &'static str,
    security_groups: &'a [String],
}

/// The source in the form of the construct.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum Source<'a> {
    Pipeline,
    GitHub {
        owner: &'a str,
        repository: &'a str,
    },
    GitHubEnterprise,
    BitBucket {
        owner: &'a str,
        repository: &'a str,
    },
    S3 {
        bucket: &'a str,
        path: &'a str,
    },
    /// The CDK has no method for this source, or its method would write another location.
    Custom,
}

pub(super) fn construct(generation: &Generation, project: &Project) -> Result<GeneratedFile, GenerateError> {
    let resources = project_files::resources(generation, project);
    let source = Source::of(project);
    let cache = project.cache.location.as_deref();
    let (cache_bucket, cache_prefix) = cache.map_or((None, None), |location| {
        let (bucket, prefix) = location.split_once('/').map_or((location, None), |(b, p)| (b, Some(p)));
        (Some(bucket), prefix)
    });
    let service = role::statements(project, &resources.access);
    let service_role = !service.is_empty();
    let roles = [
        Role {
            variable: "serviceRole",
            id: "ServiceRole",
            why: "The rights of the build itself. The stacks are deployed with the roles that the assembly names.",
            description: role::role_description(project),
            statements: service,
        },
        Role {
            variable: "batchRole",
            id: "BatchRole",
            why: "CodeBuild starts the builds of a batch with a separate role.",
            description: role::batch_role_description(project),
            statements: role::batch_statements(project),
        },
    ];
    let context = Context {
        tool: TOOL,
        command: scripts::command(generation),
        class: class(&generation.name),
        project,
        project_arn: role::project_arn(project),
        retention: retention(resources.log_retention_days),
        report_groups: resources
            .report_groups
            .iter()
            .map(|name| ReportGroup { id: report_group_id(project, name), name })
            .collect(),
        roles: roles.into_iter().filter(|role| !role.statements.is_empty()).collect(),
        service_role,
        buckets: cache_bucket.is_some()
            || project.artifacts.location.is_some()
            || matches!(source, Source::S3 { .. }),
        source,
        cache_modes: project.cache.modes.iter().map(|mode| cache_mode(*mode)).collect(),
        cache_bucket,
        cache_prefix,
        compute: compute(project.environment.compute_type),
        wake: resources.wake.as_ref().map(|stacks| wake::parts(project, stacks)),
        docker_server: project.environment.docker_server.as_ref().map(|server| DockerServer {
            compute: compute(server.compute_type),
            security_groups: &server.security_group_ids,
        }),
    };
    let contents = render("project.ts.tera", &context)?;
    Ok(GeneratedFile { path: format!("{}.project.ts", generation.name), contents })
}

impl<'a> Source<'a> {
    fn of(project: &'a Project) -> Self {
        let location = project.source.location.as_deref().unwrap_or_default();
        let repository = |host: &str| {
            let path = location.strip_prefix("https://")?.strip_prefix(host)?.strip_suffix(".git")?;
            path.split_once('/').filter(|(_, name)| !name.contains('/'))
        };
        let custom = || Self::Custom;
        match project.source.kind {
            SourceType::Codepipeline => Self::Pipeline,
            SourceType::Github => repository("github.com/")
                .map_or_else(custom, |(owner, repository)| Self::GitHub { owner, repository }),
            SourceType::Bitbucket => repository("bitbucket.org/")
                .map_or_else(custom, |(owner, repository)| Self::BitBucket { owner, repository }),
            SourceType::GithubEnterprise => Self::GitHubEnterprise,
            SourceType::S3 => {
                location.split_once('/').map_or_else(custom, |(bucket, path)| Self::S3 { bucket, path })
            }
            _ => Self::Custom,
        }
    }
}

/// The name of the class: `my-workshop` becomes `MyWorkshopBuild`.
fn class(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let name: String = words.map(|word| word[..1].to_ascii_uppercase() + &word[1..]).collect();
    // The name of a class cannot start with a digit.
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        format!("Project{name}Build")
    } else {
        name + "Build"
    }
}

/// The member of `codebuild.ComputeType`, and of `codebuild.DockerServerComputeType`.
fn compute(compute: ComputeType) -> &'static str {
    match compute {
        ComputeType::Small => "SMALL",
        ComputeType::Medium => "MEDIUM",
        ComputeType::Large => "LARGE",
        ComputeType::XLarge => "X_LARGE",
        ComputeType::X2Large => "X2_LARGE",
    }
}

/// The member of `codebuild.LocalCacheMode`.
fn cache_mode(mode: LocalCacheMode) -> &'static str {
    match mode {
        LocalCacheMode::LocalDockerLayerCache => "DOCKER_LAYER",
        LocalCacheMode::LocalSourceCache => "SOURCE",
        LocalCacheMode::LocalCustomCache => "CUSTOM",
    }
}

/// The member of `logs.RetentionDays`. Every number of days has one, because the input was checked.
fn retention(days: u32) -> &'static str {
    match days {
        1 => "ONE_DAY",
        3 => "THREE_DAYS",
        5 => "FIVE_DAYS",
        7 => "ONE_WEEK",
        14 => "TWO_WEEKS",
        60 => "TWO_MONTHS",
        90 => "THREE_MONTHS",
        120 => "FOUR_MONTHS",
        150 => "FIVE_MONTHS",
        180 => "SIX_MONTHS",
        365 => "ONE_YEAR",
        400 => "THIRTEEN_MONTHS",
        545 => "EIGHTEEN_MONTHS",
        731 => "TWO_YEARS",
        1096 => "THREE_YEARS",
        1827 => "FIVE_YEARS",
        2192 => "SIX_YEARS",
        2557 => "SEVEN_YEARS",
        2922 => "EIGHT_YEARS",
        3288 => "NINE_YEARS",
        3653 => "TEN_YEARS",
        _ => "ONE_MONTH",
    }
}

#[cfg(test)]
mod tests {
    use paceline_config::LogRetention;

    use super::*;

    #[test]
    fn every_number_of_days_has_its_own_retention_name() {
        let names: std::collections::BTreeSet<_> = LogRetention::DAYS.into_iter().map(retention).collect();
        assert_eq!(names.len(), LogRetention::DAYS.len());
    }

    #[test]
    fn a_class_is_named_after_the_project() {
        for (name, expected) in
            [("my-workshop", "MyWorkshopBuild"), ("2fast", "Project2fastBuild"), ("a_b", "ABBuild")]
        {
            assert_eq!(class(name), expected);
        }
    }
}
