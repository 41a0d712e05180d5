//! The checks before any deletion.

use paceline_aws::PreflightError;
use paceline_engine::Outcome;
use paceline_plan::PlanOptions;
use paceline_sim::{Bootstrap, SimOptions};
use serde_json::json;

use crate::app::{ACCOUNT, App, slow, topic};
use crate::deletes::linked;
use crate::world::World;

const TWO_REGIONS: &str = "version: 1\nmulti-region: { when: BOTH, primary: us-east-1 }\n";

/// The obstacles, each with its advice.
fn errors(error: &PreflightError) -> Vec<(String, String)> {
    let shown = error.0.iter().map(|it| (it.to_string(), it.what_to_do().unwrap_or_default()));
    shown.collect()
}

fn only(stack: &str) -> PlanOptions {
    PlanOptions { only: vec![stack.to_owned()], ..PlanOptions::default() }
}

fn pair() -> App {
    App::new().stack("A", &linked("a", None), &[]).stack("B", &linked("b", Some("a")), &[])
}

/// An app with a stack in each of two regions.
fn regions() -> App {
    let there = json!({"environment": format!("aws://{ACCOUNT}/eu-west-1"), "properties": {
        "assumeRoleArn": null, "cloudFormationExecutionRoleArn": null,
        "requiresBootstrapStackVersion": null, "bootstrapStackVersionSsmParameter": null}});
    App::new().stack("Here", &slow("s"), &[]).stack_with("There", &topic("t"), &there)
}

#[tokio::test(start_paused = true)]
async fn every_protected_stack_is_named_at_once() {
    let app = ["A", "B", "C"].into_iter().fold(App::new(), |app, id| {
        app.stack_with(id, &slow("s"), &json!({"properties": {"terminationProtection": id != "B"}}))
    });
    let world = World::slow();
    assert!(world.survey(&app, "", &PlanOptions::default()).await.is_ok(), "nothing is there yet");
    world.deploy(&app).await.check_all(Outcome::Deployed);
    let error = world.survey(&app, "", &PlanOptions::default()).await.unwrap_err();
    let errors = errors(&error);
    let messages: Vec<&str> = errors.iter().map(|(message, _)| message.as_str()).collect();
    assert_eq!(messages.len(), 2, "{messages:?}");
    assert!(messages.contains(&"A: termination protection is on"), "{messages:?}");
    assert!(messages.contains(&"C: termination protection is on"), "{messages:?}");
    assert_eq!(world.count("DeleteStack"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_kept_stack_that_still_imports_prevents_the_deletion_of_its_exporter() {
    let world = World::slow();
    assert!(world.survey(&pair(), "", &only("A")).await.is_ok(), "the importer is not there");
    world.deploy(&pair()).await;
    let error = world.survey(&pair(), "", &only("A")).await.unwrap_err();
    let [(message, hint)] = &errors(&error)[..] else { panic!("{error:?}") };
    assert!(message.starts_with("B stays, and imports what A exports: imports a"), "{message}");
    assert!(hint.contains("delete B too"), "{hint}");
    assert_eq!(world.survey(&pair(), "", &only("B")).await.unwrap(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_kept_stack_that_depends_in_another_way_is_a_warning() {
    let app = App::new().stack("A", &slow("a"), &[]).stack("B", &slow("b"), &["A"]);
    let world = World::slow();
    world.deploy(&app).await;
    let warnings = world.survey(&app, "", &only("A")).await.unwrap();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].starts_with("B stays, and depends on A: manifest: "), "{warnings:?}");
}

#[tokio::test(start_paused = true)]
async fn existing_stacks_in_a_region_that_is_off_are_reported() {
    let (world, app) = (World::slow(), regions());
    assert_eq!(world.survey(&app, TWO_REGIONS, &PlanOptions::default()).await.unwrap(), [""; 0]);
    world.deploy(&app).await.check_all(Outcome::Deployed);
    let error = world.survey(&app, TWO_REGIONS, &PlanOptions::default()).await.unwrap_err();
    let [(message, hint)] = &errors(&error)[..] else { panic!("{error:?}") };
    assert!(message.ends_with("would be left behind: There"), "{message}");
    assert!(hint.contains("--exclude"), "{hint}");

    let both = PlanOptions { multi_region: Some("true".to_owned()), ..PlanOptions::default() };
    assert_eq!(world.survey(&app, TWO_REGIONS, &both).await.unwrap(), [""; 0]);
    let on_purpose = PlanOptions { exclude: vec!["There".to_owned()], ..PlanOptions::default() };
    assert_eq!(world.survey(&app, TWO_REGIONS, &on_purpose).await.unwrap(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn stacks_that_cannot_be_read_are_reported() {
    let environments = [((ACCOUNT.to_owned(), "eu-west-1".to_owned()), Bootstrap::Missing)];
    let world = World::new(SimOptions { environments: environments.into(), ..SimOptions::default() });
    let role = format!("arn:aws:iam::{ACCOUNT}:role/cdk-hnb659fds-deploy-role-{ACCOUNT}-eu-west-1");
    let there =
        json!({"environment": format!("aws://{ACCOUNT}/eu-west-1"), "properties": {"assumeRoleArn": role}});
    let app = App::new().stack("Here", &slow("s"), &[]).stack_with("There", &topic("t"), &there);
    let warnings = world.survey(&app, TWO_REGIONS, &PlanOptions::default()).await.unwrap();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(
        warnings[0].starts_with("There in 111111111111/eu-west-1 could not be looked for"),
        "{warnings:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn deleting_works_with_a_bootstrap_that_is_too_old_for_deploying() {
    let world = World::new(SimOptions { bootstrap: Bootstrap::Version(3), ..SimOptions::default() });
    let app = App::of("S", &topic("t"));
    assert!(!world.refused(&app).await.0.is_empty(), "deploying is refused");
    assert!(world.survey(&app, "", &PlanOptions::default()).await.is_ok());
}
