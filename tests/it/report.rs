//! `paceline report`: any report, from the events of a run.

use crate::harness::{Place, Sim};
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
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let ran =
        Place::new().paceline(["plan", "--format", "json"]).args(workshop::app()).run_unread().expect(0);
    assert_eq!(ran.stderr, "");
}
