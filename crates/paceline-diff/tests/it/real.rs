//! What change sets say, in place of what templates show.

use paceline_diff::{AppDiff, Effect, RealChange, StackChange, apply_change_sets};
use serde_json::{Value, json};

use crate::app::{assembly, diff, resources};

fn applied(before: Value, after: Value, real: &[(&str, Effect)]) -> AppDiff {
    let of = |value| assembly(&[("S", resources(value))]);
    let (before, after) = (of(before), of(after));
    let mut diff = diff(&before, &after);
    let changes = real.iter().map(|(id, effect)| RealChange {
        nested: Vec::new(),
        logical_id: (*id).to_owned(),
        resource_type: "AWS::DynamoDB::Table".to_owned(),
        effect: *effect,
    });
    apply_change_sets(&mut diff, &before, &after, &[("S".to_owned(), changes.collect())].into());
    diff
}

fn effects(diff: &AppDiff) -> Vec<(String, Effect)> {
    diff.stacks[0].resources.iter().map(|it| (it.place.to_string(), it.effect)).collect()
}

fn tables(name: &str) -> Value {
    json!({
        "First": { "Type": "AWS::DynamoDB::Table", "Properties": { "TableName": name } },
        "Second": { "Type": "AWS::DynamoDB::Table", "Properties": { "TableName": { "Ref": "First" } } },
    })
}

#[test]
fn what_may_be_replaced_is_replaced_or_not() {
    let by_template = |diff: &AppDiff| effects(diff).contains(&("Second".to_owned(), Effect::MayReplace));
    let first = ("First", Effect::Replace);
    let of = |value| assembly(&[("S", resources(value))]);
    assert!(by_template(&diff(&of(tables("a")), &of(tables("b")))));
    let diff = applied(tables("a"), tables("b"), &[first, ("Second", Effect::Replace)]);
    assert_eq!(
        effects(&diff),
        [("First".to_owned(), Effect::Replace), ("Second".to_owned(), Effect::Replace)]
    );
    assert!(diff.stacks[0].resources[1].data.unwrap().is_certain, "its data would be lost");
    let diff = applied(tables("a"), tables("b"), &[first, ("Second", Effect::Update)]);
    assert_eq!(diff.stacks[0].resources[1].effect, Effect::Update);
    assert_eq!(diff.stacks[0].resources[1].data, None);
    let diff = applied(tables("a"), tables("b"), &[first]);
    assert_eq!(effects(&diff), [("First".to_owned(), Effect::Replace)]);
}

#[test]
fn what_no_template_shows_is_added() {
    let diff = applied(tables("a"), tables("a"), &[("First", Effect::Update)]);
    assert_eq!(diff.stacks[0].change, StackChange::Changed);
    assert_eq!(effects(&diff), [("First".to_owned(), Effect::Update)]);
    let diff = applied(tables("a"), tables("a"), &[]);
    assert_eq!((diff.stacks[0].change, effects(&diff)), (StackChange::Unchanged, vec![]));
}
