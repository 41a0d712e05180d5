//! `paceline deploy --simulate`: the whole deployment on virtual time.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::harness::{Events, Place, Ran};
use crate::workshop::{self, STACKS};

/// What a simulated deployment leaves behind.
struct Simulated {
    place: Place,
    ran: Ran,
    events: Events,
}

fn simulate(more: &[&str]) -> Simulated {
    let place = Place::new();
    let call = place.paceline(["deploy", "--simulate"]).args(workshop::app()).multi_region();
    let files = ["--events", "events.jsonl", "--outputs", "outputs.json", "--report", "report"];
    let ran = call.args(files).args(more).run();
    let events = Events::read(&place.path("events.jsonl"));
    Simulated { place, ran, events }
}

/// The plain deployment, made once for all tests that only look at it.
fn plain() -> &'static Simulated {
    static PLAIN: OnceLock<Simulated> = OnceLock::new();
    PLAIN.get_or_init(|| simulate(&[]))
}

#[track_caller]
fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("not a number: {value}"))
}

#[test]
fn all_stacks_are_deployed_and_nothing_is_on_stdout() {
    let Simulated { ran, events, .. } = plain();
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
    let outcomes = events.outcomes();
    assert_eq!(outcomes.len(), STACKS);
    assert!(outcomes.iter().all(|(_, outcome)| outcome == "deployed"), "{outcomes:?}");
    assert!(ran.stderr.contains("simulated"), "a simulation says that it is one");
}

#[test]
fn every_event_has_the_fields_of_the_contract() {
    let events = &plain().events.0;
    for (index, event) in events.iter().enumerate() {
        assert_eq!(event["schema"], 1, "{event}");
        assert_eq!(event["seq"].as_u64(), Some(index as u64 + 1), "numbers without a gap: {event}");
        assert_eq!(event["run"], events[0]["run"], "{event}");
        let at = event["at"].as_str().unwrap();
        let (_, fraction) = at.rsplit_once('.').unwrap_or_else(|| panic!("no milliseconds: {at}"));
        assert!(fraction.len() == 4 && fraction.ends_with('Z'), "not milliseconds: {at}");
        assert!(event["event"].is_string(), "{event}");
    }
    let order: Vec<&str> = events.iter().map(|event| event["at"].as_str().unwrap()).collect();
    assert!(order.is_sorted(), "events are in the order they happened in");
    assert_eq!(events[0]["event"], "run.started");
    assert_eq!(events.last().unwrap()["event"], "run.finished");
}

#[test]
fn events_of_a_deployment_name_the_stack_and_where_it_goes() {
    for event in plain().events.0.iter().filter(|event| event["kind"] == "deploy") {
        for field in ["stack", "account", "region"] {
            assert!(event[field].is_string(), "{field} of {event}");
        }
    }
}

#[test]
fn every_step_is_ready_then_started_then_finished_once() {
    let mut steps: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for event in &plain().events.0 {
        let kind = event["event"].as_str().unwrap();
        if ["step.ready", "step.started", "step.finished"].contains(&kind) {
            steps.entry(event["step"].as_str().unwrap()).or_default().push(kind);
        }
    }
    assert!(steps.len() > STACKS);
    for (step, kinds) in steps {
        assert_eq!(kinds, ["step.ready", "step.started", "step.finished"], "{step}");
    }
}

#[test]
fn no_stack_starts_before_what_it_waits_for_is_done() {
    plain().events.assert_order(&workshop::edges(&workshop::app()));
}

#[test]
fn what_waits_for_a_gated_stack_waits_for_its_gate_too() {
    let events = &plain().events;
    let edges = workshop::edges(&workshop::app());
    let gates: Vec<(usize, &Value)> = events
        .0
        .iter()
        .enumerate()
        .filter(|(_, e)| e["event"] == "step.finished" && e["kind"] == "gate")
        .collect();
    assert_eq!(gates.len(), 2);
    for (done, gate) in gates {
        for (stack, _, _) in edges.iter().filter(|(_, on, _)| gate["stack"] == on.as_str()) {
            assert!(
                done < events.position("step.started", stack),
                "{stack} did not wait for {}",
                gate["step"]
            );
        }
    }
}

#[test]
fn assets_start_at_time_zero() {
    let events = &plain().events;
    let start = &events.0[0]["at"];
    let ready: Vec<&Value> = events.of("step.ready").filter(|event| event["kind"] == "publish").collect();
    assert!(!ready.is_empty());
    assert!(ready.iter().all(|event| event["at"] == *start));
}

#[test]
fn two_runs_give_the_same_events_and_the_same_reports() {
    let again = simulate(&[]);
    for file in ["outputs.json", "report/junit.xml", "report/timeline.html", "report/summary.md"] {
        assert!(plain().place.read(file) == again.place.read(file), "{file} differs");
    }
    // What happens at the same instant may be told in another order, so the numbers differ too:
    // tokio's watch channel, by which the poller tells of what it saw, wakes in random order.
    let facts = |events: &Events| {
        let mut facts = events.0.clone();
        for fact in &mut facts {
            fact["seq"] = Value::Null;
        }
        let mut facts: Vec<String> = facts.iter().map(Value::to_string).collect();
        facts.sort();
        facts
    };
    for (one, two) in facts(&plain().events).iter().zip(facts(&again.events)) {
        assert_eq!(*one, two);
    }
    assert_eq!(plain().events.0.len(), again.events.0.len());
}

#[test]
fn outputs_are_written_as_the_cdk_writes_them() {
    let outputs = plain().place.json("outputs.json");
    assert!(outputs["Applications"]["StorefrontUrl"].is_string(), "{outputs}");
    assert!(outputs["ApplicationsSecondary"]["StorefrontUrl"].is_string(), "{outputs}");
}

#[test]
fn the_report_folder_has_all_reports() {
    let place = &plain().place;
    let files = ["junit.xml", "report.json", "summary.md", "timeline.html", "timeline.svg"];
    assert_eq!(place.list("report"), files);
    let junit = place.read("report/junit.xml");
    assert!(junit.starts_with("<?xml") && junit.trim_end().ends_with("</testsuites>"), "{junit}");
    assert_eq!(junit.matches("<testsuite ").count(), junit.matches("</testsuite>").count());
    for (stack, _) in plain().events.outcomes() {
        assert!(junit.contains(&format!("<testcase name=\"{stack} (")), "{stack} is not in\n{junit}");
    }
    let html = place.read("report/timeline.html");
    assert!(html.starts_with("<!") && html.trim_end().ends_with("</html>"));
    assert!(!html.contains("src=\"http"), "a report loads nothing");
}

#[test]
fn a_simulation_keeps_no_journal() {
    assert!(!plain().place.path(".paceline").exists());
}

/// The rows of the table of times in the Markdown report: the phase, then its cells.
fn table(markdown: &str) -> BTreeMap<String, Vec<String>> {
    let rows = markdown.lines().skip_while(|line| !line.starts_with("| phase | stacks | one after another"));
    let rows = rows.skip(2).take_while(|line| line.starts_with('|'));
    let cells = |row: &str| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
    rows.map(|row| -> Vec<String> { cells(row) })
        .map(|cells| (cells[0].clone(), cells[1..].to_vec()))
        .collect()
}

/// The first number of a cell.
#[track_caller]
fn minutes(cell: &str) -> f64 {
    let number: String = cell.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
    number.parse().unwrap_or_else(|_| panic!("no number: {cell:?}"))
}

#[test]
fn the_table_has_a_row_for_each_phase_and_its_sums_are_those_of_the_events() {
    let Simulated { place, events, .. } = plain();
    let table = table(&place.read("report/summary.md"));
    let names: Vec<&str> = table.keys().map(String::as_str).collect();
    assert_eq!(names, ["applications", "dashboard", "network", "saved", "services", "total"]);

    let mut sums: BTreeMap<String, f64> = BTreeMap::new();
    for event in events.of_stacks("step.finished") {
        for row in [event["phase"].as_str().unwrap(), "total"] {
            *sums.entry(row.to_owned()).or_default() += number(&event["duration_s"]) / 60.0;
        }
    }
    for (row, sum) in &sums {
        let shown = minutes(&table[row][1]);
        assert!((shown - sum).abs() <= 0.051, "{row}: one after another is {sum:.3}, shown as {shown}");
    }
    let took = number(&events.0.last().unwrap()["duration_s"]) / 60.0;
    assert!((minutes(&table["total"][3]) - took).abs() <= 0.051, "{took} {:?}", table["total"]);
    let saved = sums["total"] - took;
    assert!((minutes(&table["saved"][1]) - saved).abs() <= 0.11, "{saved} {:?}", table["saved"]);
    let percent = format!("({:.0} %)", 100.0 * saved / sums["total"]);
    assert!(table["saved"][1].ends_with(&percent), "{percent} {:?}", table["saved"]);
}

#[test]
fn the_summary_on_the_console_has_the_same_figures_as_the_report() {
    let Simulated { place, ran, .. } = plain();
    let table = table(&place.read("report/summary.md"));
    let total = ran.stderr.lines().find(|line| line.trim_start().starts_with("total ")).unwrap();
    for cell in &table["total"][1..] {
        assert!(total.contains(cell.as_str()), "{cell} is not in {total}");
    }
}

#[test]
fn phases_as_barriers_take_as_long_as_the_comparison_says() {
    let phased = simulate(&["--strategy", "phases"]);
    assert_eq!(phased.ran.code, 0);
    let finished = number(&phased.events.0.last().unwrap()["duration_s"]) / 60.0;
    let predicted = minutes(&table(&plain().place.read("report/summary.md"))["total"][2]);
    // The comparison has the durations that were measured, but not the polling between them.
    assert!((finished - predicted).abs() < 0.3, "{finished} is not {predicted}");

    let order = ["services", "network", "applications", "dashboard"];
    let place_of = |event: &Value| order.iter().position(|name| event["phase"] == *name).unwrap();
    let mut last_done = [0; 4];
    for (index, event) in phased.events.0.iter().enumerate() {
        if event["kind"] == "deploy" && event["event"] == "step.finished" {
            last_done[place_of(event)] = index;
        }
    }
    for (index, event) in phased.events.0.iter().enumerate() {
        if event["kind"] == "deploy" && event["event"] == "step.started" && place_of(event) > 0 {
            assert!(last_done[place_of(event) - 1] < index, "{} broke through its barrier", event["stack"]);
        }
    }
}

#[test]
fn with_room_for_one_stacks_are_deployed_one_after_another() {
    let one = simulate(&["--concurrency", "1"]);
    assert_eq!(one.ran.code, 0);
    let mut going = 0;
    for event in one.events.0.iter().filter(|event| event["kind"] == "deploy") {
        going += match event["event"].as_str().unwrap() {
            "step.started" => 1,
            "step.finished" => -1,
            _ => 0,
        };
        assert!(going <= 1, "{event}");
    }
    one.events.assert_order(&workshop::edges(&workshop::app()));
}

#[test]
fn a_failure_skips_what_depends_on_it_and_nothing_else() {
    // Without Services, the parameters that S3Replica reads are not there.
    let ran = simulate(&["--exclude", "Services"]);
    assert_eq!(ran.ran.code, 1, "{}", ran.ran.stderr);
    let outcomes: BTreeMap<String, String> = ran.events.outcomes().into_iter().collect();
    assert_eq!(outcomes["S3Replica"], "failed");
    assert_eq!(outcomes["ServicesSecondary"], "deployed");
    assert_eq!(outcomes["UserSimulationStackSecondary"], "deployed");
    assert_eq!(outcomes["Observability"], "skipped");
    let failed = ran.events.of_stacks("step.finished").find(|event| event["stack"] == "S3Replica").unwrap();
    let cause = failed["cause"]["message"].as_str().unwrap();
    assert!(cause.contains("/workshop/orders/receipts-bucket-name"), "{cause}");
    assert!(ran.ran.stderr.contains(cause), "the console says the cause too");
    let skipped =
        ran.events.of_stacks("step.finished").find(|event| event["stack"] == "Observability").unwrap();
    assert!(skipped["because"].is_string(), "a skipped stack says because of which: {skipped}");
    assert!(ran.place.read("report/junit.xml").contains("<failure"), "JUnit has the failure");
}

#[test]
fn fail_fast_starts_nothing_after_the_first_failure() {
    let two = ["--only", "Observability", "--only", "UserSimulationStack", "--concurrency", "1"];
    let going_on: BTreeMap<String, String> = simulate(&two).events.outcomes().into_iter().collect();
    assert_eq!(going_on["Observability"], "failed");
    assert_eq!(going_on["UserSimulationStack"], "deployed");

    let fast = simulate(&[&two[..], &["--fail-fast"]].concat());
    assert_eq!(fast.ran.code, 1);
    let stopped: BTreeMap<String, String> = fast.events.outcomes().into_iter().collect();
    assert_eq!(stopped["Observability"], "failed");
    assert_eq!(stopped["UserSimulationStack"], "skipped");
    assert!(fast.events.of_stacks("step.started").all(|event| event["stack"] != "UserSimulationStack"));
}

#[test]
fn a_simulation_needs_neither_credentials_nor_a_network() {
    let place = Place::new();
    let call = place.paceline(["deploy", "--simulate", "--only", "ServicesSecondary"]).args(workshop::app());
    call.multi_region().env("AWS_ENDPOINT_URL", "http://127.0.0.1:9").run().expect(0);
}

#[test]
fn a_dry_run_shows_the_plan_and_does_nothing() {
    let place = Place::new();
    let dry = place.paceline(["deploy", "--dry-run"]).args(workshop::app()).multi_region().run().expect(0);
    let plan = place.paceline(["plan"]).args(workshop::app()).multi_region().run().expect(0);
    assert_eq!(dry.stdout, plan.stdout);
    assert!(!place.path(".paceline").exists());
}

#[test]
fn a_heartbeat_names_the_resource_that_a_stack_waits_for() {
    let said = &plain().ran.stderr;
    let waits = |line: &str| line.contains(" waits for ") && line.contains(" so far, usually ");
    assert!(said.lines().any(waits), "{said}");
}

#[test]
fn a_command_line_of_the_cdk_deploys_the_stacks_that_it_names_and_what_they_need() {
    let place = Place::new();
    let deployed = |more: &[&str]| {
        let line = ["deploy", "--simulate", "--require-approval", "never", "--ci", "--progress", "events"];
        let call = place.paceline(line).args(["--events", "events.jsonl", "-a", &workshop::path("cdk.out")]);
        let ran = call.args(more).multi_region().run();
        let stacks = Events::read(&place.path("events.jsonl")).outcomes().into_iter().map(|(stack, _)| stack);
        (stacks.collect::<Vec<_>>(), ran.stderr)
    };
    let (stacks, said) = deployed(&["Applications", "-O", "outputs.json", "--asset-build-concurrency", "2"]);
    assert_eq!(stacks, ["Applications", "Services"]);
    assert!(place.json("outputs.json")["Services"].is_object());
    assert_eq!(said.matches("note: --asset-build-concurrency: ").count(), 1, "{said}");
    assert!(!said.contains("is left out"), "{said}");

    let (stacks, said) = deployed(&["-e", "Applications"]);
    assert_eq!(stacks, ["Applications"]);
    let warning = "warning: Services is left out (it is not named), and Applications (import) needs it: ";
    let told = said.find(warning).unwrap_or_else(|| panic!("{said}"));
    assert!(told < said.find(" start ").unwrap(), "before anything starts: {said}");
    assert_eq!(deployed(&["--all"]).0, deployed(&[]).0);
}

#[test]
fn quiet_says_no_more_than_the_summary() {
    let quiet = simulate(&["--quiet"]).ran;
    assert_eq!(quiet.code, 0);
    assert!(!quiet.stderr.contains(" start "), "{}", quiet.stderr);
}

#[test]
fn reports_are_made_in_folders_that_are_not_there_yet() {
    let place = Place::new();
    let call = place.paceline(["deploy", "--simulate", "--only", "ServicesSecondary"]).args(workshop::app());
    let files = ["--events", "a/events.jsonl", "--outputs", "b/c/outputs.json", "--report", "d/e"];
    call.multi_region().args(files).run().expect(0);
    assert_eq!(place.list("a"), ["events.jsonl"]);
    assert_eq!(place.list("b/c"), ["outputs.json"]);
    assert_eq!(place.list("d/e").len(), 5);
}

/// An app of one stack with this template, these assets of CDK v1, and this account.
fn small(template: &Value, metadata: &Value, account: &str) -> Place {
    let place = Place::new();
    place.write("cdk.out/S.template.json", &template.to_string());
    let manifest = json!({"version": "36.0.0", "artifacts": {"S": {
        "type": "aws:cloudformation:stack", "environment": format!("aws://{account}/eu-west-1"),
        "metadata": metadata, "properties": {"templateFile": "S.template.json"}}}});
    place.write("cdk.out/manifest.json", &manifest.to_string());
    place
}

const TWELVE: &str = "111111111111";

#[test]
fn a_parameter_that_somebody_else_made_can_be_taken_apart() {
    let of = |name: &str| json!({"Fn::Select": [3, {"Fn::Split": [":", {"Ref": name}]}]});
    let parameter = |name: &str| json!({"Type": "AWS::SSM::Parameter::Value<String>", "Default": name});
    let template = json!({
        "Parameters": {"Arn": parameter("/platform/topic-arn"), "Other": parameter("/platform/other")},
        "Resources": {"T": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {"Region": {"Value": of("Arn")}, "Other": {"Value": of("Other")}},
    });
    let place = small(&template, &json!({}), TWELVE);
    place.paceline(["deploy", "--simulate", "--outputs", "outputs.json"]).run().expect(0);
    assert_eq!(place.json("outputs.json")["S"]["Region"], "eu-west-1");
}

#[test]
fn assets_of_cdk_v1_are_simulated_even_without_their_sources() {
    let parameter = json!({"Type": "String"});
    let part = |index: u32| json!({"Fn::Select": [index, {"Fn::Split": ["||", {"Ref": "Key"}]}]});
    let template = json!({
        "Parameters": {"Bucket": parameter, "Key": parameter, "Hash": parameter},
        "Resources": {"F": {"Type": "AWS::Lambda::Function", "Properties": {
            "Role": format!("arn:aws:iam::{TWELVE}:role/r"), "Handler": "a.b", "Runtime": "python3.12",
            "Code": {"S3Bucket": {"Ref": "Bucket"}, "S3Key": {"Fn::Join": ["", [part(0), part(1)]]}}}}},
    });
    let asset = json!({"path": "asset.h", "id": "h", "packaging": "zip", "sourceHash": "h",
        "s3BucketParameter": "Bucket", "s3KeyParameter": "Key", "artifactHashParameter": "Hash"});
    let place = small(&template, &json!({"/S/F": [{"type": "aws:cdk:asset", "data": asset}]}), TWELVE);
    place.paceline(["deploy", "--simulate"]).run().expect(0);
}

#[test]
fn an_account_that_cannot_be_is_simulated_and_told() {
    let template = json!({"Resources": {"T": {"Type": "AWS::SNS::Topic"}}});
    let place = small(&template, &json!({}), "12345678");
    let ran = place.paceline(["deploy", "--simulate"]).run().expect(0);
    assert!(ran.stderr.contains("simulated as if the account 12345678 were there"), "{}", ran.stderr);
}
