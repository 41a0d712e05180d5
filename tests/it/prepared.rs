//! Prepared runs and the policy, against the simulator in another process.

use serde_json::{Value, json};

use crate::harness::{Call, Events, Place, Ran, Sim, until};

/// Fast enough not to be waited for.
const FAST: u32 = 10_000;
/// Slow enough for something to happen during an operation.
const SLOW: u32 = 5;

fn queue(seconds: u32) -> Value {
    json!({ "Type": "AWS::SQS::Queue", "Properties": { "DelaySeconds": seconds } })
}

fn table(name: &str) -> Value {
    json!({ "Type": "AWS::DynamoDB::Table", "Properties": {
        "TableName": name,
        "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
        "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
        "BillingMode": "PAY_PER_REQUEST",
    } })
}

fn write_app(place: &Place, api: &Value, data: &Value) {
    let mut artifacts = serde_json::Map::new();
    for (name, resources, after) in [("Data", data, vec![]), ("Api", api, vec!["Data"])] {
        let template = json!({ "Resources": resources }).to_string();
        place.write(&format!("cdk.out/{name}.json"), &template);
        let stack = json!({
            "type": "aws:cloudformation:stack",
            "environment": "aws://111111111111/us-east-1",
            "properties": { "templateFile": format!("{name}.json") },
            "dependencies": after,
        });
        artifacts.insert(name.to_owned(), stack);
    }
    let manifest = json!({ "version": "36.0.0", "artifacts": artifacts });
    place.write("cdk.out/manifest.json", &manifest.to_string());
}

struct Prepared {
    place: Place,
    sim: Sim,
}

impl Prepared {
    /// An app of two stacks that is deployed, and then changed: a queue of `Api` changes and another one is deleted, and
    /// the table of `Data` is replaced.
    fn changed() -> Self {
        let it = Self { place: Place::new(), sim: Sim::start(FAST) };
        it.app(&json!({ "Queue": queue(1), "Old": queue(1) }), &json!({ "Table": table("one") }));
        it.deploy(&["--quiet"]).expect(0);
        it.app(&json!({ "Queue": queue(2) }), &json!({ "Table": table("two") }));
        it
    }

    fn app(&self, api: &Value, data: &Value) {
        write_app(&self.place, api, data);
    }

    fn call(&self, arguments: &[&str]) -> Call<'_> {
        self.place.paceline(["deploy"]).args(arguments).aws_at(&self.sim.address)
    }

    fn deploy(&self, arguments: &[&str]) -> Ran {
        self.call(arguments).run()
    }

    /// Prepares the deployment, and gives the name of the run.
    fn prepare(&self) -> (String, Ran) {
        let ran = self.deploy(&["--method", "prepare"]).expect(0);
        let run = ran.stdout.split(':').next().unwrap().to_owned();
        (run, ran)
    }

    fn policy(&self, policy: &str) {
        self.place.write("paceline.yaml", &format!("version: 1\napprove: {policy}\n"));
    }

    fn changes(&self) -> usize {
        ["ExecuteChangeSet", "UpdateStack"].iter().map(|it| self.sim.accepted(it).len()).sum()
    }
}

#[test]
fn what_was_prepared_is_listed_and_executed() {
    let it = Prepared::changed();
    let (run, ran) = it.prepare();
    for line in [
        "2 change sets ready",
        "Api (111111111111/us-east-1) is updated: 1 changed, 1 deleted",
        "Data (111111111111/us-east-1) is updated: 1 replaced",
        "Table (AWS::DynamoDB::Table)",
    ] {
        assert!(ran.stdout.contains(line), "{line}: {}", ran.stdout);
    }
    assert!(ran.stderr.contains(&format!("`paceline deploy --prepared {run}` executes exactly this")));
    assert!(ran.stderr.contains("nothing was deployed"), "{}", ran.stderr);
    assert_eq!(it.changes(), 0);

    let ran = it.deploy(&["--prepared", &run, "--events", "events.jsonl"]).expect(0);
    assert!(ran.stderr.contains(&format!("executes {run}")), "{}", ran.stderr);
    assert_eq!(it.sim.accepted("CreateChangeSet").len(), 2, "none was made again");
    assert_eq!(it.sim.accepted("ExecuteChangeSet").len(), 2);
    let started = Events::read(&it.place.path("events.jsonl"));
    assert_eq!(started.of("run.started").next().unwrap()["executes"], *run);
    it.deploy(&["--method", "execute"]).expect(0);
}

#[test]
fn the_newest_prepared_run_is_executed_and_another_name_is_refused() {
    let it = Prepared::changed();
    let ran = it.deploy(&["--method", "execute"]).expect(2);
    assert!(ran.stderr.contains("no prepared run of this app is known"), "{}", ran.stderr);
    it.prepare();
    let ran = it.deploy(&["--prepared", "20200101T000000Z-00000000"]).expect(2);
    assert!(ran.stderr.contains("there is no run 20200101T000000Z-00000000"), "{}", ran.stderr);
    let ran = it.deploy(&["--prepared", "last", "--method", "prepare"]).expect(2);
    assert!(ran.stderr.contains("leave out one of the two"), "{}", ran.stderr);
    it.deploy(&["-m", "execute-change-set"]).expect(0);
    assert_eq!(it.sim.accepted("ExecuteChangeSet").len(), 2);
    // Another run is no prepared one.
    let runs = it.place.runs();
    let ran = it.deploy(&["--prepared", &runs[0]]).expect(2);
    assert!(ran.stderr.contains("has prepared nothing"), "{}", ran.stderr);
}

#[test]
fn the_policy_refuses_before_anything_is_touched_and_names_all_of_it() {
    let it = Prepared::changed();
    it.policy("{ deletes: 0, replacements: [stateful] }");
    let runs = it.place.runs().len();
    let expected = "error: the policy refuses 2 changes:
         deletes       Api   Old (AWS::SQS::Queue) is deleted
         replacements  Data  Table (AWS::DynamoDB::Table) is replaced
 hint: change the app, or let it through: --approve deletes=REASON --approve replacements=REASON";
    let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    for method in ["direct", "change-set"] {
        let ran = it.deploy(&["--method", method]).expect(3);
        assert!(squeezed(&ran.stderr).contains(&squeezed(expected)), "{}", ran.stderr);
    }
    assert_eq!((it.changes(), it.place.runs().len()), (0, runs));
    let (run, _) = it.prepare();
    let ran = it.deploy(&["--prepared", &run, "--approve", "deletes"]).expect(3);
    assert!(ran.stderr.contains("the policy refuses 1 change:"), "{}", ran.stderr);
    assert_eq!(it.changes(), 0);

    let approve = ["--approve", "deletes", "--approve", "replacements=empty anyway"];
    let arguments = [&["--prepared", &run, "--events", "events.jsonl"][..], &approve].concat();
    let ran = it.deploy(&arguments).expect(0);
    assert!(ran.stderr.contains("empty anyway"), "{}", ran.stderr);
    let events = Events::read(&it.place.path("events.jsonl"));
    let approved: Vec<&Value> = events.of("run.approved").collect();
    assert_eq!(approved.len(), 2);
    assert_eq!(
        (&approved[1]["rule"], &approved[1]["reason"]),
        (&json!("replacements"), &json!("empty anyway"))
    );
    assert!(approved[1]["by"].as_str().unwrap().starts_with("arn:aws:"), "{}", approved[1]);
    assert_eq!(approved[1]["what"], json!(["Data: Table (AWS::DynamoDB::Table) is replaced"]));
    assert_eq!(it.changes(), 2);
}

#[test]
fn the_policy_is_for_the_stacks_that_it_names() {
    let it = Prepared::changed();
    it.policy("{ deletes: 0, stacks: [Nope] }");
    let ran = it.deploy(&[]).expect(2);
    assert!(ran.stderr.contains("paceline.yaml:2:33"), "{}", ran.stderr);
    it.policy("{ deletes: 0, replacements: [all], stacks: [\"D*\"] }");
    let ran = it.deploy(&[]).expect(3);
    assert!(ran.stderr.contains("the policy refuses 1 change:"), "{}", ran.stderr);
    it.policy("{ deletes: 1 }");
    it.deploy(&[]).expect(0);
}

#[test]
fn the_levels_of_the_cdk_refuse_instead_of_asking() {
    let it = Prepared::changed();
    for (level, says) in
        [("any-change", "1 resource changes"), ("destructive", "Old (AWS::SQS::Queue) is deleted")]
    {
        let ran = it.deploy(&["--require-approval", level]).expect(3);
        assert!(ran.stderr.contains(says), "{}", ran.stderr);
    }
    assert_eq!(it.changes(), 0);
    it.deploy(&["--require-approval", "broadening"]).expect(0);
    it.deploy(&["--require-approval", "any-change"]).expect(0);
}

#[test]
fn a_difference_by_change_sets_leaves_nothing_and_keeps_what_was_prepared() {
    let it = Prepared::changed();
    let (run, _) = it.prepare();
    let ran = it.place.paceline(["diff", "--change-sets"]).aws_at(&it.sim.address).run().expect(0);
    assert!(ran.stdout.contains("Compared with what is deployed, by change sets: of 2 stacks, 2 change"));
    assert_eq!(it.sim.accepted("CreateChangeSet").len(), 4);
    assert_eq!(it.sim.accepted("DeleteChangeSet").len(), 2);
    it.deploy(&["--prepared", &run]).expect(0);
    assert_eq!(it.sim.accepted("CreateChangeSet").len(), 4, "none was made again");

    let new = Place::new();
    new.write("cdk.out/New.json", &json!({ "Resources": { "Queue": queue(1) } }).to_string());
    let stack = json!({
        "type": "aws:cloudformation:stack",
        "environment": "aws://111111111111/us-east-1",
        "properties": { "templateFile": "New.json" },
    });
    let manifest = json!({ "version": "36.0.0", "artifacts": { "New": stack } });
    new.write("cdk.out/manifest.json", &manifest.to_string());
    let ran = new.paceline(["diff", "--change-sets"]).aws_at(&it.sim.address).run().expect(0);
    assert!(ran.stdout.contains("1 is new"), "{}", ran.stdout);
    assert_eq!(it.sim.accepted("DeleteStack").len(), 1, "the empty stack is deleted");
}

#[test]
fn an_interrupted_run_is_continued_only_by_a_command_that_does_the_same() {
    let it = Prepared { place: Place::new(), sim: Sim::start(SLOW) };
    it.app(&json!({ "Queue": queue(1) }), &json!({ "Table": table("one") }));
    let preparing = it.call(&["--method", "prepare"]).start("log");
    until("a change set is made", || !it.sim.accepted("CreateChangeSet").is_empty());
    preparing.signal("KILL");
    preparing.end();
    let ran = it.deploy(&["--resume"]).expect(2);
    assert!(ran.stderr.contains("prepares a deployment, and this command deploys"), "{}", ran.stderr);
    let ran = it.deploy(&["--method", "prepare", "--resume"]).expect(0);
    let run = ran.stdout.split(':').next().unwrap();
    assert!(it.sim.accepted("CreateStack").is_empty() && it.sim.accepted("ExecuteChangeSet").is_empty());

    let executing = it.call(&["--prepared", run]).start("log");
    until("a change set is executed", || !it.sim.accepted("ExecuteChangeSet").is_empty());
    executing.signal("KILL");
    executing.end();
    let ran = it.deploy(&["--resume"]).expect(2);
    assert!(ran.stderr.contains(&format!("executes what {run} has prepared, and this command does not")));
    let ran = it.deploy(&["--method", "prepare", "--resume"]).expect(2);
    assert!(ran.stderr.contains("deploys, and this command prepares a deployment"), "{}", ran.stderr);
    it.deploy(&["--prepared", run, "--resume"]).expect(0);
    assert_eq!(it.sim.accepted("ExecuteChangeSet").len(), 2);
    assert!(it.sim.accepted("CreateStack").is_empty(), "nothing is deployed in another way");
}

#[test]
fn the_policy_is_for_what_the_stacks_are_when_the_run_gets_its_turn() {
    let (first, second, sim) = (Place::new(), Place::new(), Sim::start(SLOW));
    write_app(&first, &json!({ "Queue": queue(1), "Extra": queue(1) }), &json!({ "Table": table("one") }));
    write_app(&second, &json!({ "Queue": queue(1) }), &json!({ "Table": table("one") }));
    second.write("paceline.yaml", "version: 1\napprove: { deletes: 0 }\n");
    // Leases are in the staging bucket, which the assets of stacks name.
    for place in [&first, &second] {
        let mut manifest = place.json("cdk.out/manifest.json");
        let file = json!({ "type": "cdk:asset-manifest", "properties": { "file": "Api.assets.json" } });
        manifest["artifacts"]["Api.assets"] = file;
        manifest["artifacts"]["Api"]["dependencies"] = json!(["Data", "Api.assets"]);
        place.write("cdk.out/manifest.json", &manifest.to_string());
        let destination = json!({
            "bucketName": "cdk-hnb659fds-assets-111111111111-us-east-1",
            "objectKey": "note",
            "region": "us-east-1",
        });
        let files =
            json!({ "note": { "source": { "path": "note" }, "destinations": { "there": destination } } });
        place.write("cdk.out/Api.assets.json", &json!({ "version": "36.0.0", "files": files }).to_string());
        place.write("cdk.out/note", "note");
    }
    let running = first.paceline(["deploy"]).aws_at(&sim.address).start("first.log");
    until("the first run has begun", || !sim.accepted("CreateStack").is_empty());
    let ran = second.paceline(["deploy"]).aws_at(&sim.address).run().expect(3);
    assert!(ran.stderr.contains("Extra (AWS::SQS::Queue) is deleted"), "{}", ran.stderr);
    assert_eq!(running.end().0, Some(0));
    assert!(sim.accepted("UpdateStack").is_empty());
    assert!(second.runs().is_empty(), "a run that was refused has not begun");
}

#[test]
fn a_preparation_says_that_it_refuses_nothing() {
    let it = Prepared::changed();
    let ran = it.deploy(&["--method", "prepare", "--require-approval", "any-change"]).expect(0);
    assert!(ran.stderr.contains("--require-approval is for the run that executes"), "{}", ran.stderr);
}
