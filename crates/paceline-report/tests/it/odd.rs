//! Journals that ought not to be: no report may panic on one.

use jiff::Timestamp;
use paceline_engine::event::{Event, Fact};
use paceline_report::{
    Console, ConsoleOptions, Kept, Record, Report, Service, Style, ending, html, json, junit, markdown, otlp,
    summary, svg, trace,
};

use crate::pages::well_formed;
use crate::runs;
use crate::runs::comparison;

fn all_reports(events: &[Event]) {
    let mut console = Console::new(Vec::new(), ConsoleOptions::default());
    for event in events {
        console.event(event).unwrap();
    }
    let record = Record::of(events);
    for comparison in [None, comparison(&record)] {
        for width in [None, Some(0), Some(20)] {
            summary(&record, comparison.as_ref(), Style { color: true, width });
            ending(&record, &Kept::default(), Style { color: true, width });
        }
        markdown(&record, comparison.as_ref());
        html(&record, comparison.as_ref());
    }
    well_formed(&svg(&record));
    json(&record);
    trace(&record);
    let service = Service { name: "a".into(), version: "1".into() };
    serde_json::from_str::<serde_json::Value>(&otlp(events, &service)).unwrap();
    for document in junit(&record).unwrap() {
        well_formed(&document.contents);
    }
}

fn each(change: impl Fn(usize, &mut Event)) {
    for mut events in
        [runs::good(), runs::bad(), runs::resumed(), runs::stopped(), runs::left(), runs::short()]
    {
        events.iter_mut().enumerate().for_each(|(i, event)| change(i, event));
        all_reports(&events);
    }
}

#[test]
fn cut_off_anywhere_at_either_end() {
    for events in [runs::bad(), runs::resumed()] {
        for i in 0..events.len() {
            all_reports(&events[..i]);
            all_reports(&events[i..]);
        }
    }
}

#[test]
fn events_missing() {
    let events = runs::resumed();
    for i in 0..events.len() {
        let mut events = events.clone();
        events.remove(i);
        all_reports(&events);
    }
}

#[test]
fn no_phases_and_no_regions() {
    each(|_, event| {
        if let Fact::RunStarted(run) = &mut event.fact {
            run.phases.clear();
            for planned in &mut run.steps {
                planned.step.region = None;
                planned.step.account = None;
                planned.step.phase = None;
            }
        }
    });
}

#[test]
fn needs_that_go_round_in_a_circle() {
    each(|_, event| {
        if let Fact::RunStarted(run) = &mut event.fact {
            let all: Vec<String> = run.steps.iter().map(|planned| planned.step.step.clone()).collect();
            for planned in &mut run.steps {
                planned.needs.clone_from(&all);
                planned.needs.push("unknown".to_owned());
            }
        }
    });
}

#[test]
fn time_stands_still() {
    each(|_, event| event.at = Timestamp::UNIX_EPOCH);
}

#[test]
fn time_goes_backwards() {
    each(|i, event| event.at = Timestamp::from_second(1_000_000 - i64::try_from(i).unwrap()).unwrap());
}

#[test]
fn time_jumps_from_end_to_end() {
    each(|i, event| event.at = if i % 2 == 0 { Timestamp::MIN } else { Timestamp::MAX });
}

#[test]
fn durations_that_are_none() {
    for odd in [f64::NAN, f64::INFINITY, -1.0, 1e300] {
        each(|_, event| match &mut event.fact {
            Fact::RunStarted(run) => run.steps.iter_mut().for_each(|planned| planned.expected_s = odd),
            Fact::StepRetried(retried) => retried.wait_s = odd,
            Fact::StepFinished(finished) => finished.duration_s = odd,
            Fact::RunFinished(finished) => finished.duration_s = odd,
            _ => {}
        });
    }
}

#[test]
fn events_of_another_run_are_not_taken() {
    let mut events = runs::short();
    let mut other = runs::bad();
    for event in &mut other {
        event.run = "another".to_owned();
    }
    let alone = html(&Record::of(&events), None);
    events.extend(other);
    assert_eq!(html(&Record::of(&events), None), alone);
}

/// Whatever an assembly, AWS or a script may have put into a name or a message: nothing of it moves the cursor, turns
/// the direction of writing, or begins a line that looks like ours.
#[test]
fn nothing_that_others_wrote_controls_a_terminal_or_a_page() {
    const HOSTILE: &str = "x\u{1b}[2J\u{1b}]0;t\u{7}\u{9b}1m\u{202e}\u{2066}\u{200f}\u{61c}\u{2028}\u{2029}\u{85}\r\nFORGED \u{8}";
    let poison = |value: &mut serde_json::Value| {
        fn each(value: &mut serde_json::Value, key: &str) {
            match value {
                serde_json::Value::String(text)
                    if !["event", "at", "kind", "outcome", "strategy", "happened_at"].contains(&key) =>
                {
                    text.push_str(HOSTILE);
                }
                serde_json::Value::Array(list) => list.iter_mut().for_each(|value| each(value, key)),
                serde_json::Value::Object(fields) => {
                    fields.iter_mut().for_each(|(key, value)| each(value, key));
                }
                _ => {}
            }
        }
        each(value, "");
    };
    for events in [runs::good(), runs::bad(), runs::resumed(), runs::stopped(), runs::short()] {
        let poisoned = events.iter().map(|event| {
            let mut value = serde_json::to_value(event).unwrap();
            poison(&mut value);
            serde_json::from_value::<Event>(value).unwrap()
        });
        let poisoned: Vec<Event> = poisoned.collect();
        let mut console = Console::new(Vec::new(), ConsoleOptions::default());
        for event in &poisoned {
            console.event(event).unwrap();
        }
        let record = Record::of(&poisoned);
        let mut reports = vec![
            String::from_utf8(console.into_inner()).unwrap(),
            summary(&record, comparison(&record).as_ref(), Style::default()),
            ending(&record, &Kept::default(), Style::default()),
            markdown(&record, comparison(&record).as_ref()),
            html(&record, comparison(&record).as_ref()),
            svg(&record),
        ];
        reports.extend(junit(&record).unwrap().into_iter().map(|document| document.contents));
        for report in &reports {
            let bad = report.find(|c: char| {
                c.is_control() && c != '\n'
                    || paceline_text::is_invisible(c)
                    || paceline_text::breaks_lines(c)
            });
            let around = bad.map(|at| report[..at].lines().last());
            assert_eq!(around, None);
            // On a page, a line of its source is none of what is shown.
            let is_page = report.starts_with("<!doctype html>") || report.starts_with("<svg");
            assert!(is_page || !report.lines().any(|line| line.starts_with("FORGED")), "{report}");
        }
    }
}
