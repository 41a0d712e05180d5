//! A [`Project`] as the settings of a CDK construct.
//!
//! The construct consists of one literal with all settings, and a little code that passes them on. The
//! literal can therefore be read back and compared. Its project is exactly the input of the CLI.

use serde::Serialize;
use serde_json::{Value, json};

use super::Project;
use super::cloudformation::Beside;
use super::role::{self, Resource, Statement};

/// Stands for the log group in a list of resources, because only the stack knows its ARN.
const LOG_GROUP: &str = "log-group";

/// The content of the literal.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Settings<'a> {
    project: &'a Project,
    log_retention_days: u32,
    report_groups: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_role: Option<Role>,
    #[serde(skip_serializing_if = "Option::is_none")]
    batch_role: Option<Role>,
    #[serde(skip_serializing_if = "Option::is_none")]
    project_arn: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
struct Role {
    description: String,
    statements: Vec<Allowed>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Allowed {
    sid: &'static str,
    effect: &'static str,
    action: Vec<&'static str>,
    resource: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<Value>,
}

pub fn settings<'a>(project: &'a Project, beside: &Beside) -> Settings<'a> {
    let service_role = role(role::role_description(project), role::statements(project, &beside.access));
    let batch_role = role(role::batch_role_description(project), role::batch_statements(project));
    let has_role = service_role.is_some() || batch_role.is_some();
    Settings {
        project,
        log_retention_days: beside.log_retention_days,
        report_groups: beside.report_groups.clone(),
        service_role,
        batch_role,
        project_arn: has_role.then(|| role::project_arn(project)),
    }
}

fn role(description: String, statements: Vec<Statement>) -> Option<Role> {
    let allowed = |statement: Statement| {
        let resource = |resource: Resource| match resource {
            Resource::Any => "*".to_owned(),
            Resource::LogGroup => LOG_GROUP.to_owned(),
            Resource::Sub(arn) => arn,
        };
        Allowed {
            sid: statement.sid,
            effect: "Allow",
            action: statement.actions,
            resource: statement.resources.into_iter().map(resource).collect(),
            condition: statement.condition.map(|(key, value)| json!({ "StringEquals": { key: value } })),
        }
    };
    let statements: Vec<_> = statements.into_iter().map(allowed).collect();
    (!statements.is_empty()).then_some(Role { description, statements })
}
