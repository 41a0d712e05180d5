//! A [`Project`] as a CloudFormation template, with the resources that it needs: its log group, its report
//! groups, its service role and, for batches, the role that starts their builds.

use std::error::Error;

use serde_json::{Map, Value, json};

use super::Project;
use super::monitoring::{Alarm, Monitoring, PERIOD};
use super::role::{self, Access, Resource, Statement};
use super::wake;
use crate::yaml::{self, Kind, Node, Style, Yaml};

/// The resources that a template creates in addition to the project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectResources {
    pub access: Access,
    pub log_retention_days: u32,
    /// The names of the report groups, each made of the project and of a section of a buildspec. A build
    /// creates a missing report group, but one from the template is deleted with the project.
    pub report_groups: Vec<String>,
    /// For runs that leave metrics.
    pub monitoring: Option<Monitoring>,
    /// The names of the stacks whose ends continue a sleeping run, if runs may sleep.
    pub wake: Option<Vec<String>>,
}

/// The properties of the project in YAML, in the order of [`Project`]'s fields. They refer to the roles and to the log
/// group that the template creates.
pub fn properties(project: &Project, others: &ProjectResources) -> Result<String, Box<dyn Error>> {
    let mut project = project.clone();
    let mut references = vec![("logsConfig.cloudWatchLogs.groupName", "!Ref BuildLogs")];
    if !role::statements(&project, &others.access).is_empty() {
        references.push(("serviceRole", "!GetAtt ServiceRole.Arn"));
        project.service_role.get_or_insert_default();
    }
    if let Some(batch) = &mut project.build_batch_config
        && batch.service_role.is_none()
    {
        references.push(("buildBatchConfig.serviceRole", "!GetAtt BatchRole.Arn"));
        batch.service_role.get_or_insert_default();
    }
    // JSON is YAML. Reading it as YAML keeps the order of the fields.
    let fields = yaml::parse(&serde_json::to_string(&project)?)?;
    Ok(yaml::to_string(&property(&fields, "", &references)))
}

/// Capitalizes keys: `computeType` of the API is `ComputeType` in a template. Only `buildspec` has a different spelling.
fn property(field: &Node, path: &str, references: &[(&str, &str)]) -> Yaml {
    if let Some((_, reference)) = references.iter().find(|(of, _)| *of == path) {
        return Yaml::Plain((*reference).to_owned());
    }
    match &field.kind {
        Kind::Scalar { text, style: Style::Plain } => Yaml::Plain(text.clone()),
        Kind::Scalar { text, .. } => Yaml::text(text),
        Kind::List(items) => Yaml::List(items.iter().map(|item| property(item, path, references)).collect()),
        Kind::Map(entries) => {
            let entry = |(key, field): &(yaml::Key, Node)| {
                let name = match key.text.as_str() {
                    "buildspec" => "BuildSpec".to_owned(),
                    key => key[..1].to_ascii_uppercase() + &key[1..],
                };
                let path = if path.is_empty() { key.text.clone() } else { format!("{path}.{}", key.text) };
                (name, property(field, &path, references))
            };
            Yaml::Map(entries.iter().map(entry).collect())
        }
    }
}

/// The template as data, which the rendered template has to match.
pub fn template(project: &Project, others: &ProjectResources) -> Result<Value, Box<dyn Error>> {
    let properties = yaml::parse(&properties(project, others)?)?.to_json();
    let log_group = json!({
        "Type": "AWS::Logs::LogGroup",
        "Properties": {
            "LogGroupName": project.logs_config.cloud_watch_logs.group_name,
            "RetentionInDays": others.log_retention_days,
        },
    });
    let mut resources = Map::from_iter([("BuildLogs".to_owned(), log_group)]);
    for group in &others.report_groups {
        resources.insert(report_group_id(project, group), report_group(group));
    }
    if let Some(monitoring) = &others.monitoring {
        resources.extend(monitoring_resources(monitoring));
    }
    if let Some(stacks) = &others.wake {
        resources.extend(wake::resources(project, stacks));
    }
    let statements = role::statements(project, &others.access);
    if !statements.is_empty() {
        let description = role::role_description(project);
        resources.insert("ServiceRole".to_owned(), service_role(project, &description, &statements));
    }
    let statements = role::batch_statements(project);
    if !statements.is_empty() {
        let description = role::batch_role_description(project);
        resources.insert("BatchRole".to_owned(), service_role(project, &description, &statements));
    }
    resources
        .insert("Project".to_owned(), json!({ "Type": "AWS::CodeBuild::Project", "Properties": properties }));
    Ok(json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": project.description,
        "Resources": resources,
        "Outputs": { "ProjectName": { "Value": { "Ref": "Project" } } },
    }))
}

/// The logical id of a report group: `workshop-deploy` of the project `workshop` becomes `DeployReports`.
pub fn report_group_id(project: &Project, group: &str) -> String {
    let section = group.strip_prefix(&project.name).unwrap_or(group);
    let words = section.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let capitalized = words.map(|word| word[..1].to_ascii_uppercase() + &word[1..]);
    capitalized.chain(["Reports".to_owned()]).collect()
}

fn report_group(name: &str) -> Value {
    json!({
        "Type": "AWS::CodeBuild::ReportGroup",
        "Properties": {
            "Name": name,
            "Type": "TEST",
            "ExportConfig": { "ExportConfigType": "NO_EXPORT" },
            "DeleteReports": true,
        },
    })
}

fn monitoring_resources(monitoring: &Monitoring) -> Vec<(String, Value)> {
    let dashboard = json!({
        "Type": "AWS::CloudWatch::Dashboard",
        "Properties": {
            "DashboardName": { "Fn::Sub": monitoring.dashboard_name },
            "DashboardBody": { "Fn::Sub": monitoring.dashboard_body },
        },
    });
    let alarm = |alarm: &Alarm| {
        let dimensions = alarm.dimensions.iter();
        let dimensions: Vec<Value> =
            dimensions.map(|(name, value)| json!({ "Name": name, "Value": value })).collect();
        let mut properties = json!({
            "AlarmDescription": alarm.description,
            "Namespace": alarm.namespace,
            "MetricName": alarm.metric,
            "Dimensions": dimensions,
            "Statistic": "Sum",
            "Period": PERIOD,
            "EvaluationPeriods": 1,
            "Threshold": 0,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "notBreaching",
        });
        if let Some(topic) = &monitoring.topic {
            properties["AlarmActions"] = json!([topic]);
        }
        (alarm.id.to_owned(), json!({ "Type": "AWS::CloudWatch::Alarm", "Properties": properties }))
    };
    std::iter::once(("Dashboard".to_owned(), dashboard)).chain(monitoring.alarms.iter().map(alarm)).collect()
}

fn service_role(project: &Project, description: &str, statements: &[Statement]) -> Value {
    let statements: Vec<_> = statements
        .iter()
        .map(|statement| {
            let resources = statement.resources.iter().map(|resource| match resource {
                Resource::Any => json!("*"),
                Resource::LogGroup => json!({ "Fn::GetAtt": ["BuildLogs", "Arn"] }),
                Resource::WakeRole => json!({ "Fn::GetAtt": ["WakeRole", "Arn"] }),
                Resource::Sub(arn) => json!({ "Fn::Sub": arn }),
            });
            let mut said = json!({
                "Sid": statement.sid,
                "Effect": "Allow",
                "Action": statement.actions,
                "Resource": resources.collect::<Vec<_>>(),
            });
            if let Some((key, value)) = statement.condition {
                said["Condition"] = json!({ "StringEquals": { key: value } });
            }
            said
        })
        .collect();
    let trust = json!({
        "Effect": "Allow",
        "Principal": { "Service": "codebuild.amazonaws.com" },
        "Action": "sts:AssumeRole",
        "Condition": {
            "StringEquals": { "aws:SourceAccount": { "Ref": "AWS::AccountId" } },
            "ArnEquals": { "aws:SourceArn": { "Fn::Sub": role::project_arn(project) } },
        },
    });
    json!({
        "Type": "AWS::IAM::Role",
        "Properties": {
            "Description": description,
            "AssumeRolePolicyDocument": { "Version": "2012-10-17", "Statement": [trust] },
            "Policies": [{
                "PolicyName": "build",
                "PolicyDocument": { "Version": "2012-10-17", "Statement": statements },
            }],
        },
    })
}
