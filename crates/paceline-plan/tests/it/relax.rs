//! Edges of which the team says that less is enough.

use std::collections::BTreeSet;

use paceline_plan::Plan;
use serde_json::json;

use crate::build::{App, exports, holds, resources, writes};

fn reads() -> App {
    App::pair(writes(json!("/app/x")), holds(json!("{{resolve:ssm:/app/x:2}}")))
}

/// What the consumer waits for, with the resources that are enough.
fn waits(plan: &Plan) -> Vec<String> {
    let step = plan.steps.iter().find(|step| step.id == "deploy:Consumer").unwrap();
    let need = |&need: &usize| {
        let early = step.early.iter().find(|early| early.need == need);
        let until = early.map_or_else(String::new, |early| format!(" until {:?}", early.resources));
        format!("{}{until}", plan.steps[need].id)
    };
    step.needs.iter().map(need).collect()
}

const UNTIL: &str = "edges: [{ from: Consumer, to: Producer, until: resource, because: it is enough }]";
const RELAX: &str = "edges: [{ from: Consumer, to: Producer, relax: when-present, because: it is there }]";

#[test]
fn a_stack_can_wait_for_the_parameter_alone() {
    assert_eq!(waits(&reads().plan()), ["deploy:Producer"]);
    assert_eq!(waits(&reads().config(UNTIL).plan()), ["deploy:Producer until {\"P\"}"]);
}

#[test]
fn another_edge_that_needs_the_whole_stack_counts() {
    let declared = "\n  - { from: Consumer, to: Producer, because: it calls it }";
    let config = UNTIL.replace("edges: [", "edges:\n  - ").replace("}]", "}") + declared;
    assert_eq!(waits(&reads().config(&config).plan()), ["deploy:Producer"]);
}

#[test]
fn a_gate_is_waited_for_all_the_same() {
    let mut producer = writes(json!("/app/x"));
    producer["Resources"]["Role"] = json!({ "Type": "AWS::IAM::Role" });
    let app = App::pair(producer, holds(json!("{{resolve:ssm:/app/x}}")));
    let config = format!("{UNTIL}\ngates: [{{ after: Producer, iam-roles: all }}]");
    assert_eq!(waits(&app.config(&config).plan()), ["gate:iam-roles:Producer"]);
}

#[test]
fn an_edge_is_dropped_when_all_it_is_for_is_present() {
    let app = reads().config(RELAX);
    let plan = app.plan();
    assert_eq!(waits(&plan), ["deploy:Producer"]);
    let [relaxed] = plan.relaxed.as_slice() else { panic!("{:?}", plan.relaxed) };
    assert!(!relaxed.dropped);
    let [parameter] = relaxed.parameters.as_slice() else { panic!("{relaxed:?}") };
    assert_eq!((parameter.name.as_str(), parameter.region.as_deref()), ("/app/x", Some("us-east-1")));

    let present = BTreeSet::from([("Consumer".to_owned(), "Producer".to_owned())]);
    let plan = app.options(|options| options.present = present).plan();
    assert_eq!(waits(&plan), [""; 0]);
    assert!(plan.relaxed[0].dropped);
}

#[test]
fn what_cannot_be_relaxed_is_refused_with_the_edge() {
    let imports = || App::pair(exports(json!("x")), holds(json!({ "Fn::ImportValue": "x" })));
    for (config, why) in
        [(UNTIL, "only a parameter or a repository"), (RELAX, "only a parameter of which the name")]
    {
        let refused = imports().config(config).refused();
        assert!(
            refused.starts_with("paceline.yaml:1:17: edges[0]: `Consumer` waits for `Producer`: import: "),
            "{refused}"
        );
        assert!(refused.contains(why), "{refused}");
    }
    let apart = App::pair(resources(json!({})), resources(json!({}))).config(RELAX).refused();
    assert!(apart.contains("no template shows that `Consumer` waits for `Producer`"), "{apart}");
    let other = reads().config(&RELAX.replace("relax:", "reason: import, relax:")).refused();
    assert!(other.contains("for reason import"), "{other}");
}

#[test]
fn what_another_edge_undoes_is_warned_of() {
    let declared = "\n  - { from: Consumer, to: Producer, because: it calls it }";
    let present = BTreeSet::from([("Consumer".to_owned(), "Producer".to_owned())]);
    let undone = "`edges` says that less than all of `Producer` is enough for `Consumer`, which waits for all of it \
                  all the same (config): `paceline explain Consumer Producer` shows why";
    for less in [UNTIL, RELAX] {
        let alone = reads().config(less);
        assert_eq!(alone.plan().warnings, [""; 0]);
        assert!(alone.plan().relaxed.iter().all(|it| !it.without_effect));
        let config = less.replace("edges: [", "edges:\n  - ").replace("}]", "}") + declared;
        let app = reads().config(&config);
        let plan = app.plan();
        assert_eq!(plan.warnings, [undone]);
        assert!(plan.relaxed.iter().all(|it| it.without_effect));
        let plan = app.options(|options| options.present = present.clone()).plan();
        assert_eq!(plan.warnings, [undone]);
        assert_eq!(waits(&plan), ["deploy:Producer"]);
    }
}
