//! Plans that delete: the order, what stays, and how they are shown.

use std::time::Duration;

use camino::Utf8Path;
use paceline_config::Config;
use paceline_plan::{Destruction, Kept, Plan, PlanOptions, Work, show};
use serde_json::json;

use crate::build::{App, empty, example, exports, holds, ids, resources};

fn destruction(app: &App, config: &str) -> Destruction {
    let config = Config::parse(config, Utf8Path::new("paceline.yaml")).unwrap();
    Destruction::make(&app.assembly(), &config, &app.options).unwrap()
}

fn pair() -> App {
    App::pair(exports(json!("name")), holds(json!({"Fn::ImportValue": "name"})))
}

/// Each step with what it waits for.
fn order(plan: &Plan) -> Vec<String> {
    let step = |step: &paceline_plan::Step| {
        let needs: Vec<&str> = step.needs.iter().map(|&need| plan.steps[need].id.as_str()).collect();
        format!("{} <- {}", step.id, needs.join(" "))
    };
    plan.steps.iter().map(step).collect()
}

#[test]
fn a_stack_goes_after_all_that_depend_on_it() {
    let app = pair().after("Last", &["Consumer"]).after("Alone", &[]);
    let plan = destruction(&app, "").plan;
    assert_eq!(
        order(&plan),
        [
            "delete:Last <- ",
            "delete:Consumer <- delete:Last",
            "delete:Producer <- delete:Consumer",
            "delete:Alone <- "
        ]
    );
    let levels: Vec<usize> = plan.stacks.iter().map(|stack| stack.level).collect();
    assert_eq!(levels, [0, 1, 2, 0]);
    assert!(plan.steps.iter().all(|step| matches!(step.work, Work::Delete { .. })));
}

#[test]
fn assets_gates_and_commands_have_no_part_in_it() {
    let config = Config::read(&example().join("paceline.yaml")).unwrap();
    let assembly = paceline_assembly::Assembly::read(example().join("cdk.out")).unwrap();
    let options = PlanOptions { multi_region: Some("true".to_owned()), ..PlanOptions::default() };
    let destruction = Destruction::make(&assembly, &config, &options).unwrap();
    let deploying = Plan::make(&assembly, &config, &options).unwrap();
    assert_eq!(destruction.plan.steps.len(), deploying.stacks.len());
    assert_eq!(destruction.deploys, deploying.resume_key);
    assert_ne!(destruction.plan.resume_key, deploying.resume_key);
    assert_eq!(destruction.kept, []);
    // Every edge of the deployment, turned around.
    let place = |id: &str| destruction.plan.stacks.iter().position(|stack| stack.id == id).unwrap();
    for edge in deploying.stacks.iter().flat_map(|stack| &stack.depends_on) {
        assert!(place(&edge.from) < place(&edge.to), "{} before {}", edge.from, edge.to);
    }
    assert_eq!(destruction.plan.phases[0].name, "dashboard");
}

#[test]
fn phases_go_the_other_way_too() {
    let app = App::default().stack("A", "us-east-1", empty()).stack("B", "us-east-1", empty());
    let config =
        "version: 1\nstrategy: phases\nphases: [{name: one, stacks: [A]}, {name: two, stacks: [B]}]\n";
    assert_eq!(order(&destruction(&app, config).plan), ["delete:B <- ", "delete:A <- delete:B"]);
}

#[test]
fn a_stack_that_has_the_role_that_others_are_deleted_with_goes_last() {
    let roles = resources(json!({"Role": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "exec"}}}));
    let uses =
        json!({"properties": {"cloudFormationExecutionRoleArn": "arn:aws:iam::111111111111:role/exec"}});
    let app = App::default().stack("Roles", "us-east-1", roles).artifact("User", uses, empty());
    assert_eq!(order(&destruction(&app, "").plan), ["delete:User <- ", "delete:Roles <- delete:User"]);
}

#[test]
fn what_is_expected_is_the_time_of_a_deletion() {
    let database = resources(json!({"Db": {"Type": "AWS::RDS::DBInstance"}}));
    let mut app = App::default().stack("S", "us-east-1", database);
    let durations = app.options.durations.clone();
    app.options.durations = durations.with(
        "AWS::RDS::DBInstance",
        paceline_plan::durations::ResourceOperation::Delete,
        Duration::from_secs(77),
    );
    assert_eq!(destruction(&app, "").plan.steps[0].expected, Duration::from_secs(89));
}

#[test]
fn what_stays_is_told_with_what_it_has_from_what_goes() {
    let app = pair().options(|options| options.only = vec!["Producer".to_owned()]);
    let destruction = destruction(&app, "");
    assert_eq!(ids(&destruction.plan), ["Producer"]);
    let [Kept { stack, needs, region_is_off }] = &destruction.kept[..] else { panic!("not one") };
    assert_eq!((stack.as_str(), *region_is_off), ("Consumer", false));
    assert!(needs.len() == 1 && needs[0].holds(), "{needs:?}");
}

#[test]
fn only_what_nobody_asked_to_keep_is_in_a_region_that_is_off() {
    let config = "version: 1\nmulti-region: {when: BOTH, primary: us-east-1}\n";
    let app = App::default()
        .stack("Here", "us-east-1", empty())
        .stack("There", "eu-west-1", empty())
        .stack("Also", "eu-west-1", empty())
        .options(|options| options.exclude = vec!["Also".to_owned()]);
    let kept = destruction(&app, config).kept;
    let kept: Vec<(&str, bool)> = kept.iter().map(|kept| (kept.stack.as_str(), kept.region_is_off)).collect();
    assert_eq!(kept, [("Also", false), ("There", true)]);
}

#[test]
fn what_would_be_deleted_is_shown_with_what_stays() {
    let mut keeps = exports(json!("name"));
    keeps["Resources"]["Topic"]["DeletionPolicy"] = json!("Retain");
    let protected = json!({"properties": {"terminationProtection": true}});
    let app = App::pair(keeps, holds(json!({"Fn::ImportValue": "name"})))
        .artifact("Protected", protected, empty())
        .stack("Stays", "us-east-1", empty())
        .options(|options| options.exclude = vec!["Stays".to_owned()]);
    let destruction = destruction(&app, "");
    let text = show::destruction(&destruction, &app.assembly(), Duration::from_secs(90), 80);
    insta::assert_snapshot!(text);
}
