//! What earlier runs took, and how that becomes the durations of a plan.

use std::sync::Arc;
use std::time::Duration;

use paceline_plan::Plan;
use paceline_plan::StepOperation;
use paceline_plan::durations::ResourceOperation;
use paceline_plan::forecast::Basis;
use paceline_plan::history::{
    ELSEWHERE, Entry, History, HistoryKind, ResourceOf, ResourceTime, SCHEMA, Site, UsualBasis, account_key,
    resources_to_keep,
};
use paceline_plan::show::{TextOptions, text};
use serde_json::json;

use crate::build::{ACCOUNT, App, empty, forecast, resources};

const ID: &str = "A";

/// A line about the stack `A`, of a run of its own.
fn entry(run: u32, operation: StepOperation, seconds: f64) -> Entry {
    Entry {
        schema: SCHEMA,
        run: format!("run-{run}"),
        step: format!("deploy:{ID}"),
        at: format!("2026-01-01T00:{:02}:{:02}.000Z", run / 60, run % 60),
        kind: HistoryKind::Stack,
        name: ID.to_owned(),
        account: None,
        region: Some("us-east-1".to_owned()),
        operation,
        content: None,
        endpoint: None,
        seconds,
        resources: Vec::new(),
    }
}

fn history(entries: impl IntoIterator<Item = Entry>) -> History {
    let lines: Vec<String> = entries.into_iter().map(|entry| entry.line()).collect();
    History::parse(&lines.join("\n"))
}

fn plan(history: History) -> Plan {
    App::default()
        .stack(ID, "us-east-1", empty())
        .options(|options| options.history = Arc::new(history))
        .plan()
}

#[track_caller]
fn check(history: History, operation: StepOperation, expected: Option<(f64, usize)>) {
    let stack = &plan(history).stacks[0];
    let median = match stack.expected_from {
        Basis::History(samples) | Basis::Unchanged { samples: samples @ 1.., .. } => {
            Some((stack.expected.as_secs_f64(), samples))
        }
        _ => None,
    };
    assert_eq!((stack.operation, median), (operation, expected));
}

#[test]
fn accounts_are_told_apart_and_lines_that_do_not_tell_them_count_where_there_are_no_others() {
    let of = |run, account: Option<&str>, seconds| Entry {
        account: account.map(account_key),
        ..entry(run, StepOperation::Update, seconds)
    };
    let (own, other, old) =
        (of(1, Some(ACCOUNT), 60.0), of(2, Some("222222222222"), 900.0), of(3, None, 300.0));
    check(history([own.clone(), other.clone(), old.clone()]), StepOperation::Update, Some((60.0, 1)));
    check(history([other.clone(), old.clone()]), StepOperation::Update, Some((300.0, 1)));
    check(history([other.clone()]), StepOperation::Create, None);
    assert!(!own.line().contains(ACCOUNT) && !other.line().contains("222222222222"));
    let lines = history([own, other, old]).bounded();
    assert_eq!(History::parse(&lines).len(), 3, "all of them stay");
}

#[test]
fn a_stack_that_was_never_deployed_is_created_as_the_table_says() {
    check(History::default(), StepOperation::Create, None);
}

#[test]
fn a_stack_that_was_created_is_updated_next_and_its_creation_says_nothing_about_that() {
    check(history([entry(1, StepOperation::Create, 300.0)]), StepOperation::Update, None);
}

#[test]
fn the_median_of_the_last_ten_of_the_same_operation_counts() {
    let odd = [50.0, 10.0, 20.0].into_iter().zip(2..).map(|(s, run)| entry(run, StepOperation::Update, s));
    let created = [entry(1, StepOperation::Create, 900.0)];
    check(history(created.into_iter().chain(odd)), StepOperation::Update, Some((20.0, 3)));
    let even = [10.0, 30.0].into_iter().zip(2..).map(|(s, run)| entry(run, StepOperation::Update, s));
    check(history(even), StepOperation::Update, Some((20.0, 2)));
    let many = (0..30).map(|run| entry(run, StepOperation::Update, if run < 20 { 1000.0 } else { 7.0 }));
    check(history(many), StepOperation::Update, Some((7.0, 10)));
}

#[test]
fn a_stack_that_is_created_in_every_run_is_created_in_the_next() {
    let created = (1..4).map(|run| entry(run, StepOperation::Create, f64::from(run * 100)));
    check(history(created), StepOperation::Create, Some((200.0, 3)));
    let deleted = [entry(1, StepOperation::Create, 300.0), entry(2, StepOperation::Delete, 60.0)];
    check(history(deleted), StepOperation::Create, Some((300.0, 1)));
}

#[test]
fn a_stack_whose_template_was_deployed_last_is_unchanged_next() {
    let template = paceline_plan::history::short(&plan(History::default()).stacks[0].template);
    let with = |content: &str| {
        let unchanged = entry(1, StepOperation::Unchanged, 2.0);
        let updated = Entry { content: Some(content.to_owned()), ..entry(2, StepOperation::Update, 90.0) };
        history([unchanged, updated])
    };
    check(with(&template), StepOperation::Unchanged, Some((2.0, 1)));
    check(with("another"), StepOperation::Update, Some((90.0, 1)));
}

#[test]
fn another_region_is_another_stack() {
    let there = Entry { region: Some("eu-west-1".to_owned()), ..entry(1, StepOperation::Update, 5.0) };
    check(history([there]), StepOperation::Create, None);
}

#[test]
fn the_union_of_two_branches_is_a_history_whatever_the_order_of_its_lines() {
    let line = |run, seconds| format!("{}\n", entry(run, StepOperation::Update, seconds).line());
    let (base, ours, theirs) = (line(1, 10.0), line(2, 20.0), line(3, 90.0));
    let merged = History::parse(&format!("{base}{ours}{base}{theirs}"));
    assert_eq!(merged, History::parse(&format!("{theirs}{ours}{base}")));
    assert_eq!(merged.len(), 3);
    assert_eq!(merged.bounded(), format!("{base}{ours}{theirs}"));
    check(merged, StepOperation::Update, Some((20.0, 3)));
}

#[test]
fn lines_that_cannot_be_read_are_passed_over_with_one_warning() {
    let good = entry(1, StepOperation::Update, 10.0).line();
    let of_tomorrow = good.replace("\"schema\":1", "\"schema\":2");
    let [negative, vague] =
        [("10.0", "-1.0"), ("2026-01-01T", "yesterday ")].map(|(a, b)| good.replace(a, b));
    let cut = &good[..good.len() / 2];
    let text = format!("\n<<<<<<< ours\r\n{good}\r\n{of_tomorrow}\n{negative}\n{vague}\n\u{0}\nnull\n{cut}");
    let history = History::parse(&text);
    assert_eq!(history.len(), 1);
    assert_eq!(
        history.warning("history.jsonl").unwrap(),
        "history.jsonl: lines 2, 4, 5, 6, 7 and 2 more are not read: damaged, or of another version of Paceline"
    );
    assert_eq!(History::parse(&good).warning("history.jsonl"), None);
}

#[test]
fn what_is_rewritten_has_the_last_ten_of_each_operation() {
    let entries = (0..40).map(|run| {
        let operation = if run % 2 == 0 { StepOperation::Update } else { StepOperation::Unchanged };
        entry(run, operation, f64::from(run))
    });
    let history = history(entries);
    let bounded = History::parse(&history.bounded());
    assert_eq!(bounded.len(), 20);
    assert_eq!(bounded.bounded(), history.bounded());
    assert_eq!(plan(bounded).stacks[0].expected, plan(history).stacks[0].expected);
}

#[test]
fn a_stack_of_mostly_unknown_types_says_that_little_is_known() {
    let kinds = |unknown: usize| {
        let named = |n: usize| if n < unknown { "AWS::Nowhere::Thing" } else { "AWS::SNS::Topic" };
        let resource = |n| (format!("R{n}"), json!({ "Type": named(n) }));
        let all: serde_json::Map<_, _> = (0..4).map(resource).collect();
        let plan = App::default().stack(ID, "us-east-1", resources(all.into())).plan();
        plan.stacks[0].expected_from.to_string()
    };
    assert_eq!([kinds(0), kinds(2), kinds(3)], ["table", "table", "default"]);
}

#[test]
fn an_asset_is_expected_to_take_as_long_as_its_last_versions_unless_it_is_there() {
    let manifest = json!({ "version": "36.0.0", "dockerImages": { "new-digest": {
        "displayName": "web/image",
        "source": { "directory": "web" },
        "destinations": { "here": { "repositoryName": "r", "imageTag": "t", "region": "us-east-1" } },
    } } });
    let plan = |content: &str| {
        let image = Entry {
            kind: HistoryKind::Image,
            name: "web/image".to_owned(),
            step: "publish:x".to_owned(),
            content: Some(content.to_owned()),
            ..entry(1, StepOperation::Done, 400.0)
        };
        App::default()
            .after(ID, &["A.assets"])
            .asset_manifest("A.assets", manifest.clone())
            .options(|options| options.history = Arc::new(history([image])))
            .plan()
    };
    let step = |content: &str| plan(content).steps[0].clone();
    assert_eq!(step("old-digest").expected, Duration::from_secs(400));
    assert_eq!(step("old-digest").expected_from, Basis::History(1));
    assert!(step("new-digest").expected < Duration::from_secs(5), "it is there");
}

#[test]
fn what_runs_took_elsewhere_says_nothing_of_aws_and_the_other_way_round() {
    let simulator = Some("http://127.0.0.1:4566".to_owned());
    let there = |run, seconds| Entry {
        schema: ELSEWHERE,
        endpoint: simulator.clone(),
        ..entry(run, StepOperation::Update, seconds)
    };
    let entries = || [there(1, 1.0), entry(2, StepOperation::Update, 400.0), there(3, 3.0)];
    check(history(entries()), StepOperation::Update, Some((400.0, 1)));
    check(history(entries()).at(simulator.clone()), StepOperation::Update, Some((2.0, 2)));
    check(history(entries()).at(Some("http://elsewhere".to_owned())), StepOperation::Create, None);
    // A version that does not know of endpoints passes these lines over, by their schema.
    assert!(there(1, 1.0).line().contains("\"schema\":2"));
    let disguised = there(1, 1.0).line().replace("\"schema\":2", "\"schema\":1");
    assert_eq!(History::parse(&disguised).len(), 0);
}

#[test]
fn an_unchanged_stack_says_since_when() {
    let template = paceline_plan::history::short(&plan(History::default()).stacks[0].template);
    let on = |day: u32, operation, content: &str| Entry {
        at: format!("2026-01-{day:02}T00:00:00.000Z"),
        content: Some(content.to_owned()),
        ..entry(day, operation, 2.0)
    };
    let shown = |entries: Vec<Entry>, width| {
        let plan = plan(history(entries));
        let options = TextOptions { color: false, width };
        (plan.stacks[0].expected_from.to_string(), text(&plan, &forecast(), &options))
    };
    let deployed = || vec![on(3, StepOperation::Create, "old"), on(5, StepOperation::Update, &template)];
    for looks in [vec![], vec![on(8, StepOperation::Unchanged, &template)]] {
        for width in [80, 120] {
            let (from, text) = shown([deployed(), looks.clone()].concat(), width);
            assert_eq!(from, "unchanged since 2026-01-05");
            assert!(text.contains("unchanged since 2026-01-05"), "{text}");
            assert!(text.contains("Durations: unchanged, only looked at"), "{text}");
            assert!(text.lines().all(|line| line.chars().count() <= width), "{text}");
        }
    }
    // That of an update whose run left no history.
    let (from, _) =
        shown(vec![on(3, StepOperation::Create, "old"), on(8, StepOperation::Unchanged, &template)], 80);
    assert_eq!(from, "unchanged since 2026-01-08");
}

/// A line about the stack `A` whose service took so long.
fn with_service(run: u32, logical_id: &str, seconds: f64) -> Entry {
    let (logical_id, resource_type) = (logical_id.to_owned(), SERVICE.to_owned());
    let time = ResourceTime { logical_id, resource_type, operation: ResourceOperation::Update, seconds };
    Entry { resources: vec![time], ..entry(run, StepOperation::Update, seconds + 20.0) }
}

const SERVICE: &str = "AWS::ECS::Service";

fn resource<'a>(stack: &'a str, logical_id: &'a str) -> ResourceOf<'a> {
    let site = Site { account: Some(ACCOUNT), region: Some("us-east-1") };
    ResourceOf { stack, site, logical_id, resource_type: SERVICE }
}

fn usual(history: &History, stack: &str, logical_id: &str) -> (f64, UsualBasis) {
    let usual = history.usual(resource(stack, logical_id), ResourceOperation::Update);
    (usual.time.as_secs_f64(), usual.basis)
}

#[test]
fn the_usual_time_of_a_resource_is_the_90th_percentile_of_its_earlier_runs() {
    let times = [100.0, 110.0, 120.0, 130.0, 140.0, 150.0, 160.0, 170.0, 900.0, 180.0];
    let of = |(run, seconds): (u32, &f64)| with_service(run, "Service", *seconds);
    let ten = history((1..).zip(&times).map(of));
    assert_eq!(usual(&ten, ID, "Service"), (180.0, UsualBasis::Resource(10)));
    // An eleventh run replaces the first of the ten.
    let mut eleven = ten.clone();
    eleven.extend([with_service(11, "Service", 1000.0)]);
    assert_eq!(usual(&eleven, ID, "Service"), (900.0, UsualBasis::Resource(10)));
}

#[test]
fn too_few_times_of_a_resource_make_those_of_its_type_count_and_else_the_table() {
    let two = [with_service(1, "Service", 200.0), with_service(2, "Service", 210.0)];
    let table = usual(&history([]), ID, "Service");
    assert_eq!(table.1, UsualBasis::Table);
    assert_eq!(usual(&history(two.clone()), ID, "Service"), table);
    let three = history(two.into_iter().chain([with_service(3, "Other", 700.0)]));
    assert_eq!(usual(&three, ID, "Service"), (700.0, UsualBasis::Type(3)));
    assert_eq!(usual(&three, "Unknown", "Service"), (700.0, UsualBasis::Type(3)));
    // Creations say nothing about updates, nor does another endpoint.
    let create = three.usual(resource(ID, "Service"), ResourceOperation::Create);
    assert_eq!(create.basis, UsualBasis::Table);
    assert_eq!(usual(&three.at(Some("http://localhost".to_owned())), ID, "Service"), table);
}

#[test]
fn a_resource_is_stuck_after_three_times_its_usual_time_and_never_before_five_minutes() {
    let of = |seconds: f64| {
        let history = history((1..4).map(|run| with_service(run, "Service", seconds)));
        move |taken| {
            let taken = Duration::from_secs(taken);
            history.exceeded(resource(ID, "Service"), ResourceOperation::Update, taken).is_some()
        }
    };
    let (slow, fast) = (of(200.0), of(20.0));
    assert_eq!((slow(599), slow(600)), (false, true));
    assert_eq!((fast(299), fast(300)), (false, true));
}

#[test]
fn a_line_has_at_most_twenty_resources_and_only_slow_ones() {
    let time = |number: u32, resource_type: &str, seconds: f64| ResourceTime {
        logical_id: format!("R{number:02}"),
        resource_type: resource_type.to_owned(),
        operation: ResourceOperation::Create,
        seconds,
    };
    let slow = (0..30).map(|number| time(number, "AWS::X::Y", 200.0 + f64::from(number)));
    // A database is slow by the table, even if it was fast this time.
    let others = [time(98, "AWS::SNS::Topic", 3.0), time(99, "AWS::RDS::DBInstance", 30.0)];
    let kept_of = |times: Vec<ResourceTime>| -> Vec<String> {
        resources_to_keep(times).into_iter().map(|time| time.logical_id).collect()
    };
    assert_eq!(kept_of(others.to_vec()), ["R99"]);
    let of_all = kept_of(slow.chain(others).collect());
    assert_eq!((of_all.len(), of_all.first().unwrap().as_str()), (20, "R10"));
}

#[test]
fn lines_with_and_without_resources_merge_in_any_order() {
    let new = with_service(1, "Service", 200.0);
    let old = Entry { resources: Vec::new(), ..new.clone() };
    // The line as it was before resources were kept.
    assert!(!old.line().contains("resources"));
    assert_eq!(history([old.clone(), new.clone()]), history([new.clone(), old]));
    let read = history([new.clone()]);
    assert_eq!(read.runs().into_values().next().unwrap(), [&new]);
    assert!(new.line().ends_with(r#""resources":[["Service","AWS::ECS::Service","update",200.0]]}"#));
    let spoiled = new.line().replace("200.0]", "-1]");
    assert_eq!(History::parse(&spoiled).len(), 0);
}
