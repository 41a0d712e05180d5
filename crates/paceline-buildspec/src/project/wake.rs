//! The rule of EventBridge that starts the build in which a sleeping run goes on, and the role for that.
//!
//! The rule is disabled. A run that falls asleep enables it and says which build to start, and the build that continues the
//! run disables it again. So other deployments start no builds.

use serde::Serialize;
use serde_json::{Value, json};

use super::Project;
use super::role;
use crate::yaml::Yaml;

/// The longest name of a rule (API reference, `PutRule`).
const LONGEST_NAME: usize = 64;
/// The longest pattern of a rule, with some room for the account and the Region ("Amazon EventBridge quotas").
const LONGEST_PATTERN: usize = 1600;
/// If no event arrives, a build looks so often.
const SCHEDULE: &str = "rate(1 hour)";
/// The characters around a prefix in a pattern.
const PREFIX: usize = 16;
const SOURCES: [&str; 1] = ["aws.cloudformation"];
const KINDS: [&str; 1] = ["CloudFormation Stack Status Change"];
const SUFFIX: &str = "-wake";
/// The statuses after which CloudFormation does nothing more with a stack by itself.
const SETTLED: [&str; 12] = [
    "CREATE_COMPLETE",
    "CREATE_FAILED",
    "DELETE_COMPLETE",
    "DELETE_FAILED",
    "ROLLBACK_COMPLETE",
    "ROLLBACK_FAILED",
    "UPDATE_COMPLETE",
    "UPDATE_FAILED",
    "UPDATE_ROLLBACK_COMPLETE",
    "UPDATE_ROLLBACK_FAILED",
    "IMPORT_COMPLETE",
    "IMPORT_ROLLBACK_COMPLETE",
];

/// The name of the rule of a project.
pub fn rule_name(project: &str) -> String {
    let name: String = project.chars().take(LONGEST_NAME - SUFFIX.len()).collect();
    name + SUFFIX
}

/// The ARN of the rule.
pub fn rule_arn(project: &str) -> String {
    let name = rule_name(project);
    format!("arn:${{AWS::Partition}}:events:${{AWS::Region}}:${{AWS::AccountId}}:rule/{name}")
}

/// The parts of the rule, for the construct.
#[derive(Debug, Serialize)]
pub struct Parts {
    rule: String,
    rule_arn: String,
    description: String,
    schedule: &'static str,
    sources: [&'static str; 1],
    kinds: [&'static str; 1],
    statuses: [&'static str; 12],
    prefixes: Vec<String>,
}

pub fn parts(project: &Project, stacks: &[String]) -> Parts {
    Parts {
        rule: rule_name(&project.name),
        rule_arn: rule_arn(&project.name),
        description: description(project),
        schedule: SCHEDULE,
        sources: SOURCES,
        kinds: KINDS,
        statuses: SETTLED,
        prefixes: prefixes(stacks),
    }
}

/// The beginnings of the ids of these stacks. None if they are too many for a pattern.
fn prefixes(stacks: &[String]) -> Vec<String> {
    let prefix = |stack: &String| {
        format!("arn:${{AWS::Partition}}:cloudformation:${{AWS::Region}}:${{AWS::AccountId}}:stack/{stack}/")
    };
    let prefixes: Vec<String> = stacks.iter().map(prefix).collect();
    let length: usize = prefixes.iter().map(|prefix| prefix.len() + PREFIX).sum();
    if length <= LONGEST_PATTERN { prefixes } else { Vec::new() }
}

/// The events that the rule matches: the end of an operation on one of these stacks, or on any stack if they are too many.
/// Texts with `${AWS::…}` are for `Fn::Sub`.
fn pattern(stacks: &[String]) -> Value {
    let mut detail = json!({ "status-details": { "status": SETTLED } });
    let prefixes = prefixes(stacks);
    if !prefixes.is_empty() {
        detail["stack-id"] = prefixes.iter().map(|prefix| json!({ "prefix": prefix })).collect();
    }
    json!({ "source": SOURCES, "detail-type": KINDS, "detail": detail })
}

/// The resources of a template, by their logical ids.
pub fn resources(project: &Project, stacks: &[String]) -> Vec<(String, Value)> {
    let project_arn = json!({ "Fn::Sub": role::project_arn(project) });
    let trust = json!({
        "Effect": "Allow",
        "Principal": { "Service": "events.amazonaws.com" },
        "Action": "sts:AssumeRole",
        "Condition": {
            "StringEquals": { "aws:SourceAccount": { "Ref": "AWS::AccountId" } },
            "ArnEquals": { "aws:SourceArn": { "Fn::Sub": rule_arn(&project.name) } },
        },
    });
    let start = json!({ "Effect": "Allow", "Action": "codebuild:StartBuild", "Resource": project_arn });
    let role = json!({
        "Type": "AWS::IAM::Role",
        "Properties": {
            "Description": description(project),
            "AssumeRolePolicyDocument": { "Version": "2012-10-17", "Statement": [trust] },
            "Policies": [{
                "PolicyName": "build",
                "PolicyDocument": { "Version": "2012-10-17", "Statement": [start] },
            }],
        },
    });
    let target =
        json!({ "Id": "build", "Arn": project_arn, "RoleArn": { "Fn::GetAtt": ["WakeRole", "Arn"] } });
    let rule = json!({
        "Type": "AWS::Events::Rule",
        "Properties": {
            "Name": rule_name(&project.name),
            "Description": description(project),
            "State": "DISABLED",
            "ScheduleExpression": SCHEDULE,
            "EventPattern": substituted(&pattern(stacks)),
            "Targets": [target],
        },
    });
    vec![("WakeRole".to_owned(), role), ("WakeRule".to_owned(), rule)]
}

fn description(project: &Project) -> String {
    format!("Continues sleeping runs of the CodeBuild project {}", project.name)
}

/// The resources as YAML.
pub fn yaml(resources: &[(String, Value)]) -> String {
    crate::yaml::to_string(&Yaml::Map(
        resources.iter().map(|(id, resource)| (id.clone(), written(resource))).collect(),
    ))
}

fn written(value: &Value) -> Yaml {
    match value {
        Value::Object(fields) => {
            Yaml::Map(fields.iter().map(|(name, value)| (name.clone(), written(value))).collect())
        }
        Value::Array(items) => Yaml::List(items.iter().map(written).collect()),
        Value::String(text) => Yaml::text(text),
        other => Yaml::Plain(other.to_string()),
    }
}

/// The same with `Fn::Sub` around the texts that need it.
fn substituted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), substituted(value))).collect()
        }
        Value::Array(items) => items.iter().map(substituted).collect(),
        Value::String(text) if text.contains("${") => json!({ "Fn::Sub": text }),
        other => other.clone(),
    }
}
