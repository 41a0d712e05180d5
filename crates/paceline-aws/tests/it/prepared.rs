//! Runs that prepare a deployment, and runs that execute what was prepared.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_sdk_cloudformation::types::ChangeSetType;
use camino::{Utf8Path, Utf8PathBuf};
use paceline_aws::{ChangeGuard, GuardRefusal, Method};
use paceline_engine::{ExitCode, Outcome, Preparation, PreparedChangeSet, PreparedFiles, PreparedRun};
use paceline_sim::{Failure, Faults, ValidationFinding};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::app::{App, slow, topic};
use crate::world::{How, RUN, Ran, World};

/// A world, and the folder in which its runs keep what they prepare.
struct Prepared {
    world: World,
    folder: TempDir,
}

impl Prepared {
    fn new() -> Self {
        Self { world: World::slow(), folder: TempDir::new().unwrap() }
    }

    /// A world in which this app is deployed.
    async fn after(app: &App) -> Self {
        let prepared = Self::new();
        prepared.world.deploy(app).await.check_all(Outcome::Deployed);
        prepared
    }

    fn runs(&self) -> Utf8PathBuf {
        Utf8Path::from_path(self.folder.path()).unwrap().to_owned()
    }

    fn preparing(&self) -> How {
        How { prepares: true, captures: Some(self.runs()), ..How::default() }
    }

    async fn prepare(&self, app: &App) -> Ran {
        let ran = self.world.run(app, self.preparing()).await;
        assert_eq!(ran.exit_code(), ExitCode::Done);
        ran
    }

    /// What was prepared.
    fn kept(&self) -> PreparedRun {
        PreparedRun { run: RUN.to_owned(), stacks: PreparedFiles::of(&self.runs(), RUN).read().unwrap() }
    }

    fn executing(&self) -> How {
        How { method: Method::ChangeSet, prepared: Some(Arc::new(self.kept())), ..How::default() }
    }

    async fn execute(&self, app: &App) -> Ran {
        self.world.run(app, self.executing()).await
    }

    fn ready(&self, stack: &str) -> PreparedChangeSet {
        match &self.kept().stacks[stack].preparation {
            Preparation::Ready(set) => set.clone(),
            later @ Preparation::Later { .. } => panic!("{later:?}"),
        }
    }

    fn later(&self, stack: &str) -> String {
        match &self.kept().stacks[stack].preparation {
            Preparation::Later { because } => because.clone(),
            ready @ Preparation::Ready(_) => panic!("{ready:?}"),
        }
    }

    fn made(&self) -> usize {
        self.world.count("CreateChangeSet")
    }
}

fn chain(label: &str) -> App {
    App::new().stack("A", &slow(label), &[]).stack("B", &slow(label), &["A"]).stack("C", &slow(label), &["B"])
}

#[tokio::test(start_paused = true)]
async fn prepared_updates_are_executed_and_no_change_set_is_made_again() {
    let it = Prepared::after(&chain("one")).await;
    let app = chain("two");
    let started = tokio::time::Instant::now();
    let ran = it.prepare(&app).await;
    assert!(started.elapsed() < Duration::from_secs(30), "no stack waits for another one");
    ran.check_all(Outcome::Prepared);
    assert_eq!(ran.stack("A").detail.as_deref(), Some("1 changed"));
    assert_eq!((it.made(), it.world.count("ExecuteChangeSet"), it.world.count("UpdateStack")), (3, 0, 0));
    assert_eq!(it.world.statuses("A"), ["CREATE_COMPLETE"]);

    let ran = it.execute(&app).await;
    ran.check_all(Outcome::Deployed);
    assert_eq!(ran.warnings(), [""; 0]);
    assert_eq!(ran.stack("C").outputs["Label"], "two");
    assert_eq!((it.made(), it.world.count("ExecuteChangeSet"), it.world.count("UpdateStack")), (3, 3, 0));
}

#[tokio::test(start_paused = true)]
async fn prepared_creations_are_executed() {
    let it = Prepared::new();
    let app = chain("one");
    it.prepare(&app).await.check_all(Outcome::Prepared);
    assert!(it.ready("A").creates);
    assert_eq!(it.ready("A").counts(), "1 added");
    assert_eq!(it.world.statuses("A"), ["REVIEW_IN_PROGRESS"]);
    let ran = it.execute(&app).await;
    ran.check_all(Outcome::Deployed);
    assert_eq!(ran.warnings(), [""; 0]);
    assert_eq!((it.made(), it.world.count("ExecuteChangeSet"), it.world.count("CreateStack")), (3, 3, 0));
    assert_eq!(it.world.statuses("C"), ["CREATE_COMPLETE"]);
}

#[tokio::test(start_paused = true)]
async fn unchanged_stacks_are_settled_without_a_change_set() {
    let mut app = chain("one");
    let it = Prepared::after(&app).await;
    app.change("B", &slow("two"));
    let ran = it.prepare(&app).await;
    ran.check(&[("A", Outcome::Unchanged), ("B", Outcome::Prepared), ("C", Outcome::Unchanged)]);
    assert_eq!(it.kept().stacks.keys().collect::<Vec<_>>(), ["B"]);
    let ran = it.execute(&app).await;
    ran.check(&[("A", Outcome::Unchanged), ("B", Outcome::Deployed), ("C", Outcome::Unchanged)]);
    assert_eq!(it.made(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_change_set_that_a_colleague_has_deleted_is_made_again_alone() {
    for creates in [false, true] {
        let it = if creates { Prepared::new() } else { Prepared::after(&chain("one")).await };
        let app = chain("two");
        it.prepare(&app).await;
        let call = it.world.client().await.delete_change_set().change_set_name(it.ready("B").id);
        call.send().await.unwrap();
        let ran = it.execute(&app).await;
        ran.check_all(Outcome::Deployed);
        assert_eq!(ran.warnings(), ["its prepared change set is made again: somebody has deleted it"]);
        assert_eq!((it.made(), it.world.count("ExecuteChangeSet")), (4, 3));
    }
}

#[tokio::test(start_paused = true)]
async fn the_change_set_of_a_stack_that_a_colleague_has_changed_is_made_again_alone() {
    let it = Prepared::after(&chain("one")).await;
    let app = chain("two");
    it.prepare(&app).await;
    it.world.update("B", &slow("theirs")).await;
    it.world.rest().await;
    let obsolete = it.world.client().await.describe_change_set().change_set_name(it.ready("B").id);
    assert_eq!(obsolete.send().await.unwrap().execution_status().unwrap().as_str(), "OBSOLETE");
    let ran = it.execute(&app).await;
    ran.check_all(Outcome::Deployed);
    assert_eq!(
        ran.warnings(),
        ["its prepared change set is made again: the stack has been changed since it was prepared"]
    );
    assert_eq!((it.made(), it.world.count("ExecuteChangeSet")), (4, 3));
    assert_eq!(ran.stack("B").outputs["Label"], "two");
}

#[tokio::test(start_paused = true)]
async fn the_change_set_of_a_stack_that_a_colleague_has_deleted_is_made_again() {
    let it = Prepared::after(&chain("one")).await;
    let app = chain("two");
    it.prepare(&app).await;
    it.world.client().await.delete_stack().stack_name("C").send().await.unwrap();
    it.world.rest().await;
    let ran = it.execute(&app).await;
    ran.check_all(Outcome::Deployed);
    let [warning] = ran.warnings().try_into().unwrap();
    assert!(warning.starts_with("its prepared change set is made again: "), "{warning}");
    assert_eq!(it.world.statuses("C"), ["DELETE_COMPLETE", "CREATE_COMPLETE"]);
}

#[tokio::test(start_paused = true)]
async fn the_change_set_of_another_template_is_made_again_alone() {
    let it = Prepared::after(&chain("one")).await;
    let mut app = chain("two");
    it.prepare(&app).await;
    app.change("C", &slow("three"));
    let ran = it.execute(&app).await;
    ran.check_all(Outcome::Deployed);
    assert_eq!(
        ran.warnings(),
        ["its prepared change set is made again: the app has changed since it was prepared"]
    );
    assert_eq!((it.made(), it.world.count("ExecuteChangeSet")), (4, 3));
    assert_eq!(ran.stack("C").outputs["Label"], "three");
}

#[tokio::test(start_paused = true)]
async fn other_parameters_make_the_change_set_again() {
    let mut template = topic("x");
    template["Parameters"] = json!({"P": {"Type": "String", "Default": "1"}});
    let app = App::of("S", &template);
    let it = Prepared::new();
    it.prepare(&app).await;
    let parameters = [("P".to_owned(), "2".to_owned())].into();
    let ran = it.world.run(&app, How { parameters, ..it.executing() }).await;
    ran.check_all(Outcome::Deployed);
    assert_eq!(ran.warnings().len(), 1, "{:?}", ran.warnings());
    assert_eq!(it.made(), 2);
}

/// A stack that writes a parameter and has an output.
fn producer(value: &str) -> Value {
    json!({
        "Resources": {"Parameter": {
            "Type": "AWS::SSM::Parameter",
            "Properties": {"Name": "/made", "Type": "String", "Value": value},
        }},
        "Outputs": {"Value": {"Value": value, "Export": {"Name": "made"}}},
    })
}

fn reader(label: &str, value: &Value) -> Value {
    json!({"Resources": {"Topic": {
        "Type": "AWS::SNS::Topic",
        "Properties": {"DisplayName": {"Fn::Join": [" ", [label, value]]}},
    }}})
}

fn pair(value: &str, label: &str, reads: &Value) -> App {
    App::new().stack("Producer", &producer(value), &[]).stack("Reader", &reader(label, reads), &["Producer"])
}

#[tokio::test(start_paused = true)]
async fn what_reads_things_that_the_run_creates_is_made_during_the_run() {
    for (reads, because) in [
        (json!("{{resolve:ssm:/made}}"), "it reads the parameter /made, which was not there"),
        (json!({"Fn::ImportValue": "made"}), "it imports from Producer, which was not deployed"),
        (
            json!({"Fn::GetStackOutput": {"StackName": "Producer", "OutputName": "Value"}}),
            "it reads the output Value of Producer, which was not there",
        ),
    ] {
        let it = Prepared::new();
        let app = pair("1", "x", &reads);
        let ran = it.prepare(&app).await;
        ran.check_all(Outcome::Prepared);
        assert_eq!(it.later("Reader"), because);
        let detail = format!("made during the run, because {because}");
        assert_eq!(ran.stack("Reader").detail.as_ref(), Some(&detail));
        assert_eq!(it.world.statuses("Reader"), [""; 0], "nothing was left");
        let ran = it.execute(&app).await;
        ran.check_all(Outcome::Deployed);
        assert_eq!(ran.warnings(), [format!("its change set is made in this run, because {because}")]);
        assert_eq!((it.made(), it.world.count("ExecuteChangeSet")), (2, 2));
    }
}

#[tokio::test(start_paused = true)]
async fn a_value_that_changes_in_the_run_makes_the_change_set_of_its_reader_again() {
    let reads = json!("{{resolve:ssm:/made}}");
    let it = Prepared::after(&pair("1", "x", &reads)).await;
    let app = pair("2", "y", &reads);
    it.prepare(&app).await.check_all(Outcome::Prepared);
    let ran = it.execute(&app).await;
    ran.check_all(Outcome::Deployed);
    assert_eq!(
        ran.warnings(),
        [
            "its prepared change set is made again: what the stack reads from elsewhere has changed since it was prepared"
        ]
    );
    assert_eq!((it.made(), it.world.count("ExecuteChangeSet")), (3, 2));
}

#[tokio::test(start_paused = true)]
async fn a_killed_preparation_continues_and_is_executed() {
    for creates in [false, true] {
        for millis in [100, 400, 700, 1500, 2500] {
            let it = if creates { Prepared::new() } else { Prepared::after(&chain("one")).await };
            let app = chain("two");
            let killed = it.world.kill_after(&app, it.preparing(), Duration::from_millis(millis)).await;
            let how = How { earlier: Some(killed.earlier()), ..it.preparing() };
            it.world.run(&app, how).await.check_all(Outcome::Prepared);
            // The same call with the same token makes one change set.
            for stack in ["A", "B", "C"] {
                // CloudFormation lists twice a second.
                it.world.pass(Duration::from_secs(1)).await;
                let call = it.world.client().await.list_change_sets().stack_name(stack);
                assert_eq!(call.send().await.unwrap().summaries().len(), 1, "after {millis} ms");
            }
            let made = it.made();
            let ran = it.execute(&app).await;
            ran.check_all(Outcome::Deployed);
            assert_eq!(ran.warnings(), [""; 0], "after {millis} ms");
            assert_eq!((it.made(), it.world.count("ExecuteChangeSet")), (made, 3), "after {millis} ms");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_killed_execution_continues() {
    for creates in [false, true] {
        for millis in [100, 300, 600, 1000, 20_000, 62_000, 66_000, 130_000] {
            let it = if creates { Prepared::new() } else { Prepared::after(&chain("one")).await };
            let app = chain("two");
            it.prepare(&app).await;
            let killed = it.world.kill_after(&app, it.executing(), Duration::from_millis(millis)).await;
            let how = How { earlier: Some(killed.earlier()), ..it.executing() };
            let ran = it.world.run(&app, how).await;
            ran.check_all(Outcome::Deployed);
            assert_eq!(ran.warnings(), [""; 0], "after {millis} ms");
            assert_eq!((it.made(), it.world.count("ExecuteChangeSet")), (3, 3), "after {millis} ms");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_set_that_was_not_prepared_is_held_against_the_policy() {
    let it = Prepared::after(&chain("one")).await;
    let mut app = chain("two");
    it.prepare(&app).await;
    app.change("B", &topic("other"));
    let guard = ChangeGuard::new(|unreviewed| {
        assert_eq!(unreviewed.stack.id, "B", "what was prepared is not checked again");
        assert!(unreviewed.deployed.is_some());
        let effects: Vec<&str> = unreviewed.changes.iter().map(|change| change.effect.words()).collect();
        assert_eq!(effects, ["added", "deleted"]);
        Err(GuardRefusal { message: "not this one".to_owned(), hint: "let it through".to_owned() })
    });
    let ran = it.world.run(&app, How { guard: Some(guard), ..it.executing() }).await;
    ran.check(&[("A", Outcome::Deployed), ("B", Outcome::Failed), ("C", Outcome::Skipped)]);
    assert_eq!(ran.cause("B").message, "not this one");
    assert_eq!(it.world.count("ExecuteChangeSet"), 1);
    let left = it.world.client().await.list_change_sets().stack_name("B").send().await.unwrap();
    let left: Vec<&str> = left.summaries().iter().filter_map(|it| it.change_set_name()).collect();
    assert_eq!(left.len(), 1, "only the prepared one is left: {left:?}");
}

#[tokio::test(start_paused = true)]
async fn the_change_set_of_somebody_else_is_not_thrown_away() {
    for creates in [false, true] {
        let it = if creates { Prepared::new() } else { Prepared::after(&chain("one")).await };
        let app = chain("two");
        it.prepare(&app).await;
        let kind = if creates { ChangeSetType::Create } else { ChangeSetType::Update };
        let call = it.world.client().await.create_change_set().stack_name("A").change_set_name("theirs");
        call.change_set_type(kind).template_body(slow("theirs").to_string()).send().await.unwrap();
        it.world.rest().await;
        let ran = it.execute(&app).await;
        ran.check(&[("A", Outcome::Failed)]);
        assert!(ran.cause("A").message.contains("`theirs`"), "{:?}", ran.cause("A"));
        let answer = it.world.client().await.list_change_sets().stack_name("A").send().await.unwrap();
        assert_eq!(answer.summaries().len(), 2, "the prepared one is kept, too");
    }
}

#[tokio::test(start_paused = true)]
async fn a_later_preparation_replaces_an_earlier_one_at_once() {
    for creates in [false, true] {
        let it = if creates { Prepared::new() } else { Prepared::after(&chain("one")).await };
        it.prepare(&chain("two")).await;
        let app = chain("three");
        it.prepare(&app).await;
        let started = tokio::time::Instant::now();
        let ran = it.execute(&app).await;
        ran.check_all(Outcome::Deployed);
        assert_eq!(ran.warnings(), [""; 0]);
        assert_eq!(ran.stack("C").outputs["Label"], "three");
        assert!(started.elapsed() < Duration::from_mins(5), "nobody waits for the earlier change sets");
    }
}

#[tokio::test(start_paused = true)]
async fn a_direct_deployment_does_not_wait_for_what_was_prepared() {
    let it = Prepared::new();
    it.prepare(&chain("one")).await;
    let ran = it.world.deploy(&chain("two")).await;
    ran.check_all(Outcome::Deployed);
    assert_eq!(ran.warnings(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn an_operation_in_progress_is_waited_for() {
    let it = Prepared::after(&chain("one")).await;
    it.world.update("B", &slow("theirs")).await;
    let app = chain("two");
    let ran = it.prepare(&app).await;
    ran.check_all(Outcome::Prepared);
    it.execute(&app).await.check_all(Outcome::Deployed);
    assert_eq!(it.made(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_the_validation_finds_is_told_with_its_place() {
    let finding = |stack: &str, fails| ValidationFinding {
        stack: stack.to_owned(),
        check: "PROPERTY_VALIDATION".to_owned(),
        fails,
        reason: "expected type: String".to_owned(),
        path: "/Resources/Slow/Properties/Label".to_owned(),
    };
    let it = Prepared::new();
    let faults = Faults { findings: vec![finding("A", true), finding("B", false)], ..Faults::default() };
    let app = App::new().stack("A", &slow("x"), &[]).stack("B", &slow("x"), &[]);
    let ran = it.world.run(&app, How { faults: Some(faults), ..it.preparing() }).await;
    ran.check(&[("A", Outcome::Failed), ("B", Outcome::Prepared)]);
    let expected = "the change set could not be made: early validation has failed; /Resources/Slow/Properties/Label: \
                    expected type: String (PROPERTY_VALIDATION)";
    assert_eq!(ran.cause("A").message, expected);
}

#[tokio::test(start_paused = true)]
async fn the_change_set_of_a_later_attempt_is_held_against_the_policy_too() {
    let it = Prepared::after(&App::of("A", &topic("one"))).await;
    let app = App::of("A", &topic("two"));
    it.prepare(&app).await;
    let checked = Arc::new(AtomicUsize::new(0));
    let counts = Arc::clone(&checked);
    let guard = ChangeGuard::new(move |_| {
        counts.fetch_add(1, Ordering::Relaxed);
        Ok(())
    });
    let (stack, logical_id, reason) = ("A".to_owned(), "Topic".to_owned(), "Rate exceeded".to_owned());
    let failure = Failure { stack, logical_id, operation: None, reason, times: 1 };
    let faults = Some(Faults { failures: vec![failure], ..Faults::default() });
    let ran = it.world.run(&app, How { guard: Some(guard), faults, ..it.executing() }).await;
    ran.check_all(Outcome::Deployed);
    assert_eq!(it.world.count("ExecuteChangeSet"), 2);
    assert_eq!(checked.load(Ordering::Relaxed), 1, "the prepared one was reviewed");
}

#[tokio::test(start_paused = true)]
async fn a_difference_leaves_a_stack_for_which_somebody_has_prepared_a_change_set() {
    let it = Prepared::new();
    let app = App::of("A", &slow("one"));
    let client = it.world.client().await;
    let how = How { discards: true, ..it.preparing() };
    let (ran, ()) = tokio::join!(it.world.run(&app, how), async {
        it.world.until("A", "REVIEW_IN_PROGRESS", Duration::from_millis(10)).await;
        let call = client.create_change_set().stack_name("A").change_set_name("paceline-theirs");
        let call = call.description("Prepared by Paceline: theirs").change_set_type(ChangeSetType::Create);
        call.template_body(slow("theirs").to_string()).send().await.unwrap();
    });
    ran.check_all(Outcome::Prepared);
    let answer = client.list_change_sets().stack_name("A").send().await.unwrap();
    assert_eq!(answer.summaries().len(), 1);
    assert_eq!(it.world.count("DeleteStack"), 0);
}
