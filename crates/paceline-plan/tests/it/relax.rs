//! Edges of which the team says that less is enough.

use std::collections::BTreeSet;

use paceline_plan::Plan;
use serde_json::json;

use crate::build::{App, exports, holds, resources, warnings, writes};

fn reads() -> App {
    App::pair(writes(json!("/app/x")), holds(json!("{{resolve:ssm:/app/x:2}}")))
}

/// What the consumer waits for, with the resources that are enough.
fn waits(plan: &Plan) -> Vec<String> {
    let step = plan.steps.iter().find(|step| step.id == "deploy:Consumer").unwrap();
    let need = |&need: &usize| {
        let early = step.early_needs.iter().find(|early| early.need == need);
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
    for (config, why) in [(UNTIL, "only a parameter or a repository"), (RELAX, "only a parameter whose name")]
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
    let undone = "`edges` says that `Consumer` need not wait for all of `Producer`, but it does because of other edges \
                  (config): `paceline explain Consumer Producer` shows why";
    for less in [UNTIL, RELAX] {
        let alone = reads().config(less);
        assert_eq!(warnings(&alone.plan()), [""; 0]);
        assert!(alone.plan().relaxed.iter().all(|it| !it.without_effect));
        let config = less.replace("edges: [", "edges:\n  - ").replace("}]", "}") + declared;
        let app = reads().config(&config);
        let plan = app.plan();
        assert_eq!(warnings(&plan), [undone]);
        assert!(plan.relaxed.iter().all(|it| it.without_effect));
        let plan = app.options(|options| options.present = present.clone()).plan();
        assert_eq!(warnings(&plan), [undone]);
        assert_eq!(waits(&plan), ["deploy:Producer"]);
    }
}

/// For one release the manifest puts the stack that makes a parameter after the one that reads it.
fn turned_around() -> App {
    App::default().artifact("Base", json!({ "dependencies": ["Infra"] }), writes(json!("/app/pool"))).stack(
        "Infra",
        "us-east-1",
        holds(json!("{{resolve:ssm:/app/pool}}")),
    )
}

#[test]
fn a_circle_names_the_ways_out_and_each_of_them_is_one() {
    let refused = turned_around().refused();
    let lines: Vec<&str> = refused.lines().filter(|line| line.trim_start().starts_with("- {")).collect();
    let [of_manifest, of_parameter] = lines.as_slice() else { panic!("{refused}") };
    assert!(
        of_manifest.contains("from: Base, to: Infra, reason: manifest, relax: when-present"),
        "{refused}"
    );
    assert!(of_parameter.contains("from: Infra, to: Base, relax: when-present"), "{refused}");
    for (line, expected) in [
        (of_manifest, "Infra -> Base ssm: reads the parameter /app/pool (Infra: R.Properties.Value)"),
        (of_parameter, "Base -> Infra manifest: declared in the assembly's manifest"),
    ] {
        turned_around().config(&format!("edges:\n{line}\n")).check_edges(&[expected]);
    }
}

#[test]
fn what_has_to_be_there_for_an_order_that_is_given_up_is_told() {
    let config = "edges: [{ from: Infra, to: Base, relax: when-present, because: it is there since spring }]";
    let app = turned_around().config(config);
    let plan = app.plan();
    let [relaxed] = plan.relaxed.as_slice() else { panic!("{:?}", plan.relaxed) };
    assert!(relaxed.dropped && relaxed.forced);
    let text = paceline_plan::show::text(
        &plan,
        &crate::build::forecast(),
        &paceline_plan::show::TextOptions::default(),
    );
    let told = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let expected = "Infra does not wait for Base, so these have to be there before the run: /app/pool (it is there since spring)";
    assert!(told.contains(expected), "{text}");

    let present = BTreeSet::from([("Infra".to_owned(), "Base".to_owned())]);
    let plan = app.options(|options| options.present = present).plan();
    assert!(plan.relaxed[0].dropped && !plan.relaxed[0].forced);
}

#[test]
fn the_order_of_the_manifest_is_given_up_before_one_that_a_parameter_needs() {
    let config = "
edges:
  - { from: Infra, to: Base, relax: when-present, because: it is there }
  - { from: Base, to: Infra, reason: manifest, relax: when-present, because: of no use }
";
    let plan = turned_around().config(config).plan();
    let given_up: Vec<(&str, bool)> = plan.relaxed.iter().map(|it| (it.from.as_str(), it.dropped)).collect();
    assert_eq!(given_up, [("Infra", false), ("Base", true)]);
}

#[test]
fn an_order_of_the_manifest_is_kept_until_the_stack_is_there() {
    let config = "edges: [{ from: B, to: A, reason: manifest, relax: when-present, because: it calls it }]";
    let app =
        || App::default().stack("A", "us-east-1", resources(json!({}))).after("B", &["A"]).config(config);
    app().check_edges(&["B -> A manifest: declared in the assembly's manifest"]);
    assert_eq!(app().plan().relaxed[0].parameters, []);
    let present = BTreeSet::from([("B".to_owned(), "A".to_owned())]);
    app().options(|options| options.present = present).check_edges(&[]);
    let not_named = app().config(&config.replace("reason: manifest, ", "")).refused();
    assert!(not_named.contains("no template shows that `B` waits for `A`"), "{not_named}");
    let until = app().config(&config.replace("relax: when-present", "until: resource")).refused();
    assert!(until.contains("only a parameter or a repository"), "{until}");
}

#[test]
fn a_circle_that_nothing_can_be_given_up_of_says_to_break_it_in_the_app() {
    let import = |name: &str, export: &str| {
        let mut template = exports(json!(export));
        template["Resources"]["R"] =
            json!({ "Type": "Custom::R", "Properties": { "Value": { "Fn::ImportValue": name } } });
        template
    };
    let app = App::pair(import("y", "x"), import("x", "y"));
    assert!(app.refused().ends_with("hint: break one of these dependencies in the app"), "{}", app.refused());
}

#[test]
fn an_order_that_contradicts_the_phases_is_given_up_when_it_is_relaxed() {
    let phases = "\nphases: [{ name: first, stacks: [Consumer] }, { name: second, stacks: [Producer] }]\n";
    assert!(reads().config(phases).refused().contains("phase `first` comes before phase `second`"));
    let plan = reads().config(&format!("{RELAX}{phases}")).plan();
    assert!(plan.relaxed[0].forced);
    assert_eq!(waits(&plan), [""; 0]);
}
