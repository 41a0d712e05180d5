//! Phases: checked against the graph, and turned into edges where they order work.

use paceline_config::Strategy;
use serde_json::{Value, json};

use crate::build::{App, edges, empty, exports, holds, ids, warnings, writes};

/// Three stacks without edges.
fn three() -> App {
    ["A", "B", "C"].into_iter().fold(App::default(), |app, id| app.stack(id, "us-east-1", empty()))
}

#[test]
fn a_contradiction_names_both_stacks_and_the_edge() {
    let app = App::pair(exports(json!("x")), holds(json!({ "Fn::ImportValue": "x" })))
        .config("phases: [{ name: one, stacks: [Consumer] }, { name: two, stacks: [Producer] }]");
    insta::assert_snapshot!(app.refused(), @"
    phase `one` comes before phase `two`, but its stack `Consumer` waits for `Producer`: import: imports x (Consumer: R.Properties.Value)
    hint: move `Consumer` to phase `two` or to a later one
    ");
}

#[test]
fn an_unknown_stack_is_said_with_its_place_and_a_suggestion() {
    let app = three().stack("Services", "us-east-1", empty());
    insta::assert_snapshot!(app.config("phases:\n  - name: p\n    stacks: [A, Servcies]\n").refused(), @"
    paceline.yaml:3:17: phase `p`: no stack is called `Servcies`
    hint: did you mean `Services`?
    ");
    insta::assert_snapshot!(three().config("phases: [{ name: p, stacks: ['Net*'] }]").refused(), @"
    paceline.yaml:1:30: phase `p`: no stack is called `Net*`
    hint: `paceline plan` lists the stacks of the assembly
    ");
    insta::assert_snapshot!(three().config("phases: [{ name: p, stacks: ['[A'] }]").refused(), @"
    paceline.yaml:1:30: phase `p`: `[A` is not a pattern: unclosed character class; missing ']'
    hint: use `*` for any text and `?` for any character
    ");
}

#[test]
fn a_sequential_phase_keeps_its_order() {
    three()
        .config("phases: [{ name: p, sequential: true, stacks: [C, A, B] }]")
        .check_edges(&["A -> C phase: phase `p` is sequential", "B -> A phase: phase `p` is sequential"]);
}

#[test]
fn a_sequential_phase_gives_way_to_the_graph() {
    let app = three().stack("D", "us-east-1", empty()).config(
        "phases: [{ name: p, sequential: true, stacks: [A, B, C] }]
edges: [{ from: A, to: D, because: x }, { from: D, to: C, because: x }]",
    );
    // A waits for C through a stack of no phase.
    assert_eq!(
        edges(&app.plan()),
        [
            "C -> B phase: phase `p` is sequential",
            "D -> C config: x",
            "A -> C phase: phase `p` is sequential",
            "A -> D config: x",
        ]
    );
}

#[test]
fn phases_without_barriers_order_nothing() {
    let app = three().config("phases: [{ name: p, stacks: [C] }, { name: q, stacks: [A, B] }]");
    app.check_edges(&[]);
    assert_eq!(app.plan().stacks[0].phase.as_deref(), Some("q"));
}

#[test]
fn a_barrier_waits_for_what_ends_the_phases_before() {
    let app = three().config(
        "phases: [{ name: p, stacks: [A, B] }, { name: q, barrier: true, stacks: [C] }]
edges: [{ from: B, to: A, because: x }]",
    );
    app.check_edges(&["B -> A config: x", "C -> B phase: phase `q` waits for phase `p`"]);
}

#[test]
fn the_strategy_makes_every_phase_a_barrier() {
    let config = "phases: [{ name: p, stacks: [C] }, { name: q, stacks: [B] }, { name: r, stacks: [A] }]";
    let expected =
        ["B -> C phase: phase `q` waits for phase `p`", "A -> B phase: phase `r` waits for phase `q`"];
    three().config(&format!("strategy: phases\n{config}")).check_edges(&expected);
    let app = three().config(config).options(|options| options.strategy = Some(Strategy::Phases));
    app.check_edges(&expected);
    assert_eq!(app.plan().strategy, Strategy::Phases);
    assert!(app.plan().phases.iter().all(|phase| phase.barrier));
}

#[test]
fn a_phase_whose_stacks_are_left_out_passes_the_barrier_on() {
    three()
        .config("strategy: phases\nphases: [{ name: p, stacks: [A] }, { name: q, stacks: [B] }, { name: r, stacks: [C] }]")
        .options(|options| options.exclude = vec!["B".into()])
        .check_edges(&["C -> A phase: phase `r` waits for phase `p`"]);
}

#[test]
fn a_stack_is_in_the_first_phase_that_names_it() {
    let plan = three().config("phases: [{ name: p, stacks: [B] }, { name: q, stacks: ['*'] }]").plan();
    assert_eq!(plan.phases[0].stacks, ["B"]);
    assert_eq!(plan.phases[1].stacks, ["A", "C"]);
}

#[test]
fn a_circle_through_a_barrier_is_shown_with_its_reasons() {
    let app = three().config(
        "phases: [{ name: p, stacks: [A] }, { name: q, barrier: true, stacks: [B] }]
edges: [{ from: A, to: C, because: one }, { from: C, to: B, because: two }]",
    );
    insta::assert_snapshot!(app.refused(), @"
    these stacks wait for each other in a circle:
      A waits for C (config: one)
      C waits for B (config: two)
      B waits for A (phase: phase `q` waits for phase `p`)
    hint: remove one of the edges that paceline.yaml adds
    ");
}

#[test]
fn a_circle_in_the_app_is_shown_with_its_reasons() {
    let mut a = exports(json!("a"));
    a["Resources"] = holds(json!({ "Fn::ImportValue": "b" }))["Resources"].clone();
    let mut b = exports(json!("b"));
    b["Resources"] = holds(json!({ "Fn::ImportValue": "a" }))["Resources"].clone();
    let app = App::default().stack("A", "us-east-1", a).stack("B", "us-east-1", b);
    insta::assert_snapshot!(app.refused(), @"
    these stacks wait for each other in a circle:
      A waits for B (import: imports b (A: R.Properties.Value))
      B waits for A (import: imports a (B: R.Properties.Value))
    hint: break one of these dependencies in the app
    ");
}

#[test]
fn a_stack_that_waits_for_itself_is_a_circle() {
    let app = three().config("edges: [{ from: A, to: A, because: x }]");
    assert!(
        app.refused()
            .starts_with("these stacks wait for each other in a circle:\n  A waits for A (config: x)")
    );
}

#[test]
fn an_edge_between_patterns_must_mean_one_stack() {
    let app = three().config("edges: [{ from: 'A*', to: '?', because: x }]");
    insta::assert_snapshot!(app.refused(), @"
    paceline.yaml:1:27: edges[0]: `?` means more than one stack: A, B, C
    hint: write the id of one stack
    ");
    assert_eq!(ids(&three().config("edges: [{ from: 'A*', to: B, because: x }]").plan()), ["B", "A", "C"]);
}

#[test]
fn an_id_goes_before_a_name() {
    let named = json!({ "environment": "aws://111111111111/us-west-2", "properties": { "stackName": "A" } });
    let app = three().artifact("Other", named, empty()).config("phases: [{ name: p, stacks: [A] }]");
    assert_eq!(app.plan().phases[0].stacks, ["A"]);
}

/// The template with a database, which takes minutes.
fn slow(mut template: Value) -> Value {
    template["Resources"]["Database"] = json!({ "Type": "AWS::RDS::DBInstance" });
    template
}

/// Two slow stacks of which one reads a parameter of the other.
fn side_by_side() -> App {
    App::pair(slow(writes(json!("/app/x"))), slow(holds(json!("{{resolve:ssm:/app/x}}"))))
}

const TOGETHER: &str = "phases: [{ name: p, stacks: [Producer, Consumer] }]\n";

#[test]
fn two_long_stacks_of_one_phase_that_wait_for_each_other_are_told_with_what_it_costs() {
    insta::assert_snapshot!(warnings(&side_by_side().config(TOGETHER).plan()).join("\n"), @"phase `p` deploys `Consumer` after `Producer` and not at the same time (ssm), which takes up to 10 min 7 s longer; a fresh account needs that order, and for a redeployment `relax: when-present` at an edge in `edges:` lets both start at once");
    let imports = App::pair(slow(exports(json!("x"))), slow(holds(json!({ "Fn::ImportValue": "x" }))));
    insta::assert_snapshot!(warnings(&imports.config(TOGETHER).plan()).join("\n"), @"phase `p` deploys `Consumer` after `Producer` and not at the same time (import), which takes up to 10 min 7 s longer");
}

#[test]
fn nothing_is_told_of_an_order_that_the_team_knows_of() {
    let sequential = "phases: [{ name: p, sequential: true, stacks: [Producer, Consumer] }]";
    let relaxed = format!(
        "{TOGETHER}edges: [{{ from: Consumer, to: Producer, relax: when-present, because: it is there }}]"
    );
    let apart = "phases: [{ name: p, stacks: [Producer] }, { name: q, stacks: [Consumer] }]";
    for config in [sequential, &relaxed, apart, ""] {
        assert_eq!(warnings(&side_by_side().config(config).plan()), [""; 0], "{config}");
    }
    let declared = format!("{TOGETHER}edges: [{{ from: B, to: A, because: x }}]");
    let declared = declared.replace("Producer, Consumer", "A, B");
    assert_eq!(warnings(&three().config(&declared).plan()), [""; 0]);
}

#[test]
fn nothing_is_told_of_a_wait_that_is_short_beside_the_whole() {
    let app = ["A", "B", "C"].into_iter().fold(side_by_side(), |app, id| {
        let template = json!({ "Resources": { "R": { "Type": "AWS::RDS::DBInstance" } } });
        app.stack(id, "us-east-1", template)
    });
    let edges = "edges: [{ from: Producer, to: A, because: x }, { from: A, to: B, because: x },
        { from: B, to: C, because: x }]";
    assert_eq!(warnings(&app.config(&format!("{TOGETHER}{edges}")).plan()), [""; 0]);
    let short = App::pair(writes(json!("/app/x")), holds(json!("{{resolve:ssm:/app/x}}")));
    assert_eq!(warnings(&short.config(TOGETHER).plan()), [""; 0]);
}
