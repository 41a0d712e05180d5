//! `paceline history`: the earlier runs of a folder, and what two of them took.

use crate::harness::{Place, Sim};
use crate::workshop;

fn deploy(place: &Place, sim: &Sim) {
    let call =
        place.paceline(["deploy", "--only", "ServicesSecondary"]).args(workshop::app_without_gates(place));
    call.multi_region().aws_at(&sim.address).run().expect(0);
}

#[test]
fn the_runs_of_a_folder_are_listed_and_two_of_them_are_compared() {
    let (place, sim) = (Place::new(), Sim::start(2000));
    deploy(&place, &sim);
    deploy(&place, &sim);
    let history = |arguments: &[&str]| place.paceline(["history"]).args(arguments).aws_at(&sim.address).run();
    let listed = history(&["--format", "json"]).expect(0).document("history");
    let runs = listed["runs"].as_array().unwrap();
    let statuses: Vec<_> = runs.iter().map(|run| run["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["done", "done"]);
    assert_eq!(runs[1]["stacks"], serde_json::json!({ "deployed": 1 }));
    assert_eq!(runs[0]["stacks"], serde_json::json!({ "unchanged": 1 }));
    let text = history(&[]).expect(0).stdout;
    assert_eq!(text.lines().count(), 3, "{text}");
    // The first run created the stack and the second changed nothing.
    let compared = history(&["compare"]).expect(0).stdout;
    assert!(compared.contains("ServicesSecondary in us-west-2 (create)"), "{compared}");
    assert!(compared.contains("ServicesSecondary in us-west-2 (unchanged)"), "{compared}");
    let compared = history(&["compare", "--format", "json"]).expect(0).document("history-compare");
    let only =
        |run: &str| compared[run].as_array().unwrap().iter().map(|step| step["operation"].clone()).collect();
    let [first, second]: [Vec<_>; 2] = [only("only_in_first"), only("only_in_second")];
    assert!(first.contains(&"create".into()) && second.contains(&"unchanged".into()), "{compared:#}");
}

#[test]
fn a_folder_without_runs_has_an_empty_list() {
    let ran = Place::new().paceline(["history"]).run().expect(0);
    assert_eq!(ran.stdout, "");
    assert!(ran.stderr.contains("no runs yet"), "{}", ran.stderr);
}

#[test]
fn a_run_that_does_not_exist_is_refused() {
    let ran = Place::new().paceline(["history", "compare", "2026", "last"]).run().expect(2);
    assert!(ran.stderr.starts_with("error: there is no run 2026\n"), "{}", ran.stderr);
    let ran = Place::new().paceline(["history", "compare"]).run().expect(2);
    assert!(ran.stderr.starts_with("error: there is no previous run"), "{}", ran.stderr);
}
