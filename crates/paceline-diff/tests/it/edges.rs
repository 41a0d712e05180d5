//! Edges that are new or gone.

use paceline_diff::{EdgeChanges, edge_changes};
use serde_json::{Value, json};

use crate::app::{assembly, plan, resources};

fn app(reads: &[&str]) -> paceline_plan::Plan {
    let parameter =
        json!({ "Type": "AWS::SSM::Parameter", "Properties": { "Name": "/shop/table", "Value": "v" } });
    let queues = reads.iter().enumerate().map(|(number, text)| {
        (format!("Q{number}"), json!({ "Type": "AWS::SQS::Queue", "Properties": { "KmsMasterKeyId": text } }))
    });
    plan(&assembly(&[
        ("Storage", resources(json!({ "P": parameter }))),
        ("Api", resources(Value::Object(queues.collect()))),
    ]))
}

#[test]
fn the_first_edge_between_two_stacks_is_gained_and_the_last_one_lost() {
    let (none, one, two) = (
        app(&["x"]),
        app(&["{{resolve:ssm:/shop/table}}"]),
        app(&["{{resolve:ssm:/shop/table}}", "{{resolve:ssm:/shop/table:1}}"]),
    );
    let changes = edge_changes(&none, &one);
    assert!(changes.lost.is_empty());
    let gained = &changes.gained[0];
    assert_eq!(
        (gained.from.as_str(), gained.to.as_str(), gained.reasons.as_slice()),
        ("Api", "Storage", &["ssm".to_owned()][..])
    );
    assert_eq!(gained.detail, "reads the parameter /shop/table (Api: Q0.Properties.KmsMasterKeyId)");
    assert_eq!(edge_changes(&one, &none).lost, changes.gained);
    assert_eq!(edge_changes(&one, &two), EdgeChanges::default());
}
