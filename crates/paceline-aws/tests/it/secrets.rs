//! Secret values of parameters.

use std::time::Duration;

use camino::Utf8Path;
use paceline_aws::TokenKey;
use paceline_engine::Outcome;
use serde_json::json;
use tempfile::TempDir;

use crate::app::{App, slow};
use crate::world::{How, World};

fn app(password: &str, is_secret: bool) -> App {
    let mut template = slow("one");
    template["Parameters"] = json!({"Password": {"Type": "String", "NoEcho": is_secret}});
    App::new().stack_with("S", &template, &json!({"properties": {"parameters": {"Password": password}}}))
}

fn kept_in(folder: &TempDir) -> How {
    let runs = Utf8Path::from_path(folder.path()).unwrap().to_owned();
    How { token_key: TokenKey::Kept(runs), ..How::default() }
}

/// The token of the creation in a run with its own key.
async fn token(app: &App) -> String {
    let (world, folder) = (World::slow(), TempDir::new().unwrap());
    let ran = world.run(app, kept_in(&folder)).await;
    ran.check_all(Outcome::Deployed);
    ran.submitted()[0].token.clone()
}

#[tokio::test(start_paused = true)]
async fn a_secret_cannot_be_guessed_from_a_token() {
    assert_eq!(token(&app("guess", false)).await, token(&app("guess", false)).await);
    assert_ne!(token(&app("guess", true)).await, token(&app("guess", true)).await);
}

#[tokio::test(start_paused = true)]
async fn a_killed_run_finds_its_operation_with_the_kept_key() {
    let (world, app, folder) = (World::slow(), app("guess", true), TempDir::new().unwrap());
    let killed = world.kill_after(&app, kept_in(&folder), Duration::from_secs(20)).await;
    let ran = world.run(&app, How { earlier: Some(killed.earlier()), ..kept_in(&folder) }).await;
    ran.check_all(Outcome::Deployed);
    assert_eq!(ran.warnings(), [""; 0]);
    assert_eq!(world.count("CreateStack"), 1);
}

#[tokio::test(start_paused = true)]
async fn an_edited_secret_is_deployed_after_the_operation_in_progress() {
    let (world, folder) = (World::slow(), TempDir::new().unwrap());
    world.kill_after(&app("old", true), kept_in(&folder), Duration::from_secs(20)).await;
    let ran = world.run(&app("new", true), kept_in(&folder)).await;
    ran.check_all(Outcome::Deployed);
    assert_eq!(ran.warnings().len(), 1, "it was in progress: {:?}", ran.warnings());
    assert_eq!(world.count("UpdateStack"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lost_key_costs_time_and_no_second_creation() {
    let (world, app) = (World::slow(), app("guess", true));
    let how = || kept_in(&TempDir::new().unwrap());
    let killed = world.kill_after(&app, how(), Duration::from_secs(20)).await;
    let ran = world.run(&app, How { earlier: Some(killed.earlier()), ..how() }).await;
    assert!(ran.stack("S").outcome.is_success());
    assert_eq!(world.count("CreateStack"), 1);
    assert_eq!(world.statuses("S")[0], "CREATE_COMPLETE");
}
