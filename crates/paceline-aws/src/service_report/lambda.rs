//! Why a custom resource is not ready: the errors in the log of the function behind it.
//!
//! The function has to answer CloudFormation. If it never does, CloudFormation waits for up to an hour.

use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use paceline_assembly::{Intrinsic, Template, UNKNOWN, is_custom};
use paceline_text::duration;
use serde_json::{Value, json};

use super::calls::Calls;
use super::{Said, Subject, TellsWhy, distinct_reasons};
use crate::error::AwsError;
use crate::signed::{Form, Protocol, Service, element};

/// Lambda, as it appears in CloudFormation and in CloudWatch Logs.
pub(super) struct Lambda;

const CLOUDFORMATION: Service = Service {
    id: "CloudFormation",
    host: "cloudformation",
    signing_name: "cloudformation",
    protocol: Protocol::Query,
};
const CLOUDFORMATION_VERSION: &str = "2010-05-15";
const DESCRIBE_RESOURCE: &str = "DescribeStackResource";
const LOGS: Service =
    Service { id: "CloudWatch Logs", host: "logs", signing_name: "logs", protocol: Protocol::Json };

/// The property with the seconds for which CloudFormation waits for an answer, and its default (CloudFormation Template
/// Reference, `AWS::CloudFormation::CustomResource`).
const TIMEOUT: &str = "ServiceTimeout";
const PATIENCE: Duration = Duration::from_hours(1);
/// What lines of trouble have. A regular expression, because a plain term is a whole word, and expressions may have no
/// spaces and no parentheses (CloudWatch Logs User Guide, "Supported regular expressions syntax").
const TROUBLE: &str = "%[Ee]rror|ERROR|[Ee]xception|timed.out%";
/// The most pages of a log that are read. A page may be empty although more follow (API reference, `FilterLogEvents`), and
/// the newest lines come last.
const MOST_PAGES: usize = 5;

impl TellsWhy for Lambda {
    fn is_about(&self, resource_type: &str) -> bool {
        is_custom(resource_type)
    }

    fn name(&self) -> &'static str {
        "AWS Lambda"
    }

    /// A custom resource has a physical id only when its function has answered.
    fn can_tell(&self, subject: Subject<'_>) -> bool {
        function_behind(subject).is_some()
    }

    fn ask<'a>(&'a self, calls: Calls, subject: Subject<'a>) -> BoxFuture<'a, Result<Said, AwsError>> {
        Box::pin(async move {
            let Some(function) = function_behind(subject) else { return Ok(Said::default()) };
            let log = Log::of(&calls, subject, function).await?;
            let (lines, unread) = match log.trouble(&calls, subject.since).await {
                Ok(lines) => (lines, None),
                Err(error) => (Vec::new(), Some(error)),
            };
            let reasons = distinct_reasons(lines.iter().rev().map(|line| shown(line)));
            let is_silent = unread.is_none() && reasons.is_empty();
            Ok(Said { state: Some(log.state(patience(subject), is_silent)), reasons, unread })
        })
    }
}

/// A name in a template.
#[derive(Debug, PartialEq, Eq)]
enum Name<'a> {
    Known(String),
    /// That of a resource of the same stack, by its logical id.
    OfStack(&'a str),
}

impl Name<'_> {
    async fn find(self, calls: &Calls, stack: &str) -> Result<String, AwsError> {
        let id = match self {
            Self::Known(name) => return Ok(name),
            Self::OfStack(id) => id,
        };
        let mut form = Form::new(DESCRIBE_RESOURCE, CLOUDFORMATION_VERSION);
        form.add("StackName", stack);
        form.add("LogicalResourceId", id);
        let answer = calls.query(&CLOUDFORMATION, DESCRIBE_RESOURCE, form).await?;
        let physical = element(&answer, "PhysicalResourceId").filter(|physical| !physical.is_empty());
        physical.ok_or_else(|| AwsError::setup(format!("{id} has no physical id")).during(DESCRIBE_RESOURCE))
    }
}

/// The function behind a custom resource. `None` if there is a topic behind it, or if the template does not tell.
fn function_behind(subject: Subject<'_>) -> Option<Name<'_>> {
    let template = subject.template?;
    let token = template.resource(subject.logical_id)?.properties?.get("ServiceToken")?;
    if let Some(id) = referred(token)
        && let Some(resource) = template.resource(id)
    {
        return resource.resource_type.starts_with("AWS::Lambda::").then_some(Name::OfStack(id));
    }
    let token = template.resolver().resolve(token);
    let name = name_in_arn(token.raw()).filter(|name| !name.contains(UNKNOWN))?;
    Some(Name::Known(name.to_owned()))
}

/// How long CloudFormation waits for the answer. `None` if it does not wait any more.
fn patience(subject: Subject<'_>) -> Option<Duration> {
    let resource = subject.template.and_then(|template| template.resource(subject.logical_id));
    let given = resource.and_then(|resource| resource.properties?.get(TIMEOUT));
    let seconds = given.and_then(|it| it.as_u64().or_else(|| it.as_str()?.parse().ok()));
    subject.is_waited_for.then(|| seconds.map_or(PATIENCE, Duration::from_secs))
}

/// The log group that the template gives a function, if it gives one that can be found.
fn configured_group<'a>(template: &'a Template, function: &str) -> Option<Name<'a>> {
    let group = template.resource(function)?.properties?.get("LoggingConfig")?.get("LogGroup")?;
    match referred(group).filter(|id| template.resource(id).is_some()) {
        Some(id) => Some(Name::OfStack(id)),
        None => template.resolver().resolve(group).known().map(Name::Known),
    }
}

/// The logical id that a value refers to.
fn referred(value: &Value) -> Option<&str> {
    let intrinsic = Intrinsic::of(value)?;
    intrinsic.reference().or_else(|| intrinsic.attribute().map(|(resource, _)| resource))
}

/// The name in the ARN of a function, of a version or of an alias.
fn name_in_arn(arn: &str) -> Option<&str> {
    let (_, rest) = arn.split_once(":function:")?;
    rest.split(':').next().filter(|name| !name.is_empty())
}

/// The log of a function.
struct Log {
    function: String,
    group: String,
}

impl Log {
    async fn of(calls: &Calls, subject: Subject<'_>, function: Name<'_>) -> Result<Self, AwsError> {
        let configured = match (&function, subject.template) {
            (Name::OfStack(id), Some(template)) => configured_group(template, id),
            _ => None,
        };
        let function = function.find(calls, subject.stack).await?;
        let function = name_in_arn(&function).unwrap_or(&function).to_owned();
        let group = match configured {
            Some(group) => group.find(calls, subject.stack).await?,
            // Lambda Developer Guide, "Configuring CloudWatch log groups".
            None => format!("/aws/lambda/{function}"),
        };
        Ok(Self { function, group })
    }

    /// What is known without the lines. `patience` is how long CloudFormation waits for an answer, if it still does.
    fn state(&self, patience: Option<Duration>, is_silent: bool) -> String {
        let Self { function, group } = self;
        let answered = match patience {
            Some(patience) => {
                format!(
                    "the function {function} has not answered, for which CloudFormation waits {} at most",
                    duration(patience)
                )
            }
            None => format!("the function is {function}"),
        };
        if is_silent {
            format!("{answered}; its log group {group} has no error since the operation began")
        } else {
            format!("{answered}; its log group is {group}")
        }
    }

    /// The lines of trouble since then, the oldest first.
    async fn trouble(&self, calls: &Calls, since: Option<Timestamp>) -> Result<Vec<String>, AwsError> {
        let mut body = json!({"logGroupName": self.group, "filterPattern": TROUBLE});
        if let Some(since) = since {
            body["startTime"] = json!(since.as_millisecond());
        }
        let mut lines = Vec::new();
        for _ in 0..MOST_PAGES {
            let page = calls.json(&LOGS, "FilterLogEvents", "Logs_20140328.FilterLogEvents", &body).await?;
            let events = page["events"].as_array().into_iter().flatten();
            lines.extend(events.filter_map(|event| event["message"].as_str()).map(str::to_owned));
            let Some(next) = page["nextToken"].as_str() else { break };
            body["nextToken"] = json!(next);
        }
        Ok(lines)
    }
}

/// The message of a line without times and ids, which differ from line to line.
fn shown(line: &str) -> String {
    // Lambda Developer Guide, "Configuring JSON and plain text log formats".
    let fields: Value = serde_json::from_str(line).unwrap_or_default();
    let message = fields["errorMessage"].as_str().or_else(|| fields["message"].as_str()).unwrap_or(line);
    let is_kept = |word: &&str| word.parse::<Timestamp>().is_err() && !is_id(word);
    message.split_whitespace().filter(is_kept).collect::<Vec<_>>().join(" ")
}

/// Whether a word is a UUID, as the ids of requests are.
fn is_id(word: &str) -> bool {
    let parts = word.split('-').map(str::len);
    parts.eq([8, 4, 4, 4, 12]) && word.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template() -> Template {
        let custom = |token: Value| json!({"Type": "Custom::It", "Properties": {"ServiceToken": token}});
        let arn = "arn:aws:lambda:us-east-1:1:function:mine:live";
        let resources = json!({
            "Function": {"Type": "AWS::Lambda::Function", "Properties": {"LoggingConfig": {"LogGroup": {"Ref": "Group"}}}},
            "Plain": {"Type": "AWS::Lambda::Function", "Properties": {"LoggingConfig": {"LogGroup": "mine"}}},
            "Bare": {"Type": "AWS::Lambda::Function"},
            "Group": {"Type": "AWS::Logs::LogGroup"},
            "Topic": {"Type": "AWS::SNS::Topic"},
            "ByAttribute": custom(json!({"Fn::GetAtt": ["Function", "Arn"]})),
            "ByName": custom(json!({"Ref": "Function"})),
            "ByArn": custom(json!(arn)),
            "ByJoin": custom(json!({"Fn::Sub": "arn:${AWS::Partition}:lambda:${AWS::Region}:1:function:mine"})),
            "ByImport": custom(json!({"Fn::ImportValue": "export"})),
            "ByUnknownName": custom(json!({"Fn::Sub": "arn:aws:lambda:us-east-1:1:function:${Unknown}"})),
            "ByTopic": custom(json!({"Ref": "Topic"})),
            "ByTopicArn": custom(json!("arn:aws:sns:us-east-1:1:topic")),
            "Nothing": {"Type": "Custom::It"},
        });
        Template::from_value(json!({"Resources": resources})).unwrap()
    }

    #[test]
    fn the_function_is_the_one_that_the_template_names() {
        let template = template();
        let behind = |logical_id| {
            let subject = Subject { template: Some(&template), logical_id, ..Subject::default() };
            function_behind(subject)
        };
        assert_eq!(behind("ByAttribute"), Some(Name::OfStack("Function")));
        assert_eq!(behind("ByName"), Some(Name::OfStack("Function")));
        assert_eq!(behind("ByArn"), Some(Name::Known("mine".to_owned())));
        assert_eq!(behind("ByJoin"), Some(Name::Known("mine".to_owned())));
        for none in ["ByImport", "ByUnknownName", "ByTopic", "ByTopicArn", "Nothing", "NotThere"] {
            assert_eq!(behind(none), None, "{none}");
        }
    }

    #[test]
    fn the_log_group_may_be_configured() {
        let template = template();
        assert_eq!(configured_group(&template, "Function"), Some(Name::OfStack("Group")));
        assert_eq!(configured_group(&template, "Plain"), Some(Name::Known("mine".to_owned())));
        assert_eq!(configured_group(&template, "Bare"), None);
    }

    #[test]
    fn lines_of_every_runtime_are_shown_without_times_and_ids() {
        let id = "0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f";
        let time = "2026-01-01T00:00:00.123Z";
        for (line, expected) in [
            (format!("{time}\t{id}\tERROR\tInvoke Error\t{{}}\n"), "ERROR Invoke Error {}"),
            (
                format!("{time} {id} Task timed out after 900.00 seconds\n\n"),
                "Task timed out after 900.00 seconds",
            ),
            (
                "[ERROR] ValueError: no-such-thing\nTraceback".to_owned(),
                "[ERROR] ValueError: no-such-thing Traceback",
            ),
            (json!({"timestamp": time, "level": "ERROR", "message": "it failed"}).to_string(), "it failed"),
            (json!({"errorType": "E", "errorMessage": "it failed"}).to_string(), "it failed"),
            (json!({"level": "ERROR"}).to_string(), r#"{"level":"ERROR"}"#),
        ] {
            assert_eq!(shown(&line), expected);
        }
    }
}
