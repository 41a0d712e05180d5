//! A plan that exceeds CloudFormation's limits is refused before anything is changed.

use paceline_engine::Outcome;
use paceline_sim::{Faults, SimOptions};
use serde_json::{Value, json};

use crate::app::{App, topic};
use crate::world::World;

fn with_limit(stacks: u32) -> World {
    World::new(SimOptions { stacks, ..SimOptions::default() })
}

fn two() -> App {
    App::of("A", &topic("a")).stack("B", &topic("b"), &[])
}

fn in_region(region: &str) -> Value {
    json!({"environment": format!("aws://111111111111/{region}"),
        "properties": {"assumeRoleArn": null, "cloudFormationExecutionRoleArn": null}})
}

/// A template with this many resources and outputs.
fn large(resources: usize, outputs: usize) -> Value {
    let mut template = json!({"Resources": {}, "Outputs": {}});
    for number in 0..resources {
        template["Resources"][format!("Topic{number}")] = json!({"Type": "AWS::SNS::Topic"});
    }
    for number in 0..outputs {
        template["Outputs"][format!("Output{number}")] = json!({"Value": "x"});
    }
    template
}

/// A stack with a nested stack. `more` overrides parts of the nested stack's resource.
fn with_nested(template: &Value, more: &Value) -> App {
    let mut nested = json!({
        "Type": "AWS::CloudFormation::Stack",
        "Properties": {"TemplateURL": "https://s3.amazonaws.com/bucket/nested"},
        "Metadata": {"aws:asset:path": "nested.json", "aws:asset:property": "TemplateURL"},
    });
    for (key, value) in more.as_object().unwrap() {
        nested[key] = value.clone();
    }
    let parent = json!({
        "Conditions": {"Never": {"Fn::Equals": ["a", "b"]}},
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}, "Nested": nested},
    });
    let mut app = App::of("S", &parent);
    app.write("nested.json", template.to_string());
    app
}

async fn refused(world: &World, app: &App) -> Vec<String> {
    let errors = world.refused(app).await.0;
    assert_eq!(world.count("CreateStack"), 0);
    errors.into_iter().map(|error| error.to_string()).collect()
}

#[tokio::test(start_paused = true)]
async fn too_many_stacks_are_refused_with_figures_and_advice() {
    let world = with_limit(2);
    world.create("Other", &topic("o")).await;
    let errors = world.refused(&two()).await.0;
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert_eq!(
        errors[0].message,
        "aws://111111111111/us-east-1 may have 2 stacks: 1 stack is there, and 2 more would be created"
    );
    assert_eq!(
        errors[0].what_to_do().unwrap(),
        "delete stacks that are not needed there, or ask for more: aws service-quotas \
         request-service-quota-increase --service-code cloudformation --quota-code L-0485CB21 \
         --region us-east-1 --desired-value 3"
    );
    assert_eq!(world.mutations(), ["CreateStack Other"]);
}

#[tokio::test(start_paused = true)]
async fn existing_stacks_are_not_counted_twice() {
    let world = with_limit(2);
    world.deploy(&two()).await.check_all(Outcome::Deployed);
    world.deploy(&two()).await.check_all(Outcome::Unchanged);
    world.destroy(&two()).await.check_all(Outcome::Deleted);
}

#[tokio::test(start_paused = true)]
async fn all_exceeded_limits_are_reported_at_once() {
    let app = App::of("Large", &large(501, 0)).stack_with("Far", &large(1, 201), &in_region("eu-west-1"));
    assert_eq!(
        refused(&with_limit(0), &app).await,
        [
            "the template of Far has 201 outputs, and CloudFormation takes 200",
            "the template of Large has 501 resources, and CloudFormation takes 500",
            "aws://111111111111/eu-west-1 may have 0 stacks: 0 stacks are there, and 1 more would be created",
            "aws://111111111111/us-east-1 may have 0 stacks: 0 stacks are there, and 1 more would be created",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_plan_at_the_limits_is_deployed() {
    let world = with_limit(1);
    world.deploy(&App::of("S", &large(500, 200))).await.check(&[("S", Outcome::Deployed)]);
}

#[tokio::test(start_paused = true)]
async fn a_template_that_is_too_large_for_s3_is_refused() {
    let template = json!({"Resources": {"Topic": {
        "Type": "AWS::SNS::Topic", "Metadata": {"Text": "x".repeat(1 << 20)}}}});
    let [message] = refused(&with_limit(9), &App::of("S", &template)).await.try_into().unwrap();
    assert!(message.starts_with("the template of S has 10486"), "{message}");
    assert!(message.ends_with(" bytes, and CloudFormation takes 1 MB (1048576)"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn nested_stacks_count_and_are_checked_separately() {
    assert_eq!(
        refused(&with_limit(1), &with_nested(&topic("n"), &json!({}))).await,
        ["aws://111111111111/us-east-1 may have 1 stacks: 0 stacks are there, and 2 more would be created"]
    );
    assert_eq!(
        refused(&with_limit(9), &with_nested(&large(501, 0), &json!({}))).await,
        ["the template of S / Nested has 501 resources, and CloudFormation takes 500"]
    );
    // Only CloudFormation knows whether it creates a nested stack with a condition.
    let app = with_nested(&topic("n"), &json!({"Condition": "Never"}));
    assert_eq!(with_limit(1).notes(&app).await, [] as [String; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_missing_permission_to_read_limits_is_noted_and_prevents_nothing() {
    let denied = vec![("cloudformation".to_owned(), "DescribeAccountLimits".to_owned())];
    let faults = Faults { denied, ..Faults::default() };
    let world = World::new(SimOptions { stacks: 0, faults, ..SimOptions::default() });
    let app = two().stack_with("Far", &topic("f"), &in_region("eu-west-1"));
    assert_eq!(
        world.notes(&app).await,
        ["how many stacks there may be is not checked in 111111111111/eu-west-1, 111111111111/us-east-1: \
             DescribeAccountLimits is not allowed"]
    );
    world.deploy(&app).await.check_all(Outcome::Deployed);
}
