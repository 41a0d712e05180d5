//! Why a database is not ready: its latest events.

use std::cmp::Reverse;

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};

use super::calls::Calls;
use super::{Said, Subject, TellsWhy, distinct_reasons};
use crate::error::AwsError;
use crate::signed::{Form, Protocol, Service, element};

/// Relational Database Service.
pub(super) enum Rds {
    Instance,
    Cluster,
}

const RDS: Service = Service { id: "RDS", host: "rds", signing_name: "rds", protocol: Protocol::Query };
const VERSION: &str = "2014-10-31";
/// The most events of an answer (API reference, `DescribeEvents`: 20 to 100). A database has far fewer in an operation.
const MOST: &str = "100";
/// RDS keeps events for 14 days (API reference, `DescribeEvents`).
const KEPT: SignedDuration = SignedDuration::from_hours(14 * 24);
/// The categories of events that tell of trouble (RDS User Guide, "Amazon RDS event categories and event messages").
const TROUBLE: [&str; 2] = ["failure", "low storage"];

impl TellsWhy for Rds {
    fn is_about(&self, resource_type: &str) -> bool {
        let own = match self {
            Self::Instance => "AWS::RDS::DBInstance",
            Self::Cluster => "AWS::RDS::DBCluster",
        };
        resource_type == own
    }

    fn name(&self) -> &'static str {
        "Amazon RDS"
    }

    fn ask<'a>(&'a self, calls: Calls, subject: Subject<'a>) -> BoxFuture<'a, Result<Said, AwsError>> {
        Box::pin(async move {
            let source = match self {
                Self::Instance => "db-instance",
                Self::Cluster => "db-cluster",
            };
            let mut form = Form::new("DescribeEvents", VERSION);
            form.add("SourceIdentifier", subject.physical_id);
            form.add("SourceType", source);
            form.add("MaxRecords", MOST);
            if let Some(since) = subject.since {
                form.add("Duration", &minutes(calls.now().duration_since(since)).to_string());
            }
            let answer = calls.query(&RDS, "DescribeEvents", form).await?;
            Ok(said(&answer, subject.since))
        })
    }
}

/// The minutes before now whose events are asked for.
fn minutes(past: SignedDuration) -> i64 {
    past.clamp(SignedDuration::ZERO, KEPT - SignedDuration::from_mins(1)).as_mins() + 1
}

/// The newest events that tell of trouble, else the newest of all. Their order in an answer is not documented.
fn said(xml: &str, since: Option<Timestamp>) -> Said {
    let at = |event: &str| element(event, "Date").and_then(|at| at.parse::<Timestamp>().ok());
    let events = xml.split("<Event>").skip(1).map(|event| (at(event), event));
    let mut events: Vec<(Option<Timestamp>, &str)> =
        events.filter(|(at, _)| since.is_none_or(|since| at.is_some_and(|at| at >= since))).collect();
    events.sort_by_key(|(at, _)| Reverse(*at));
    let message = |(_, event): &(_, &str)| element(event, "Message");
    let trouble = events.iter().filter(|(_, event)| tells_of_trouble(event));
    let mut reasons = distinct_reasons(trouble.filter_map(message));
    if reasons.is_empty() {
        reasons = distinct_reasons(events.iter().filter_map(message));
    }
    Said { reasons, ..Said::default() }
}

fn tells_of_trouble(event: &str) -> bool {
    let mut categories = event.split("<EventCategory>").skip(1).filter_map(|rest| rest.split_once('<'));
    categories.any(|(category, _)| TROUBLE.contains(&category))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(events: &[(&str, &str, &str)]) -> String {
        let event = |(at, category, message): &(&str, &str, &str)| {
            format!(
                "<Event><SourceType>db-instance</SourceType><Message>{message}</Message>\
                 <EventCategories><EventCategory>notification</EventCategory>\
                 <EventCategory>{category}</EventCategory></EventCategories>\
                 <Date>2026-01-01T00:{at}:00.123Z</Date></Event>"
            )
        };
        let events: String = events.iter().map(event).collect();
        format!("<R><DescribeEventsResult><Events>{events}</Events></DescribeEventsResult></R>")
    }

    fn reasons(events: &[(&str, &str, &str)]) -> Vec<(String, usize)> {
        let since = Some("2026-01-01T00:05:00Z".parse().unwrap());
        said(&answer(events), since).reasons.into_iter().map(|it| (it.reason, it.count)).collect()
    }

    #[test]
    fn events_of_trouble_since_the_start_come_before_all_others() {
        let events = [
            ("01", "failure", "an older one"),
            ("06", "failure", "no &amp; network"),
            ("07", "backup", "Backing up DB instance"),
            ("08", "low storage", "almost full"),
            ("09", "failure", "no &amp; network"),
        ];
        let expected = [("no & network".to_owned(), 2), ("almost full".to_owned(), 1)];
        assert_eq!(reasons(&events), expected);
    }

    #[test]
    fn the_newest_events_count_if_none_tells_of_trouble() {
        let events = [
            ("06", "creation", "DB instance created"),
            ("08", "backup", "Finished DB instance backup"),
            ("07", "backup", "Backing up DB instance"),
        ];
        let expected = ["Finished DB instance backup", "Backing up DB instance", "DB instance created"];
        assert_eq!(reasons(&events), expected.map(|reason| (reason.to_owned(), 1)));
        assert_eq!(said("no XML", None), Said::default());
    }

    #[test]
    fn the_minutes_are_those_since_the_start_and_at_most_those_that_are_kept() {
        let asked = [-5, 0, 59, 60, 600, i64::MAX].map(|seconds| minutes(SignedDuration::from_secs(seconds)));
        assert_eq!(asked, [1, 1, 1, 2, 11, 14 * 24 * 60]);
    }
}
