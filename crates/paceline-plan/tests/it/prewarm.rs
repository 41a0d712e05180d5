//! Repositories that a run creates at its start.

use camino::Utf8Path;
use paceline_config::Config;
use paceline_plan::{Destruction, Plan, Work};
use serde_json::{Value, json};

use crate::build::{App, empty};

/// A stack whose task definition has this image.
fn task(image: &Value) -> Value {
    let container = json!({"Name": "web", "Image": image});
    json!({"Resources": {"Task": {
        "Type": "AWS::ECS::TaskDefinition",
        "Properties": {"ContainerDefinitions": [container]},
    }}})
}

fn sub(repository: &str) -> Value {
    json!({"Fn::Sub": format!("${{AWS::AccountId}}.dkr.ecr.${{AWS::Region}}.${{AWS::URLSuffix}}/{repository}:latest")})
}

/// The repositories that a plan creates, each with its region and the steps that wait for it.
fn created(plan: &Plan) -> Vec<String> {
    let steps = plan.steps.iter().enumerate();
    let shown = steps.filter_map(|(at, step)| match &step.work {
        Work::Prewarm(it) => {
            assert!(step.needs.is_empty(), "it begins at once");
            let waits =
                plan.steps.iter().filter(|step| step.needs.contains(&at)).map(|step| step.id.as_str());
            let region = it.region.as_deref().unwrap_or("own");
            Some(format!("{} in {region}: {}", it.repository, waits.collect::<Vec<_>>().join(", ")))
        }
        _ => None,
    });
    shown.collect()
}

fn app(config: &str) -> App {
    let repository = json!({"Type": "AWS::ECR::Repository", "Properties": {"RepositoryName": "made"}});
    App::default()
        .stack("Makes", "us-east-1", json!({"Resources": {"R": repository}}))
        .stack("Reads", "us-east-1", task(&sub("made")))
        .stack("Pets", "us-east-1", task(&sub("petsite")))
        .stack("PetsToo", "eu-west-1", task(&sub("petsite")))
        .stack(
            "Foreign",
            "us-east-1",
            task(&json!("602401143452.dkr.ecr.us-east-1.amazonaws.com/eks/pause:3.5")),
        )
        .stack("Nothing", "eu-west-1", empty())
        .config(config)
}

#[test]
fn nothing_is_created_unless_it_is_asked_for() {
    assert_eq!(created(&app("version: 1").plan()), [""; 0]);
}

#[test]
fn what_templates_name_in_accounts_of_the_app_and_no_stack_creates_is_created_for_the_stacks_that_need_it() {
    let plan = app("prewarm: { from-templates: true }").plan();
    let expected = ["petsite in eu-west-1: deploy:PetsToo", "petsite in us-east-1: deploy:Pets"];
    let mut found = created(&plan);
    found.sort();
    assert_eq!(found, expected);
}

#[test]
fn what_the_configuration_names_is_created_where_templates_name_it_or_everywhere() {
    let found = |config: &str| {
        let mut found = created(&app(config).plan());
        found.sort();
        found
    };
    let named = found("prewarm: { ecr: [petsite] }");
    assert_eq!(named, ["petsite in eu-west-1: deploy:PetsToo", "petsite in us-east-1: deploy:Pets"]);
    assert_eq!(found("prewarm: { ecr: [history] }"), ["history in eu-west-1: ", "history in us-east-1: "]);
    assert_eq!(found("prewarm: { ecr: [made] }"), [""; 0], "it is left to the stack that creates it");
}

#[test]
fn stacks_that_are_left_out_need_no_repository() {
    let app =
        app("prewarm: { from-templates: true }").options(|options| options.only = vec!["Pets".to_owned()]);
    assert_eq!(created(&app.plan()), ["petsite in us-east-1: deploy:Pets"]);
}

#[test]
fn a_deletion_leaves_repositories() {
    let app = app("prewarm: { ecr: [petsite] }");
    let config = Config::parse(app.config_text(), Utf8Path::new("paceline.yaml")).unwrap();
    let destruction = Destruction::make(&app.assembly(), &config, &app.options).unwrap();
    assert_eq!(created(&destruction.plan), [""; 0]);
}

#[test]
fn the_name_of_a_repository_is_checked() {
    let config = |name: &str| {
        let text = format!("prewarm: {{ ecr: ['{name}'] }}");
        Config::parse(&text, Utf8Path::new("paceline.yaml")).map(drop).map_err(|error| error.to_string())
    };
    assert!(config("team/pet_site.v2").is_ok());
    for name in ["PetSite", "a", "-pets", "pets/", "pet site", "pet..site", "team//pets", "team-/pets"] {
        assert!(config(name).unwrap_err().contains("cannot be the name of a repository"), "{name}");
    }
}

#[test]
fn publishing_alone_creates_the_repositories_that_images_go_to_and_no_others() {
    let images = json!({ "version": "36.0.0", "files": {}, "dockerImages": { "site": {
        "source": { "directory": "." },
        "destinations": { "d": { "repositoryName": "site", "imageTag": "t", "region": "us-east-1" } },
    } } });
    let stack = json!({ "environment": "aws://111111111111/us-east-1", "dependencies": ["Images.assets"] });
    let app = app("prewarm: { from-templates: true }").asset_manifest("Images.assets", images);
    let plan = app.artifact("Images", stack, empty()).plan();
    assert!(created(&plan).len() > 1);
    let plan = plan.publishing();
    let [waits] = &created(&plan)[..] else { panic!("{:?}", created(&plan)) };
    assert!(waits.starts_with("site in us-east-1: publish:"), "{waits}");
    assert_eq!(plan.steps.len(), 2);
}
