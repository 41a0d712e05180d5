//! The project as a CloudFormation template, and as input for the CLI.

use paceline_config::{MetricsTarget, TopicArn};
use serde::Serialize;

use super::{GenerateError, GeneratedFile, Generation, TOOL, buildspecs, project, render, same, scripts};
use crate::project::Project;
use crate::project::cloudformation::{self, ProjectResources};
use crate::project::monitoring::{self, Monitoring};
use crate::project::role::{self, Statement};
use crate::project::wake;

#[derive(Serialize)]
struct Context<'a> {
    tool: &'static str,
    command: String,
    project: &'a Project,
    template_file: String,
    log_retention_days: u32,
    report_groups: Vec<ReportGroup>,
    role_description: String,
    batch_role_description: String,
    project_arn: String,
    statements: Vec<Statement>,
    batch_statements: Vec<Statement>,
    monitoring: Option<Monitoring>,
    /// The properties of the project in YAML.
    properties: String,
    period: u32,
    /// The rule that continues sleeping runs, and its role, in YAML.
    wake: Option<String>,
}

#[derive(Serialize)]
struct ReportGroup {
    id: String,
    name: String,
}

/// `CreateProject` needs a role. If none is configured, the file has an example.
pub(super) fn json(generation: &Generation, project: &Project) -> Result<GeneratedFile, GenerateError> {
    let path = format!("{}.project.json", generation.name);
    let project = &with_roles(generation, project);
    match serde_json::to_string_pretty(project) {
        Ok(contents) => Ok(GeneratedFile { path, contents: contents + "\n" }),
        Err(error) => Err(GenerateError::Mismatch { path, detail: error.to_string() }),
    }
}

fn with_roles(generation: &Generation, project: &Project) -> Project {
    let mut project = project.clone();
    if let Some(batch) = &mut project.build_batch_config {
        batch.service_role.get_or_insert_with(|| example_role(generation, "batch"));
    }
    project.service_role.get_or_insert_with(|| example_role(generation, "build"));
    project
}

/// An example ARN of a role, which users replace when they create the project from the file.
fn example_role(generation: &Generation, what: &str) -> String {
    let account = match &generation.accounts[..] {
        [account] => account,
        _ => "111122223333",
    };
    format!("arn:aws:iam::{account}:role/{}-{what}", generation.name)
}

pub(super) fn template(generation: &Generation, project: &Project) -> Result<GeneratedFile, GenerateError> {
    let path = template_path(generation);
    let mismatch = |detail: String| GenerateError::Mismatch { path: path.clone(), detail };
    let resources = resources(generation, project);
    let properties = cloudformation::properties(project, &resources);
    let properties = properties.map_err(|error| mismatch(error.to_string()))?;
    let contents =
        render("project.cfn.yml.tera", &context(generation, project, resources.clone(), properties))?;
    let read = crate::yaml::parse(&contents).map_err(|error| mismatch(error.to_string()))?;
    let expected = cloudformation::template(project, &resources);
    let expected = expected.map_err(|error| mismatch(error.to_string()))?;
    same(&read.to_json(), &expected).map_err(mismatch)?;
    Ok(GeneratedFile { path, contents })
}

fn template_path(generation: &Generation) -> String {
    format!("{}.project.yaml", generation.name)
}

pub(super) fn resources(generation: &Generation, project: &Project) -> ProjectResources {
    let sections = [buildspecs::DEPLOY, buildspecs::DESTROY];
    ProjectResources {
        access: project::access(generation),
        log_retention_days: generation.codebuild.log_retention_days.days(),
        report_groups: sections.map(|section| buildspecs::report_group(generation, section)).to_vec(),
        monitoring: (generation.metrics != MetricsTarget::Off).then(|| {
            let topic = generation.notifications.sns.as_ref();
            monitoring::monitoring(project, topic.map(TopicArn::as_str))
        }),
        wake: generation.codebuild.sleep.then(|| generation.stack_names.clone()),
    }
}

fn context<'a>(
    generation: &Generation,
    project: &'a Project,
    resources: ProjectResources,
    properties: String,
) -> Context<'a> {
    let group = |name: &String| ReportGroup {
        id: cloudformation::report_group_id(project, name),
        name: name.clone(),
    };
    let wake = resources.wake.as_ref().map(|stacks| wake::yaml(&wake::resources(project, stacks)));
    Context {
        wake,
        tool: TOOL,
        command: scripts::command(generation),
        project,
        template_file: format!("{}/{}", generation.out_dir, template_path(generation)),
        log_retention_days: resources.log_retention_days,
        report_groups: resources.report_groups.iter().map(group).collect(),
        role_description: role::role_description(project),
        batch_role_description: role::batch_role_description(project),
        project_arn: role::project_arn(project),
        statements: role::statements(project, &resources.access),
        batch_statements: role::batch_statements(project),
        monitoring: resources.monitoring,
        properties,
        period: monitoring::PERIOD,
    }
}
