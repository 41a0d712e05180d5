//! An app that has from its synthesis what an earlier stack makes is synthesized again when that is deployed.

use serde_json::{Value, json};

use crate::harness::{Call, Events, Place, Ran, Sim, until};

const KEY: &str = "ssm:account=111111111111:parameterName=/shop/url:region=us-east-1";

/// What the CDK writes for a stack of this id and name.
fn stack(id: &str) -> (String, Value) {
    let artifact = json!({
        "type": "aws:cloudformation:stack",
        "environment": "aws://111111111111/us-east-1",
        "properties": { "templateFile": format!("{id}.json"), "stackName": id },
    });
    (id.to_owned(), artifact)
}

fn manifest(stacks: &[&str], missing: Option<&str>) -> String {
    let artifacts: serde_json::Map<String, Value> = stacks.iter().map(|id| stack(id)).collect();
    let missing = missing.map(|name| {
        json!({ "key": KEY, "provider": "ssm", "props": {
            "account": "111111111111", "region": "us-east-1", "parameterName": name,
            "dummyValue": format!("dummy-value-for-{name}"),
        } })
    });
    let missing: Vec<Value> = missing.into_iter().collect();
    json!({ "version": "36.0.0", "artifacts": artifacts, "missing": missing }).to_string()
}

fn page(url: &str) -> String {
    json!({
        "Resources": { "T": { "Type": "AWS::SNS::Topic", "Properties": { "DisplayName": url } } },
        "Outputs": { "Url": { "Value": url } },
    })
    .to_string()
}

/// A shop that writes its address, and a guide that has it from its synthesis, beside a stack that needs nothing. The
/// guide is synthesized by copying what a CDK app would write: `first`, and from the second time on `then`.
fn place() -> Place {
    let place = Place::new();
    let parameter = json!({ "Resources": { "P": { "Type": "AWS::SSM::Parameter", "Properties": {
        "Type": "String", "Name": "/shop/url", "Value": "https://shop.example" } } } });
    place.write("shop/cdk.out/manifest.json", &manifest(&["Shop"], None));
    place.write("shop/cdk.out/Shop.json", &parameter.to_string());
    for (folder, url, missing) in
        [("first", "dummy-value-for-/shop/url", Some("/shop/url")), ("then", "https://shop.example", None)]
    {
        place.write(&format!("guide/{folder}/manifest.json"), &manifest(&["Page", "Editor"], missing));
        place.write(&format!("guide/{folder}/Page.json"), &page(&format!("{url}/start")));
        place.write(&format!("guide/{folder}/Editor.json"), &page("none"));
    }
    place.write(
        "guide/synth.sh",
        "rm -rf cdk.out
if [ -e synthesized ]; then
  [ ! -e wait ] || { touch waits; for _ in $(seq 6000); do [ -e wait ] || break; sleep 0.02; done; }
  cp -r then cdk.out
else
  cp -r first cdk.out
fi
touch synthesized
",
    );
    configure(&place, "");
    place
}

fn configure(place: &Place, more: &str) {
    let guide = format!("guide: {{ dir: guide, synth: sh synth.sh{more} }}");
    place.write("paceline.yaml", &format!("apps:\n  shop: {{ dir: shop }}\n  {guide}\n"));
}

fn deploy<'a>(place: &'a Place, sim: &Sim) -> Call<'a> {
    place.paceline(["deploy", "--events", "events.jsonl", "--outputs", "outputs.json"]).aws_at(&sim.address)
}

fn outcome<'e>(events: &'e Events, step: &str) -> &'e str {
    let finished = events.of("step.finished").find(|event| event["step"] == step);
    finished.map_or("none", |event| event["outcome"].as_str().unwrap())
}

#[test]
fn a_fresh_account_gets_what_was_made_and_no_placeholder() {
    let (place, sim) = (place(), Sim::start(1000));
    place.paceline(["synth"]).run().expect(0);
    fs_err::remove_file(place.path("guide/synthesized")).unwrap();
    let plan = place.paceline(["plan"]).run().expect(0);
    let told = "Synthesized again: guide after shop/Shop, for guide/Page: /shop/url";
    assert!(plan.stdout.contains(told), "{}", plan.stdout);

    let ran = deploy(&place, &sim).run().expect(0);
    assert!(ran.stderr.contains("note: synthesized again: guide after shop/Shop"), "{}", ran.stderr);
    let events = Events::read(&place.path("events.jsonl"));
    assert_eq!(outcome(&events, "synth:guide/Page"), "deployed");
    let at = |kind: &str, step: &str| {
        events.0.iter().position(|event| event["event"] == kind && event["step"] == step).unwrap()
    };
    assert!(at("step.finished", "deploy:shop/Shop") < at("step.started", "synth:guide/Page"));
    assert!(at("step.finished", "synth:guide/Page") < at("step.started", "deploy:guide/Page"));
    assert!(at("step.started", "deploy:guide/Editor") < at("step.finished", "deploy:shop/Shop"));
    assert_eq!(place.json("outputs.json")["Page"]["Url"], "https://shop.example/start");

    let again = deploy(&place, &sim).run().expect(0);
    assert!(!again.stderr.contains("synthesized again"), "{}", again.stderr);
    assert!(again.stderr.contains("3 unchanged"), "{}", again.stderr);
}

#[test]
fn an_only_app_that_has_a_synth_command_is_synthesized_again_as_well() {
    let (place, sim) = (Place::new(), Sim::start(1000));
    let parameter = json!({ "Resources": { "P": { "Type": "AWS::SSM::Parameter", "Properties": {
        "Type": "String", "Name": "/shop/url", "Value": "https://shop.example" } } } });
    let first = ("dummy-value-for-/shop/url", Some("/shop/url"));
    for (folder, (url, missing)) in
        [("cdk.out", first), ("elsewhere", first), ("then", ("https://shop.example", None))]
    {
        place.write(&format!("{folder}/manifest.json"), &manifest(&["Shop", "Page"], missing));
        place.write(&format!("{folder}/Shop.json"), &parameter.to_string());
        place.write(&format!("{folder}/Page.json"), &page(url));
    }
    place.write("paceline.yaml", "app: cdk.out\nsynth: rm -r cdk.out && cp -r then cdk.out\n");
    let elsewhere = deploy(&place, &sim).args(["--app", "elsewhere"]).run().expect(2);
    assert!(elsewhere.stderr.contains("it was synthesized without context it needs"), "{}", elsewhere.stderr);
    // As generated builds name it.
    let ran = deploy(&place, &sim).args(["--app", "./cdk.out"]).run().expect(0);
    assert!(
        ran.stderr.contains("note: synthesized again: the app after Shop, for Page: /shop/url"),
        "{}",
        ran.stderr
    );
    assert_eq!(place.json("outputs.json")["Page"]["Url"], "https://shop.example");
}

/// What generated builds do: they synthesize and plan before they deploy.
#[test]
fn what_is_due_in_the_middle_is_synthesized_also_where_the_start_takes_what_is_there() {
    let (place, sim) = (place(), Sim::start(1000));
    place.write("guide/synth.sh", &(place.read("guide/synth.sh") + "echo \"$CDK_CONTEXT_JSON\" > context\n"));
    place.paceline(["synth"]).run().expect(0);
    deploy(&place, &sim).args(["--no-synth", "--context", "guide:stage=prod"]).run().expect(0);
    assert_eq!(place.json("outputs.json")["Page"]["Url"], "https://shop.example/start");
    assert_eq!(place.read("guide/context"), "{\"stage\":\"prod\"}\n");

    place.paceline(["synth"]).run().expect(0);
    let ran = deploy(&place, &sim).args(["--no-synth", "--context", "guide:stage=prod"]).run().expect(2);
    assert!(ran.stderr.contains("nothing is synthesized in this run"), "{}", ran.stderr);
}

#[test]
fn a_generated_build_does_so_too() {
    let (place, sim) = (place(), Sim::start(1000));
    let config = place.read("paceline.yaml") + "runner: { from: image }\n";
    place.write("paceline.yaml", &config);
    place.paceline(["synth"]).run().expect(0);
    place.paceline(["gen", "--name", "app"]).run().expect(0);
    // As in a fresh checkout, in an image that has Node.
    fs_err::remove_file(place.path("guide/synthesized")).unwrap();
    place.program("image/node", "#!/bin/sh\necho v22\n");
    place.build("app.yml").aws_at(&sim.address).run().expect(0);
    assert_eq!(place.json("kept/artifacts/outputs.json")["Page"]["Url"], "https://shop.example/start");
}

#[test]
fn stacks_that_wait_for_different_things_share_a_synthesis_that_starts_after_all_of_them() {
    let (place, sim) = (Place::new(), Sim::start(1000));
    let names = ["a", "b", "c"];
    let missing: Vec<Value> = names
        .iter()
        .map(|name| {
            let key = format!("ssm:account=111111111111:parameterName=/{name}:region=us-east-1");
            let stand_in = format!("dummy-value-for-/{name}");
            json!({ "key": key, "provider": "ssm", "props": { "dummyValue": stand_in } })
        })
        .collect();
    for name in names {
        let parameter = json!({ "Type": "AWS::SSM::Parameter", "Properties": {
            "Type": "String", "Name": format!("/{name}"), "Value": "v" } });
        let makes = json!({ "Resources": { "P": parameter } });
        place.write(&format!("shop/cdk.out/Makes-{name}.json"), &makes.to_string());
        place.write(&format!("guide/first/Has-{name}.json"), &page(&format!("dummy-value-for-/{name}")));
        place.write(&format!("guide/then/Has-{name}.json"), &page("found"));
    }
    let stacks = |prefix: &str| names.map(|name| format!("{prefix}-{name}"));
    let (makes, has) = (stacks("Makes"), stacks("Has"));
    let has = has.each_ref().map(String::as_str);
    place.write("shop/cdk.out/manifest.json", &manifest(&makes.each_ref().map(String::as_str), None));
    let mut first: Value = serde_json::from_str(&manifest(&has, None)).unwrap();
    first["missing"] = missing.into();
    place.write("guide/first/manifest.json", &first.to_string());
    place.write("guide/then/manifest.json", &manifest(&has, None));
    let synth = "[ -e cdk.out ] && from=then || from=first
echo x >> times
[ $from = first ] || for _ in $(seq 6000); do [ ! -e go ] || break; sleep 0.02; done
rm -rf cdk.out; cp -r $from cdk.out";
    place.write("guide/synth.sh", synth);
    configure(&place, "");
    let running = deploy(&place, &sim).start("log");
    let path = place.path("events.jsonl");
    until("all three are due", || {
        let text = fs_err::read_to_string(&path).unwrap_or_default();
        let started = |line: &&str| line.contains("\"step.started\"") && line.contains("\"synth:guide/");
        text.lines().filter(started).count() == names.len()
    });
    place.write("guide/go", "");
    let (code, said) = running.end();
    assert_eq!(code, Some(0), "{said}");
    for name in names {
        assert_eq!(place.json("outputs.json")[format!("Has-{name}")]["Url"], "found");
    }
    let at_the_start_and_for_the_first = 2;
    let times = place.read("guide/times").lines().count();
    assert!(times <= at_the_start_and_for_the_first + 1, "the others share one: {times}");
    assert!(said.contains("synthesized meanwhile"), "{said}");
}

/// A deployment in which the second synthesis gives something else than was planned.
fn with(change: impl FnOnce(&Place)) -> (Place, Ran) {
    let (place, sim) = (place(), Sim::start(1000));
    change(&place);
    let ran = deploy(&place, &sim).run();
    (place, ran)
}

#[test]
fn what_is_still_missing_is_not_deployed_and_everything_else_is() {
    let (place, ran) = with(|place| {
        for file in ["manifest.json", "Page.json"] {
            place.write(&format!("guide/then/{file}"), &place.read(&format!("guide/first/{file}")));
        }
    });
    let ran = ran.expect(1);
    assert!(ran.stderr.contains("`guide/Page` is still without the parameter /shop/url"), "{}", ran.stderr);
    let events = Events::read(&place.path("events.jsonl"));
    assert_eq!(outcome(&events, "synth:guide/Page"), "failed");
    assert_eq!(outcome(&events, "deploy:guide/Page"), "skipped");
    assert_eq!(outcome(&events, "deploy:guide/Editor"), "deployed");
}

#[test]
fn a_synthesis_that_fails_is_told_with_what_it_said() {
    let (place, ran) = with(|place| {
        place.write(
            "guide/synth.sh",
            "[ ! -e cdk.out ] || { echo no such module >&2; exit 3; }\ncp -r first cdk.out\n",
        );
    });
    let ran = ran.expect(1);
    assert!(ran.stderr.contains("exit status: 3: no such module"), "{}", ran.stderr);
    assert_eq!(outcome(&Events::read(&place.path("events.jsonl")), "deploy:guide/Page"), "skipped");
}

#[test]
fn a_stack_that_appears_in_the_middle_is_told_and_left_for_the_next_run() {
    let (place, ran) = with(|place| {
        place.write("guide/then/manifest.json", &manifest(&["Page", "Editor", "New"], None));
        place.write("guide/then/New.json", &page("new"));
    });
    let ran = ran.expect(0);
    assert!(ran.stderr.contains("`guide/New`; the next run deploys it"), "{}", ran.stderr);
    assert_eq!(Events::read(&place.path("events.jsonl")).outcomes().len(), 3);
}

#[test]
fn what_would_be_deployed_without_its_maker_is_refused_before_anything_is_touched() {
    let (place, sim) = (place(), Sim::start(1000));
    place.paceline(["synth"]).run().expect(0);
    for more in [&["--only", "guide/*"][..], &["--exclude", "shop/*", "--no-synth"]] {
        fs_err::remove_file(place.path("guide/synthesized")).unwrap_or_default();
        let ran = deploy(&place, &sim).args(more).run().expect(2);
        assert!(ran.stderr.contains("error: `guide/Page` was synthesized without context"), "{}", ran.stderr);
        assert!(ran.stderr.contains("\n hint: `shop/Shop` makes /shop/url"), "{}", ran.stderr);
    }
    assert_eq!(sim.calls().len(), 0);
}

#[test]
fn a_run_that_is_interrupted_while_it_synthesizes_is_gone_on_with() {
    let (place, sim) = (place(), Sim::start(1000));
    place.write("guide/wait", "");
    let running = deploy(&place, &sim).start("log");
    until("it is synthesized again", || place.path("guide/waits").exists());
    running.signal("INT");
    let (code, said) = running.end();
    assert_eq!(code, Some(4), "{said}");
    fs_err::remove_file(place.path("guide/wait")).unwrap();

    let ran = deploy(&place, &sim).args(["--resume"]).run().expect(0);
    assert!(ran.stderr.contains("continuing the interrupted run"), "{}", ran.stderr);
    assert_eq!(sim.accepted("CreateStack").len(), 3);
    assert_eq!(place.json("outputs.json")["Page"]["Url"], "https://shop.example/start");
    assert_eq!(place.runs().len(), 1);
    let report = place.paceline(["report", &place.runs()[0]]).run().expect(0);
    assert!(report.stdout.contains("guide/Page"), "{}", report.stdout);
}

#[test]
fn a_run_that_is_killed_after_its_late_synthesis_is_gone_on_with() {
    let (place, sim) = (place(), Sim::start(5));
    let running = deploy(&place, &sim).start("log");
    let path = place.path("events.jsonl");
    until("the page is being deployed", || {
        fs_err::read_to_string(&path).is_ok_and(|text| {
            text.lines().any(|it| it.contains("\"stack.submitted\"") && it.contains("\"deploy:guide/Page\""))
        })
    });
    running.signal("KILL");
    running.end();

    let ran = deploy(&place, &sim).args(["--resume"]).run().expect(0);
    assert!(ran.stderr.contains("continuing the interrupted run"), "{}", ran.stderr);
    assert_eq!(sim.accepted("CreateStack").len(), 3, "nothing is done twice");
    assert_eq!(sim.accepted("UpdateStack"), [""; 0]);
    assert_eq!(place.json("outputs.json")["Page"]["Url"], "https://shop.example/start");
}

#[test]
fn what_was_looked_up_once_is_told_and_looked_up_again_where_that_is_asked_for() {
    let (place, sim) = (place(), Sim::start(1000));
    place.write("guide/synthesized", "");
    let context = |place: &Place| {
        place.write(
            "guide/cdk.context.json",
            &format!("{{\n  \"{KEY}\": \"https://shop.example\",\n  \"other\": 1\n}}\n"),
        );
    };
    context(&place);
    place.paceline(["synth"]).run().expect(0);
    let plan = place.paceline(["plan"]).run().expect(0);
    for part in [
        "Cached lookups in cdk.context.json that stacks of this plan create:",
        "guide: /shop/url, which shop/Shop makes",
    ] {
        assert!(plan.stdout.contains(part), "{part}: {}", plan.stdout);
    }
    assert!(!plan.stdout.contains("Synthesized again"), "{}", plan.stdout);

    deploy(&place, &sim).run().expect(0);
    let ran = deploy(&place, &sim).run().expect(0);
    assert!(!ran.stderr.contains("uses an old value of"), "{}", ran.stderr);
    place.write(
        "guide/cdk.context.json",
        &place.read("guide/cdk.context.json").replace("shop.example", "old.example"),
    );
    let ran = deploy(&place, &sim).run().expect(0);
    let told = "warning: guide uses an old value of /shop/url, from cdk.context.json";
    assert!(ran.stderr.contains(told), "{}", ran.stderr);

    let ran = place.paceline(["synth", "--refresh-context", "/shop/url"]).run().expect(0);
    assert!(ran.stderr.contains(&format!("[synth guide] looked up again: {KEY}")), "{}", ran.stderr);
    assert_eq!(place.read("guide/cdk.context.json"), "{\n  \"other\": 1\n}\n");

    // The CDK writes what it has looked up.
    let synth = place.read("guide/synth.sh") + "cp ../context.json cdk.context.json\n";
    place.write("guide/synth.sh", &synth);
    context(&place);
    place.write("context.json", &place.read("guide/cdk.context.json"));
    configure(&place, ", refresh-context: [/shop/url]");
    let ran = deploy(&place, &sim).run().expect(0);
    // The shop was deployed above, as it is.
    assert_eq!(ran.stderr.matches(&format!("looked up again: {KEY}")).count(), 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("nothing that it looks up has changed"), "{}", ran.stderr);
    let events = Events::read(&place.path("events.jsonl"));
    assert_eq!(outcome(&events, "synth:guide/Page"), "unchanged");

    let shop = place.read("shop/cdk.out/Shop.json").replace("shop.example", "new.example");
    place.write("shop/cdk.out/Shop.json", &shop);
    let ran = deploy(&place, &sim).run().expect(0);
    assert_eq!(ran.stderr.matches(&format!("looked up again: {KEY}")).count(), 2, "{}", ran.stderr);
    let events = Events::read(&place.path("events.jsonl"));
    assert_eq!(outcome(&events, "synth:guide/Page"), "deployed");
}

#[test]
fn a_context_file_that_is_broken_is_told_with_its_place() {
    let place = place();
    place.paceline(["synth"]).run().expect(0);
    place.write("guide/cdk.context.json", "{\n  oops\n}");
    let ran = place.paceline(["plan"]).run().expect(2);
    assert!(ran.stderr.starts_with("error: guide/cdk.context.json:2:3: "), "{}", ran.stderr);
    assert!(ran.stderr.contains(" hint: "), "{}", ran.stderr);
}

#[test]
fn a_simulation_goes_on_with_what_was_recorded_and_says_what_it_pretends() {
    let place = place();
    place.paceline(["synth"]).run().expect(0);
    let simulate = || {
        let call = place.paceline(["deploy", "--simulate", "--outputs", "outputs.json"]);
        (call.run().expect(0).stderr, place.json("outputs.json")["Page"]["Url"].clone())
    };
    let (said, url) = simulate();
    assert!(said.contains(
        "warning: app `guide` is not synthesized again: its stacks are deployed with placeholders"
    ));
    assert_eq!(url, "dummy-value-for-/shop/url/start");

    configure(&place, ", recorded: then");
    let (said, url) = simulate();
    assert!(said.contains("the simulation uses the assembly recorded in then"), "{said}");
    assert_eq!(url, "https://shop.example/start");
    place.paceline(["plan", "--simulate"]).run().expect(0);
}

#[test]
fn what_is_synthesized_during_the_run_is_held_against_the_policy() {
    let (place, sim) = (place(), Sim::start(1000));
    let mut page: Value = serde_json::from_str(&page("https://shop.example/start")).unwrap();
    page["Resources"]["Access"] = json!({ "Type": "AWS::SNS::TopicPolicy", "Properties": {
        "Topics": [{ "Ref": "T" }],
        "PolicyDocument": { "Statement": [
            { "Effect": "Allow", "Action": "sns:Publish", "Principal": "*", "Resource": "*" },
        ] },
    } });
    place.write("guide/then/Page.json", &page.to_string());
    let ran = deploy(&place, &sim).args(["--require-approval", "broadening"]).run().expect(1);
    assert!(ran.stderr.contains("the policy refuses its change set"), "{}", ran.stderr);
    let events = Events::read(&place.path("events.jsonl"));
    assert_eq!(outcome(&events, "deploy:guide/Editor"), "deployed");
    assert_eq!(outcome(&events, "deploy:guide/Page"), "failed");
    deploy(&place, &sim)
        .args(["--require-approval", "broadening", "--approve", "iam-broadening"])
        .run()
        .expect(0);
}
