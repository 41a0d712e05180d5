//! Resources of CloudFormation templates as YAML, for the files that create more than the project.

use std::error::Error;

use super::Project;
use super::cloudformation;
use super::role::{Resource, Statement};
use crate::yaml::Yaml;

/// A resource of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateResource {
    /// The logical id.
    pub id: String,
    /// The comment above the resource; empty for none.
    pub why: String,
    pub body: Yaml,
}

/// The service that assumes a role, and the resource for which it does so.
#[derive(Debug, Clone, Copy)]
pub struct Trust<'a> {
    /// `codebuild.amazonaws.com`.
    pub service: &'a str,
    /// The ARN of the resource, which may contain `${AWS::…}` and end in `*`. `None` for a service that does not document
    /// that it says for which account and resource it assumes a role.
    pub resource: Option<&'a str>,
}

pub fn map<K: Into<String>>(entries: impl IntoIterator<Item = (K, Yaml)>) -> Yaml {
    Yaml::Map(entries.into_iter().map(|(key, value)| (key.into(), value)).collect())
}

pub fn reference(id: &str) -> Yaml {
    Yaml::Plain(format!("!Ref {id}"))
}

pub fn attribute(id: &str, attribute: &str) -> Yaml {
    Yaml::Plain(format!("!GetAtt {id}.{attribute}"))
}

/// A text in which CloudFormation replaces `${…}`.
pub fn sub(text: &str) -> Yaml {
    if !text.contains("${") {
        return Yaml::text(text);
    }
    Yaml::Plain(format!("!Sub {}", crate::yaml::scalar(text)))
}

pub fn word(word: impl std::fmt::Display) -> Yaml {
    Yaml::Plain(word.to_string())
}

/// A resource with its type and its properties.
pub fn resource(
    id: &str,
    why: &str,
    kind: &str,
    attributes: Vec<(&str, Yaml)>,
    properties: Yaml,
) -> TemplateResource {
    let entries = [("Type", Yaml::text(kind))].into_iter().chain(attributes);
    let body = map(entries.chain([("Properties", properties)]));
    TemplateResource { id: id.to_owned(), why: why.to_owned(), body }
}

pub fn log_group(id: &str, project: &Project, retention_days: u32) -> TemplateResource {
    let name = Yaml::text(&project.logs_config.cloud_watch_logs.group_name);
    let properties = map([("LogGroupName", name), ("RetentionInDays", word(retention_days))]);
    resource(id, "", "AWS::Logs::LogGroup", Vec::new(), properties)
}

/// A project whose log group and role are other resources of the template. `role` is its logical id; without it, the
/// project names its role itself.
pub fn project(
    id: &str,
    why: &str,
    project: &Project,
    logs: &str,
    role: Option<&str>,
) -> Result<TemplateResource, Box<dyn Error>> {
    let mut project = project.clone();
    let logs = format!("!Ref {logs}");
    let mut references = vec![("logsConfig.cloudWatchLogs.groupName", logs.as_str())];
    let role = role.map(|role| format!("!GetAtt {role}.Arn"));
    if let Some(role) = &role {
        references.push(("serviceRole", role));
        project.service_role.get_or_insert_default();
    }
    let properties = cloudformation::as_properties(&project, &references)?;
    Ok(resource(id, why, "AWS::CodeBuild::Project", Vec::new(), properties))
}

/// A role for a service. `logs` is the logical id of the log group that the statements may write to.
pub fn role(
    id: &str,
    why: &str,
    description: &str,
    trust: Trust<'_>,
    statements: &[Statement],
    logs: &str,
) -> TemplateResource {
    let account = map([("aws:SourceAccount", reference("AWS::AccountId"))]);
    let condition = match trust.resource {
        Some(arn) => vec![("StringEquals", account), ("ArnEquals", map([("aws:SourceArn", sub(arn))]))],
        None => vec![("StringEqualsIfExists", account)],
    };
    let trusted = map([
        ("Effect", Yaml::text("Allow")),
        ("Principal", map([("Service", Yaml::text(trust.service))])),
        ("Action", Yaml::text("sts:AssumeRole")),
        ("Condition", map(condition)),
    ]);
    let policy = map([
        ("PolicyName", Yaml::text("rights")),
        ("PolicyDocument", document(statements.iter().map(|it| statement(it, logs)).collect())),
    ]);
    let properties = map([
        ("Description", Yaml::text(description)),
        ("AssumeRolePolicyDocument", document(vec![trusted])),
        ("Policies", Yaml::List(vec![policy])),
    ]);
    resource(id, why, "AWS::IAM::Role", Vec::new(), properties)
}

/// A policy with these statements.
pub fn document(statements: Vec<Yaml>) -> Yaml {
    map([("Version", Yaml::text("2012-10-17")), ("Statement", Yaml::List(statements))])
}

fn statement(statement: &Statement, logs: &str) -> Yaml {
    let resource = |resource: &Resource| match resource {
        Resource::Any => Yaml::text("*"),
        Resource::LogGroup => attribute(logs, "Arn"),
        Resource::WakeRole => attribute("WakeRole", "Arn"),
        Resource::Sub(arn) => sub(arn),
    };
    let mut entries = vec![
        ("Sid", Yaml::text(statement.sid)),
        ("Effect", Yaml::text("Allow")),
        ("Action", Yaml::texts(&statement.actions)),
        ("Resource", Yaml::List(statement.resources.iter().map(resource).collect())),
    ];
    if let Some((key, value)) = statement.condition {
        entries.push(("Condition", map([("StringEquals", map([(key, Yaml::text(value))]))])));
    }
    map(entries).commented(statement.why)
}
