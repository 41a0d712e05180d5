//! Names that a new stack gives its resources, and that exist already.

use paceline_config::Config;
use paceline_plan::{Plan, PlanOptions};
use paceline_sim::{Calls, Mishap};
use paceline_text::Explained as _;
use serde_json::{Value, json};

use crate::app::App;
use crate::world::World;

const NAMES: [(&str, &str, &str); 4] = [
    ("AWS::S3::Bucket", "BucketName", "example-photos"),
    ("AWS::SSM::Parameter", "Name", "/photos/bucket"),
    ("AWS::ECR::Repository", "RepositoryName", "photos"),
    ("AWS::IAM::Role", "RoleName", "photos-reader"),
];

/// A template with a resource of each type, with these names.
fn named(names: impl Fn(&str) -> Value) -> Value {
    let resources = NAMES.iter().enumerate().map(|(at, (resource_type, property, name))| {
        let mut properties = json!({});
        properties[*property] = names(name);
        if *resource_type == "AWS::SSM::Parameter" {
            properties["Type"] = json!("String");
            properties["Value"] = json!("v");
        }
        (format!("R{at}"), json!({"Type": resource_type, "Properties": properties}))
    });
    json!({"Resources": resources.collect::<serde_json::Map<_, _>>()})
}

/// The errors and the notes about an app.
async fn found(world: &World, app: &App) -> (Vec<String>, Vec<String>) {
    let plan = Plan::make(&app.read(), &Config::default(), &PlanOptions::default()).unwrap();
    let (errors, notes) = Box::pin(world.connected(app).await.taken_names(&plan)).await;
    let shown = |error: &paceline_aws::AwsError| format!("{error}; {}", error.hint().unwrap_or_default());
    (errors.iter().map(shown).collect(), notes)
}

#[tokio::test(start_paused = true)]
async fn each_name_that_exists_is_found_with_its_resource_and_what_to_do() {
    let world = World::slow();
    world.create("Theirs", &named(|name| json!(name))).await;
    let (errors, notes) = found(&world, &App::of("S", &named(|name| json!(name)))).await;
    assert_eq!(errors.len(), NAMES.len(), "{errors:?}");
    for (error, (_, _, name)) in errors.iter().zip(NAMES) {
        assert!(error.contains(&format!("with the name {name}, and a ")), "{error}");
        assert!(error.contains("--import-existing-resources"), "{error}");
    }
    assert!(notes.is_empty(), "{notes:?}");
}

#[tokio::test(start_paused = true)]
async fn a_bucket_of_another_account_or_region_has_its_name_too() {
    let world = World::slow();
    for name in ["cdk-hnb659fds-assets-222222222222-us-east-1", "cdk-hnb659fds-assets-111111111111-eu-west-1"]
    {
        let bucket = json!({"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name}});
        let (errors, notes) = found(&world, &App::of("S", &json!({"Resources": {"B": bucket}}))).await;
        let [error] = &errors[..] else { panic!("{name}: {errors:?} {notes:?}") };
        assert!(error.contains(&format!("with the name {name}, and a bucket")), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn free_names_names_of_the_run_and_names_of_the_stack_itself_are_no_finding() {
    let world = World::slow();
    let nothing = (vec![], vec![]);
    assert_eq!(found(&world, &App::of("S", &named(|name| json!(name)))).await, nothing, "they are free");
    world.create("S", &named(|name| json!(name))).await;
    assert_eq!(found(&world, &App::of("S", &named(|name| json!(name)))).await, nothing, "they are its own");
    let later = named(|name| json!({"Fn::Sub": format!("{name}-${{AWS::StackId}}")}));
    assert_eq!(found(&world, &App::of("T", &later)).await, nothing, "they are not known yet");
}

#[tokio::test(start_paused = true)]
async fn a_name_that_cannot_be_looked_up_is_a_note() {
    let world = World::slow();
    world.proxy.on(Calls::of("GetRole"), Mishap::denied());
    let (errors, notes) = found(&world, &App::of("S", &named(|name| json!(name)))).await;
    assert!(errors.is_empty(), "{errors:?}");
    let [note] = &notes[..] else { panic!("{notes:?}") };
    assert!(note.contains("whether the name of a new role is free in 111111111111/us-east-1"), "{note}");
}
