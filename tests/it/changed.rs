//! `--resume` after the app, its configuration or the command has changed.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::harness::{Events, Place, Ran, Sim, until};

const FAST: u32 = 10_000;

/// An app whose run is held up until `go` is there.
struct Story {
    place: Place,
    sim: Sim,
    stacks: BTreeMap<&'static str, Value>,
}

/// The command that holds up a run after Api.
const HOLD: &str = "  - { name: hold, after: Api, run: 'test -e go || exec sleep 600' }\n";

impl Story {
    /// Base ← Api ← Web in us-east-1, and Remote in eu-west-1.
    fn new() -> Self {
        let mut it = Self { place: Place::new(), sim: Sim::start(FAST), stacks: BTreeMap::new() };
        it.stack("Base", "one", &[]);
        it.stack("Api", "one", &["Base"]);
        it.stack("Web", "one", &["Api"]);
        it.config("");
        it
    }

    fn stack(&mut self, name: &'static str, version: &str, after: &[&str]) {
        let topic = json!({ "Type": "AWS::SNS::Topic", "Properties": { "DisplayName": version } });
        self.template(name, after, "us-east-1", &json!({ "Resources": { "Topic": topic } }));
    }

    fn template(&mut self, name: &'static str, after: &[&str], region: &str, template: &Value) {
        self.place.write(&format!("cdk.out/{name}.json"), &template.to_string());
        let artifact = json!({
            "type": "aws:cloudformation:stack",
            "environment": format!("aws://111111111111/{region}"),
            "properties": { "templateFile": format!("{name}.json") },
            "dependencies": after,
        });
        self.stacks.insert(name, artifact);
        self.manifest();
    }

    fn gone(&mut self, name: &str) {
        self.stacks.remove(name);
        self.manifest();
    }

    fn manifest(&self) {
        let manifest = json!({ "version": "36.0.0", "artifacts": self.stacks });
        self.place.write("cdk.out/manifest.json", &manifest.to_string());
    }

    fn config(&self, more: &str) {
        self.place.write("paceline.yaml", &format!("version: 1\n{more}commands:\n{HOLD}"));
    }

    fn deploy(&self, arguments: &[&str]) -> Ran {
        let call = self.place.paceline(["deploy", "--events", "second.jsonl"]).args(arguments);
        call.aws_at(&self.sim.address).run()
    }

    /// Kills a deployment with these arguments when Base and Api are done and the command runs. Gives the name of the run.
    fn killed(&self, arguments: &[&str]) -> String {
        let events = self.place.path("first.jsonl");
        let starts = || {
            let text = fs_err::read_to_string(&events).unwrap_or_default();
            let is_start =
                |line: &&str| line.contains("step.started") && line.contains("\"kind\":\"command\"");
            text.lines().filter(is_start).count()
        };
        // A run that is continued writes the events of its earlier parts again.
        let before = starts();
        let call = self.place.paceline(["deploy", "--events", "first.jsonl"]).args(arguments);
        let running = call.aws_at(&self.sim.address).start("first.log");
        until("the command runs", || starts() > before);
        running.signal("KILL");
        running.end();
        self.place.write("go", "");
        self.place.runs().pop().unwrap()
    }

    fn second(&self) -> Events {
        Events::read(&self.place.path("second.jsonl")).last_part()
    }

    /// The stacks that were created or updated by the accepted calls of all runs.
    fn changed(&self) -> (Vec<String>, Vec<String>) {
        (self.sim.accepted("CreateStack"), self.sim.accepted("UpdateStack"))
    }
}

#[track_caller]
fn assert_says(ran: &Ran, texts: &[&str]) {
    // Long lines are wrapped.
    let said = ran.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    for text in texts {
        assert!(said.contains(text), "{text}:\n{}", ran.stderr);
    }
}

#[test]
fn an_edited_app_is_continued_and_what_changed_is_said_and_deployed() {
    let mut it = Story::new();
    let run = it.killed(&[]);
    it.stack("Base", "two", &[]);
    it.stack("Extra", "one", &[]);
    it.stack("Web", "one", &["Api", "Extra"]);
    let ran = it.deploy(&["--resume"]).expect(0);
    assert_says(
        &ran,
        &[
            &format!("continuing the interrupted run {run}. Since it was interrupted:"),
            "the template of `Base` has changed",
            "the stack `Extra` is new",
            "the stack `Web` waits for Extra too",
        ],
    );
    let (created, updated) = it.changed();
    assert_eq!(
        (created, updated),
        (["Api", "Base", "Extra", "Web"].map(String::from).to_vec(), vec!["Base".to_owned()])
    );
    let second = it.second();
    assert!(second.position("step.finished", "Base") < second.position("step.started", "Api"));
    assert!(second.position("step.finished", "Extra") < second.position("step.started", "Web"));
    let report = it.place.paceline(["report", &run, "--format", "json"]).run().expect(0).stdout_json();
    assert_eq!(report["parts"].as_array().map(Vec::len), Some(2), "the report has both parts: {report}");
}

#[test]
fn stacks_that_did_not_change_stay_done() {
    let mut it = Story::new();
    it.killed(&[]);
    it.stack("Web", "two", &["Api"]);
    it.deploy(&["--resume"]).expect(0);
    let second = it.second();
    let resumed = second.of_stacks("step.finished").filter(|event| event["resumed"] == true);
    assert_eq!(resumed.map(|event| event["stack"].clone()).collect::<Vec<_>>(), ["Base", "Api"]);
    assert_eq!(it.changed().1, [""; 0]);
}

#[test]
fn a_stack_that_is_gone_is_named_and_left_alone() {
    let mut it = Story::new();
    let run = it.killed(&[]);
    it.gone("Base");
    it.stack("Api", "one", &[]);
    let ran = it.deploy(&["--resume", &run, "--report", "report"]).expect(0);
    assert_says(&ran, &["the app has no stack `Base` any more; it is left alone"]);
    assert_eq!(it.sim.accepted("DeleteStack"), [""; 0]);
    let report = it.place.json("report/report.json");
    let base =
        report["steps"].as_array().unwrap().iter().find(|step| step["id"] == "deploy:Base").unwrap().clone();
    assert_eq!(base["outcome"], "deployed", "the first part did it: {base}");
}

#[test]
fn an_edited_configuration_is_continued() {
    let mut it = Story::new();
    let topic = json!({ "Resources": { "Topic": { "Type": "AWS::SNS::Topic" } } });
    it.template("Remote", &["Api"], "eu-west-1", &topic);
    it.config("multi-region: { when: ENABLE_MULTI_REGION, primary: us-east-1 }\n");
    it.killed(&[]);
    it.config("concurrency: { stacks: 1 }\n");
    let ran = it.deploy(&["--resume", "--exclude", "Web"]).expect(0);
    assert_says(
        &ran,
        &[
            "the stack `Remote` is new",
            "the stack `Web` would not be deployed: --exclude names it; it is left alone",
            "`concurrency` has changed",
        ],
    );
    assert_eq!(it.changed().0, ["Api", "Base", "Remote"]);
}

#[test]
fn another_selection_is_continued() {
    let it = Story::new();
    let run = it.killed(&["--only", "Base", "--only", "Api"]);
    let ran = it.deploy(&["--resume", "last", "--only", "Web"]).expect(0);
    assert_says(&ran, &["the stack `Web` is new", "the stack `Base` would not be deployed"]);
    assert_eq!(it.changed().0, ["Api", "Base", "Web"]);
    assert_eq!(it.place.runs(), [run]);
}

#[test]
fn without_resume_a_changed_app_is_a_new_run() {
    let mut it = Story::new();
    it.killed(&[]);
    it.stack("Web", "two", &["Api"]);
    it.deploy(&[]).expect(0);
    assert_eq!(it.place.runs().len(), 2);
}

#[test]
fn a_run_that_was_continued_with_a_change_is_continued_again_by_the_same_command() {
    let mut it = Story::new();
    let run = it.killed(&[]);
    fs_err::remove_file(it.place.path("go")).unwrap();
    it.stack("Base", "two", &[]);
    assert_eq!(it.killed(&["--resume"]), run);
    let ran = it.deploy(&[]).expect(0);
    assert_says(&ran, &[&format!("continuing the interrupted run {run}")]);
    assert!(!ran.stderr.contains("Since it was interrupted"), "{}", ran.stderr);
    assert_eq!(it.changed().1, ["Base"], "it was updated once");
}

#[test]
fn an_approved_plan_that_is_not_the_one_of_the_run_is_refused() {
    let mut it = Story::new();
    it.killed(&[]);
    it.stack("Web", "two", &["Api"]);
    it.place.paceline(["plan", "--save", "approved.json"]).run().expect(0);
    let ran = it.deploy(&["--plan", "approved.json", "--resume"]).expect(3);
    assert_says(
        &ran,
        &["began with another plan than the one that was approved", "without --plan to continue"],
    );
    assert_eq!(it.changed().0, ["Api", "Base"]);
}

#[test]
fn a_changed_stack_that_has_moved_and_another_command_are_refused() {
    let mut it = Story::new();
    let run = it.killed(&[]);
    let ran =
        it.place.paceline(["destroy", "--yes", "--resume", &run]).aws_at(&it.sim.address).run().expect(2);
    assert_says(&ran, &[&format!("the run {run} deploys, and this command deletes stacks")]);
    let topic = json!({ "Resources": { "Topic": { "Type": "AWS::SNS::Topic" } } });
    it.template("Base", &[], "eu-west-1", &topic);
    let ran = it.deploy(&["--resume"]).expect(2);
    assert_says(&ran, &["it has changed stacks that now have another name, account or region: `Base`"]);
}

/// What the stack was before the run is restored, and data that only the second part added is not deleted unasked.
#[test]
fn a_rollback_undoes_both_parts_of_a_changed_run() {
    let mut it = Story::new();
    it.place.write("go", "");
    it.deploy(&[]).expect(0);
    fs_err::remove_file(it.place.path("go")).unwrap();
    it.stack("Base", "two", &[]);
    it.stack("Api", "two", &["Base"]);
    it.killed(&[]);
    let topic = json!({ "Type": "AWS::SNS::Topic", "Properties": { "DisplayName": "three" } });
    let table = json!({ "Type": "AWS::DynamoDB::Table" });
    it.template("Api", &["Base"], "us-east-1", &json!({ "Resources": { "Topic": topic, "Table": table } }));
    it.stack("Base", "three", &[]);
    it.deploy(&["--resume"]).expect(0);
    let rollback = |arguments: &[&str]| {
        let call = it.place.paceline(["rollback", "last"]).args(arguments);
        call.aws_at(&it.sim.address).run()
    };
    let ran = rollback(&[]).expect(2);
    let said = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("would delete what the run created in it: Table (AWS::DynamoDB::Table)"), "{said}");
    rollback(&["--yes", "--including", "Api"]).expect(0);
    it.stack("Base", "one", &[]);
    it.stack("Api", "one", &["Base"]);
    let updates = it.changed().1.len();
    it.deploy(&[]).expect(0);
    assert_eq!(it.changed().1.len(), updates, "the stacks are those from before the run");
}
