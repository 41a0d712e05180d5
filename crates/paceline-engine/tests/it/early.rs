//! Steps that wait for resources of a stack and not for the whole of it.

use std::time::Duration;

use paceline_engine::{Ended, Fact, Outcome, Perform, ResourceProgress, StepContext};

use crate::draft::Draft;
use crate::script::{Ran, ran};

/// A resource of stack A that reaches a status after some seconds.
type Change = (u64, &'static str, &'static str);

/// Stack A's resources change at their times; every stack takes as long as expected, and A ends as told.
struct Changes(Vec<Change>, Outcome);

impl Perform for Changes {
    async fn perform(&self, context: StepContext) -> Ended {
        let is_a = context.step().id == "deploy:A";
        let start = tokio::time::Instant::now();
        for &(at, id, status) in self.0.iter().filter(|_| is_a) {
            tokio::time::sleep_until(start + Duration::from_secs(at)).await;
            context.progress(ResourceProgress {
                logical_id: id.to_owned(),
                resource_type: "T".to_owned(),
                status: status.to_owned(),
                reason: None,
                done: 0,
                total: 2,
                happened_at: context.now(),
            });
        }
        tokio::time::sleep_until(start + context.step().expected).await;
        Ended::new(if is_a { self.1 } else { Outcome::Deployed })
    }
}

/// Stack A takes 100 s; B waits until its resources P and Q are complete.
fn run(changes: &[Change], a: Outcome) -> Ran {
    let mut draft = Draft::new();
    let first = draft.stack("A", 100, &[]);
    let second = draft.stack("B", 10, &[first]);
    draft.until(second, first, &["P", "Q"]);
    ran(draft.plan(), Changes(changes.to_vec(), a))
}

/// When B started, in seconds after the run.
fn started(ran: &Ran) -> Option<i64> {
    let started =
        ran.events.iter().find(|event| matches!(&event.fact, Fact::StepStarted(it) if it.step == "deploy:B"));
    started.map(|event| event.at.duration_since(ran.events[0].at).as_secs())
}

#[test]
fn a_step_starts_when_all_the_resources_are_complete() {
    let changes =
        [(5, "P", "CREATE_IN_PROGRESS"), (20, "P", "CREATE_COMPLETE"), (30, "Q", "UPDATE_COMPLETE")];
    let ran = run(&changes, Outcome::Deployed);
    assert_eq!(started(&ran), Some(30));
    assert_eq!(ran.end.outcomes, [Outcome::Deployed; 2]);
}

#[test]
fn a_resource_that_does_not_change_is_there_when_the_stack_is() {
    assert_eq!(started(&run(&[(20, "P", "CREATE_COMPLETE")], Outcome::Deployed)), Some(100));
    assert_eq!(started(&run(&[], Outcome::Unchanged)), Some(100));
}

#[test]
fn a_failure_before_the_resources_are_complete_skips_what_waits_for_them() {
    let changes = [(20, "P", "CREATE_COMPLETE"), (30, "Q", "CREATE_FAILED")];
    assert_eq!(run(&changes, Outcome::Failed).end.outcomes, [Outcome::Failed, Outcome::Skipped]);
}

#[test]
fn a_failure_after_that_is_no_matter_of_what_has_started() {
    let changes = [(20, "P", "CREATE_COMPLETE"), (30, "Q", "CREATE_COMPLETE")];
    assert_eq!(run(&changes, Outcome::RolledBack).end.outcomes, [Outcome::RolledBack, Outcome::Deployed]);
}
