//! `paceline report`: any report, from the events of a run.

use crate::harness::{Place, Sim};
use crate::schemas::assert_is;
use crate::workshop;

#[test]
fn every_report_can_be_made_again_from_the_events() {
    let place = Place::new();
    let call = place.paceline(["deploy", "--simulate", "--only", "Services*", "--events", "events.jsonl"]);
    call.args(["--report", "report"]).args(workshop::app()).multi_region().run().expect(0);
    let report = |format: &str| {
        let ran = place.paceline(["report", "events.jsonl", "--format", format]).run().expect(0);
        assert_eq!(ran.stderr, "", "{format}");
        ran.stdout
    };
    assert!(report("summary").contains("2 stacks done in "));
    assert!(report("markdown").starts_with("# 2 stacks done in "));
    assert!(report("html").starts_with("<!"));
    assert_eq!(report("junit"), place.read("report/junit.xml"));
    assert_eq!(report("svg"), place.read("report/timeline.svg"));
    assert_eq!(report("json"), place.read("report/report.json"));
    let trace: serde_json::Value = serde_json::from_str(&report("trace")).unwrap();
    assert!(trace["traceEvents"].as_array().unwrap().len() > 100, "{trace}");
}

/// A journal as the first version wrote it, with an event and fields of a newer one. It has no number of the start, no
/// kinds of assets, no names of stacks, no forecasts and no phases.
const OLD_JOURNAL: &str = r#"
{"schema":1,"run":"old","seq":1,"at":"2025-11-17T08:30:00.000Z","event":"run.started","plan":"0123","steps":[{"step":"deploy:Api","kind":"deploy","title":"Api","stack":"Api","region":"eu-west-1"},{"step":"deploy:Web","kind":"deploy","title":"Web","stack":"Web","region":"eu-west-1","needs":["deploy:Api"]}]}
{"schema":1,"run":"old","seq":2,"at":"2025-11-17T08:30:01.000Z","event":"step.started","step":"deploy:Api","kind":"deploy","title":"Api","stack":"Api","region":"eu-west-1"}
{"schema":1,"run":"old","seq":3,"at":"2025-11-17T08:30:02.000Z","event":"step.admired","step":"deploy:Api","by":["everyone"]}
{"schema":1,"run":"old","seq":4,"at":"2025-11-17T08:30:05.000Z","event":"stack.progress","step":"deploy:Api","kind":"deploy","title":"Api","stack":"Api","region":"eu-west-1","logical_id":"Table","resource_type":"AWS::DynamoDB::Table","status":"CREATE_IN_PROGRESS","happened_at":"2025-11-17T08:30:04.000Z","mood":"good"}
{"schema":1,"run":"old","seq":5,"at":"2025-11-17T08:31:05.000Z","event":"stack.progress","step":"deploy:Api","kind":"deploy","title":"Api","stack":"Api","region":"eu-west-1","logical_id":"Table","resource_type":"AWS::DynamoDB::Table","status":"CREATE_SPLENDID","happened_at":"2025-11-17T08:31:04.000Z"}
{"schema":1,"run":"old","seq":6,"at":"2025-11-17T08:31:10.000Z","event":"step.finished","step":"deploy:Api","kind":"deploy","title":"Api","stack":"Api","region":"eu-west-1","outcome":"deployed"}
{"schema":1,"run":"old","seq":7,"at":"2025-11-17T08:31:11.000Z","event":"step.finished","step":"inspect:Api","kind":"inspect","title":"Api","outcome":"deployed","duration_s":1}
{"schema":1,"run":"old","seq":8,"at":"2025-11-17T08:32:00.000Z","event":"step.finished","step":"deploy:Web","kind":"deploy","title":"Web","stack":"Web","region":"eu-west-1","outcome":"failed"}
{"schema":1,"run":"old","seq":9,"at":"2025-11-17T08:32:00.000Z","event":"run.finished","exit_code":1}
"#;

#[test]
fn the_journal_of_an_earlier_version_gives_every_report() {
    let place = Place::new();
    place.write("old.jsonl", OLD_JOURNAL.trim_start());
    let report = |format: &str| {
        let ran = place.paceline(["report", "old.jsonl", "--format", format]).run().expect(0);
        assert_eq!(ran.stderr, "", "{format}");
        ran.stdout
    };
    for format in ["summary", "markdown", "html", "svg"] {
        let text = report(format);
        assert!(text.contains("Failed: 1 of 2 stacks done in 2 min"), "{format}: {text}");
        assert!(text.contains("Api") && text.contains("Web"), "{format}: {text}");
    }
    assert!(report("junit").contains("failures=\"1\""));
    let json: serde_json::Value = serde_json::from_str(&report("json")).unwrap();
    assert_is("report", &json);
    assert_eq!(json["steps"][0]["resources"][0]["finished_s"], 64.0);
    assert!(report("trace").contains("Api/Table"));
    assert_eq!(
        report("history").lines().count(),
        0,
        "it is not known whether the stack was created or updated"
    );
}

#[test]
fn a_report_is_written_to_a_file_or_to_several_where_codebuild_has_a_limit() {
    let place = Place::new();
    place.write("old.jsonl", OLD_JOURNAL.trim_start());
    place.write("timeline.svg", "older");
    place.paceline(["report", "old.jsonl", "--format", "svg", "--out", "timeline.svg"]).run().expect(0);
    assert!(place.read("timeline.svg").starts_with("<svg"));
    let finished = |n: usize| {
        format!(
            r#"{{"schema":1,"run":"big","seq":{n},"at":"2025-11-17T08:30:00.000Z","event":"step.finished","step":"deploy:S{n}","kind":"deploy","title":"S{n}","outcome":"deployed"}}"#
        ) + "\n"
    };
    place.write("big.jsonl", &(1..=501).map(finished).collect::<String>());
    let junit = |more: &[&str]| place.paceline(["report", "big.jsonl", "--format", "junit"]).args(more).run();
    let ran = junit(&[]).expect(2);
    assert!(ran.stderr.contains("this report needs 2 files"), "{}", ran.stderr);
    junit(&["--out", "results.xml"]).expect(0);
    let cases = ["results-1.xml", "results-2.xml"].map(|file| place.read(file).matches("<testcase ").count());
    assert_eq!(cases, [500, 1]);
    let ran = junit(&["--out", "nowhere/results.xml"]).expect(2);
    assert!(ran.stderr.starts_with("error: cannot write nowhere/results-1.xml"), "{}", ran.stderr);
}

#[test]
fn a_run_is_found_by_its_name() {
    let (place, sim) = (Place::new(), Sim::start(2000));
    let call =
        place.paceline(["deploy", "--only", "ServicesSecondary"]).args(workshop::app_without_gates(&place));
    call.multi_region().aws_at(&sim.address).run().expect(0);
    let [run] = &place.runs()[..] else { panic!("not one run") };
    let ran = place.paceline(["report", run]).run().expect(0);
    assert!(ran.stdout.contains("1 stack done in "), "{}", ran.stdout);
    assert_eq!(place.paceline(["report", "last"]).run().expect(0).stdout, ran.stdout);
}

#[test]
fn without_a_run_there_is_no_last_one() {
    let ran = Place::new().paceline(["report", "last"]).run().expect(2);
    assert!(ran.stderr.starts_with("error: there is no run in this folder yet\n hint: "), "{}", ran.stderr);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let ran =
        Place::new().paceline(["plan", "--format", "json"]).args(workshop::app()).run_unread().expect(0);
    assert_eq!(ran.stderr, "");
}
