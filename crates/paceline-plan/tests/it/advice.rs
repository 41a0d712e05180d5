//! Advice: what each rule finds, and what it leaves alone.

use std::convert::Infallible;
use std::time::Duration;

use paceline_plan::StepOperation;
use paceline_plan::advice::{Advice, advise};
use paceline_plan::forecast::lower_bound;
use paceline_plan::history::{Entry, History, HistoryKind, SCHEMA};
use paceline_plan::{Plan, Work};
use serde_json::{Value, json};

use crate::build::{App, empty, resources};

/// Without the engine: the longest chain, or the work that the limits let be done at once.
#[expect(clippy::unnecessary_wraps, reason = "whoever makes schedules may fail")]
fn finish(plan: &Plan) -> Result<Duration, Infallible> {
    let work = |of: fn(&Work) -> bool, limit: usize| {
        let steps = plan.steps.iter().filter(|step| of(&step.work));
        steps.map(|step| step.expected).sum::<Duration>() / u32::try_from(limit).unwrap()
    };
    let stacks = work(|it| matches!(it, Work::Deploy { .. }), plan.concurrency.stacks.get());
    let images = work(|it| matches!(it, Work::Publish(it) if it.image), plan.concurrency.images.get());
    Ok(lower_bound(plan).max(stacks).max(images))
}

fn advice(app: &App) -> Vec<Advice> {
    advise(&app.plan(), &app.assembly(), &finish).unwrap()
}

/// `code stack resource minutes`, and `at most` where it is.
#[track_caller]
fn check(app: &App, expected: &[&str]) {
    let shown = |it: &Advice| {
        let minutes = format!("{:.1} min", it.saves.as_secs_f64() / 60.0);
        let at_most = it.at_most.then_some("at most");
        let parts = [Some(it.code()), it.stack.as_deref(), it.logical_id.as_deref(), at_most, Some(&minutes)];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    };
    let advice = advice(app);
    assert_eq!(advice.iter().map(shown).collect::<Vec<_>>(), expected, "{advice:#?}");
}

fn resource(kind: &str, depends_on: &[&str]) -> Value {
    json!({ "Type": kind, "DependsOn": depends_on })
}

/// A resource that refers to a value.
fn refers(kind: &str, value: Value) -> Value {
    json!({ "Type": kind, "Properties": { "Value": value } })
}

fn import(name: &str) -> Value {
    json!({ "Fn::ImportValue": name })
}

/// A template that exports a resource's id under the resource's name.
fn exporting(all: Value, exported: &[&str]) -> Value {
    let output = |id: &&str| ((*id).to_owned(), json!({ "Value": { "Ref": id }, "Export": { "Name": id } }));
    let outputs: serde_json::Map<_, _> = exported.iter().map(output).collect();
    json!({ "Resources": all, "Outputs": outputs })
}

/// A stack that takes minutes.
fn slow() -> Value {
    resources(json!({ "Slow": resource("AWS::SageMaker::Domain", &[]) }))
}

#[test]
fn nothing_to_advise_is_no_advice() {
    check(&App::default().stack("A", "us-east-1", empty()), &[]);
    check(&App::default().stack("A", "us-east-1", slow()), &[]);
}

#[test]
fn an_edge_that_only_the_manifest_declares_is_advised_to_go() {
    let app = App::default().stack("A", "us-east-1", slow()).artifact(
        "B",
        json!({ "dependencies": ["A"] }),
        slow(),
    );
    check(&app, &["unused-edge B 4.8 min"]);
}

#[test]
fn an_edge_whose_stacks_share_a_name_is_left_alone() {
    let named = json!({ "Type": "AWS::S3::Bucket", "Properties": { "BucketName": "the-artifacts" } });
    let mut provider = slow();
    provider["Resources"]["Bucket"] = named;
    let mut consumer = slow();
    consumer["Resources"]["Slow"]["Properties"] = json!({ "Origin": "the-artifacts.s3.amazonaws.com" });
    let app = App::default().stack("A", "us-east-1", provider).artifact(
        "B",
        json!({ "dependencies": ["A"] }),
        consumer,
    );
    check(&app, &[]);
}

#[test]
fn edges_that_only_save_together_are_advised_together() {
    let app = App::default().stack("A", "us-east-1", slow()).stack("B", "us-east-1", slow()).artifact(
        "C",
        json!({ "dependencies": ["A", "B"] }),
        slow(),
    );
    check(&app, &["unused-edges 4.8 min"]);
}

#[test]
fn a_stack_that_falls_apart_is_advised_to_be_split_for_what_waits_for_a_part() {
    let all = json!({
        "Queue": resource("AWS::SQS::Queue", &[]),
        "Index": resource("AWS::OpenSearchService::Domain", &[]),
    });
    let consumer = resources(json!({ "Site": refers("AWS::CloudFront::Distribution", import("Queue")) }));
    let app = App::pair(exporting(all.clone(), &["Queue"]), consumer);
    let found = advice(&app);
    assert_eq!((found[0].code(), found[0].stack.as_deref()), ("split-stack", Some("Producer")));
    assert!(
        found[0].what().contains("Queue (") && found[0].what().contains("Index ("),
        "{}",
        found[0].what()
    );
    // What takes long is what is taken: nothing is won by a split.
    let consumer = resources(json!({ "Site": refers("AWS::CloudFront::Distribution", import("Index")) }));
    check(
        &App::pair(exporting(all, &["Index"]), consumer),
        &["slow-resource Producer Index at most 13.6 min"],
    );
}

#[test]
fn what_is_there_early_is_advised_to_be_split_off_with_all_that_makes_it_usable() {
    let all = |policy_after: &[&str]| {
        json!({
            "Role": resource("AWS::IAM::Role", &[]),
            "Policy": resource("AWS::IAM::Policy", &[&["Role"], policy_after].concat()),
            "Broker": resource("AWS::AmazonMQ::Broker", &["Role"]),
        })
    };
    let consumer = || resources(json!({ "Site": refers("AWS::CloudFront::Distribution", import("Role")) }));
    let found = advice(&App::pair(exporting(all(&[]), &["Role"]), consumer()));
    assert_eq!(found[0].code(), "early-resource");
    let what = found[0].what();
    let (early, late) = what.split_once(" for Consumer").unwrap();
    assert!(
        early.contains("Role") && early.contains("Policy") && late.contains("Broker"),
        "{}",
        found[0].what()
    );
    // The role's policy names the broker: the role is usable no sooner.
    let found = advice(&App::pair(exporting(all(&["Broker"]), &["Role"]), consumer()));
    assert!(found.iter().all(|advice| advice.code() != "early-resource"), "{found:#?}");
}

#[test]
fn a_stack_of_which_a_part_needs_nothing_is_advised_to_be_split() {
    let consumer = |broker_after: &[&str]| {
        resources(json!({
            "Reader": refers("AWS::SNS::Topic", import("Slow")),
            "Broker": resource("AWS::AmazonMQ::Broker", broker_after),
        }))
    };
    let provider = || exporting(slow()["Resources"].clone(), &["Slow"]);
    let found = advice(&App::pair(provider(), consumer(&[])));
    assert_eq!((found[0].code(), found[0].stack.as_deref()), ("split-consumer", Some("Consumer")));
    let found = advice(&App::pair(provider(), consumer(&["Reader"])));
    assert!(found.iter().all(|advice| advice.code() != "split-consumer"), "{found:#?}");
}

#[test]
fn a_reader_that_follows_its_writer_is_advised_out_of_the_way() {
    let cluster = |reader_after: &[&str]| {
        json!({
            "Cluster": resource("AWS::RDS::DBCluster", &[]),
            "Writer": resource("AWS::RDS::DBInstance", &["Cluster"]),
            "Reader": resource("AWS::RDS::DBInstance", reader_after),
        })
    };
    let consumer = || resources(json!({ "Broker": refers("AWS::AmazonMQ::Broker", import("Cluster")) }));
    let codes = |all: Value| -> Vec<&str> {
        advice(&App::pair(exporting(all, &["Cluster"]), consumer())).iter().map(Advice::code).collect()
    };
    assert!(codes(cluster(&["Cluster", "Writer"])).contains(&"serial-reader"));
    assert!(!codes(cluster(&["Cluster"])).contains(&"serial-reader"), "both are created at once");
}

#[test]
fn a_distribution_that_nothing_uses_is_advised_to_come_after() {
    let all = json!({
        "Bucket": resource("AWS::S3::Bucket", &[]),
        "Site": resource("AWS::CloudFront::Distribution", &["Bucket"]),
    });
    let app = |of: &str| {
        let consumer = resources(json!({ "Broker": refers("AWS::AmazonMQ::Broker", import(of)) }));
        App::pair(exporting(all.clone(), &["Bucket", "Site"]), consumer)
    };
    let found = advice(&app("Bucket"));
    assert_eq!((found[0].code(), found[0].logical_id.as_deref()), ("cloudfront-first", Some("Site")));
    assert!(advice(&app("Site")).iter().all(|advice| advice.code() != "cloudfront-first"));
}

#[test]
fn slow_resources_are_told_with_the_most_that_can_be_saved() {
    let all = json!({
        "Vpc": resource("AWS::EC2::VPC", &[]),
        "Gateway": resource("AWS::EC2::NatGateway", &["Vpc"]),
        "Cluster": resource("AWS::EKS::Cluster", &["Gateway"]),
        "Aside": resource("AWS::Redshift::Cluster", &[]),
    });
    let codes: Vec<String> = advice(&App::default().stack("A", "us-east-1", resources(all)))
        .iter()
        .map(|it| format!("{} {} {}", it.code(), it.logical_id.as_deref().unwrap(), it.at_most))
        .collect();
    // The database is slow too, but not on the longest chain.
    assert_eq!(codes, ["slow-resource Cluster true", "nat-gateway Gateway true"]);
}

#[test]
fn custom_resources_are_told_where_they_take_most_of_the_time() {
    let chain = |length: usize, last: &str| {
        let mut all = serde_json::Map::new();
        for number in 0..length {
            let before = number.checked_sub(1).map(|before| format!("C{before}"));
            all.insert(
                format!("C{number}"),
                json!({ "Type": "Custom::Thing", "DependsOn": before.into_iter().collect::<Vec<_>>() }),
            );
        }
        all.insert("Last".to_owned(), resource(last, &[&format!("C{}", length - 1)]));
        App::default().stack("A", "us-east-1", resources(all.into()))
    };
    assert_eq!(advice(&chain(20, "AWS::SNS::Topic"))[0].code(), "custom-resources");
    check(&chain(1, "AWS::SNS::Topic"), &[]);
    let codes: Vec<&str> = advice(&chain(10, "AWS::RDS::DBInstance")).iter().map(Advice::code).collect();
    assert_eq!(codes, ["slow-resource"]);
}

#[test]
fn a_barrier_that_costs_is_told_and_one_that_does_not_is_not() {
    let app = |config: &str| {
        App::default().stack("A", "us-east-1", slow()).stack("B", "us-east-1", slow()).config(config)
    };
    let barrier = "phases: [{ name: one, stacks: [A] }, { name: two, barrier: true, stacks: [B] }]";
    check(&app(barrier), &["barrier 4.8 min"]);
    check(&app(&format!("strategy: phases\n{barrier}")), &["barrier 4.8 min"]);
    check(&app("phases: [{ name: one, sequential: true, stacks: [A, B] }]"), &["barrier 4.8 min"]);
    check(&app("phases: [{ name: one, stacks: [A] }, { name: two, stacks: [B] }]"), &[]);
}

#[test]
fn a_gate_that_costs_is_told() {
    let roles: serde_json::Map<_, _> =
        (0..200).map(|n| (format!("Role{n}"), resource("AWS::IAM::Role", &[]))).collect();
    let app = App::default()
        .stack("A", "us-east-1", resources(roles.into()))
        .after("B", &["A"])
        .config("gates: [{ after: A, iam-roles: all }]");
    assert!(advice(&app).iter().any(|it| it.code() == "gate" && it.at_most), "{:#?}", advice(&app));
}

#[test]
fn an_image_that_the_first_stack_waits_for_is_told_of() {
    let manifest = |names: &[&str]| {
        let image = |name: &&str| {
            let to = json!({ "repositoryName": "images", "imageTag": name });
            let image =
                json!({ "displayName": name, "source": { "directory": "." }, "destinations": { "d": to } });
            ((*name).to_owned(), image)
        };
        json!({ "version": "36.0.0", "dockerImages": names.iter().map(image).collect::<serde_json::Map<_, _>>() })
    };
    let topic = || resources(json!({ "T": resource("AWS::SNS::Topic", &[]) }));
    let app = App::default().stack("Web", "us-east-1", topic());
    check(&app, &[]);
    // Each one takes the place of the other.
    let app = app.asset_manifest("Web.assets", manifest(&["one", "two"])).after("Web", &["Web.assets"]);
    check(&app, &["image at most 2.0 min"]);
    let said = &advice(&app)[0].what();
    assert!(
        said.starts_with("Web waits 2 min 30 s for image ") && said.contains("`codebuild.cache`"),
        "{said}"
    );
}

#[test]
fn more_at_once_is_advised_where_something_waits_for_room() {
    let app = |limit: usize| {
        let mut app = App::default();
        for number in 0..8 {
            app = app.stack(&format!("S{number}"), "us-east-1", slow());
        }
        app.config(&format!("concurrency: {{ stacks: {limit} }}"))
    };
    check(&app(2), &["concurrency 14.6 min", "concurrency 9.7 min"]);
    check(&app(8), &[]);
}

#[test]
fn the_inside_of_a_stack_that_is_updated_says_nothing() {
    let updated = Entry {
        schema: SCHEMA,
        run: "run".to_owned(),
        step: "deploy:A".to_owned(),
        at: "2026-01-01T00:00:00.000Z".to_owned(),
        kind: HistoryKind::Stack,
        name: "A".to_owned(),
        account: None,
        region: Some("us-east-1".to_owned()),
        operation: StepOperation::Update,
        content: None,
        endpoint: None,
        seconds: 600.0,
        resources: Vec::new(),
    };
    let all = resources(json!({ "Domain": resource("AWS::OpenSearchService::Domain", &[]) }));
    let app = App::default().stack("A", "us-east-1", all);
    assert_eq!(advice(&app)[0].code(), "slow-resource");
    let app = app.options(|options| options.history = History::parse(&updated.line()).into());
    check(&app, &[]);
}

#[test]
fn what_is_proposed_for_a_stack_is_proposed_for_its_twin_in_another_region_too() {
    let all = || {
        resources(json!({
            "Domain": resource("AWS::OpenSearchService::Domain", &[]),
            "Topic": resource("AWS::SNS::Topic", &[]),
        }))
    };
    let app = App::default().stack("Main", "us-east-1", all()).stack("Other", "us-west-2", all());
    let found = advice(&app);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].what().ends_with("(and the same in Other)"), "{}", found[0].what());
    // A stack that only holds the same slow thing is no twin, and goes on taking as long.
    let alone = resources(json!({ "Elsewhere": resource("AWS::OpenSearchService::Domain", &[]) }));
    check(&App::default().stack("Main", "us-east-1", all()).stack("Other", "us-west-2", alone), &[]);
}
