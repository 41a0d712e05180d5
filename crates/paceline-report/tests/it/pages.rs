//! The reports that are documents: Markdown, HTML and JUnit XML.

use paceline_engine::event::Fact;
use paceline_report::{Record, html, junit, markdown};

use crate::runs;

#[test]
fn markdown_of_each_run() {
    for (name, events) in runs::all() {
        let record = Record::of(&events);
        insta::assert_snapshot!(
            format!("markdown_{name}"),
            markdown(&record, runs::comparison(&record).as_ref())
        );
    }
}

#[test]
fn markdown_of_many_stacks_fits_into_a_comment_and_has_what_failed() {
    let mut events = runs::many(1_000);
    let last = events.iter_mut().rev().find_map(|event| match &mut event.fact {
        Fact::StepFinished(finished) if finished.step.title.ends_with("/Service500") => Some(finished),
        _ => None,
    });
    last.unwrap().outcome = paceline_engine::Outcome::Failed;
    let text = markdown(&Record::of(&events), None);
    assert!(text.len() < 65_536, "{}", text.len());
    assert!(text.contains("Service500 (us-east-1) | **failed**"), "{text}");
    assert!(text.contains("\n800 more stacks not listed.\n"), "{text}");
}

#[test]
fn junit_of_each_run() {
    for (name, events) in runs::all() {
        let documents = junit(&Record::of(&events)).unwrap();
        assert_eq!(documents.len(), 1);
        assert_eq!(documents[0].name, "junit.xml");
        well_formed(&documents[0].contents);
        insta::assert_snapshot!(format!("junit_{name}"), documents[0].contents);
    }
}

#[test]
fn html_of_each_run() {
    for (name, events) in runs::all() {
        let record = Record::of(&events);
        let page = html(&record, runs::comparison(&record).as_ref());
        let body = page.split_once("<body>").unwrap().1;
        let body = body.split_once("<script>").map_or(body, |(body, _)| body);
        insta::assert_snapshot!(format!("html_{name}"), body);
        // What is drawn is XML.
        if let Some((_, svg)) = body.split_once("<svg") {
            well_formed(&format!("<svg{}</svg>", svg.split_once("</svg>").unwrap().0));
        }
    }
}

#[test]
fn junit_keeps_to_the_limits_of_report_groups() {
    let mut events = runs::many(1_100);
    for event in &mut events {
        if let Fact::StepFinished(finished) = &mut event.fact {
            finished.outcome = paceline_engine::Outcome::Failed;
            finished.cause = Some(paceline_engine::event::Cause {
                at: None,
                message: "x".repeat(9_000),
                hint: Some("y".repeat(9_000)),
                ..paceline_engine::event::Cause::default()
            });
        }
    }
    let documents = junit(&Record::of(&events)).unwrap();
    let names: Vec<&str> = documents.iter().map(|document| document.name.as_str()).collect();
    assert_eq!(names, ["junit-1.xml", "junit-2.xml", "junit-3.xml"]);
    for document in &documents {
        well_formed(&document.contents);
        assert!(document.contents.matches("<testcase ").count() <= 500);
        for message in document.contents.split("<failure ").skip(1) {
            assert!(message.split("</failure>").next().unwrap().len() < 5_100);
        }
    }
}

#[test]
fn nothing_of_an_event_is_markup() {
    let evil = "<script>alert('x')</script>&\"`|*_[a](b)\x1b[31m";
    let mut events = runs::bad();
    for event in &mut events {
        let mut json = serde_json::to_value(&*event).unwrap();
        poison(&mut json, evil);
        *event = serde_json::from_value(json).unwrap();
    }
    let record = Record::of(&events);
    let page = html(&record, runs::comparison(&record).as_ref());
    // The page's own data and its own script.
    assert_eq!((page.matches("<script").count(), page.matches("</script").count()), (2, 2), "{page}");
    assert!(!page.contains('\x1b'));
    let svg = page.split_once("<svg").unwrap().1.split_once("</svg>").unwrap().0;
    well_formed(&format!("<svg{svg}</svg>"));
    let text = markdown(&record, None);
    assert!(!text.contains("<script"), "{text}");
    assert!(!text.contains("[a](b)"), "{text}");
    for document in junit(&record).unwrap() {
        assert!(!document.contents.contains("<script"));
        well_formed(&document.contents);
    }
}

/// Puts markup into every name and message.
fn poison(json: &mut serde_json::Value, evil: &str) {
    match json {
        serde_json::Value::Object(fields) => {
            for (name, value) in fields {
                match name.as_str() {
                    "title" | "message" | "hint" | "reason" | "logical_id" | "name" | "phase" | "app"
                    | "region" => {
                        if let serde_json::Value::String(text) = value {
                            text.push_str(evil);
                        }
                    }
                    _ => {}
                }
                poison(value, evil);
            }
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(|item| poison(item, evil)),
        _ => {}
    }
}

/// Whether every element of the XML is closed in order and nothing is loose in its text.
pub(crate) fn well_formed(xml: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = xml;
    while let Some((text, after)) = rest.split_once('<') {
        assert!(!text.contains('>'), "a loose `>`: {text}");
        entities(text);
        let (tag, after) = after.split_once('>').unwrap_or_else(|| panic!("an unfinished tag: {after}"));
        entities(tag);
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name));
        } else if !tag.ends_with('/') && !tag.starts_with('?') {
            open.push(tag.split_whitespace().next().unwrap_or_default());
        }
        assert_eq!(tag.matches('"').count() % 2, 0, "a loose quote: {tag}");
        rest = after;
    }
    assert_eq!(open, [""; 0], "not closed");
}

fn entities(text: &str) {
    for after in text.split('&').skip(1) {
        let name = after.split_once(';').map(|(name, _)| name).unwrap_or_default();
        let known = matches!(name, "lt" | "gt" | "amp" | "quot" | "apos") || name.starts_with('#');
        assert!(known, "a loose `&`: {after}");
    }
}
