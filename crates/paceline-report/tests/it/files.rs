//! The reports that are files, kept up to date while the run goes.

use paceline_engine::event::{Event, Fact, StepKind};
use paceline_report::{JsonLines, Outputs, Report, ReportDir};

use crate::runs;

#[test]
fn json_lines_are_the_events() {
    let events = runs::bad();
    let mut lines = JsonLines::new(Vec::new());
    for event in &events {
        lines.event(event).unwrap();
    }
    let text = String::from_utf8(lines.into_inner()).unwrap();
    let read: Vec<Event> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(read, events);
    let line = text.lines().find(|line| line.contains("\"rolled-back\"")).unwrap();
    insta::assert_snapshot!("json_line", line);
}

#[test]
fn outputs_are_there_from_the_start_and_grow() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("outputs.json");
    let mut outputs = Outputs::new(&path, &[]).unwrap();
    assert_eq!(fs_err::read_to_string(&path).unwrap(), "{}\n");
    let events = runs::good();
    let second = events.iter().position(
        |event| matches!(&event.fact, Fact::StepFinished(f) if f.step.title == "ServicesSecondary"),
    );
    for event in &events[..second.unwrap()] {
        outputs.event(event).unwrap();
    }
    assert_eq!(
        fs_err::read_to_string(&path).unwrap(),
        "{\n  \"Services\": {\n    \"Url\": \"https://Services.example/us-east-1\"\n  }\n}\n"
    );
    for event in &events[second.unwrap()..] {
        outputs.event(event).unwrap();
    }
    insta::assert_snapshot!("outputs", fs_err::read_to_string(&path).unwrap());
    assert_eq!(fs_err::read_dir(dir.path()).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn outputs_of_stacks_of_one_name_do_not_overwrite_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("outputs.json");
    let mut outputs = Outputs::new(&path, &[]).unwrap();
    for mut event in runs::good() {
        let rename = |step: &mut paceline_engine::event::StepRef| {
            if step.title.starts_with("Services") && step.kind == StepKind::Deploy {
                step.stack_name = Some("Services".to_owned());
            }
        };
        match &mut event.fact {
            Fact::RunStarted(run) => run.steps.iter_mut().for_each(|planned| rename(&mut planned.step)),
            Fact::StepFinished(finished) => rename(&mut finished.step),
            _ => {}
        }
        outputs.event(&event).unwrap();
    }
    insta::assert_snapshot!("outputs_of_one_name", fs_err::read_to_string(&path).unwrap());
}

#[test]
fn a_killed_run_leaves_its_reports_behind() {
    let dir = tempfile::tempdir().unwrap();
    let mut reports = ReportDir::new(dir.path().join("reports")).unwrap();
    let events = runs::good();
    for event in &events[..events.len() * 2 / 3] {
        reports.event(event).unwrap();
    }
    drop(reports);
    let read = |name: &str| fs_err::read_to_string(dir.path().join("reports").join(name)).unwrap();
    assert!(read("summary.md").starts_with("# Not finished: "));
    assert!(read("timeline.html").contains("</html>"));
    assert!(read("junit.xml").contains("when this report was written"));
    assert!(read("timeline.svg").ends_with("</svg>\n"));
    assert!(read("report.json").contains("\"status\": \"unfinished\""));
    assert_eq!(fs_err::read_dir(dir.path().join("reports")).unwrap().count(), 5);
}

#[test]
fn the_reports_of_a_finished_run_are_those_of_its_record() {
    let dir = tempfile::tempdir().unwrap();
    let mut reports = ReportDir::new(dir.path()).unwrap();
    for event in &runs::good() {
        reports.event(event).unwrap();
    }
    let comparison = crate::runs::comparison(reports.record());
    reports.compare(comparison.clone().unwrap());
    reports.finish().unwrap();
    let expected = paceline_report::html(reports.record(), comparison.as_ref());
    assert_eq!(fs_err::read_to_string(dir.path().join("timeline.html")).unwrap(), expected);
}

#[test]
fn outputs_of_an_earlier_part_of_the_run_are_there_from_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let (path, live) = (dir.path().join("outputs.json"), dir.path().join("live.json"));
    let mut outputs = Outputs::new(&live, &[]).unwrap();
    for event in &runs::good() {
        outputs.event(event).unwrap();
    }
    Outputs::new(&path, &runs::good()).unwrap();
    assert_eq!(fs_err::read(&path).unwrap(), fs_err::read(&live).unwrap());
}

/// They hold outputs and the reasons of failures.
#[cfg(unix)]
#[test]
fn nobody_else_may_read_the_reports() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let mode = |name: &str| dir.path().join(name).metadata().unwrap().permissions().mode() & 0o777;
    Outputs::new(dir.path().join("outputs.json"), &runs::good()).unwrap();
    let mut reports = ReportDir::new(dir.path().join("reports")).unwrap();
    for event in &runs::good() {
        reports.event(event).unwrap();
    }
    assert_eq!((mode("outputs.json"), mode("reports")), (0o600, 0o700));
    for name in ["junit.xml", "summary.md", "timeline.html"] {
        assert_eq!(mode(&format!("reports/{name}")), 0o600, "{name}");
    }
}
