//! Plans as people and programs see them, where the example app does not show it.

use paceline_plan::show::{self, TextOptions};
use paceline_text::Explained as _;
use serde_json::{Value, json};

use crate::build::{App, empty, exports, forecast, holds, writes};

fn text(app: &App) -> String {
    show::text(&app.plan(), &forecast(), &TextOptions::default())
}

fn chain() -> App {
    App::default()
        .stack("A", "us-east-1", empty())
        .after("B", &["A"])
        .after("C", &["B"])
        .after("D", &["A"])
        .after("E", &["C", "D"])
        .stack("Apart", "us-east-1", empty())
}

#[test]
fn without_phases_stacks_are_shown_by_level() {
    insta::assert_snapshot!(text(&chain()));
}

#[test]
fn what_is_unknown_is_null_in_json() {
    let plan = App::default().stack_in("A", "aws://unknown-account/unknown-region", empty()).plan();
    let json: Value = serde_json::from_str(&show::json(&plan, &forecast())).unwrap();
    let stack = &json["stacks"][0];
    assert_eq!([&stack["account"], &stack["region"], &stack["phase"]], [&Value::Null; 3]);
    assert_eq!(stack["id"], "A");
    assert_eq!(json["schema"], 1);
    let price = json!({
        "compute": "x-large", "per_minute": 0.1, "source": "published notes of 2026-11, us-east-1, Linux",
        "sequential": 10.0, "phased": 7.0, "graph": 5.0,
    });
    let forecast = json!({
        "sequential_s": 6000, "phased_s": 4200, "graph_s": 3000, "lower_bound_s": 2700,
        "made_by": "rehearsal", "price": price,
    });
    assert_eq!(json["forecast"], forecast);
}

#[test]
fn the_fields_of_the_contract_come_first() {
    let json = show::json(&chain().plan(), &forecast());
    let places: Vec<usize> = ["schema", "stacks", "critical_path", "forecast", "strategy"]
        .iter()
        .map(|key| json.find(&format!("\n  \"{key}\"")).unwrap())
        .collect();
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn remarks_are_shown() {
    let app = App::pair(
        writes(json!("/x")),
        holds(json!(["{{resolve:ssm:/y}}", { "Fn::ImportValue": "z" }])),
    )
    .stack("Second", "us-west-2", exports(json!("z")))
    .stack("Third", "us-west-2", empty())
    .config(
        "multi-region: { when: MULTI, primary: us-east-1 }\ngates: [{ after: Producer, iam-roles: all }]",
    );
    insta::assert_snapshot!(text(&app));
}

#[test]
fn many_stacks_are_folded() {
    let mut app = App::default();
    for number in 0..200 {
        let region = if number % 2 == 0 { "us-east-1" } else { "eu-central-1" };
        app = app.stack(&format!("Stage{}/Service{number}", number % 7), region, empty());
    }
    insta::assert_snapshot!(text(&app.config(
        "strategy: phases\nphases: [{ name: first, stacks: ['Stage0/*'] }, { name: second, stacks: ['*'] }]"
    )));
}

#[test]
fn the_stacks_of_a_barrier_are_told_as_one() {
    let mut app = App::default();
    for number in 0..5 {
        app = app.stack(&format!("S{number}"), "us-east-1", empty());
    }
    let app = app
        .stack("Last", "us-east-1", empty())
        .config("phases: [{ name: first, stacks: ['S*'] }, { name: last, barrier: true, stacks: [Last] }]");
    assert!(text(&app).contains("waits for 5 stacks of first (phase)"), "{}", text(&app));
}

#[test]
fn colours_change_nothing_but_colours() {
    let plan = chain().plan();
    let plain = text(&chain());
    let colored = show::text(&plan, &forecast(), &TextOptions { color: true, width: 80 });
    assert_ne!(colored, plain);
    let mut stripped = colored;
    for code in ["\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[33m"] {
        stripped = stripped.replace(code, "");
    }
    assert_eq!(stripped, plain);
}

#[test]
fn no_name_controls_a_terminal() {
    let consumer = holds(json!({ "Fn::ImportValue": "x\u{1b}[31m\ny" }));
    let app = App::default().stack("A", "us-east-1", consumer);
    assert!(!text(&app).contains('\u{1b}'));
    assert!(text(&app).contains("export x y"));
    let consumer = holds(json!({ "Fn::ImportValue": "x\u{1b}[31m\ny" }));
    let plan = App::pair(exports(json!("x\u{1b}[31m\ny")), consumer).plan();
    assert!(!show::explain(&plan, "Consumer", None).unwrap().contains('\u{1b}'));
}

#[test]
fn a_graph_has_one_arrow_for_two_stacks_and_escapes_their_ids() {
    let import = json!([{ "Fn::ImportValue": "x" }, { "Fn::ImportValue": "y" }]);
    let mut producer = exports(json!("x"));
    producer["Outputs"]["Y"] = json!({ "Value": "v", "Export": { "Name": "y" } });
    let app = App::default()
        .stack("Stage/One:\"a\"", "us-east-1", producer)
        .stack("Stage/Two", "us-east-1", holds(import))
        .config("edges: [{ from: Stage/Two, to: 'Stage/One:\"a\"', because: x }]");
    let plan = app.plan();
    insta::assert_snapshot!(show::mermaid(&plan));
    insta::assert_snapshot!(show::dot(&plan));
}

#[test]
fn explain_shows_the_shortest_chain_and_how_many_others_there_are() {
    let plan = chain().plan();
    let explain = |from, to| show::explain(&plan, from, to).unwrap();
    insta::assert_snapshot!(explain("E", Some("A")), @"
    E waits for A, through D

      E waits for D (manifest)
        manifest: declared in the assembly's manifest
        declared only: nothing in the two templates ties them

      D waits for A (manifest)
        manifest: declared in the assembly's manifest
        declared only: nothing in the two templates ties them

    1 other chain leads there too
    ");
    assert_eq!(explain("Apart", Some("A")), "Apart does not wait for A, nor A for Apart\n");
    assert_eq!(explain("A", Some("A")), "A is one stack and does not wait for itself\n");
    assert!(
        explain("A", Some("B"))
            .starts_with("A does not wait for B; it is B that waits for A:\n\nB waits for A\n")
    );
    assert!(explain("A", None).contains("waits for no other stack: it starts at once\n"));
    insta::assert_snapshot!(explain("E", None), @"
    E (us-east-1, about 16 s, table)
    waits for 2 stacks

      E waits for C (manifest)
        manifest: declared in the assembly's manifest
        declared only: nothing in the two templates ties them

      E waits for D (manifest)
        manifest: declared in the assembly's manifest
        declared only: nothing in the two templates ties them

    through these for 2 more: A, B
    ");
}

#[test]
fn explain_knows_names_and_what_is_left_out() {
    let app = chain().options(|options| options.exclude = vec!["Apart".into()]);
    let plan = app.plan();
    let error = show::explain(&plan, "BB", Some("A")).unwrap_err();
    assert_eq!(error.what(), "explain: no stack is called `BB`");
    assert_eq!(error.hint().unwrap(), "did you mean `B`?");
    let text = show::explain(&plan, "A", Some("Apart")).unwrap();
    assert_eq!(text, "Apart is left out: --exclude names it\n");
}

#[test]
fn accounts_are_shown_where_there_are_several() {
    let one = App::default().stack_in("A", "aws://111111111111/us-east-1", empty());
    assert!(!text(&one).contains("111111111111"));
    let both = text(&one.stack_in("B", "aws://222222222222/us-east-1", empty()));
    for part in ["2 accounts (111111111111, 222222222222)", "\n    in account 222222222222\n"] {
        assert!(both.split_whitespace().collect::<Vec<_>>().join(" ").contains(part.trim()), "{both}");
    }
}

#[test]
fn a_long_list_of_what_nobody_makes_is_folded() {
    let names: Vec<String> = (0..9).map(|n| format!("{{{{resolve:ssm:/foreign/{n}}}}}")).collect();
    let text = text(&App::default().stack("A", "us-east-1", holds(json!(names))));
    assert!(text.contains("parameter foreign/4") || text.contains("parameter /foreign/4"), "{text}");
    assert!(!text.contains("foreign/5") && text.contains("  and 4 more (--format json has all)"), "{text}");
}
