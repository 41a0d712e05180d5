//! Why an Auto Scaling group is not ready: the messages of its failed activities.

use futures_util::future::BoxFuture;
use jiff::Timestamp;

use super::calls::Calls;
use super::{Said, Subject, TellsWhy, distinct_reasons};
use crate::error::AwsError;
use crate::signed::{Form, Protocol, Service, element};

/// Amazon EC2 Auto Scaling.
pub(super) struct AutoScaling;

const AUTO_SCALING: Service = Service {
    id: "Auto Scaling",
    host: "autoscaling",
    signing_name: "autoscaling",
    protocol: Protocol::Query,
};
const VERSION: &str = "2011-01-01";

impl TellsWhy for AutoScaling {
    fn is_about(&self, resource_type: &str) -> bool {
        resource_type == "AWS::AutoScaling::AutoScalingGroup"
    }

    fn name(&self) -> &'static str {
        "Amazon EC2 Auto Scaling"
    }

    fn ask<'a>(&'a self, calls: Calls, subject: Subject<'a>) -> BoxFuture<'a, Result<Said, AwsError>> {
        Box::pin(async move {
            let mut form = Form::new("DescribeScalingActivities", VERSION);
            form.add("AutoScalingGroupName", subject.physical_id);
            form.add("MaxRecords", "100");
            let answer = calls.query(&AUTO_SCALING, "DescribeScalingActivities", form).await?;
            Ok(said(&answer, subject.since))
        })
    }
}

/// The reasons in an answer, which has the newest activity first.
fn said(xml: &str, since: Option<Timestamp>) -> Said {
    let is_new = |activity: &&str| {
        let started = element(activity, "StartTime").and_then(|at| at.parse::<Timestamp>().ok());
        since.is_none_or(|since| started.is_some_and(|started| started >= since))
    };
    let failed = |activity: &&str| element(activity, "StatusCode").is_some_and(|code| code == "Failed");
    let reason = |activity: &str| {
        let message = element(activity, "StatusMessage").filter(|message| !message.is_empty());
        message.or_else(|| element(activity, "Description"))
    };
    let activities = xml.split("<member>").skip(1);
    let reasons = distinct_reasons(activities.filter(is_new).filter(failed).filter_map(reason));
    Said { reasons, ..Said::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_activities_since_the_start_tell_why() {
        let activity = |start: &str, code: &str, message: &str| {
            let message = if message.is_empty() {
                String::new()
            } else {
                format!("<StatusMessage>{message}</StatusMessage>")
            };
            format!(
                "<member><StatusCode>{code}</StatusCode>{message}<Description>Launching &amp; more</Description>\
                 <StartTime>2026-01-01T{start}:00Z</StartTime></member>"
            )
        };
        let xml = [
            activity("00:09", "Failed", ""),
            activity("00:08", "Successful", "fine"),
            activity("00:07", "Failed", "no capacity"),
            activity("00:06", "Failed", "no capacity"),
            activity("00:01", "Failed", "an older one"),
        ];
        let xml = format!("<R><Activities>{}</Activities></R>", xml.concat());
        let since = Some("2026-01-01T00:05:00Z".parse().unwrap());
        let found: Vec<_> = said(&xml, since).reasons.into_iter().map(|it| (it.reason, it.count)).collect();
        assert_eq!(found, [("Launching & more".to_owned(), 1), ("no capacity".to_owned(), 2)]);
        assert_eq!(said("no XML", since), Said::default());
    }
}
