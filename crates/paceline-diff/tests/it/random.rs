//! What holds for any template: it does not differ from itself, and every change of a value is found.

use paceline_diff::{COMMENT_LIMIT, CompareOptions, Shown, compare, json as json_of, markdown, text};
use proptest::prelude::*;
use serde_json::{Map, Value};

use crate::app::{assembly, diff, plan};

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0..5_i64).prop_map(Value::from),
        "[a-zé`<|]{0,3}".prop_map(Value::from),
        Just(serde_json::json!({ "Ref": "R0" })),
        Just(serde_json::json!({ "Fn::GetAtt": "R0.Arn" })),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[A-C]", inner, 0..3)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn resource() -> impl Strategy<Value = Value> {
    let types = prop::sample::select(vec![
        "AWS::DynamoDB::Table",
        "AWS::EC2::SecurityGroup",
        "AWS::IAM::Role",
        "AWS::S3::Bucket",
        "Custom::Thing",
    ]);
    let names = prop::sample::select(vec![
        "TableName",
        "KeySchema",
        "AssumeRolePolicyDocument",
        "SecurityGroupIngress",
        "Statement",
        "BucketName",
    ]);
    (types, prop::collection::btree_map(names, value(), 0..4)).prop_map(|(resource_type, properties)| {
        let properties: Map<String, Value> = properties.into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
        serde_json::json!({ "Type": resource_type, "Properties": properties })
    })
}

fn template() -> impl Strategy<Value = Value> {
    (
        prop::collection::btree_map("R[0-3]", resource(), 1..4),
        prop::collection::btree_map("O[0-2]", value(), 0..3),
    )
        .prop_map(|(resources, outputs)| {
            let map =
                |all: std::collections::BTreeMap<String, Value>| Value::Object(all.into_iter().collect());
            serde_json::json!({ "Resources": map(resources), "Outputs": map(outputs) })
        })
}

/// The pointers to all values below the sections of a template.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    if at.matches('/').count() > 1 {
        found.push(at.to_owned());
    }
    match value {
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(number, item)| places(item, &format!("{at}/{number}"), found));
        }
        // A function is compared as one value, and `Fn::GetAtt` has two spellings.
        Value::Object(fields) if !fields.keys().any(|key| key == "Ref" || key.starts_with("Fn::")) => {
            fields.iter().for_each(|(key, field)| places(field, &format!("{at}/{key}"), found));
        }
        _ => {}
    }
}

proptest! {
    #[test]
    fn a_template_does_not_differ_from_itself(template in template()) {
        let app = assembly(&[("S", template)]);
        let diff = diff(&app, &app);
        prop_assert!(!diff.is_different());
        let is_empty = diff.stacks.iter().all(|it| {
            it.resources.is_empty() && it.elements.is_empty() && it.settings.is_empty() && it.widenings.is_empty()
        });
        prop_assert!(is_empty && diff.collisions.is_empty());
    }

    #[test]
    fn every_change_is_reported_in_every_format(
        template in template(),
        at in any::<prop::sample::Index>(),
        new in value(),
        stored in any::<bool>(),
    ) {
        let mut all = Vec::new();
        places(&template, "", &mut all);
        let place = at.get(&all);
        let mut after = template.clone();
        // Replacing a whole resource by something else may leave nothing that is a resource.
        let changed = after.pointer_mut(place).unwrap();
        prop_assume!(*changed != new);
        *changed = new;
        // What CloudFormation stores for the one is what it stores for the other.
        let mangled = |value: &Value| value.to_string().replace('é', "?");
        prop_assume!(!stored || mangled(&template) != mangled(&after));
        let (base, app) = (assembly(&[("S", template)]), assembly(&[("S", after)]));
        let options = CompareOptions { is_deployed: stored, ..CompareOptions::default() };
        let diff = compare(&base, &app, &plan(&app), &options);
        prop_assert!(diff.is_different(), "{place}");
        let shown = Shown { diff: &diff, base: "the base" };
        prop_assert!(text(&shown, paceline_text::Style::default()).contains("1 changes"));
        prop_assert!(markdown(&shown, COMMENT_LIMIT).contains("1 changes"));
        prop_assert!(json_of(&shown).contains("\"different\": true"));
    }
}
