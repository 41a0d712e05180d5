//! Resources that hold data.

use paceline_diff::{DataLoss, Fate, ResourceDiff};
use serde_json::{Value, json};

use crate::app::stack_diff;

fn table(name: &str, policy: &str) -> Value {
    json!({ "T": { "Type": "AWS::DynamoDB::Table", "DeletionPolicy": policy, "UpdateReplacePolicy": policy,
                   "Properties": { "TableName": name } } })
}

fn only(before: Value, after: Value) -> ResourceDiff {
    stack_diff(before, after).resources.remove(0)
}

#[test]
fn a_replaced_or_deleted_table_is_lost_unless_a_policy_retains_it() {
    let certain = |fate| Some(DataLoss { is_certain: true, fate });
    let replaced = |policy| only(table("a", policy), table("b", policy)).data;
    assert_eq!(replaced("Delete"), certain(Fate::Deleted));
    assert_eq!(replaced("Retain"), certain(Fate::Retained));
    let deleted = |policy| only(table("a", policy), json!({})).data;
    assert_eq!(deleted("Delete"), certain(Fate::Deleted));
    assert_eq!(deleted("Retain"), certain(Fate::Retained));
}

#[test]
fn the_policy_of_the_base_counts_for_a_deletion() {
    let mut after = table("b", "Retain");
    after["T"]["DeletionPolicy"] = json!("Delete");
    assert_eq!(only(table("a", "Delete"), after).data.unwrap().fate, Fate::Retained);
}

#[test]
fn a_table_that_is_updated_or_new_is_not_pointed_out() {
    let mut after = table("a", "Delete");
    after["T"]["Properties"]["BillingMode"] = json!("PROVISIONED");
    assert_eq!(only(table("a", "Delete"), after).data, None);
    assert_eq!(only(json!({}), table("a", "Delete")).data, None);
}
