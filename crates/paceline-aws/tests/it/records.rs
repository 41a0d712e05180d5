//! Records of what was deployed: they save the reading of templates, and never make a changed stack unchanged.

use paceline_engine::Outcome;
use serde_json::{Value, json};

use crate::app::{ACCOUNT, App, BUCKET, REGION, topic};
use crate::world::{How, World};

fn recorded() -> How {
    How { records: true, ..How::default() }
}

fn app(template: &Value) -> App {
    with_assets(App::new().stack("S", template, &[]), "S", REGION)
}

/// Adds an asset to a stack in a region, so that the staging bucket of its environment is known.
pub(crate) fn with_assets(mut app: App, stack: &str, region: &str) -> App {
    app.write("file.json", "{}");
    let role = format!(
        "arn:${{AWS::Partition}}:iam::{ACCOUNT}:role/cdk-hnb659fds-file-publishing-role-{ACCOUNT}-{region}"
    );
    let manifest = json!({"version": "36.0.0", "files": {"file": {
        "source": {"path": "file.json", "packaging": "file"},
        "destinations": {"there": {
            "bucketName": format!("cdk-hnb659fds-assets-{ACCOUNT}-{region}"),
            "objectKey": "file.json", "region": region, "assumeRoleArn": role,
        }},
    }}});
    app.assets(stack, &manifest)
}

/// The keys of the records that the bucket has.
async fn keys(world: &World) -> Vec<String> {
    let client = aws_sdk_s3::Client::new(&world.config().await);
    let answer = client.list_objects_v2().bucket(BUCKET).prefix("paceline/").send().await.unwrap();
    answer.contents().iter().map(|object| object.key().unwrap().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_recorded_stack_is_unchanged_without_a_look_at_its_template() {
    let (world, app) = (World::slow(), app(&topic("a")));
    world.run(&app, recorded()).await.check(&[("S", Outcome::Deployed)]);
    let before = world.count("GetTemplate");
    world.run(&app, recorded()).await.check(&[("S", Outcome::Unchanged)]);
    assert_eq!(world.count("GetTemplate"), before);
}

#[tokio::test(start_paused = true)]
async fn a_stack_that_was_deployed_without_records_is_recorded_when_it_is_found_unchanged() {
    let (world, app) = (World::slow(), app(&topic("a")));
    world.deploy(&app).await.check(&[("S", Outcome::Deployed)]);
    world.run(&app, recorded()).await.check(&[("S", Outcome::Unchanged)]);
    let before = world.count("GetTemplate");
    world.run(&app, recorded()).await.check(&[("S", Outcome::Unchanged)]);
    assert_eq!((before, world.count("GetTemplate")), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_stack_has_one_record() {
    let (world, mut app) = (World::slow(), app(&topic("a")));
    for name in ["a", "b", "a", "c"] {
        app.change("S", &topic(name));
        world.run(&app, recorded()).await.check(&[("S", Outcome::Deployed)]);
        assert_eq!(keys(&world).await.len(), 1, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_deleted_stack_has_no_record() {
    let (world, app) = (World::slow(), app(&topic("a")));
    world.run(&app, recorded()).await.check(&[("S", Outcome::Deployed)]);
    world.run(&app, How { deletes: true, ..recorded() }).await.check(&[("S", Outcome::Deleted)]);
    assert_eq!(keys(&world).await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn without_records_nothing_is_written() {
    let (world, app) = (World::slow(), app(&topic("a")));
    world.deploy(&app).await.check(&[("S", Outcome::Deployed)]);
    assert_eq!(keys(&world).await, [""; 0]);
}

/// A colleague changes the stack and may undo the change. Whatever the records say, the stack has the template of the app
/// after each run, and a run changes the stack only if it had another template.
#[tokio::test(start_paused = true)]
async fn no_record_makes_a_changed_stack_unchanged() {
    for seed in 0..40_u64 {
        let (world, mut app) = (World::slow(), app(&topic("t0")));
        world.run(&app, recorded()).await.check(&[("S", Outcome::Deployed)]);
        let (mut random, mut live, mut wanted) = (seed, 0, 0);
        for _ in 0..8 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let template = (random >> 40) % 2;
            match (random >> 33) % 4 {
                0 if live != template => {
                    world.update("S", &topic(&format!("t{template}"))).await;
                    world.rest().await;
                    live = template;
                }
                1 => {
                    app.change("S", &topic(&format!("t{template}")));
                    wanted = template;
                }
                2 => {
                    world.client().await.delete_stack().stack_name("S").send().await.unwrap();
                    world.rest().await;
                    world.create("S", &topic(&format!("t{template}"))).await;
                    world.rest().await;
                    live = template;
                }
                _ => {}
            }
            let ran = world.run(&app, recorded()).await;
            let outcome = if live == wanted { Outcome::Unchanged } else { Outcome::Deployed };
            assert_eq!(ran.stack("S").outcome, outcome, "seed {seed}: {live} to {wanted}");
            assert_eq!(ran.stack("S").outputs["Name"], format!("t{wanted}"), "seed {seed}");
            live = wanted;
            world.rest().await;
        }
    }
}
