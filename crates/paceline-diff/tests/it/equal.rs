//! What is no difference.

use paceline_diff::{CompareOptions, StackChange, compare};
use serde_json::{Value, json};

use crate::app::{assembly, plan, resources};

#[track_caller]
fn check(before: &Value, after: &Value, options: &CompareOptions, expected: StackChange) {
    let (base, app) = (assembly(&[("S", before.clone())]), assembly(&[("S", after.clone())]));
    let diff = compare(&base, &app, &plan(&app), options);
    assert_eq!(diff.stacks[0].change, expected, "{:#?}", diff.stacks[0]);
}

#[test]
fn spelling_is_no_difference() {
    let before =
        json!({ "A": { "Type": "X", "DependsOn": "B", "Properties": { "P": { "Fn::GetAtt": "B.Arn" } } } });
    let after = json!({ "A": { "Properties": { "P": { "Fn::GetAtt": ["B", "Arn"] } }, "DependsOn": ["B"], "Type": "X" } });
    check(&resources(before), &resources(after), &CompareOptions::default(), StackChange::Equivalent);
    let order = |ids: [&str; 2]| resources(json!({ "A": { "Type": "X", "DependsOn": ids } }));
    check(&order(["B", "C"]), &order(["C", "B"]), &CompareOptions::default(), StackChange::Equivalent);
}

#[test]
fn what_the_cdk_writes_for_itself_counts_only_if_asked_for() {
    let of = |version: &str| {
        json!({
            "Resources": {
                "Q": { "Type": "AWS::SQS::Queue", "Metadata": { "aws:cdk:path": version } },
                "CDKMetadata": { "Type": "AWS::CDK::Metadata", "Properties": { "Analytics": version } },
            },
            "Conditions": { "CDKMetadataAvailable": { "Fn::Equals": [version, "x"] } },
            "Rules": { "CheckBootstrapVersion": { "Assertions": [version] } },
        })
    };
    check(&of("a"), &of("b"), &CompareOptions::default(), StackChange::Equivalent);
    let strict = CompareOptions { strict: true, ..CompareOptions::default() };
    check(&of("a"), &of("b"), &strict, StackChange::Changed);
}

#[test]
fn characters_outside_of_ascii_are_compared_as_cloudformation_stores_them() {
    let of =
        |text: &str| resources(json!({ "Q": { "Type": "AWS::SQS::Queue", "Properties": { "T": text } } }));
    let deployed = CompareOptions { is_deployed: true, ..CompareOptions::default() };
    check(&of("Gr??e"), &of("Größe"), &deployed, StackChange::Unchanged);
    check(&of("Gr??e"), &of("Größe"), &CompareOptions::default(), StackChange::Changed);
    check(&of("Gr??e"), &of("Gr\u{f6}\u{df}en"), &deployed, StackChange::Changed);
}

#[test]
fn times_of_synthesis_can_be_ignored() {
    let of = |time: &str| resources(json!({ "Q": { "Type": "X", "Properties": { "At": time } } }));
    let (before, after) = (of("2026-01-01T00:00:00.000Z"), of("2026-02-01T00:00:00.000Z"));
    let options = CompareOptions { ignore_times: true, ..CompareOptions::default() };
    check(&before, &after, &options, StackChange::Unchanged);
    check(&before, &after, &CompareOptions::default(), StackChange::Changed);
}
