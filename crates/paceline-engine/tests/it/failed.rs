//! The run that failed in an earlier build, and whether its causes stay.

use std::sync::{Arc, Mutex};

use paceline_engine::event::{BuildPhases, Cause};
use paceline_engine::{Ended, Event, FailedInBuild, Journal, Outcome, Perform, RunOptions, StepContext, run};
use paceline_plan::Plan;

use crate::draft::Draft;
use crate::journal::Runs;
use crate::script::{options, paused};

/// What AWS says of a throttled resource, and of a wrong one.
const THROTTLED: &str = "Rate exceeded (Service: Sns, Status Code: 400)";
const WRONG: &str = "1 validation error detected: Value at 'name' failed to satisfy constraint";

fn plan(key: &str) -> Plan {
    let mut draft = Draft::new();
    let a = draft.stack("A", 60, &[]);
    draft.stack("B", 60, &[a]);
    draft.stack("C", 60, &[]);
    draft.command("check", 10, &[a]);
    Plan { resume_key: key.to_owned(), ..draft.plan() }
}

/// The steps that fail, each with its message. Keeps the names of the steps that were performed.
#[derive(Default)]
struct Failing {
    steps: Vec<(&'static str, &'static str, bool)>,
    performed: Mutex<Vec<String>>,
}

impl Perform for Failing {
    async fn perform(&self, context: StepContext) -> Ended {
        if context.was_done_earlier() {
            return Ended::new(Outcome::Unchanged);
        }
        let id = context.step().id.clone();
        self.performed.lock().unwrap().push(id.clone());
        tokio::time::sleep(context.step().expected).await;
        let Some(&(_, message, preflight)) = self.steps.iter().find(|(step, ..)| *step == id) else {
            return Ended::new(Outcome::Deployed);
        };
        Ended::failed(Cause { message: message.to_owned(), preflight, ..Cause::default() })
    }
}

/// A run of this plan in a build, with these failures.
fn ran(runs: &Runs, name: &str, plan: Plan, build: &str, steps: &[(&'static str, &'static str, bool)]) {
    let journal = Journal::create(&runs.path(), name).unwrap();
    let failing = Failing { steps: steps.to_vec(), ..Failing::default() };
    part(name, plan, journal, build, Arc::new(failing), None);
}

fn part(
    name: &str,
    plan: Plan,
    mut journal: Journal,
    build: &str,
    performer: Arc<Failing>,
    earlier: Option<paceline_engine::Earlier>,
) {
    let build = Some(BuildPhases { build: build.to_owned(), phases: Vec::new() });
    let order = Some(journal.order);
    let options = RunOptions { id: name.to_owned(), build, order, earlier, ..options() };
    let mut record = |event: &Event| journal.append(event);
    paused(run(Arc::new(plan), performer, options, &mut record)).unwrap();
}

fn found(runs: &Runs, key: &str, builds: &[&str]) -> Option<FailedInBuild> {
    let builds: Vec<String> = builds.iter().map(|&build| build.to_owned()).collect();
    FailedInBuild::find(&runs.path(), &plan(key), &builds).unwrap()
}

#[test]
fn a_cause_stays_unless_aws_or_its_kind_says_that_it_may_disappear() {
    for (steps, expected) in [
        (&[("deploy:A", WRONG, false)][..], Some("deploy:A")),
        (&[("deploy:A", THROTTLED, false)], None),
        // One cause that stays is enough, whichever failed first.
        (&[("deploy:A", THROTTLED, false), ("deploy:C", WRONG, false)], Some("deploy:C")),
        // Nobody knows why a command fails.
        (&[("command:check", "it ended with exit code 1", false)], None),
        // A missing right stays, of every kind of step.
        (&[("command:check", "no", true)], Some("command:check")),
        (&[("deploy:A", THROTTLED, true)], Some("deploy:A")),
    ] {
        let runs = Runs::new();
        ran(&runs, "r1", plan("k"), "b1", steps);
        let failed = found(&runs, "k", &["b1"]).unwrap();
        assert_eq!((failed.run.as_str(), failed.build.as_str()), ("r1", "b1"));
        assert_eq!(failed.lasting().map(|it| it.step.step.as_str()), expected, "{steps:?}");
    }
}

#[test]
fn only_the_newest_run_of_the_plan_counts_and_only_if_it_failed_in_one_of_the_builds() {
    let wrong = &[("deploy:A", WRONG, false)][..];
    let runs = Runs::new();
    ran(&runs, "r1", plan("k"), "b1", wrong);
    // A run of another plan says nothing about this one.
    ran(&runs, "r2", plan("other"), "b1", &[]);
    assert!(found(&runs, "k", &["b2", "b1"]).is_some());
    assert!(found(&runs, "k", &["b2"]).is_none(), "it failed in another build");
    assert!(found(&runs, "new", &["b1"]).is_none(), "the plan has changed");
    assert!(found(&runs, "other", &["b1"]).is_none(), "it ended well");
    // Somebody has deployed the same plan since.
    ran(&runs, "r3", plan("k"), "b3", &[]);
    assert!(found(&runs, "k", &["b1"]).is_none());
    assert!(found(&runs, "k", &["b1", "b3"]).is_none());
}

#[test]
fn a_failed_run_is_continued_with_what_it_had_done() {
    let runs = Runs::new();
    ran(&runs, "r1", plan("k"), "b1", &[("deploy:A", THROTTLED, false)]);
    let continued = Journal::continue_failed(&runs.path(), "r1", &plan("k")).unwrap().unwrap();
    let (earlier, performer) = (continued.earlier.clone(), Arc::new(Failing::default()));
    part("r1", plan("k"), continued.into_parts().0, "b2", Arc::clone(&performer), Some(earlier));
    let mut performed = performer.performed.lock().unwrap().clone();
    performed.sort();
    assert_eq!(performed, ["command:check", "deploy:A", "deploy:B"], "C stays done");
    assert!(found(&runs, "k", &["b1", "b2"]).is_none(), "it has ended well now");
    assert!(Journal::continue_failed(&runs.path(), "r1", &plan("k")).unwrap().is_none());
    assert!(Journal::continue_failed(&runs.path(), "r1", &plan("other")).unwrap().is_none());
}
