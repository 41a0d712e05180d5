//! The console at 80 columns, and what it leaves out.

use std::time::Duration;

use paceline_engine::event::Event;
use paceline_report::{Console, ConsoleOptions, Record, Report, Style, summary};

use crate::pages::comparison;
use crate::runs;

fn console(events: &[Event], options: ConsoleOptions) -> String {
    let mut console = Console::new(Vec::new(), options);
    for event in events {
        console.event(event).unwrap();
    }
    console.finish().unwrap();
    String::from_utf8(console.into_inner()).unwrap()
}

fn narrow() -> ConsoleOptions {
    ConsoleOptions { style: Style { color: false, width: Some(80) }, ..ConsoleOptions::default() }
}

fn assert_fits(text: &str) {
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "too wide: {line}");
        assert!(!line.contains('\x1b'), "colours: {line}");
        assert_eq!(line, line.trim_end());
    }
}

#[test]
fn lines_of_each_run() {
    for (name, events) in [
        ("good", runs::good()),
        ("bad", runs::bad()),
        ("resumed", runs::resumed()),
        ("stopped", runs::stopped()),
        ("left", runs::left()),
        ("short", runs::short()),
        ("in_build", runs::in_build()),
        ("deleted", runs::deleted(true)),
        ("not_deleted", runs::deleted(false)),
        ("empty", Vec::new()),
    ] {
        let text = console(&events, narrow());
        assert_fits(&text);
        insta::assert_snapshot!(format!("console_{name}"), text);
    }
}

#[test]
fn summary_of_each_run() {
    for (name, events) in [
        ("good", runs::good()),
        ("bad", runs::bad()),
        ("resumed", runs::resumed()),
        ("stopped", runs::stopped()),
        ("left", runs::left()),
        ("short", runs::short()),
        ("in_build", runs::in_build()),
        ("deleted", runs::deleted(true)),
        ("not_deleted", runs::deleted(false)),
        ("empty", Vec::new()),
    ] {
        let record = Record::of(&events);
        let comparison = comparison(&record);
        let text = summary(&record, comparison.as_ref(), narrow().style);
        assert_fits(&text);
        insta::assert_snapshot!(format!("summary_{name}"), text);
    }
}

#[test]
fn a_killed_run_says_how_to_go_on() {
    let mut events = runs::good();
    events.truncate(events.len() / 2);
    insta::assert_snapshot!("summary_killed", summary(&Record::of(&events), None, narrow().style));
}

#[test]
fn a_resumed_process_prints_only_its_own_part() {
    let events = runs::resumed();
    let resumption =
        events.iter().rposition(|event| matches!(event.fact, paceline_engine::Fact::RunStarted(_)));
    let (earlier, now) = events.split_at(resumption.unwrap());
    let mut console = Console::new(Vec::new(), narrow());
    for event in earlier {
        console.replay(event);
    }
    for event in now {
        console.event(event).unwrap();
    }
    insta::assert_snapshot!("console_second_part", String::from_utf8(console.into_inner()).unwrap());
}

#[test]
fn quiet_says_what_went_wrong() {
    let options = ConsoleOptions { quiet: true, ..narrow() };
    insta::assert_snapshot!("console_quiet", console(&runs::bad(), options));
}

#[test]
fn colors_only_when_asked() {
    let style = Style { color: true, width: Some(80) };
    let options = ConsoleOptions { style, progress_every: Duration::from_mins(10), quiet: false };
    let text = console(&runs::bad(), options);
    insta::assert_snapshot!("console_color", text.replace('\x1b', "␛"));
}

#[test]
fn dozens_of_assets_are_one_line() {
    let text = console(&runs::many(30), narrow());
    assert_eq!(text.matches("asset").count(), 3, "{text}");
    assert!(text.contains("published 90 assets in 1 min"), "{text}");
}

#[test]
fn the_phases_of_a_build_are_a_table() {
    let mut phases = runs::build_so_far();
    phases[3].status = Some("CLIENT_ERROR".to_owned());
    let text = paceline_report::build_phases(&phases, narrow().style);
    insta::assert_snapshot!("build_phases", text);
}

#[test]
fn a_line_of_a_log_changes_no_terminal() {
    let check = |line, color, expected| {
        assert_eq!(paceline_report::log_line(line, Style { color, width: None }), expected);
    };
    check("\x1b[31mred\x1b[0m\x07 text\r\n", false, "red text");
    check("\x1b[31mred\x1b[0m\x07 text\r\n", true, "\x1b[31mred\x1b[0m text");
}
