//! `paceline explain --why-waiting`: the limits that a stack of a run waited for.

use crate::harness::Place;
use crate::workshop;

/// Simulates a run in which one stack waits for another one because of the limit, and keeps its events.
fn place() -> Place {
    let place = Place::new();
    let call = place.paceline(["deploy", "--simulate", "--concurrency", "1", "--events", "events.jsonl"]);
    call.args(["--only", "Services*"]).args(workshop::app()).multi_region().run().expect(0);
    place
}

#[test]
fn the_limit_that_a_stack_waited_for_is_named() {
    let place = place();
    let json = |stack: &str| {
        let args = ["explain", "--why-waiting", stack, "events.jsonl", "--format", "json"];
        place.paceline(args).run().expect(0).document("why-waiting")
    };
    let (first, second) = (json("Services"), json("ServicesSecondary"));
    let waits = |json: &serde_json::Value| json["waited"][0]["limit"].as_str().map(str::to_owned);
    let limits = [waits(&first), waits(&second)];
    assert!(limits.contains(&Some("concurrency.stacks".to_owned())), "{first} {second}");
    let late = if first["queued_s"].as_f64() > second["queued_s"].as_f64() {
        "Services"
    } else {
        "ServicesSecondary"
    };
    let text = place.paceline(["explain", "--why-waiting", late, "events.jsonl"]).run().expect(0).stdout;
    assert!(text.contains("waited before its start:") && text.contains("concurrency.stacks: "), "{text}");
}

#[test]
fn a_wrong_stack_or_run_is_one_error_with_advice() {
    let place = place();
    let ran = place.paceline(["explain", "--why-waiting", "Servces", "events.jsonl"]).run().expect(2);
    assert!(ran.stderr.contains("the run events.jsonl has no stack Servces"), "{}", ran.stderr);
    assert!(ran.stderr.contains("did you mean Services?"), "{}", ran.stderr);
    let ran = place.paceline(["explain", "--why-waiting", "Services"]).run().expect(2);
    assert!(ran.stderr.contains("there is no run in this folder yet"), "{}", ran.stderr);
}
