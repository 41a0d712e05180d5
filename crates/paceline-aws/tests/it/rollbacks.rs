//! Rollbacks of runs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_cloudformation::types::TemplateStage;
use camino::Utf8Path;
use paceline_assembly::Assembly;
use paceline_aws::{Aws, AwsOptions, PreflightError};
use paceline_engine::rollback::{Captures, RunChanges, Undoing};
use paceline_engine::{Earlier, Event, ExitCode, Outcome, RunOptions};
use paceline_plan::{Loss, Rollback, RollbackOptions, StaysReason};
use paceline_sim::{Failure, Faults, Operation};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::app::{App, topic};
use crate::world::{How, RUN, Ran, World};

/// The folder of a run, with its captures.
pub(crate) struct Runs(TempDir);

impl Runs {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub(crate) fn path(&self) -> &Utf8Path {
        Utf8Path::from_path(self.0.path()).unwrap()
    }

    pub(crate) fn how(&self) -> How {
        How { captures: Some(self.path().to_owned()), ..How::default() }
    }

    pub(crate) fn undoing(&self, events: &[Event]) -> Undoing {
        let captured = Captures::of(self.path(), RUN).read().unwrap();
        Undoing::of(&RunChanges::of(events), captured).unwrap()
    }

    /// The rollback of the run with these events.
    pub(crate) fn rollback(&self, events: &[Event], options: &RollbackOptions) -> Rolling {
        let undoing = self.undoing(events);
        let losses = undoing.losses.clone();
        let rollback = Rollback::make(&undoing.assembly, &undoing.undos, losses, options).unwrap();
        Rolling { rollback, undoing, force: false, own: BTreeSet::new(), earlier: None }
    }
}

/// A rollback that is about to be executed.
pub(crate) struct Rolling {
    pub(crate) rollback: Rollback,
    pub(crate) undoing: Undoing,
    pub(crate) force: bool,
    /// The tokens of earlier tries.
    pub(crate) own: BTreeSet<String>,
    pub(crate) earlier: Option<Earlier>,
}

impl Rolling {
    /// The ids of the stacks in the order in which they are undone.
    fn order(&self) -> Vec<&str> {
        self.rollback.plan.stacks.iter().map(|stack| stack.id.as_str()).collect()
    }

    pub(crate) async fn run(&self, world: &World) -> Result<Ran, PreflightError> {
        let events = Arc::default();
        Box::pin(self.recording(world, Arc::clone(&events))).await?;
        let events = Mutex::into_inner(Arc::into_inner(events).unwrap()).unwrap();
        Ok(Ran { events })
    }

    /// Kills the rollback after this time, unless it has ended.
    pub(crate) async fn kill_after(&self, world: &World, time: Duration) -> Ran {
        let events = Arc::default();
        let run = Box::pin(self.recording(world, Arc::clone(&events)));
        let _ = tokio::time::timeout(time, run).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        let events = events.lock().unwrap().clone();
        Ran { events }
    }

    async fn recording(&self, world: &World, events: Arc<Mutex<Vec<Event>>>) -> Result<(), PreflightError> {
        let plan = Arc::new(self.rollback.plan.clone());
        let options = AwsOptions { wire: world.wire.clone(), ..AwsOptions::default() };
        let assembly: Arc<Assembly> = Arc::new(self.undoing.assembly.clone());
        let aws = Box::pin(Aws::connect(assembly, &plan, options)).await?;
        aws.survey_rollback(&plan, &self.undoing.left, &self.own, self.force).await?;
        let run = RunOptions { earlier: self.earlier.clone(), ..RunOptions::simulated(world.now()) };
        world.perform(plan, Arc::new(aws), run, events).await;
        Ok(())
    }
}

/// What a stack is, as CloudFormation shows it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shown {
    pub(crate) template: Value,
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) notification_arns: BTreeSet<String>,
    pub(crate) protected: bool,
}

/// What the stack of this name is now. `None` if it does not exist.
pub(crate) async fn shown(world: &World, name: &str) -> Option<Shown> {
    let client = world.client().await;
    let stacks = client.describe_stacks().stack_name(name).send().await.ok()?;
    let stack = &stacks.stacks()[0];
    let template = client.get_template().stack_name(name).template_stage(TemplateStage::Original);
    let template = template.send().await.unwrap();
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let parameters = stack.parameters().iter();
    Some(Shown {
        template: serde_json::from_str(template.template_body().unwrap()).unwrap(),
        parameters: parameters.map(|p| (text(p.parameter_key()), text(p.parameter_value()))).collect(),
        tags: stack.tags().iter().map(|tag| (text(tag.key()), text(tag.value()))).collect(),
        notification_arns: stack.notification_arns().iter().cloned().collect(),
        protected: stack.enable_termination_protection().unwrap_or_default(),
    })
}

/// The obstacles, a line each.
fn told(refused: &PreflightError) -> String {
    refused.0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn with_parameter(display_name: &str) -> Value {
    let mut template = topic(display_name);
    template["Parameters"] = json!({"Size": {"Type": "String", "Default": "small"}});
    template
}

fn options() -> RollbackOptions {
    RollbackOptions::new(RUN)
}

fn deleting(including: &[&str]) -> RollbackOptions {
    let including = including.iter().map(|&name| name.to_owned()).collect();
    RollbackOptions { delete_created: true, including, ..options() }
}

#[tokio::test(start_paused = true)]
async fn a_stack_gets_back_its_template_parameters_tags_topics_and_protection() {
    let (world, runs) = (World::slow(), Runs::new());
    let of = |version: &str, protected: bool| {
        json!({"properties": {
            "parameters": {"Size": version}, "tags": {"version": version},
            "notificationArns": [format!("arn:aws:sns:us-east-1:111111111111:{version}")],
            "terminationProtection": protected}})
    };
    world.deploy(&App::new().stack_with("A", &with_parameter("one"), &of("one", false))).await;
    let before = shown(&world, "A").await.unwrap();
    let app = App::new().stack_with("A", &with_parameter("two"), &of("two", true));
    let ran = world.run(&app, runs.how()).await;
    ran.check_all(Outcome::Deployed);
    assert_ne!(shown(&world, "A").await.unwrap(), before);
    let rolling = runs.rollback(&ran.events, &options());
    assert_eq!((rolling.order(), rolling.rollback.losses.as_slice()), (vec!["A"], &[][..]));
    rolling.run(&world).await.unwrap().check_all(Outcome::Deployed);
    assert_eq!(shown(&world, "A").await.unwrap(), before);
    // Once more does nothing, and is allowed: the last operation is that of the rollback.
    let own = BTreeSet::from_iter(runs.undoing(&ran.events).left["A"].tokens.clone());
    let again = Rolling { force: true, own, ..rolling };
    again.run(&world).await.unwrap().check_all(Outcome::Unchanged);
}

#[tokio::test(start_paused = true)]
async fn an_unchanged_stack_is_not_captured_and_an_update_reads_its_template_once() {
    let (world, runs) = (World::slow(), Runs::new());
    let app = |label: &str| App::new().stack("Same", &topic("same"), &[]).stack("Other", &topic(label), &[]);
    world.deploy(&app("one")).await;
    let before = world.count("GetTemplate");
    let ran = world.run(&app("two"), runs.how()).await;
    assert_eq!(world.count("GetTemplate") - before, 2, "one for each comparison, and none for the capture");
    assert_eq!(runs.rollback(&ran.events, &options()).order(), ["Other"]);
}

#[tokio::test(start_paused = true)]
async fn what_was_created_stays_unless_that_is_asked_for_and_data_must_be_named() {
    let (world, runs) = (World::slow(), Runs::new());
    world.deploy(&App::of("Old", &topic("one"))).await;
    let mut data = topic("data");
    data["Resources"]["Table"] = json!({"Type": "AWS::DynamoDB::Table", "Properties": {
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}]}});
    let app = App::of("Old", &topic("two")).stack("New", &topic("new"), &["Old"]).stack("Data", &data, &[]);
    let ran = world.run(&app, runs.how()).await;
    ran.check_all(Outcome::Deployed);

    let rolling = runs.rollback(&ran.events, &options());
    assert_eq!(rolling.order(), ["Old"]);
    let stays: Vec<&str> = rolling.rollback.stays.iter().map(|it| it.stack.as_str()).collect();
    assert_eq!(stays, ["Data", "New"]);
    assert!(rolling.rollback.losses.iter().any(|it| matches!(it, Loss::NeededBy { .. })));

    let rolling = runs.rollback(&ran.events, &deleting(&[]));
    assert_eq!(rolling.order(), ["New", "Old"], "in the reverse order");
    assert!(matches!(&rolling.rollback.stays[0].why, StaysReason::CreatedWith(all) if all[0].id == "Table"));
    rolling.run(&world).await.unwrap();
    assert_eq!(world.statuses("New"), ["DELETE_COMPLETE"]);
    assert_eq!(world.statuses("Data"), ["CREATE_COMPLETE"]);

    let rolling = runs.rollback(&ran.events, &deleting(&["Data"]));
    assert!(rolling.rollback.stays.is_empty());
    Rolling { force: true, ..rolling }.run(&world).await.unwrap();
    assert_eq!(world.statuses("Data"), ["DELETE_COMPLETE"]);
}

#[tokio::test(start_paused = true)]
async fn a_table_that_the_run_added_to_a_stack_is_not_lost_in_silence() {
    let (world, runs) = (World::slow(), Runs::new());
    world.deploy(&App::of("A", &topic("one"))).await;
    let mut grown = topic("two");
    grown["Resources"]["Keys"] = json!({"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {}}});
    let ran = world.run(&App::of("A", &grown), runs.how()).await;
    ran.check_all(Outcome::Deployed);
    let rolling = runs.rollback(&ran.events, &deleting(&[]));
    assert!(matches!(&rolling.rollback.stays[0].why, StaysReason::WouldLose(all) if all[0].id == "Keys"));
    assert!(rolling.order().is_empty());
    let including = RollbackOptions { including: vec!["A".to_owned()], ..options() };
    runs.rollback(&ran.events, &including).run(&world).await.unwrap().check_all(Outcome::Deployed);
    assert_eq!(shown(&world, "A").await.unwrap().template, topic("one"));
}

#[tokio::test(start_paused = true)]
async fn a_table_that_the_run_replaced_is_told_and_must_be_named() {
    let (world, runs) = (World::slow(), Runs::new());
    let table = |name: &str| {
        json!({"Resources": {"Table": {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": name,
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}]}}}})
    };
    world.deploy(&App::of("A", &table("one"))).await;
    let ran = world.run(&App::of("A", &table("two")), runs.how()).await;
    ran.check_all(Outcome::Deployed);
    let rolling = runs.rollback(&ran.events, &options());
    assert!(matches!(&rolling.rollback.stays[0].why, StaysReason::WouldLose(all) if all[0].id == "Table"));
    let (stack, resource) = ("A".to_owned(), "Table".to_owned());
    let replaced = Loss::Replaced { stack, resource, resource_type: "AWS::DynamoDB::Table".to_owned() };
    assert_eq!(rolling.rollback.losses, [replaced]);
    let including = RollbackOptions { including: vec!["A".to_owned()], ..options() };
    runs.rollback(&ran.events, &including).run(&world).await.unwrap().check_all(Outcome::Deployed);
    assert_eq!(shown(&world, "A").await.unwrap().template, table("one"));
}

#[tokio::test(start_paused = true)]
async fn a_stack_that_somebody_else_has_changed_since_is_named_and_nothing_is_touched() {
    let (world, runs) = (World::slow(), Runs::new());
    let app = |label: &str| App::new().stack("A", &topic(label), &[]).stack("B", &topic(label), &[]);
    world.deploy(&app("one")).await;
    let ran = world.run(&app("two"), runs.how()).await;
    world.rest().await;
    world.update("A", &topic("somebody")).await;
    world.rest().await;
    let rolling = runs.rollback(&ran.events, &options());
    let before = world.mutations().len();
    let refused = told(&rolling.run(&world).await.unwrap_err());
    assert!(
        refused.starts_with("A: somebody else has changed it since the run, at 2026-01-01T"),
        "{refused}"
    );
    assert!(!refused.contains('\n'), "{refused}");
    assert_eq!(world.mutations().len(), before);
    Rolling { force: true, ..rolling }.run(&world).await.unwrap().check_all(Outcome::Deployed);
    assert_eq!(shown(&world, "A").await.unwrap().template, topic("one"));
}

#[tokio::test(start_paused = true)]
async fn a_deleted_or_protected_stack_is_refused_even_by_force() {
    let (world, runs) = (World::slow(), Runs::new());
    world.deploy(&App::of("Old", &topic("one"))).await;
    let app = App::of("Old", &topic("two")).stack_with(
        "New",
        &topic("new"),
        &json!({"properties": {"terminationProtection": true}}),
    );
    let ran = world.run(&app, runs.how()).await;
    world.rest().await;
    world.client().await.delete_stack().stack_name("Old").send().await.unwrap();
    world.rest().await;
    let rolling = Rolling { force: true, ..runs.rollback(&ran.events, &deleting(&[])) };
    let refused = told(&rolling.run(&world).await.unwrap_err());
    assert!(refused.contains("Old does not exist any more"), "{refused}");
    assert!(refused.contains("New: termination protection is on"), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn a_secret_is_kept_nowhere_and_its_loss_is_told_only_if_the_run_gave_another() {
    let (world, runs, template) = (World::slow(), Runs::new(), |label: &str| {
        let mut template = topic(label);
        template["Parameters"] = json!({"Password": {"Type": "String", "NoEcho": true}});
        template
    });
    let given = |value: &str| BTreeMap::from([("Password".to_owned(), value.to_owned())]);
    let first = How { parameters: given("hunter1"), ..How::default() };
    world.run(&App::of("A", &template("one")), first).await.check_all(Outcome::Deployed);

    let kept = world.run(&App::of("A", &template("two")), runs.how()).await;
    let rolling = runs.rollback(&kept.events, &options());
    assert!(rolling.rollback.losses.is_empty(), "the run kept the previous value");
    rolling.run(&world).await.unwrap().check_all(Outcome::Deployed);

    let runs = Runs::new();
    let how = How { parameters: given("hunter2"), ..runs.how() };
    let ran = world.run(&App::of("A", &template("three")), how).await;
    let rolling = runs.rollback(&ran.events, &options());
    let lost = Loss::Secret { stack: "A".to_owned(), parameter: "Password".to_owned() };
    assert_eq!(rolling.rollback.losses, [lost]);
    rolling.run(&world).await.unwrap().check_all(Outcome::Deployed);
    assert_eq!(shown(&world, "A").await.unwrap().template, template("one"));
    for entry in runs.path().join(RUN).join("captures").read_dir_utf8().unwrap() {
        let path = entry.unwrap().into_path();
        let text = fs_err::read_to_string(&path).unwrap();
        assert!(!text.contains("hunter"), "{path}: {text}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{path}");
        }
    }
}

/// `User` imports `name` from `Maker`, which exports these names.
fn exporting(exports: &[&str], user_imports: &str) -> App {
    let mut maker = topic("maker");
    for name in exports {
        maker["Outputs"][*name] = json!({"Value": "v", "Export": {"Name": name}});
    }
    let mut user = topic("user");
    user["Resources"]["Topic"]["Properties"]["DisplayName"] =
        if user_imports.is_empty() { json!("alone") } else { json!({"Fn::ImportValue": user_imports}) };
    App::new().stack("Maker", &maker, &[]).stack("User", &user, &[])
}

#[tokio::test(start_paused = true)]
async fn an_export_that_the_run_dropped_is_back_before_the_stack_that_imports_it() {
    let (world, runs) = (World::slow(), Runs::new());
    world.deploy(&exporting(&["Old"], "Old")).await.check_all(Outcome::Deployed);
    let ran = world.run(&exporting(&[], ""), runs.how()).await;
    ran.check_all(Outcome::Deployed);
    let rolling = runs.rollback(&ran.events, &options());
    assert_eq!(rolling.order(), ["Maker", "User"]);
    rolling.run(&world).await.unwrap().check_all(Outcome::Deployed);
}

#[tokio::test(start_paused = true)]
async fn an_export_that_the_run_added_goes_after_the_stack_that_imports_it() {
    let (world, runs) = (World::slow(), Runs::new());
    world.deploy(&exporting(&[], "")).await.check_all(Outcome::Deployed);
    let ran = world.run(&exporting(&["New"], "New"), runs.how()).await;
    ran.check_all(Outcome::Deployed);
    let rolling = runs.rollback(&ran.events, &options());
    assert_eq!(rolling.order(), ["User", "Maker"]);
    rolling.run(&world).await.unwrap().check_all(Outcome::Deployed);
}

#[tokio::test(start_paused = true)]
async fn a_failed_run_is_undone_as_far_as_it_came() {
    let failure = Failure {
        stack: "B".to_owned(),
        logical_id: "Topic".to_owned(),
        operation: Some(Operation::Update),
        reason: "it was made to fail".to_owned(),
        times: 9,
    };
    let (world, runs) = (World::slow(), Runs::new());
    let app = |label: &str| App::new().stack("A", &topic(label), &[]).stack("B", &topic(label), &["A"]);
    world.deploy(&app("one")).await;
    let faults = Some(Faults { failures: vec![failure], ..Faults::default() });
    let ran = world.run(&app("two"), How { faults, ..runs.how() }).await;
    assert_eq!(ran.exit_code(), ExitCode::Failed);
    world.sim.set_faults(Faults::default());
    let rolled = runs.rollback(&ran.events, &options()).run(&world).await.unwrap();
    rolled.check(&[("A", Outcome::Deployed), ("B", Outcome::Unchanged)]);
    for id in ["A", "B"] {
        assert_eq!(shown(&world, id).await.unwrap().template, topic("one"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_template_that_is_too_long_for_a_call_goes_through_the_staging_bucket() {
    let (world, runs) = (World::slow(), Runs::new());
    let long = |label: &str| {
        let mut template = topic(label);
        template["Metadata"] = json!({ "padding": "x".repeat(60_000) });
        template
    };
    let app = |label: &str| {
        let manifest = json!({"version": "36.0.0", "files": {"t": {
            "source": {"path": "A.template.json", "packaging": "file"},
            "destinations": {"here": {"bucketName": crate::app::BUCKET, "objectKey": format!("{label}.json"),
                "region": crate::app::REGION}}}}});
        let url = format!("s3://{}/{label}.json", crate::app::BUCKET);
        let more = json!({"properties": {"stackTemplateAssetObjectUrl": url}});
        App::new().stack_with("A", &long(label), &more).assets("A", &manifest)
    };
    world.deploy(&app("one")).await.check_all(Outcome::Deployed);
    let ran = world.run(&app("two"), runs.how()).await;
    ran.check_all(Outcome::Deployed);
    let rolling = runs.rollback(&ran.events, &options());
    assert_eq!(rolling.rollback.plan.steps.len(), 2, "the template is published first");
    rolling.run(&world).await.unwrap().check_all(Outcome::Deployed);
    assert_eq!(shown(&world, "A").await.unwrap().template, long("one"));
}
