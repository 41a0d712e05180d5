//! Two runs on the same stacks, from two machines.

use crate::harness::{Place, Sim, until};
use crate::workshop;

#[test]
fn a_second_run_on_the_same_stacks_is_refused_and_names_the_first() {
    let (first, second, sim) = (Place::new(), Place::new(), Sim::start(10));
    let deploy = |place| {
        let call = Place::paceline(place, ["deploy", "--only", "Services*", "--events", "events.jsonl"]);
        call.args(workshop::app_without_gates(place)).multi_region().aws_at(&sim.address)
    };
    let running = deploy(&first).start("first.log");
    until("the first run has begun", || !sim.accepted("CreateStack").is_empty());
    let refused = deploy(&second).args(["--lock", "refuse"]).run().expect(3);
    let run = &first.runs()[0];
    assert!(refused.stderr.contains(&format!("error: the run {run} of ")), "{}", refused.stderr);
    assert!(second.runs().is_empty(), "a run that was refused has not begun");
    running.signal("KILL");
    running.end();
}
