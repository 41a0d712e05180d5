//! A run that ends because it only waits for CloudFormation.

use std::time::Duration;

use paceline_engine::{Ended, ExitCode, Fact, Outcome, Perform, RunOptions, Sleep, StepContext};
use paceline_plan::Plan;

use crate::draft::Draft;
use crate::script::{Ran, options, ran, ran_with};

const HOUR: u64 = 3600;

/// A stack is accepted after ten seconds, in this region, and takes its expected time.
struct Slow {
    region: &'static str,
    fails: &'static str,
}

impl Perform for Slow {
    async fn perform(&self, context: StepContext) -> Ended {
        let id = context.step().id.clone();
        let work = async {
            tokio::time::sleep(Duration::from_secs(10)).await;
            if context.step().work.stack().is_some() {
                context.submitting("CreateStack", "token").await;
                let name = &context.plan().stack_of(context.step()).name;
                let arn = format!("arn:aws:cloudformation:{}:111111111111:stack/{name}/1", self.region);
                context.accepted(arn, Some("token".to_owned()));
            }
            tokio::time::sleep(context.step().expected).await;
        };
        tokio::select! {
            biased;
            () = context.stopped() => Ended::new(Outcome::Interrupted),
            () = work => Ended::new(if id == self.fails { Outcome::Failed } else { Outcome::Deployed }),
        }
    }
}

const HERE: Slow = Slow { region: "eu-west-1", fails: "" };

/// A run that may sleep.
fn sleepy(plan: Plan, performer: Slow) -> Ran {
    let sleep = Some(Sleep {
        account: "111111111111".to_owned(),
        region: "eu-west-1".to_owned(),
        least: Duration::from_mins(15),
    });
    ran_with(plan, performer, RunOptions { sleep, ..options() })
}

fn waits_for(ran: &Ran) -> Vec<String> {
    match &ran.events.last().unwrap().fact {
        Fact::RunFinished(finished) => finished.waits_for.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_run_sleeps_when_all_that_is_left_is_a_long_wait() {
    let mut draft = Draft::new();
    let a = draft.stack("A", 60, &[]);
    let b = draft.stack("B", HOUR, &[a]);
    draft.stack("C", 60, &[b]);
    let ran = sleepy(draft.plan(), HERE);
    assert!(ran.end.sleeps);
    assert_eq!(ran.end.exit_code, ExitCode::Interrupted, "it can be continued");
    assert_eq!(waits_for(&ran), ["B"]);
    assert_eq!(ran.total(), 80.0, "as soon as the operation is accepted");
    assert_eq!(ran.stops(), ["the run sleeps until CloudFormation is done with B"]);
}

#[test]
fn a_run_sleeps_for_several_stacks_and_names_them() {
    let mut draft = Draft::new();
    draft.stack("A", HOUR, &[]);
    draft.stack("B", 2 * HOUR, &[]);
    let ran = sleepy(draft.plan(), HERE);
    assert!(ran.end.sleeps);
    assert_eq!(waits_for(&ran), ["A", "B"]);
}

#[test]
fn a_run_stays_awake_while_it_has_something_else_to_do() {
    type Case = (&'static str, fn(&mut Draft), Slow);
    let cases: [Case; 6] = [
        ("a stack is done soon", |draft| _ = draft.stack("B", 600, &[]), HERE),
        ("a command runs", |draft| _ = draft.command("check", 2 * HOUR, &[]), HERE),
        ("a file is published", |draft| _ = draft.file("f", 2 * HOUR), HERE),
        ("a stack of another region", |_| (), Slow { region: "us-east-1", fails: "" }),
        ("a stack is ready and has no room", |draft| _ = draft.stack("B", HOUR, &[]), HERE),
        ("a stack has failed", |draft| _ = draft.stack("B", 60, &[]), Slow { fails: "deploy:B", ..HERE }),
    ];
    for (case, add, performer) in cases {
        let limit = if case.contains("no room") { 1 } else { 1000 };
        let mut draft = Draft::new().limited(limit, 1000, 1000);
        draft.stack("A", HOUR, &[]);
        add(&mut draft);
        let ran = sleepy(draft.plan(), performer);
        let last_only = case.contains("no room") || case.contains("soon");
        // Then only the hour of the other stack is left.
        assert_eq!(ran.end.sleeps, last_only, "{case}");
        assert!(!last_only || ran.total() > 600.0, "{case}: {}", ran.total());
    }
}

#[test]
fn a_run_sleeps_only_if_it_may() {
    let mut draft = Draft::new();
    draft.stack("A", HOUR, &[]);
    let ran = ran(draft.plan(), HERE);
    assert!(!ran.end.sleeps);
    assert_eq!(ran.end.exit_code, ExitCode::Done);
}
