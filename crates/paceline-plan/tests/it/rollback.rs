//! The plan that undoes a run, and its text.

use std::collections::BTreeSet;
use std::time::Duration;

use paceline_assembly::{Environment, Precious};
use paceline_plan::{Loss, Rollback, RollbackOptions, StaysReason, Undo, Work, show};
use serde_json::json;

use crate::build::{App, exports, holds, ids};

/// A stack that a run updated in these events, after these stacks.
fn updated(stack: &str, (began, ended): (u64, u64), followed: &[&str]) -> Undo {
    Undo {
        stack: stack.to_owned(),
        environment: Environment { account: None, region: Some("us-east-1".to_owned()) },
        existed: true,
        began,
        ended: Some(ended),
        followed: followed.iter().map(|&id| id.to_owned()).collect(),
        adds: Vec::new(),
        replaced: BTreeSet::new(),
    }
}

fn created(stack: &str, events: (u64, u64), followed: &[&str]) -> Undo {
    Undo { existed: false, ..updated(stack, events, followed) }
}

fn table() -> Precious {
    Precious { id: "Table".to_owned(), resource_type: "AWS::DynamoDB::Table".to_owned(), retained: false }
}

fn app(names: &[&str]) -> App {
    let topic = || holds(json!("v"));
    names.iter().fold(App::default(), |app, name| app.stack(name, "us-east-1", topic()))
}

fn rollback(app: &App, undos: &[Undo], options: &RollbackOptions) -> Rollback {
    Rollback::make(&app.assembly(), undos, [], options).unwrap()
}

#[test]
fn a_stack_is_undone_before_the_stacks_that_it_followed_and_others_at_the_same_time() {
    let app = app(&["A", "B", "C", "D"]);
    let undos = [
        updated("A", (1, 2), &[]),
        updated("B", (3, 4), &["A"]),
        updated("C", (5, 6), &["A"]),
        updated("D", (7, 8), &["B", "C"]),
    ];
    let rolled = rollback(&app, &undos, &RollbackOptions::new("run"));
    assert_eq!(ids(&rolled.plan), ["D", "C", "B", "A"]);
    let needs: Vec<usize> = rolled.plan.steps.iter().map(|step| step.needs.len()).collect();
    assert_eq!(needs, [0, 1, 1, 2], "B does not wait for C");
    assert!(rolled.plan.steps.iter().all(|step| matches!(step.work, Work::Deploy { .. })));
}

#[test]
fn the_order_goes_through_a_stack_that_stays() {
    let undos = [updated("A", (1, 2), &[]), created("B", (3, 4), &["A"]), updated("C", (5, 6), &["B"])];
    let rolled = rollback(&app(&["A", "B", "C"]), &undos, &RollbackOptions::new("run"));
    assert_eq!(ids(&rolled.plan), ["C", "A"]);
    assert_eq!(rolled.plan.steps[1].needs, [0]);
    assert_eq!(rolled.stays[0].why, StaysReason::Created);
    let by = BTreeSet::from(["B".to_owned()]);
    assert_eq!(rolled.losses, [Loss::NeededBy { stack: "A".to_owned(), by }]);
}

#[test]
fn a_former_import_is_restored_in_the_reverse_order_of_time() {
    let (maker, user) = (exports(json!("x")), holds(json!({ "Fn::ImportValue": "x" })));
    let app = App::default().stack("Maker", "us-east-1", maker).stack("User", "us-east-1", user);
    let of = |maker, user| {
        let undos = [updated("Maker", maker, &[]), updated("User", user, &[])];
        let rolled = rollback(&app, &undos, &RollbackOptions::new("run"));
        ids(&rolled.plan).join(" ")
    };
    assert_eq!(of((1, 2), (3, 4)), "User Maker");
    assert_eq!(of((3, 4), (1, 2)), "Maker User");
    assert_eq!(of((1, 3), (2, 4)), "Maker User", "at the same time: first the one that provides");
}

#[test]
fn another_choice_of_stacks_is_another_rollback() {
    let undos = [updated("A", (1, 2), &[]), created("B", (3, 4), &[])];
    let options = RollbackOptions::new("run");
    let deleting = RollbackOptions { delete_created: true, ..options.clone() };
    let app = app(&["A", "B"]);
    let key = |options: &RollbackOptions| rollback(&app, &undos, options).plan.resume_key;
    assert_eq!(key(&options), key(&options));
    assert_ne!(key(&options), key(&deleting));
    assert_ne!(key(&options), key(&RollbackOptions::new("another")));
}

#[test]
fn a_stack_that_is_named_and_does_not_exist_is_an_error() {
    let options = RollbackOptions { including: vec!["Bee".to_owned()], ..RollbackOptions::new("run") };
    let assembly = app(&["Base"]).assembly();
    let error = Rollback::make(&assembly, &[updated("Base", (1, 2), &[])], [], &options).unwrap_err();
    assert!(error.to_string().contains("Bee"), "{error}");
}

#[test]
fn the_text_says_what_is_done_what_stays_and_what_is_lost() {
    let undos = [
        updated("Base", (1, 2), &[]),
        Undo { adds: vec![table()], ..updated("Data", (1, 2), &[]) },
        updated("Api", (3, 4), &["Base"]),
        created("New", (5, 6), &["Api"]),
        Undo { adds: vec![table()], ..created("Store", (5, 6), &["Base"]) },
    ];
    let text = |s: &str| s.to_owned();
    let losses = [
        Loss::Command { name: text("seed") },
        Loss::Published { count: 3 },
        Loss::Secret { stack: text("Api"), parameter: text("Password") },
        Loss::Replaced {
            stack: text("Base"),
            resource: text("Queue"),
            resource_type: text("AWS::SQS::Queue"),
        },
        Loss::Removed { stack: text("Base"), resource: table() },
        Loss::Removed { stack: text("Base"), resource: Precious { retained: true, ..table() } },
        Loss::Role { stack: text("Base") },
        Loss::Deleted { stack: text("Gone") },
        Loss::NotCaptured { stack: text("Unknown") },
    ];
    let options = RollbackOptions { delete_created: true, ..RollbackOptions::new("20260101T000000Z-abc") };
    let app = app(&["Base", "Data", "Api", "New", "Store"]);
    let rolled = Rollback::make(&app.assembly(), &undos, losses, &options).unwrap();
    insta::assert_snapshot!(show::rollback(&rolled, Duration::from_secs(150), 80));
}
