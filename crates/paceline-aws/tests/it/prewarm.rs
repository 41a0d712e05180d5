//! Repositories that a run creates at its start, while other steps run.

use std::sync::Arc;
use std::time::Duration;

use paceline_aws::{Aws, AwsOptions, Images};
use paceline_config::Config;
use paceline_engine::{ExitCode, Outcome, RunOptions};
use paceline_plan::{Plan, PlanOptions};
use paceline_sim::{Calls, Faults, Images as SimulatedImages, Mishap, SimOptions};
use paceline_text::{Explained as _, Problem};
use serde_json::{Value, json};

use crate::app::{ACCOUNT, App, REGION, slow, topic};
use crate::world::{How, Ran, World};

const STEP: &str = "prewarm:petsite:111111111111:us-east-1";

/// `Pets` names the repository; `Other` does not.
fn app() -> App {
    let mut pets = topic("a");
    pets["Outputs"]["Image"] = json!({"Value": image()});
    App::new().stack("Pets", &pets, &[]).stack("Other", &slow("x"), &[])
}

fn image() -> Value {
    json!({"Fn::Sub": "${AWS::AccountId}.dkr.ecr.${AWS::Region}.amazonaws.com/petsite:latest"})
}

fn how() -> How {
    How { config: "prewarm: { from-templates: true }", ..How::default() }
}

async fn client(world: &World) -> aws_sdk_ecr::Client {
    aws_sdk_ecr::Client::new(&world.config().await)
}

async fn repositories(world: &World) -> Vec<String> {
    let answer = client(world).await.describe_repositories().send().await.unwrap();
    answer.repositories().iter().map(|it| it.repository_name().unwrap().to_owned()).collect()
}

fn creations(world: &World) -> usize {
    world.sim.calls().iter().filter(|call| call.operation == "CreateRepository").count()
}

#[tokio::test(start_paused = true)]
async fn a_repository_is_created_once_and_then_found() {
    let (world, app) = (World::slow(), app());
    let ran = world.run(&app, how()).await;
    ran.check(&[("Pets", Outcome::Deployed), ("Other", Outcome::Deployed)]);
    let finished = ran.finished(STEP);
    assert_eq!(finished.outcome, Outcome::Deployed);
    assert_eq!(
        (finished.step.account.as_deref(), finished.step.region.as_deref()),
        (Some(ACCOUNT), Some(REGION))
    );
    assert!(finished.queued_s < f64::EPSILON, "it starts at once");
    assert_eq!(finished.step.title, "repository petsite in us-east-1");
    assert_eq!(repositories(&world).await, ["petsite"]);
    let ran = world.run(&app, how()).await;
    assert_eq!(ran.finished(STEP).outcome, Outcome::Unchanged);
    assert_eq!(creations(&world), 1);
    // A deletion leaves it.
    world.run(&app, How { deletes: true, ..how() }).await.check_all(Outcome::Deleted);
    assert_eq!(repositories(&world).await, ["petsite"]);
}

#[tokio::test(start_paused = true)]
async fn a_colleague_who_creates_it_at_the_same_time_is_no_problem() {
    let (world, app) = (World::slow(), app());
    let colleague = client(&world).await;
    world.proxy.before(Calls::of("CreateRepository"), move |_| {
        let create = colleague.create_repository().repository_name("petsite").send();
        async move { drop(create.await.unwrap()) }
    });
    let ran = world.run(&app, how()).await;
    ran.check(&[("Pets", Outcome::Deployed)]);
    assert_eq!(ran.finished(STEP).outcome, Outcome::Unchanged);
}

#[tokio::test(start_paused = true)]
async fn a_stack_that_needs_it_is_skipped_if_it_cannot_be_created_and_no_other() {
    let world = World::slow();
    world.proxy.on(Calls::of("CreateRepository"), Mishap::denied());
    let app = app();
    let ran = world.run(&app, how()).await;
    ran.check(&[("Pets", Outcome::Skipped), ("Other", Outcome::Deployed)]);
    let finished = ran.finished(STEP);
    assert_eq!(finished.outcome, Outcome::Failed);
    let cause = finished.cause.as_ref().unwrap();
    assert!(cause.hint.as_ref().unwrap().contains("allow ecr:CreateRepository for petsite"), "{cause:?}");
    assert_eq!(ran.stack("Pets").because.as_deref(), Some(STEP));
    assert_eq!(ran.exit_code(), ExitCode::Failed);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_was_killed_at_any_moment_is_continued() {
    for tenths in 0..30 {
        let (world, app) = (World::slow(), app());
        let killed = world.kill_or_end(&app, how(), Duration::from_millis(tenths * 100)).await;
        let earlier = (!killed.events.is_empty()).then(|| killed.earlier());
        let ran = world.run(&app, How { earlier, ..how() }).await;
        ran.check(&[("Pets", Outcome::Deployed), ("Other", Outcome::Deployed)]);
        assert!(ran.finished(STEP).outcome.is_success());
        assert_eq!(repositories(&world).await, ["petsite"], "{tenths}");
        assert!(creations(&world) <= 2, "{tenths}");
    }
}

#[tokio::test(start_paused = true)]
async fn repositories_of_other_accounts_are_refused_before_anything_is_touched() {
    let mut other = topic("a");
    other["Outputs"]["Image"] = json!({"Value": image()});
    let role = |role: &str| {
        json!(format!("arn:aws:iam::222222222222:role/cdk-hnb659fds-{role}-role-222222222222-us-east-1"))
    };
    let place = json!({
        "environment": "aws://222222222222/us-east-1",
        "properties": {"assumeRoleArn": role("deploy"), "cloudFormationExecutionRoleArn": role("cfn-exec")},
    });
    let app = App::new().stack_with("There", &other, &place);
    let world = World::slow();
    let refused = world.refused_with(&app, "prewarm: { from-templates: true }").await;
    let error = refused.problems().iter().map(Problem::what).collect::<Vec<_>>().join("\n");
    assert!(error.contains("to be created in the account 222222222222"), "{error}");
    assert_eq!(world.mutations(), [""; 0]);
}

/// `paceline publish` may run where nobody may deploy.
#[tokio::test(start_paused = true)]
async fn a_run_that_only_publishes_creates_repositories_without_a_deploy_role() {
    let images = SimulatedImages::Absent;
    let denied = vec![("sts".to_owned(), "AssumeRole".to_owned())];
    let faults = Faults { denied, ..Faults::default() };
    let world = World::new(SimOptions { images, faults, ..SimOptions::default() });
    let mut app = app();
    app.write("Dockerfile", "FROM scratch\n");
    let app = app.assets(
        "Pets",
        &json!({"version": "36.0.0", "dockerImages": {"i": {
            "source": {"directory": "."},
            "destinations": {"d": {"repositoryName": "petsite", "imageTag": "t", "region": REGION}},
        }}}),
    );
    let assembly = app.read();
    let config = Config::parse(how().config, "paceline.yaml".into()).unwrap();
    let plan = Arc::new(Plan::make(&assembly, &config, &PlanOptions::default()).unwrap().publishing());
    let images = Images::Pretended { build: Duration::ZERO, push: Duration::ZERO };
    let options = AwsOptions { wire: world.wire.clone(), images, ..AwsOptions::default() };
    let aws = Arc::new(Box::pin(Aws::connect(assembly, &plan, options)).await.unwrap());
    let events = Arc::default();
    world.perform(plan, aws, RunOptions::simulated(world.now()), Arc::clone(&events)).await;
    let ran = Ran { events: events.lock().unwrap().clone() };
    assert_eq!(ran.exit_code(), ExitCode::Done);
    assert_eq!(ran.finished(STEP).outcome, Outcome::Deployed);
    assert_eq!(repositories(&world).await, ["petsite"]);
    assert_eq!(world.count("PutImage"), 1);
    // The same credentials could not deploy.
    world.refused_with(&app, how().config).await;
}
