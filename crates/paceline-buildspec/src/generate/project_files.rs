//! The project in its three forms, which say the same: a template, a construct, and input for the CLI.

use serde::Serialize;
use serde_json::Value;

use super::{GenerateError, GeneratedFile, Generation, TOOL, buildspecs, project, render, same, scripts};
use crate::project::cloudformation::{self, Beside};
use crate::project::role::{self, Statement};
use crate::project::{Project, construct};

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
}

#[derive(Serialize)]
struct ReportGroup {
    id: String,
    name: String,
}

#[derive(Serialize)]
struct ConstructContext<'a> {
    tool: &'static str,
    command: String,
    class: String,
    buildspec: &'a str,
    settings: &'a str,
}

/// `CreateProject` takes no project without a role. Where none is configured, an example stands in its place.
pub(super) fn json(generation: &Generation, project: &Project) -> Result<GeneratedFile, GenerateError> {
    let path = format!("{}.project.json", generation.name);
    let project = &with_roles(generation, project);
    let contents = render("project.json.tera", &context(generation, project))?;
    let mismatch = |detail: String| GenerateError::Mismatch { path: path.clone(), detail };
    let read: Project = serde_json::from_str(&contents).map_err(|error| mismatch(error.to_string()))?;
    same(&read, project).map_err(mismatch)?;
    Ok(GeneratedFile { path, contents })
}

fn with_roles(generation: &Generation, project: &Project) -> Project {
    let mut project = project.clone();
    if let Some(batch) = &mut project.build_batch_config {
        batch.service_role.get_or_insert_with(|| example_role(generation, "batch"));
    }
    project.service_role.get_or_insert_with(|| example_role(generation, "build"));
    project
}

/// The ARN that a role could have. Whoever creates the project from the file puts that of the real one there.
fn example_role(generation: &Generation, what: &str) -> String {
    let account = match &generation.accounts[..] {
        [account] => account,
        _ => "111122223333",
    };
    format!("arn:aws:iam::{account}:role/{}-{what}", generation.name)
}

pub(super) fn template(generation: &Generation, project: &Project) -> Result<GeneratedFile, GenerateError> {
    let path = template_path(generation);
    let contents = render("project.cfn.yml.tera", &context(generation, project))?;
    let mismatch = |detail: String| GenerateError::Mismatch { path: path.clone(), detail };
    let read = crate::yaml::parse(&contents).map_err(|error| mismatch(error.to_string()))?;
    let expected = cloudformation::template(project, &beside(generation));
    let expected = expected.map_err(|error| mismatch(error.to_string()))?;
    same(&read.to_json(), &expected).map_err(mismatch)?;
    Ok(GeneratedFile { path, contents })
}

/// The literal in the file is read back; the code around it is the same for every project.
pub(super) fn construct(generation: &Generation, project: &Project) -> Result<GeneratedFile, GenerateError> {
    let path = format!("{}.project.ts", generation.name);
    let mismatch = |detail: String| GenerateError::Mismatch { path: path.clone(), detail };
    let beside = beside(generation);
    let settings = construct::settings(project, &beside);
    let written = serde_json::to_string_pretty(&settings).map_err(|error| mismatch(error.to_string()))?;
    let context = ConstructContext {
        tool: TOOL,
        command: scripts::command(generation),
        class: class(&generation.name),
        buildspec: &project.source.buildspec,
        settings: &written,
    };
    let contents = render("project.ts.tera", &context)?;
    let literal = contents.split_once("const settings = ").and_then(|(_, rest)| rest.split_once("\n};\n"));
    let literal = literal.map(|(literal, _)| format!("{literal}\n}}")).unwrap_or_default();
    let read: Value = serde_json::from_str(&literal).map_err(|error| mismatch(error.to_string()))?;
    let expected = serde_json::to_value(&settings).map_err(|error| mismatch(error.to_string()))?;
    same(&read, &expected).map_err(mismatch)?;
    Ok(GeneratedFile { path, contents })
}

fn template_path(generation: &Generation) -> String {
    format!("{}.project.yaml", generation.name)
}

/// `my-workshop` is the class `MyWorkshopBuild`.
fn class(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let name: String = words.map(|word| word[..1].to_ascii_uppercase() + &word[1..]).collect();
    // No name of a class begins with a digit.
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        format!("Project{name}Build")
    } else {
        name + "Build"
    }
}

fn beside(generation: &Generation) -> Beside {
    let sections = [buildspecs::DEPLOY, buildspecs::DESTROY];
    Beside {
        access: project::access(generation),
        log_retention_days: generation.codebuild.log_retention_days,
        report_groups: sections.map(|section| buildspecs::report_group(generation, section)).to_vec(),
    }
}

fn context<'a>(generation: &Generation, project: &'a Project) -> Context<'a> {
    let beside = beside(generation);
    let group = |name: &String| ReportGroup {
        id: cloudformation::report_group_id(project, name),
        name: name.clone(),
    };
    Context {
        tool: TOOL,
        command: scripts::command(generation),
        project,
        template_file: format!("{}/{}", generation.out_dir, template_path(generation)),
        log_retention_days: beside.log_retention_days,
        report_groups: beside.report_groups.iter().map(group).collect(),
        role_description: role::role_description(project),
        batch_role_description: role::batch_role_description(project),
        project_arn: role::project_arn(project),
        statements: role::statements(project, &beside.access),
        batch_statements: role::batch_statements(project),
    }
}
