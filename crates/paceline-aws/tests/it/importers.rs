//! An export that is dropped together with its last import. No template shows that the importer must be
//! updated first.

use std::time::Duration;

use paceline_aws::Method;
use paceline_engine::{Fact, Outcome};
use paceline_sim::{Failure, Faults, Operation};
use serde_json::{Value, json};

use crate::app::{App, slow, topic};
use crate::deletes::linked;
use crate::world::{How, Ran, World};

/// A template with these exports. It is deployed much faster than one that takes a minute.
fn quick(label: &str, exports: &[&str]) -> Value {
    let mut template = topic(label);
    for name in exports {
        template["Outputs"][name] = json!({ "Value": name, "Export": { "Name": name } });
    }
    template
}

/// `App` imports the export of `Shared`.
fn before() -> App {
    let shared = quick("shared", &["shared"]);
    App::new().stack("App", &linked("app", Some("shared")), &[]).stack("Shared", &shared, &[])
}

/// `App` no longer imports and `Shared` no longer exports.
fn after(mut app: App) -> App {
    app.change("App", &slow("app, alone"));
    app.change("Shared", &quick("shared, alone", &[]));
    app
}

async fn deployed(app: &App) -> World {
    let world = World::slow();
    world.deploy(app).await.check_all(Outcome::Deployed);
    world
}

/// The steps that were tried again, each with the steps that it waited for.
fn tried_after(ran: &Ran) -> Vec<(String, Vec<String>)> {
    let facts = ran.events.iter().map(|event| &event.fact);
    let tried = facts.filter_map(|fact| match fact {
        Fact::StepRetried(it) if !it.after.is_empty() => Some((it.step.step.clone(), it.after.clone())),
        _ => None,
    });
    tried.collect()
}

fn cause(ran: &Ran, stack: &str) -> (String, String) {
    let cause = ran.stack(stack).cause.clone().unwrap();
    (cause.message, cause.hint.unwrap_or_default())
}

const IN_USE: &str = "Export shared cannot be deleted as it is in use by App";

#[tokio::test(start_paused = true)]
async fn a_stack_drops_its_export_when_the_importer_in_the_run_has_dropped_its_import() {
    for (method, config) in [
        (Method::Direct, ""),
        (Method::ChangeSet, ""),
        (Method::Direct, "concurrency: { stacks: 1 }"),
        (Method::Direct, "on-failure: { rollback: none }"),
    ] {
        let app = before();
        let world = deployed(&app).await;
        let ran = world.run(&after(app), How { config, method, ..How::default() }).await;
        ran.check_all(Outcome::Deployed);
        let tried = tried_after(&ran);
        // If the stacks are deployed one after another, the importer may be the first.
        if config.starts_with("concurrency") {
            assert!(tried.len() <= 1);
        } else {
            assert_eq!(
                tried,
                [("deploy:Shared".to_owned(), vec!["deploy:App".to_owned()])],
                "{method:?} {config}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn both_stacks_are_deleted_although_the_app_no_longer_shows_the_import() {
    let app = before();
    let world = deployed(&app).await;
    let ran = world.destroy(&after(app)).await;
    ran.check_all(Outcome::Deleted);
    assert_eq!(tried_after(&ran), [("delete:Shared".to_owned(), vec!["delete:App".to_owned()])]);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_was_killed_during_the_wait_continues() {
    for seconds in [2, 4, 6, 8, 12, 20, 40, 60, 64, 66, 68, 72] {
        let app = before();
        let world = deployed(&app).await;
        let app = after(app);
        let killed = world.kill_after(&app, How::default(), Duration::from_secs(seconds)).await;
        let ran = world.run(&app, How { earlier: Some(killed.earlier()), ..How::default() }).await;
        ran.check_all(Outcome::Deployed);
        let client = world.client().await;
        let template = client.get_template().stack_name("Shared").send().await.unwrap();
        assert!(template.template_body().unwrap().contains("shared, alone"), "after {seconds} s");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failing_importer_ends_the_wait() {
    let app = before();
    let world = deployed(&app).await;
    world.sim.set_faults(Faults {
        failures: vec![Failure {
            stack: "App".to_owned(),
            logical_id: "Slow".to_owned(),
            operation: Some(Operation::Update),
            reason: "it is broken".to_owned(),
            times: 1,
        }],
        ..Faults::default()
    });
    let ran = world.run(&after(app), How::default()).await;
    assert_eq!(ran.stack("App").outcome, Outcome::RolledBack);
    assert_eq!(ran.stack("Shared").outcome, Outcome::RolledBack);
    assert!(cause(&ran, "Shared").0.contains(IN_USE));
}

#[tokio::test(start_paused = true)]
async fn an_importer_outside_of_the_run_must_be_deployed_first() {
    let world = deployed(&before()).await;
    let ran = world.deploy(&App::of("Shared", &quick("shared, alone", &[]))).await;
    let (message, hint) = cause(&ran, "Shared");
    assert!(message.contains(IN_USE), "{message}");
    assert_eq!(hint, "deploy the stacks that import it without it first");
}

#[tokio::test(start_paused = true)]
async fn an_importer_that_waits_for_the_exporter_must_be_deployed_separately() {
    let mut app = App::new().stack("App", &linked("app", Some("one")), &[]);
    app = app.stack("Shared", &quick("shared", &["one", "two"]), &[]);
    let world = deployed(&app).await;
    app.change("App", &linked("app", Some("two")));
    app.change("Shared", &quick("shared, less", &["two"]));
    let ran = world.deploy(&app).await;
    let (message, hint) = cause(&ran, "Shared");
    assert!(message.contains("Export one cannot be deleted as it is in use by App"), "{message}");
    assert!(hint.contains("`paceline deploy --exclusively App`"), "{hint}");
    assert_eq!(tried_after(&ran), []);
}
