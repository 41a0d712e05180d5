//! Compares the calls of runs with the credentials of their build to the permissions of the generated role.

use std::collections::BTreeSet;
use std::time::Duration;

use paceline_aws::{
    Applicant, Builds, Images, KeptRuns, LockMode, Method, MetricDatum, Notification, WakeRule,
};
use paceline_buildspec::project::role::{Access, Statement, run_statements, wake_statements};
use paceline_buildspec::project::{CUSTOM_RESOURCE, Located, OwnStack, Rights, Unaided};
use paceline_config::{Config, Notifications, Occasion};
use paceline_engine::Outcome;
use paceline_plan::{Plan, PlanOptions, RollbackOptions};
use paceline_sim::{Call, Faults, Hanging, Images as SimulatedImages, Operation, SimAlarm, SimOptions};
use serde_json::{Value, json};

use crate::app::{ACCOUNT, App, BUCKET, REGION, role, slow, topic};
use crate::copies::continued;
use crate::records::with_assets;
use crate::rollbacks::Runs;
use crate::world::{How, RUN, World, slow_durations};

const REPOSITORY: &str = "cdk-hnb659fds-container-assets-111111111111-us-east-1";
const PROJECT: &str = "arn:aws:codebuild:us-east-1:111111111111:project/app";
const GATE: &str = "gates: [{ after: Roles, iam-roles: all }]";

/// The IAM actions for a call.
fn actions(call: &Call) -> Vec<String> {
    let action = match (call.service.as_str(), call.operation.as_str()) {
        // This call needs no permission.
        ("sts", "GetCallerIdentity") => return Vec::new(),
        ("s3", "ListObjectsV2") => "s3:ListBucket".to_owned(),
        ("monitoring", operation) => format!("cloudwatch:{operation}"),
        (service, operation) => format!("{service}:{operation}"),
    };
    vec![action]
}

/// The actions of the calls with the build's own credentials.
fn called(world: &World) -> BTreeSet<String> {
    world.sim.calls().iter().filter(|call| !call.as_role).flat_map(actions).collect()
}

fn allowed(rights: &Rights) -> BTreeSet<String> {
    actions_of(&rights.statements(PROJECT))
}

fn actions_of(statements: &[Statement]) -> BTreeSet<String> {
    statements.iter().flat_map(|statement| &statement.actions).map(|action| (*action).to_owned()).collect()
}

/// The actions of the role that these calls do not need. The role must allow all calls.
#[track_caller]
fn unused(called: &BTreeSet<String>, rights: &Rights) -> BTreeSet<String> {
    let allowed = allowed(rights);
    let more: Vec<_> = called.difference(&allowed).collect();
    assert!(more.is_empty(), "the role does not allow {more:?}");
    allowed.difference(called).cloned().collect()
}

/// The permissions of a build whose stacks have the deploy role of the bootstrap.
fn with_deploy_role() -> Rights {
    let role = format!("arn:aws:iam::{ACCOUNT}:role/cdk-hnb659fds-deploy-role-{ACCOUNT}-{REGION}");
    Rights { roles: vec![role], ..Rights::default() }
}

/// Deploys the app, deletes it, and reads the build that this is a part of.
async fn build(world: &World, app: &App, how: How) {
    world.run(app, how).await;
    world.destroy(app).await;
    read_own_build(world).await;
}

async fn read_own_build(world: &World) {
    let builds = Builds::connect(&world.wire, REGION).await.unwrap();
    // There is no such build. Only the call matters.
    let _ = builds.current("app:1").await;
}

fn roles() -> Value {
    let profile = json!({"Type": "AWS::IAM::InstanceProfile", "Properties": {"Roles": [{"Ref": "Two"}]}});
    let mut one = role();
    one["Properties"]["Policies"] = json!([{"PolicyName": "inline", "PolicyDocument": {}}]);
    json!({"Resources": {"One": one, "Two": role(), "Profile": profile}})
}

#[tokio::test(start_paused = true)]
async fn with_roles_a_build_assumes_them_and_keeps_to_the_generated_role() {
    let world = World::slow();
    let app = App::new().stack("Roles", &roles(), &[]).stack("After", &topic("t"), &["Roles"]);
    build(&world, &app, How { config: GATE, ..How::default() }).await;
    let rights = Rights { waits_for_roles: true, ..with_deploy_role() };
    assert_eq!(called(&world), allowed(&rights));
}

/// The actions of builds that are killed at different times. A build on another machine finds the run in the staging
/// bucket and continues it. Then the stacks are deleted.
async fn killed_and_resumed(world: impl Fn() -> World, app: impl Fn() -> App, how: How) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for seconds in [1, 20, 50] {
        let (world, mut app) = (world(), app());
        world.run(&app, how.clone()).await.check_all(Outcome::Deployed);
        app.change("Own", &slow("2"));
        app.change("Other", &slow("2"));
        let here = How { copies: Some(Vec::new()), ..how.clone() };
        world.kill_after(&app, here, Duration::from_secs(seconds)).await;
        let elsewhere = Runs::new();
        let How { earlier, copies, .. } = continued(&world, &app, &elsewhere).await;
        world.run(&app, How { earlier, copies, ..how.clone() }).await.check_all(Outcome::Deployed);
        world.run(&app, How { deletes: true, ..how.clone() }).await.check_all(Outcome::Deleted);
        read_own_build(&world).await;
        all.extend(called(&world));
    }
    all
}

#[tokio::test(start_paused = true)]
async fn with_roles_a_resumed_build_keeps_to_the_generated_role() {
    let app = || {
        let app = App::new().stack("Own", &slow("1"), &[]).stack("Other", &slow("1"), &["Own"]);
        with_assets(app, "Own", REGION)
    };
    let how = How { records: true, ..How::default() };
    let called = killed_and_resumed(World::slow, app, how).await;
    assert_eq!(called, allowed(&with_deploy_role()));
}

#[tokio::test(start_paused = true)]
async fn without_roles_a_resumed_build_keeps_to_the_generated_role() {
    let world = || {
        let images = SimulatedImages::Absent;
        World::new(SimOptions { durations: slow_durations(), images, ..SimOptions::default() })
    };
    let app = || {
        let mut app = unaided(false);
        app.change("Other", &slow("1"));
        app
    };
    let how = How {
        images: Images::Pretended { build: Duration::ZERO, push: Duration::ZERO },
        records: true,
        ..How::default()
    };
    let called = killed_and_resumed(world, app, how).await;
    let expected = [
        // CloudFormation and Docker call these actions with the same credentials.
        "ecr:BatchCheckLayerAvailability",
        "ecr:CompleteLayerUpload",
        "ecr:GetAuthorizationToken",
        "ecr:InitiateLayerUpload",
        "ecr:UploadLayerPart",
        // `DescribeStacks` without a name needs this action.
        "cloudformation:ListStacks",
        // Runs with change sets, failures, time limits or protection need these actions: the tests below.
        "cloudformation:CancelUpdateStack",
        "cloudformation:ContinueUpdateRollback",
        "cloudformation:CreateChangeSet",
        "cloudformation:DeleteChangeSet",
        "cloudformation:DescribeChangeSet",
        "cloudformation:ExecuteChangeSet",
        "cloudformation:ListChangeSets",
        "cloudformation:ListStackResources",
        "cloudformation:RollbackStack",
        "cloudformation:UpdateTerminationProtection",
    ];
    assert_eq!(unused(&called, &unaided_rights(true)), BTreeSet::from(expected.map(str::to_owned)));
}

#[tokio::test(start_paused = true)]
async fn a_build_that_creates_repositories_keeps_to_the_generated_role() {
    let world = World::slow();
    let app = App::of("A", &topic("t"));
    build(&world, &app, How { config: "prewarm: { ecr: [pets] }", ..How::default() }).await;
    let rights = Rights { prewarmed: vec![located("pets")], ..with_deploy_role() };
    assert_eq!(called(&world), allowed(&rights));
    assert!(allowed(&with_deploy_role()).iter().all(|action| !action.starts_with("ecr:")));
}

#[tokio::test(start_paused = true)]
async fn a_build_that_asks_why_a_resource_hangs_keeps_to_the_generated_role() {
    let types = [
        "AWS::ECS::Service",
        "AWS::AutoScaling::AutoScalingGroup",
        "AWS::RDS::DBInstance",
        "AWS::CloudFormation::CustomResource",
    ];
    let hanging = |stack: &str| Hanging {
        stack: stack.to_owned(),
        logical_id: "It".to_owned(),
        reasons: vec!["it is not there".to_owned()],
        patience: Duration::from_mins(8),
    };
    let world = World::with_faults(Faults {
        hanging: ["A", "B", "C", "D"].map(hanging).to_vec(),
        ..Faults::default()
    });
    let template = |kind: &str| {
        let mut resources = json!({"It": {"Type": kind}});
        if kind.ends_with("::CustomResource") {
            resources["It"]["Properties"] = json!({"ServiceToken": {"Fn::GetAtt": ["Function", "Arn"]}});
            resources["Function"] =
                json!({"Type": "AWS::Lambda::Function", "Properties": {"Code": {"ZipFile": "x"}}});
        }
        json!({"Resources": resources})
    };
    let app = ["A", "B", "C", "D"].into_iter().zip(types);
    let app = app.fold(App::new(), |app, (name, kind)| app.stack(name, &template(kind), &[]));
    build(&world, &app, How::default()).await;
    let explained = types.map(str::to_owned).into_iter().collect();
    let rights = Rights { explained, ..with_deploy_role() };
    assert_eq!(called(&world), allowed(&rights));
}

#[tokio::test(start_paused = true)]
async fn a_build_that_watches_alarms_keeps_to_the_generated_role() {
    let world = World::slow();
    world.sim.set_alarm(SimAlarm::named("prod-5xx"));
    let elsewhere = json!({"environment": format!("aws://{ACCOUNT}/eu-west-1")});
    let app = App::new().stack("Us", &topic("t"), &[]).stack_with("Eu", &topic("t"), &elsewhere);
    build(&world, &app, How { config: "rollout: { first: us-east-1, alarms: prod-5xx }", ..How::default() })
        .await;
    let rights = Rights { watches_alarms: true, ..with_deploy_role() };
    assert_eq!(called(&world), allowed(&rights));
    assert!(!allowed(&with_deploy_role()).contains("cloudwatch:DescribeAlarms"));
}

#[tokio::test(start_paused = true)]
async fn metrics_and_notifications_keep_to_the_generated_role() {
    let world = World::slow();
    let app = App::of("A", &topic("t"));
    build(&world, &app, How::default()).await;
    let aws = world.connected(&app).await;
    let datum = MetricDatum {
        name: "RunDuration".to_owned(),
        unit: "Seconds".to_owned(),
        dimensions: Vec::new(),
        values: vec![1.0],
        at: world.now(),
    };
    aws.put_metrics("Paceline", &[datum]).await.unwrap();
    let text = "notifications: { sns: 'arn:aws:sns:us-east-1:111111111111:t', event-bus: b, webhook: { parameter: /w, template: '{}' } }";
    let notifications: Notifications = Config::parse(text, "paceline.yaml".into()).unwrap().notifications;
    let notification = Notification {
        occasion: Occasion::End,
        deployment: "app".to_owned(),
        run: RUN.to_owned(),
        message: "done".to_owned(),
        detail: json!({ "status": "done" }),
    };
    // There is no such parameter. Only the call matters.
    assert_eq!(aws.notify(&notifications, &notification).await.len(), 1);
    let access = Access { rights: with_deploy_role(), metrics: true, notifications, ..Access::default() };
    assert_eq!(called(&world), actions_of(&run_statements(PROJECT, &access)));
}

fn located(name: &str) -> Located {
    Located { account: ACCOUNT.to_owned(), region: REGION.to_owned(), name: name.to_owned() }
}

/// An app with a file and an image, whose synthesizer names no roles.
fn unaided(is_protected: bool) -> App {
    let no_role = |more: &Value| {
        let mut properties = json!({"assumeRoleArn": null, "cloudFormationExecutionRoleArn": null});
        properties["terminationProtection"] = more.clone();
        json!({"properties": properties})
    };
    let mut app = App::new().stack_with("Own", &slow("1"), &no_role(&Value::Null)).stack_with(
        "Other",
        &topic("t"),
        &no_role(&json!(is_protected)),
    );
    app.write("file.txt", "content");
    app.write("Dockerfile", "FROM scratch\n");
    app.assets(
        "Own",
        &json!({
            "version": "36.0.0",
            "files": {"f": {
                "source": {"path": "file.txt", "packaging": "file"},
                "destinations": {"d": {"bucketName": BUCKET, "objectKey": "file.txt", "region": REGION}},
            }},
            "dockerImages": {"i": {
                "source": {"directory": "."},
                "destinations": {"d": {"repositoryName": REPOSITORY, "imageTag": "t", "region": REGION}},
            }},
        }),
    )
}

/// The permissions for [`unaided`], with or without those for records.
fn unaided_rights(records: bool) -> Rights {
    let own =
        |id: &str| OwnStack { stack: located(id), id: id.to_owned(), execution_role: None, nests: false };
    Rights {
        unaided: Unaided {
            stacks: vec![own("Other"), own("Own")],
            buckets: vec![BUCKET.to_owned()],
            records,
            repositories: vec![located(REPOSITORY)],
            versions: vec![located("/cdk-bootstrap/hnb659fds/version")],
            ..Unaided::default()
        },
        ..Rights::default()
    }
}

#[tokio::test(start_paused = true)]
async fn without_roles_a_build_keeps_to_the_generated_role() {
    let options =
        SimOptions { durations: slow_durations(), images: SimulatedImages::Absent, ..SimOptions::default() };
    let world = World::new(options);
    let mut app = unaided(false);
    let how = || How {
        images: Images::Pretended { build: Duration::ZERO, push: Duration::ZERO },
        ..How::default()
    };
    world.run(&unaided(true), how()).await.check_all(Outcome::Deployed);
    // Four more runs: without a change, with a change, with a change set, and with an update that takes too
    // long.
    world.run(&app, how()).await;
    app.change("Own", &slow("2"));
    world.run(&app, how()).await;
    app.change("Own", &slow("3"));
    world.run(&app, How { method: Method::ChangeSet, ..how() }).await;
    app.change("Own", &slow("4"));
    world.run(&app, How { limit: Some(Duration::from_secs(20)), ..how() }).await;
    let failure = paceline_sim::Failure {
        stack: "Own".to_owned(),
        logical_id: "Slow".to_owned(),
        operation: Some(Operation::Delete),
        reason: "in use".to_owned(),
        times: 1,
    };
    // An update that fails and is rolled back on request.
    app.change("Own", &slow("5"));
    let updates = paceline_sim::Failure { operation: Some(Operation::Update), ..failure.clone() };
    world.sim.set_faults(Faults { failures: vec![updates], ..Faults::default() });
    world.run(&app, How { method: Method::ChangeSet, ..how() }).await.check(&[("Own", Outcome::RolledBack)]);
    world.sim.set_faults(Faults { failures: vec![failure], ..Faults::default() });
    build(&world, &app, how()).await;

    // Its custom resource fails, and the function behind it is asked why.
    let explained = BTreeSet::from([CUSTOM_RESOURCE.to_owned()]);
    let rights = Rights { explained, ..unaided_rights(false) };
    let expected = [
        // CloudFormation and Docker call these actions with the same credentials.
        "ecr:BatchCheckLayerAvailability",
        "ecr:CompleteLayerUpload",
        "ecr:GetAuthorizationToken",
        "ecr:InitiateLayerUpload",
        "ecr:UploadLayerPart",
        "s3:GetObject",
        // The template names the function behind its custom resource by its ARN.
        "cloudformation:DescribeStackResource",
        // `DescribeStacks` without a name needs this action.
        "cloudformation:ListStacks",
        // These actions are needed only after interference by others.
        "cloudformation:ContinueUpdateRollback",
        "cloudformation:DeleteChangeSet",
    ];
    assert_eq!(unused(&called(&world), &rights), BTreeSet::from(expected.map(str::to_owned)));
}

/// Records, the copy of the journal, captures, a lease, a rollback, and a machine that finds the run in the bucket.
#[tokio::test(start_paused = true)]
async fn what_a_run_keeps_in_its_bucket_and_its_rollback_keep_to_the_generated_role() {
    let options =
        SimOptions { durations: slow_durations(), images: SimulatedImages::Absent, ..SimOptions::default() };
    let (world, runs) = (World::new(options), Runs::new());
    let mut app = unaided(false);
    let how = || How {
        images: Images::Pretended { build: Duration::ZERO, push: Duration::ZERO },
        records: true,
        copies: Some(Vec::new()),
        captures: Some(runs.path().to_owned()),
        ..How::default()
    };
    world.run(&app, How { captures: None, ..how() }).await;
    app.change("Own", &slow("2"));
    let ran = world.run(&app, how()).await;
    let kept = Box::pin(KeptRuns::open(&world.wire, &app.read())).await.unwrap();
    let listed = kept.list(world.now()).await.unwrap();
    kept.fetch_all(&listed).await.unwrap();
    runs.rollback(&ran.events, &RollbackOptions::new(RUN)).run(&world).await.unwrap();
    let plan = Plan::make(&app.read(), &Config::default(), &PlanOptions::default()).unwrap();
    let (id, run, holder) = ("id".to_owned(), RUN.to_owned(), "a test".to_owned());
    let applicant = Applicant { id, run, holder, now: world.now() };
    let aws = world.connected(&app).await;
    let leases = Box::pin(aws.lock(&plan, &applicant, LockMode::Refuse, |_| {})).await.unwrap();
    leases.release().await;
    world.run(&app, How { deletes: true, records: true, ..how() }).await;

    // The tests above have the other actions.
    let unused = unused(&called(&world), &unaided_rights(true));
    let of_bucket: Vec<_> = unused.iter().filter(|action| action.starts_with("s3:")).collect();
    assert!(of_bucket.is_empty(), "no run needs {of_bucket:?}");
}

#[tokio::test(start_paused = true)]
async fn a_run_falls_asleep_and_wakes_up_with_the_generated_rights() {
    let world = World::new(SimOptions::default());
    world.sim.put_rule(ACCOUNT, REGION, "app-wake", "app");
    let rule = WakeRule::open(&world.wire, "app-wake").await.unwrap();
    rule.enable(&json!({})).await.unwrap();
    rule.disable().await.unwrap();
    let mut allowed = actions_of(&wake_statements("app"));
    // EventBridge checks this right when the target is written.
    assert!(allowed.remove("iam:PassRole"));
    assert_eq!(called(&world), allowed);
}
