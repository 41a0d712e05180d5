//! The run as an OpenTelemetry trace.

use std::collections::{BTreeMap, BTreeSet};

use paceline_engine::event::{Event, Fact, Outcome};
use paceline_report::{RunSpans, Service, otlp, request};
use serde_json::Value;

use crate::journal::{Journal, failed};
use crate::runs;

fn service() -> Service {
    Service { name: "workshop".into(), version: "1.2.3".into() }
}

fn spans_of(text: &str) -> Vec<Value> {
    let body: Value = serde_json::from_str(text).unwrap();
    assert_eq!(body["resourceSpans"].as_array().unwrap().len(), 1);
    body["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap().clone()
}

fn spans(events: &[Event]) -> Vec<Value> {
    spans_of(&otlp(events, &service()))
}

fn named<'a>(spans: &'a [Value], name: &str) -> &'a Value {
    spans.iter().find(|span| span["name"] == name).unwrap_or_else(|| panic!("no {name}"))
}

fn attribute(span: &Value, key: &str) -> Option<String> {
    let found = span["attributes"].as_array().unwrap().iter().find(|it| it["key"] == key)?;
    let value = found["value"].as_object().unwrap().values().next().unwrap();
    Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}

fn nanos(span: &Value, key: &str) -> i128 {
    span[key].as_str().unwrap().parse().unwrap()
}

#[test]
fn a_run_is_a_trace_with_a_span_for_each_step() {
    insta::assert_snapshot!("otlp_bad", {
        let body: Value = serde_json::from_str(&otlp(&runs::bad(), &service())).unwrap();
        serde_json::to_string_pretty(&body).unwrap()
    });
}

#[test]
fn ids_have_the_lengths_of_the_specification_and_every_parent_and_link_is_a_span() {
    for (name, events) in runs::all() {
        let spans = spans(&events);
        let ids: BTreeSet<&str> = spans.iter().map(|span| span["spanId"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), spans.len(), "{name}: two spans have one id");
        let is_hex =
            |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        for span in &spans {
            let (trace, id) = (span["traceId"].as_str().unwrap(), span["spanId"].as_str().unwrap());
            assert!(trace.len() == 32 && id.len() == 16 && is_hex(trace) && is_hex(id), "{span}");
            assert_eq!(trace, spans[0]["traceId"].as_str().unwrap());
            assert!(nanos(span, "startTimeUnixNano") <= nanos(span, "endTimeUnixNano"), "{span}");
            if let Some(parent) = span.get("parentSpanId") {
                assert!(ids.contains(parent.as_str().unwrap()), "{name}: {span}");
            }
            for link in span["links"].as_array().unwrap() {
                assert!(ids.contains(link["spanId"].as_str().unwrap()), "{name}: {link}");
            }
        }
        let roots = spans.iter().filter(|span| span.get("parentSpanId").is_none()).count();
        assert_eq!(roots, usize::from(!spans.is_empty()), "{name}");
    }
}

#[test]
fn retries_are_events_and_edges_are_links() {
    let spans = spans(&runs::good());
    let secondary = named(&spans, "deploy ServicesSecondary");
    let events = secondary["events"].as_array().unwrap();
    assert_eq!(events.len(), 2);
    assert_eq!(events[0]["name"], "retry");
    assert_eq!(attribute(&events[0], "paceline.retry.reason").unwrap(), "Throttling: Rate exceeded");
    assert_eq!(attribute(&events[1], "paceline.retry.attempt").unwrap(), "3");
    let linked = secondary["links"].as_array().unwrap().iter().map(|link| link["spanId"].clone());
    let of_step = |id: &str| {
        let is_it = |span: &&Value| attribute(span, "paceline.step").as_deref() == Some(id);
        spans.iter().find(is_it).unwrap()["spanId"].clone()
    };
    let needed = ["publish:asset2", "gate:iam-roles:Services"].map(of_step);
    assert_eq!(linked.collect::<Vec<_>>(), needed);
    assert_eq!(attribute(secondary, "cloud.region").unwrap(), "us-west-2");
    assert_eq!(named(&spans, "run")["status"]["code"], 1);
}

#[test]
fn a_failure_is_the_status_of_its_step_and_of_the_run() {
    let spans = spans(&runs::bad());
    let failed = named(&spans, "publish petsite image");
    assert_eq!(failed["status"]["code"], 2);
    assert!(failed["status"]["message"].as_str().unwrap().starts_with("ecr:PutImage: denied"), "{failed}");
    let skipped = named(&spans, "deploy Applications");
    assert_eq!(skipped["status"], serde_json::json!({}));
    assert_eq!(attribute(skipped, "paceline.because").unwrap(), "publish:petsite image");
    let run = named(&spans, "run");
    assert_eq!(run["status"]["code"], 2);
    assert!(run["status"]["message"].as_str().unwrap().starts_with("petsite image: ecr:PutImage"), "{run}");
}

/// The processes of one run send each span once, in one trace.
#[test]
fn a_resumed_run_continues_its_trace() {
    let events = runs::resumed();
    let second = events.iter().rposition(|event| matches!(event.fact, Fact::RunStarted(_))).unwrap();
    assert!(second > 0);
    let sent = |earlier: &[Event], events: &[Event]| {
        let mut spans = RunSpans::default();
        for event in earlier {
            spans.apply(event);
        }
        let ended: Vec<_> = events.iter().flat_map(|event| spans.apply(event)).collect();
        spans_of(&request(&ended, &service()))
    };
    let (first, rest) = (sent(&[], &events[..second]), sent(&events[..second], &events[second..]));
    let together: Vec<Value> = first.iter().chain(&rest).cloned().collect();
    let mut ids = BTreeMap::<&str, usize>::new();
    for span in &together {
        *ids.entry(span["spanId"].as_str().unwrap()).or_default() += 1;
    }
    assert!(ids.values().all(|count| *count == 1), "{ids:?}");
    let root = named(&together, "run");
    let resumed = named(&together, "resumed run");
    assert_eq!(root["traceId"], resumed["traceId"]);
    assert_eq!(resumed["parentSpanId"], root["spanId"]);
    for span in rest.iter().filter(|span| span["name"] != "run") {
        assert_eq!(span["parentSpanId"], root["spanId"], "{span}");
    }
    let whole = spans(&events);
    assert_eq!(whole.len(), together.len());
}

#[test]
fn the_status_of_a_part_is_its_own_failure_and_a_sleeping_part_has_none() {
    let mut journal = Journal::default();
    journal.stack("Api", "eu-west-1", &[], 60.0);
    journal.stack("Web", "eu-west-1", &[], 60.0);
    journal.run_started(0, false);
    journal.step("deploy:Api", 0, 0, 5, failed("Table", "it is full", "empty it"));
    journal.run_finished(5, 0, 1);
    journal.run_started(100, true);
    journal.step("deploy:Api", 100, 100, 105, Outcome::Deployed);
    journal.step("deploy:Web", 100, 100, 110, failed("Queue", "it is gone", "make it"));
    journal.run_finished(110, 100, 1);
    journal.run_started(200, true);
    journal.begin("deploy:Web", 200, 200);
    journal.end("deploy:Web", 210, 10, Outcome::Interrupted);
    journal.run_sleeps(210, 200, &["Web"]);
    let spans = spans(&journal.events());
    let statuses: Vec<_> = spans
        .iter()
        .filter(|span| attribute(span, "paceline.app").is_some())
        .map(|it| &it["status"])
        .collect();
    assert_eq!(statuses[0]["message"], "Api: Table: it is full");
    assert_eq!(statuses[1]["message"], "Web: Queue: it is gone");
    assert_eq!(*statuses[2], serde_json::json!({}));
    // The stack that the run sleeps for has not failed.
    let last = spans.iter().rev().find(|span| span["name"] == "deploy Web").unwrap();
    assert_eq!(attribute(last, "paceline.outcome").unwrap(), "interrupted");
    assert_eq!(last["status"], serde_json::json!({}));
}

#[test]
fn a_span_has_as_many_links_and_events_as_the_specification_allows_and_says_how_many_were_dropped() {
    let mut journal = Journal::default();
    let needs: Vec<String> = (0..130).map(|n| format!("publish:asset{n}")).collect();
    for n in 0..130 {
        journal.asset(&format!("asset{n}"));
    }
    journal.stack("Api", "eu-west-1", &needs.iter().map(String::as_str).collect::<Vec<_>>(), 60.0);
    journal.run_started(0, false);
    for id in &needs {
        journal.step(id, 0, 0, 1, Outcome::Deployed);
    }
    journal.begin("deploy:Api", 1, 1);
    for attempt in 2..133 {
        journal.retried("deploy:Api", 2, attempt, "Throttling: Rate exceeded");
    }
    journal.end("deploy:Api", 300, 299, Outcome::Deployed);
    journal.run_finished(300, 0, 0);
    let spans = spans(&journal.events());
    let api = named(&spans, "deploy Api");
    let kept = ["links", "events"].map(|key| api[key].as_array().unwrap().len());
    assert_eq!(kept, [128, 128]);
    assert_eq!((&api["droppedLinksCount"], &api["droppedEventsCount"]), (&2.into(), &3.into()));
}

#[test]
fn a_long_text_is_cut() {
    let mut journal = Journal::default();
    journal.stack("Api", "eu-west-1", &[], 60.0);
    journal.run_started(0, false);
    journal.step("deploy:Api", 0, 0, 5, failed("Table", &"x".repeat(5_000), "empty it"));
    journal.run_finished(5, 0, 1);
    let spans = spans(&journal.events());
    let message = named(&spans, "deploy Api")["status"]["message"].as_str().unwrap();
    assert_eq!(message.chars().count(), 2_000);
    assert!(message.ends_with("x…"), "{message}");
}

#[test]
fn the_same_events_give_the_same_spans() {
    let many = runs::many(300);
    assert_eq!(spans(&many), spans(&many));
}
