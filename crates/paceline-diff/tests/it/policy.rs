//! What a policy refuses.

use paceline_diff::{Policy, Rule, StackChanges, Violation};
use serde_json::{Value, json};

use crate::app::{assembly, diff, resources};

fn changes(before: Value, after: Value) -> Vec<StackChanges> {
    let of = |value| assembly(&[("S", resources(value))]);
    diff(&of(before), &of(after)).stacks.iter().map(Into::into).collect()
}

fn rules(policy: &Policy, changes: &[StackChanges]) -> Vec<(Rule, String)> {
    policy.violations(changes, 0).into_iter().map(|it| (it.rule, it.what)).collect()
}

fn table(name: &str, policy: &str) -> Value {
    json!({ "Type": "AWS::DynamoDB::Table", "DeletionPolicy": policy, "Properties": { "TableName": name } })
}

fn topic(name: &str) -> Value {
    json!({ "Type": "AWS::SNS::Topic", "Properties": { "TopicName": name } })
}

#[test]
fn more_deletions_than_allowed_are_all_named_and_what_stays_does_not_count() {
    let before = json!({ "A": topic("a"), "B": topic("b"), "Kept": table("t", "Retain"), "C": topic("c") });
    let changes = changes(before, json!({ "C": topic("c") }));
    let allows = |most| Policy { deletes: Some(most), ..Policy::default() };
    assert_eq!(rules(&allows(2), &changes), []);
    let expected = ["A", "B"].map(|id| (Rule::Deletes, format!("{id} (AWS::SNS::Topic) is deleted")));
    assert_eq!(rules(&allows(1), &changes), expected);
    assert_eq!(allows(2).violations(&changes, 1).len(), 2, "the run deletes another one elsewhere");
    assert_eq!(rules(&Policy::default(), &changes), []);
}

#[test]
fn replacements_are_refused_by_kind() {
    let of = |name: &str| json!({ "Table": table(name, "Delete"), "Topic": topic(name) });
    let changes = changes(of("one"), of("two"));
    let stateful = Policy { no_stateful_replacement: true, ..Policy::default() };
    let table = (Rule::Replacements, "Table (AWS::DynamoDB::Table) is replaced".to_owned());
    let topic = (Rule::Replacements, "Topic (AWS::SNS::Topic) is replaced".to_owned());
    let found = rules(&stateful, &changes);
    assert_eq!((found.len(), &found[0]), (1, &table));
    assert_eq!(rules(&Policy { no_replacement: true, ..Policy::default() }, &changes), [table, topic]);
}

#[test]
fn broader_rights_and_any_change_are_refused() {
    let policy = |action: &str| {
        json!({ "P": { "Type": "AWS::IAM::Policy", "Properties": { "Roles": ["r"], "PolicyDocument": {
            "Statement": [{ "Effect": "Allow", "Action": action, "Resource": "arn:a" }] } } } })
    };
    let changes = changes(policy("s3:GetObject"), policy("s3:PutObject"));
    let [(rule, what)] =
        rules(&Policy { no_broadening: true, ..Policy::default() }, &changes).try_into().unwrap();
    assert_eq!(rule, Rule::IamBroadening);
    assert!(what.contains("may do s3:PutObject on arn:a"), "{what}");
    let any = Policy { no_change: true, ..Policy::default() };
    assert_eq!(rules(&any, &changes), [(Rule::AnyChange, "1 resource changes".to_owned())]);
}

#[test]
fn other_stacks_are_not_looked_at() {
    let changes = changes(json!({ "A": topic("a") }), json!({ "B": topic("b") }));
    let of = |stack: &str| Policy {
        deletes: Some(0),
        stacks: Some([stack.to_owned()].into()),
        ..Policy::default()
    };
    assert_eq!(rules(&of("T"), &changes), []);
    assert_eq!(rules(&of("S"), &changes).len(), 1);
}

#[test]
fn all_violations_are_in_one_table() {
    let violation =
        |rule, stack: &str, what: &str| Violation { rule, stack: stack.to_owned(), what: what.to_owned() };
    let all = [
        violation(Rule::Deletes, "Api", "Queue (AWS::SQS::Queue) is deleted"),
        violation(Rule::IamBroadening, "Storage", "`Role` may do everything"),
    ];
    assert_eq!(
        Violation::table(&all),
        "the policy refuses 2 changes:\n  deletes         Api      Queue (AWS::SQS::Queue) is deleted\n  \
         iam-broadening  Storage  `Role` may do everything"
    );
}
