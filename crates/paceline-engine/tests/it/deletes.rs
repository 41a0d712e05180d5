//! Plans that delete stacks run like plans that deploy them.

use paceline_engine::{Earlier, ExitCode, Fact, Outcome, RunOptions, one_after_another, schedule};
use paceline_plan::Plan;

use crate::draft::Draft;
use crate::script::{Act, Script, options, ran, ran_with};

/// `User` is deleted first, then the stack that it used. `Alone` is deleted at the same time.
fn plan() -> Plan {
    let mut draft = Draft::new().limited(2, 8, 4);
    let user = draft.deletion("User", 30, &[]);
    draft.deletion("Used", 60, &[user]);
    draft.deletion("Alone", 10, &[]);
    draft.plan()
}

fn deleting() -> Script {
    ["delete:User", "delete:Used", "delete:Alone"]
        .into_iter()
        .fold(Script::default(), |script, step| script.with(step, Act::Ends(Outcome::Deleted)))
}

#[test]
fn a_stack_is_deleted_after_its_user() {
    let ran = ran(plan(), deleting());
    assert_eq!((ran.started("delete:Used"), ran.total()), (30.0, 90.0));
    let Some(Fact::RunFinished(end)) = ran.events.last().map(|event| &event.fact) else { panic!("no end") };
    assert_eq!(end.stacks, [(Outcome::Deleted, 3)].into());
    let step = &ran.finished("delete:Used").step;
    assert_eq!((step.kind.as_str(), step.title.as_str()), ("delete", "Used"));
    assert_eq!(step.stack_name.as_deref(), Some("Used-name"));
}

#[test]
fn the_stack_used_by_a_missing_stack_is_deleted() {
    let ran = ran(plan(), deleting().with("delete:User", Act::Ends(Outcome::Unchanged)));
    assert_eq!(ran.outcome("delete:Used"), Outcome::Deleted);
}

#[test]
fn the_stack_used_by_an_undeletable_stack_is_skipped() {
    let ran = ran(plan(), deleting().with("delete:User", Act::Ends(Outcome::Failed)));
    assert_eq!(ran.outcome("delete:Used"), Outcome::Skipped);
    assert_eq!((ran.outcome("delete:Alone"), ran.end.exit_code), (Outcome::Deleted, ExitCode::Failed));
}

#[test]
fn a_stack_that_an_earlier_part_of_the_run_deleted_counts_as_deleted() {
    let done = [("delete:User".to_owned(), None)].into();
    let earlier = Some(Earlier { seq: 5, done, touched: true, ..Earlier::default() });
    let gone = |script: Script, step| script.with(step, Act::Ends(Outcome::Unchanged));
    let script = gone(gone(deleting(), "delete:User"), "delete:Alone");
    let ran = ran_with(plan(), script, RunOptions { earlier, ..options() });
    let user = ran.finished("delete:User");
    assert_eq!((user.outcome, user.resumed), (Outcome::Deleted, true));
    assert_eq!(ran.outcome("delete:Alone"), Outcome::Unchanged, "someone else's work");
}

#[test]
fn deletions_are_scheduled_and_share_the_limit_of_stacks() {
    let mut draft = Draft::new().limited(1, 8, 4);
    for id in ["A", "B", "C"] {
        draft.deletion(id, 60, &[]);
    }
    let plan = draft.plan();
    assert_eq!(schedule(&plan).unwrap().total.as_secs(), 180);
    assert_eq!(one_after_another(&plan).unwrap().as_secs(), 180);
}
