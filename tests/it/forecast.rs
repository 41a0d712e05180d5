//! The forecast of a run against the run itself, simulated; what would be if, and the history of real runs.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::assemblies::assemblies;
use crate::harness::{Events, Place, Ran, Sim, skipped};
use crate::{synthetic, workshop};

/// How far a forecast may be from the run: so many parts in a hundred, and what whole seconds leave away.
const WITHIN_PERCENT: f64 = 5.0;
const ROUNDED: f64 = 0.5;
/// How often something that fails is left out before an assembly is given up.
const TRIES: usize = 6;

/// An app, how it is called, and in what environment.
struct Case {
    arguments: Vec<String>,
    multi_region: bool,
}

impl Case {
    fn call(&self, place: &Place, command: &[&str]) -> Ran {
        let call = place.paceline(command).args(&self.arguments);
        if self.multi_region { call.multi_region().run() } else { call.run() }
    }

    fn plan(&self, more: &[&str]) -> Value {
        let command: Vec<&str> = ["plan", "--format", "json"].iter().chain(more).copied().collect();
        self.call(&Place::new(), &command).expect(0).document("plan")
    }

    /// Deploys it in a simulation.
    fn simulate(&self) -> (Ran, Option<Events>) {
        let place = Place::new();
        let ran = self.call(&place, &["deploy", "--simulate", "--quiet", "--events", "events.jsonl"]);
        let path = place.path("events.jsonl");
        let has_run = Events::count(&path, "run.finished") > 0;
        (ran, has_run.then(|| Events::read(&path)))
    }

    /// The stacks that cannot be deployed here, as the attempt tells: what failed, what waits for it, what is in an
    /// account that can be none, what its constructs reported errors of.
    fn undeployable(&self, ran: &Ran, events: Option<&Events>) -> Vec<String> {
        if let Some(events) = events {
            let outcomes = events.outcomes().into_iter();
            let wrong = |outcome: &str| !matches!(outcome, "deployed" | "unchanged");
            return outcomes.filter(|(_, outcome)| wrong(outcome)).map(|(stack, _)| stack).collect();
        }
        let plan = self.plan(&[]);
        let stacks = plan["stacks"].as_array().unwrap();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let is_wrong = |stack: &&Value| {
            let account = text(&stack["account"]);
            let bad_account = !account.is_empty() && account.len() != 12;
            let reported = ran.stderr.lines().any(|line| line.contains(&format!("`{}`", text(&stack["id"]))));
            bad_account || reported
        };
        stacks.iter().filter(is_wrong).map(|stack| text(&stack["id"])).collect()
    }
}

/// How long the run took, in seconds.
fn duration(events: &Events) -> f64 {
    events.of("run.finished").last().unwrap()["duration_s"].as_f64().unwrap()
}

fn is_near(forecast: f64, took: f64) -> bool {
    (forecast - took).abs() <= took * WITHIN_PERCENT / 100.0 + ROUNDED
}

fn example(more: &[&str], multi_region: bool) -> Case {
    let mut arguments = workshop::app().to_vec();
    arguments.extend(more.iter().map(ToString::to_string));
    Case { arguments, multi_region }
}

#[test]
fn the_forecast_of_the_example_is_the_time_that_its_simulated_deployment_takes() {
    for multi_region in [false, true] {
        for more in [&[][..], &["--concurrency", "1"], &["--concurrency", "3"], &["--strategy", "phases"]] {
            let case = example(more, multi_region);
            let (ran, events) = case.simulate();
            assert_eq!(ran.code, 0, "{}", ran.stderr);
            let by = if more.contains(&"phases") { "phased_s" } else { "graph_s" };
            let what = format!("{more:?}, multi-region {multi_region}");
            let forecast = case.plan(&[])["forecast"][by].as_f64().unwrap();
            let took = duration(&events.unwrap());
            assert!(is_near(forecast, took), "{what}: forecast {forecast} s, took {took} s");
        }
    }
}

#[test]
fn the_forecast_of_every_assembly_is_within_five_percent_of_its_simulated_deployment() {
    let (mut compared, mut far) = (0, Vec::new());
    for (name, app) in assemblies() {
        if let Some((forecast, took)) = compare(&name, &app) {
            compared += 1;
            if !is_near(forecast, took) {
                far.push(format!("{name}: forecast {forecast} s, took {took} s"));
            }
        }
    }
    assert!(far.is_empty(), "{far:#?}");
    assert!(compared > 40 || assemblies().is_empty(), "only {compared} could be compared");
}

/// Leaves out what cannot be deployed here. Of the rest, the forecast and the time it took; none when nothing is left.
fn compare(name: &str, app: &Path) -> Option<(f64, f64)> {
    let mut case =
        Case { arguments: vec!["--app".to_owned(), app.display().to_string()], multi_region: false };
    for _ in 0..TRIES {
        let (ran, events) = case.simulate();
        if let Some(events) = events.as_ref().filter(|_| ran.code == 0) {
            return Some((case.plan(&[])["forecast"]["graph_s"].as_f64().unwrap(), duration(events)));
        }
        let without = case.undeployable(&ran, events.as_ref());
        let is_all = without.len() == case.plan(&[])["stacks"].as_array().unwrap().len();
        if without.is_empty() || is_all {
            skipped(&format!("{name} cannot be deployed here, whatever is left out: {}", ran.stderr));
            return None;
        }
        case.arguments.extend(without.into_iter().flat_map(|stack| ["--exclude".to_owned(), stack]));
    }
    skipped(&format!("{name} cannot be deployed here: something else fails each time"));
    None
}

#[test]
fn a_large_plan_is_readable_and_its_forecast_keeps_to_the_limits() {
    let place = Place::new();
    let layout = synthetic::Layout { stacks: 200, ..synthetic::Layout::default() };
    synthetic::write(&place.path("cdk.out"), &layout).unwrap();
    let text = place.paceline(["plan"]).run().expect(0).stdout;
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert!(text.lines().count() < 120, "{} lines", text.lines().count());
    let graph = |more: &[&str]| {
        let ran = place.paceline(["plan", "--format", "json"]).args(more).run().expect(0);
        ran.stdout_json()["forecast"]["graph_s"].as_u64().unwrap()
    };
    let [few, some, many] = ["2", "20", "200"].map(|limit| graph(&["--concurrency", limit]));
    assert!(few > some && some > many, "{few}, {some}, {many}");
}

#[test]
fn advice_is_given_when_it_is_asked_for() {
    let plan = example(&[], true).plan(&["--advice"]);
    let advice = plan["advice"].as_array().unwrap();
    assert!(!advice.is_empty());
    for it in advice {
        for text in ["code", "what", "cost"] {
            assert!(it[text].is_string(), "{text} of {it}");
        }
        assert!(it["saves_s"].as_u64().unwrap() >= 30 && it["at_most"].is_boolean(), "{it}");
    }
    assert!(example(&[], true).plan(&[]).get("advice").is_none());
    let text = example(&[], true).call(&Place::new(), &["plan", "--advice"]).expect(0).stdout;
    assert!(text.contains("\nAdvice\n") && text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn a_plan_can_take_its_time_from_the_simulator_itself() {
    let case = example(&[], true);
    let plan = case.plan(&["--simulate"]);
    let (_, events) = case.simulate();
    let took = duration(&events.unwrap());
    assert!((plan["forecast"]["graph_s"].as_f64().unwrap() - took).abs() <= ROUNDED, "{took}");
    assert_eq!(plan["forecast"]["made_by"], "simulator");
    assert_eq!(case.plan(&[])["forecast"]["made_by"], "rehearsal");
    let text = case.call(&Place::new(), &["plan", "--simulate"]).expect(0).stdout;
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("that of a simulated deployment"), "{text}");
}

#[test]
fn a_plan_whose_simulation_fails_says_where() {
    let place = Place::new();
    let template = r#"{"Resources":{"B":{"Type":"AWS::S3::Bucket","Properties":{"BucketName":{"Fn::ImportValue":"none"}}}}}"#;
    place.write("cdk.out/A.template.json", template);
    let manifest = r#"{"version":"36.0.0","artifacts":{"A":{"type":"aws:cloudformation:stack",
        "environment":"aws://111111111111/us-east-1","properties":{"templateFile":"A.template.json"}}}}"#;
    place.write("cdk.out/manifest.json", manifest);
    let ran = place.paceline(["plan", "--simulate"]).run().expect(1);
    assert!(
        ran.stderr.contains("A: ") && ran.stderr.contains("No export named none found"),
        "{}",
        ran.stderr
    );
    place.paceline(["plan"]).run().expect(0);
}

#[test]
fn nothing_is_faster_than_the_longest_chain_and_nothing_slower_than_one_after_another() {
    for multi_region in [false, true] {
        let forecast = example(&[], multi_region).plan(&[])["forecast"].clone();
        let [bound, graph, phased, sequential] = ["lower_bound_s", "graph_s", "phased_s", "sequential_s"]
            .map(|key| forecast[key].as_u64().unwrap());
        assert!(bound <= graph && graph <= phased && phased < sequential, "{forecast}");
    }
}

#[test]
fn the_strategy_of_the_plan_changes_which_forecast_is_its_own_and_not_the_forecasts() {
    let [graph, phases] = ["graph", "phases"]
        .map(|strategy| example(&["--strategy", strategy], true).plan(&[])["forecast"].clone());
    assert_eq!(graph, phases);
}

#[test]
fn a_change_is_told_beside_the_plan_as_it_is() {
    let case = example(&[], true);
    let change =
        ["--what-if", "Services=-10m", "--what-if", "drop-edge ApplicationsSecondary ServicesSecondary"];
    let plan = case.plan(&change);
    let (before, after) = (&plan["what_if"]["before"], &plan["what_if"]["after"]);
    assert_eq!(before["finish_s"], plan["forecast"]["graph_s"]);
    assert_eq!(before["critical_path"], plan["critical_path"]);
    assert!(after["finish_s"].as_u64().unwrap() < before["finish_s"].as_u64().unwrap(), "{after}");
    assert_eq!(plan["what_if"]["changes"][0], "Services=-10m");
    assert!(case.plan(&[]).get("what_if").is_none());
    let text = case.call(&Place::new(), &[&["plan"][..], &change].concat()).expect(0).stdout;
    assert!(
        text.contains("as it is configured") && text.lines().all(|line| line.chars().count() <= 80),
        "{text}"
    );
}

#[test]
fn fewer_stacks_at_once_are_compared_with_what_is_configured() {
    let plan = example(&["--concurrency", "1"], true).plan(&[]);
    let what_if = &plan["what_if"];
    assert_eq!(what_if["after"]["finish_s"], plan["forecast"]["graph_s"]);
    let [before, after] = ["before", "after"].map(|it| what_if[it]["finish_s"].as_u64().unwrap());
    assert!(after > before * 3 / 2, "{what_if}");
    assert!(example(&["--concurrency", "20"], true).plan(&[]).get("what_if").is_none());
}

#[test]
fn a_change_that_cannot_be_made_is_one_error_that_says_what_to_write() {
    for (change, problem, hint) in [
        ("Servics=5m", "no stack is called `Servics`", "did you mean `Services`?"),
        ("Services=soon", "`soon` is no duration", "write it like"),
        ("drop-edge Services Applications", "does not wait for", "the other way round"),
    ] {
        let ran = example(&["--what-if", change], false).call(&Place::new(), &["plan"]).expect(2);
        assert!(ran.stderr.contains(problem) && ran.stderr.contains(hint), "{}", ran.stderr);
        assert_eq!((ran.stdout.as_str(), ran.stderr.lines().count()), ("", 2), "{}", ran.stderr);
    }
}

/// A small app that needs no gate: a real clock has to pass for those.
fn small(place: &Place) -> PathBuf {
    let stack = |file: &str| {
        format!(
            r#"{{"type":"aws:cloudformation:stack","environment":"aws://111111111111/us-east-1",
            "properties":{{"templateFile":"{file}"}}}}"#
        )
    };
    let template = r#"{"Resources":{"Topic":{"Type":"AWS::SNS::Topic"}}}"#;
    place.write("cdk.out/A.template.json", template);
    place.write("cdk.out/B.template.json", template);
    let artifacts = format!(r#""A":{},"B":{}"#, stack("A.template.json"), stack("B.template.json"));
    let manifest = format!(r#"{{"version":"36.0.0","artifacts":{{{artifacts}}}}}"#);
    place.write("cdk.out/manifest.json", &manifest)
}

#[test]
fn a_real_run_is_remembered_and_a_simulated_one_is_not() {
    let place = Place::new();
    small(&place);
    place.paceline(["deploy", "--simulate"]).run().expect(0);
    assert!(!place.path(".paceline/history.jsonl").exists());

    let sim = Sim::start(200);
    let deploy = || place.paceline(["deploy", "--quiet"]).aws_at(&sim.address).run().expect(0);
    deploy();
    let history = place.read(".paceline/history.jsonl");
    // Two stacks, and the run as a whole.
    assert_eq!(history.lines().count(), 3, "{history}");
    assert!(history.contains(r#""operation":"create""#) && !history.contains("111111111111"), "{history}");
    // The templates are those that were deployed.
    let plan = || place.paceline(["plan", "--format", "json"]);
    let there = plan().aws_at(&sim.address).run().expect(0).stdout_json();
    assert_eq!(there["stacks"][0]["expected_operation"], "unchanged");
    deploy();
    let there = plan().aws_at(&sim.address).run().expect(0).stdout_json();
    let from = there["stacks"][0]["expected_from"].as_str().unwrap();
    assert!(from.starts_with("unchanged since 20"), "{from}");
    let text = place.paceline(["explain", "A"]).aws_at(&sim.address).run().expect(0).stdout;
    assert!(text.contains("unchanged since 20"), "{text}");
    // What was done at another address says nothing of AWS.
    let on_aws = plan().run().expect(0).stdout_json();
    assert_eq!(on_aws["stacks"][0]["expected_operation"], "create");
    assert_eq!(on_aws["stacks"][0]["expected_from"], "table");

    // The same lines can be made from the journals.
    let run = &place.runs()[0];
    let report = place.paceline(["report", run, "--format", "history"]).run().expect(0).stdout;
    assert_eq!(report, history);
}

#[test]
fn a_damaged_history_is_warned_of_once_and_stops_nothing() {
    let place = Place::new();
    small(&place);
    place.write(".paceline/history.jsonl", "<<<<<<< ours\n{}\n");
    let ran = place.paceline(["plan", "--format", "json"]).run().expect(0);
    assert_eq!(
        ran.stderr,
        "warning: .paceline/history.jsonl: lines 1, 2 are not read: damaged, or of another version of Paceline\n"
    );
    assert_eq!(ran.stdout_json()["stacks"][0]["expected_from"], "table");
}

/// What AWS took for stacks of these shapes: the medians of seven cold deployments each.
const PUBLISHED: [(&str, f64); 6] = [
    ("wide", 89.1),
    ("serverless", 127.1),
    ("ec2", 193.9),
    ("webapp", 166.1),
    ("ecs", 276.7),
    ("cloudfront", 232.3),
];
/// How far a forecast without any history may be from them.
const WITHIN_PUBLISHED: f64 = 0.25;

#[test]
fn stacks_whose_real_times_are_published_are_forecast_within_a_quarter_of_them() {
    let app = workshop::repository().join("tests/fixtures/published");
    for (stack, took) in PUBLISHED {
        let place = Place::new();
        let call = place.paceline(["plan", "--format", "json", "--only", stack, "--app"]).args([&app]);
        let forecast = call.run().expect(0).stdout_json()["forecast"]["graph_s"].as_f64().unwrap();
        let far = (forecast / took - 1.0).abs();
        assert!(far <= WITHIN_PUBLISHED, "{stack}: forecast {forecast} s, took {took} s");
    }
}

/// An app of two stacks in two regions that run one image, and of one beside them that takes longer than they do.
fn with_image(place: &Place) {
    let stack = |id: &str, region: &str| {
        json!({"type": "aws:cloudformation:stack", "environment": format!("aws://111111111111/{region}"),
            "properties": {"templateFile": format!("{id}.template.json")}, "dependencies": [format!("{id}.assets")]})
    };
    let mut artifacts = json!({});
    let regions = [("East", "us-east-1"), ("West", "us-west-2")];
    for (id, region) in regions {
        place.write(
            &format!("cdk.out/{id}.template.json"),
            r#"{"Resources":{"T":{"Type":"AWS::SNS::Topic"}}}"#,
        );
        let repository = format!("cdk-hnb659fds-container-assets-111111111111-{region}");
        let to = json!({"repositoryName": repository, "imageTag": "tag", "region": region});
        let image =
            json!({"displayName": "web", "source": {"directory": "asset.web"}, "destinations": {"to": to}});
        let assets = json!({"version": "36.0.0", "files": {}, "dockerImages": {"web": image}});
        place.write(&format!("cdk.out/{id}.assets.json"), &assets.to_string());
        artifacts[id] = stack(id, region);
        artifacts[format!("{id}.assets")] =
            json!({"type": "cdk:asset-manifest", "properties": {"file": format!("{id}.assets.json")}});
    }
    let long = r#"{"Resources":{"T":{"Type":"AWS::SQS::Queue"}}}"#;
    place.write("cdk.out/Long.template.json", long);
    artifacts["Long"] = stack("Long", "us-east-1");
    artifacts["Long"]["dependencies"] = json!([]);
    place.write("cdk.out/asset.web/Dockerfile", "FROM scratch");
    place.write("cdk.out/manifest.json", &json!({"version": "36.0.0", "artifacts": artifacts}).to_string());
}

#[test]
fn every_way_counts_the_images_and_the_critical_path_names_the_one_that_decides() {
    let place = Place::new();
    with_image(&place);
    let plan = place.paceline(["plan", "--format", "json"]).run().expect(0).document("plan");
    let time = |key: &str| plan["forecast"][key].as_f64().unwrap();
    let (sequential, graph, best) = (time("sequential_s"), time("graph_s"), time("lower_bound_s"));
    assert!(best <= graph && graph < sequential, "{}", plan["forecast"]);
    // One build, and a push for each region.
    assert!(sequential > 150.0 + 30.0 + 84.0 && sequential < 2.0 * 150.0 + 84.0, "{sequential}");
    let steps: Vec<&str> =
        plan["critical_steps"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    let [image, deploy] = steps[..] else { panic!("{steps:?}") };
    assert!(image.starts_with("publish:ecr:") && deploy == "deploy:East", "{steps:?}");
    assert_eq!(plan["critical_path"], json!(["East"]));
    let text = place.paceline(["plan"]).run().expect(0).stdout;
    let seconds = |line: &str| text.lines().find(|it| it.trim_start().starts_with(line)).unwrap().to_owned();
    let path = seconds("Critical path:");
    assert!(path.contains("image web → East"), "{path}");
    let total = path.rsplit_once('(').unwrap().1.trim_end_matches(')');
    assert!(seconds("at best").contains(total), "{text}");

    let events = ["deploy", "--simulate", "--quiet", "--events", "events.jsonl"];
    place.paceline(events).run().expect(0);
    let took = duration(&Events::read(&place.path("events.jsonl")));
    assert!(is_near(graph, took), "forecast {graph} s, took {took} s");
}
