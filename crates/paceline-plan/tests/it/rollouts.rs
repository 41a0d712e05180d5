//! Rollouts: one region first, then the bake, then the others.

use std::time::Duration;

use camino::Utf8Path;
use paceline_config::Config;
use paceline_plan::{Destruction, Plan, Reason, Work, show};
use serde_json::{Value, json};

use crate::build::{App, edges, empty, exports, forecast, holds, warnings};

const ROLLOUT: &str = "rollout: { first: us-east-1, bake: 10m, alarms: ['prod-*', other], then: parallel }";

/// Two stacks in a row in each of two regions, and one in a third.
fn regions() -> App {
    let after = |app: App, id: &str, region: &str, before: &str| {
        let environment = format!("aws://111111111111/{region}");
        app.artifact(id, json!({ "environment": environment, "dependencies": [before] }), empty())
    };
    let app = App::default().stack("Eu", "eu-west-1", empty()).stack("Us", "us-east-1", empty()).stack(
        "Ap",
        "ap-south-1",
        empty(),
    );
    let app = after(app, "EuApi", "eu-west-1", "Eu");
    after(app, "UsApi", "us-east-1", "Us").config(ROLLOUT)
}

/// Each step that is no asset, with the steps that it waits for.
fn steps(plan: &Plan) -> Vec<String> {
    let shown = plan.steps.iter().map(|step| {
        let needs: Vec<&str> = step.needs.iter().map(|&need| plan.steps[need].id.as_str()).collect();
        format!("{} <- {}", step.id, needs.join(" "))
    });
    shown.collect()
}

#[test]
fn the_stacks_of_other_regions_wait_for_the_bake_of_the_first() {
    let plan = regions().plan();
    assert_eq!(
        steps(&plan),
        [
            "deploy:Us <- ",
            "deploy:UsApi <- deploy:Us",
            "gate:bake:us-east-1 <- deploy:Us deploy:UsApi",
            "deploy:Ap <- gate:bake:us-east-1",
            "deploy:Eu <- gate:bake:us-east-1",
            "deploy:EuApi <- deploy:Eu",
        ]
    );
    assert_eq!(
        edges(&plan),
        [
            "UsApi -> Us manifest: declared in the assembly's manifest",
            "Ap -> UsApi rollout: the rollout deploys us-east-1 first, and watches its alarms",
            "Eu -> UsApi rollout: the rollout deploys us-east-1 first, and watches its alarms",
            "EuApi -> Eu manifest: declared in the assembly's manifest",
        ]
    );
    let bake = plan.bake().unwrap();
    assert_eq!((bake.region.as_str(), bake.time), ("us-east-1", Duration::from_mins(10)));
    assert!(bake.watches("prod-5xx") && bake.watches("other") && !bake.watches("other-5xx"));
    assert_eq!(plan.steps[2].expected, Duration::from_mins(10));
}

#[test]
fn without_the_setting_no_region_waits_for_another() {
    let plan = regions().config("").plan();
    assert_eq!(plan.bake(), None);
    assert!(
        plan.stacks.iter().flat_map(|stack| &stack.depends_on).all(|edge| edge.reason != Reason::Rollout)
    );
}

#[test]
fn assets_of_other_regions_are_published_at_once() {
    let file = |region: &str| {
        json!({
            "version": "36.0.0",
            "files": { "f": {
                "source": { "path": "f", "packaging": "zip" },
                "destinations": { "d": {
                    "bucketName": format!("assets-{region}"), "objectKey": "f.zip", "region": region,
                } },
            } },
        })
    };
    let app = App::default()
        .asset_manifest("Eu.assets", file("eu-west-1"))
        .artifact(
            "Eu",
            json!({ "environment": "aws://111111111111/eu-west-1", "dependencies": ["Eu.assets"] }),
            empty(),
        )
        .stack("Us", "us-east-1", empty())
        .config(ROLLOUT);
    assert_eq!(
        steps(&app.plan()),
        [
            "deploy:Us <- ",
            "gate:bake:us-east-1 <- deploy:Us",
            "publish:s3://assets-eu-west-1/f.zip <- ",
            "deploy:Eu <- gate:bake:us-east-1 publish:s3://assets-eu-west-1/f.zip",
        ]
    );
}

#[test]
fn a_first_stack_that_needs_another_region_is_refused_with_both_stacks_and_the_edge() {
    let app = App::default()
        .stack("Us", "us-east-1", holds(json!({ "Fn::ImportValue": "x" })))
        .stack("Eu", "eu-west-1", empty())
        .config(&format!("edges: [{{ from: Us, to: Eu, because: it calls it }}]\n{ROLLOUT}"));
    insta::assert_snapshot!(app.refused(), @"
    paceline.yaml:2:19: rollout.first: `Us` is in us-east-1, which is deployed first, but waits for `Eu` in eu-west-1: config: it calls it
    hint: write `first: eu-west-1`, or change the app so that no stack of us-east-1 waits for `Eu`
    ");
}

#[test]
fn phases_that_contradict_the_rollout_are_refused() {
    let app = regions().config(&format!(
        "phases: [{{ name: one, stacks: [Eu] }}, {{ name: two, barrier: true, stacks: [Us] }}]\n{ROLLOUT}"
    ));
    insta::assert_snapshot!(app.refused(), @"
    paceline.yaml:2:19: rollout.first: `Us` is in us-east-1, which is deployed first, but waits for `Eu` in eu-west-1: phase: phase `two` waits for phase `one`
    hint: write `first: eu-west-1`, or change the app so that no stack of us-east-1 waits for `Eu`
    ");
}

#[test]
fn a_region_that_cannot_be_the_first_is_refused_with_its_place() {
    let first = |region: &str| format!("rollout:\n  alarms: [a]\n  first: {region}\n");
    insta::assert_snapshot!(regions().config(&first("us-east-2")).refused(), @"
    paceline.yaml:3:10: rollout.first: no stack is in the region `us-east-2`
    hint: the regions are: ap-south-1, eu-west-1, us-east-1
    ");
    let app = App::pair(exports(json!("x")), empty()).config(&first("us-east-1"));
    insta::assert_snapshot!(app.refused(), @"
    paceline.yaml:3:10: rollout.first: every stack of the app is in us-east-1, so that no other region can follow
    hint: remove `rollout`
    ");
    let app = regions().stack_in("Any", "aws://unknown-account/unknown-region", empty());
    insta::assert_snapshot!(app.config(&first("us-east-1")).refused(), @"
    paceline.yaml:3:10: rollout.first: the app does not say in which region `Any` is
    hint: give it an `env` with a region in the app, or remove `rollout`
    ");
}

#[track_caller]
fn check_no_effect(app: App, expected: &str) {
    let plan = app.plan();
    assert_eq!(plan.bake(), None);
    assert_eq!(warnings(&plan), [format!("`rollout` has no effect: {expected}")]);
}

#[test]
fn a_run_that_leaves_the_rollout_nothing_to_do_says_so() {
    let multi = |primary: &str| format!("multi-region: {{ when: MULTI, primary: {primary} }}\n{ROLLOUT}");
    check_no_effect(
        regions().config(&multi("us-east-1")),
        "the other regions are off, as MULTI is not set to true",
    );
    check_no_effect(
        regions().config(&multi("eu-west-1")),
        "us-east-1 is off, as MULTI is not set to true, so its alarms are not watched",
    );
    let only = |ids: &[&str]| {
        let ids = ids.iter().map(|id| (*id).to_owned()).collect();
        regions().options(|options| options.only = ids)
    };
    check_no_effect(only(&["Us", "UsApi"]), "only stacks of us-east-1 are deployed");
    check_no_effect(only(&["Eu", "Ap"]), "no stack of us-east-1 is deployed, so its alarms are not watched");
    assert_eq!(
        steps(&only(&["Us", "Eu"]).plan()),
        ["deploy:Us <- ", "gate:bake:us-east-1 <- deploy:Us", "deploy:Eu <- gate:bake:us-east-1"]
    );
}

#[test]
fn with_all_regions_on_the_rollout_has_its_effect() {
    let app = regions()
        .config(&format!("multi-region: {{ when: MULTI, primary: us-east-1 }}\n{ROLLOUT}"))
        .options(|options| options.multi_region = Some("true".into()));
    assert!(app.plan().bake().is_some());
}

#[test]
fn commands_of_the_first_region_come_before_the_bake_and_those_of_the_others_after_it() {
    let app = regions().config(&format!(
        "commands:
- {{ name: smoke, after: UsApi, run: 'true' }}
- {{ name: before-eu, before: Eu, run: 'true' }}
- {{ name: before-us, before: Us, run: 'true' }}
- {{ name: between, after: Us, before: Ap, run: 'true' }}
{ROLLOUT}"
    ));
    assert_eq!(
        steps(&app.plan()),
        [
            "command:2:before-us <- ",
            "deploy:Us <- command:2:before-us",
            "command:3:between <- deploy:Us",
            "deploy:UsApi <- deploy:Us",
            "command:0:smoke <- deploy:UsApi",
            "gate:bake:us-east-1 <- deploy:Us command:3:between deploy:UsApi command:0:smoke",
            "deploy:Ap <- deploy:Us command:3:between gate:bake:us-east-1",
            "command:1:before-eu <- gate:bake:us-east-1",
            "deploy:Eu <- gate:bake:us-east-1 command:1:before-eu",
            "deploy:EuApi <- deploy:Eu",
        ]
    );
}

#[test]
fn the_bake_follows_the_gates_of_the_first_region() {
    let role = json!({ "Resources": { "Role": { "Type": "AWS::IAM::Role" } } });
    let app = App::default()
        .stack("Us", "us-east-1", role)
        .stack("Eu", "eu-west-1", empty())
        .config(&format!("gates: [{{ after: Us, iam-roles: all }}]\n{ROLLOUT}"));
    assert_eq!(
        steps(&app.plan()),
        [
            "deploy:Us <- ",
            "gate:iam-roles:Us <- deploy:Us",
            "gate:bake:us-east-1 <- gate:iam-roles:Us",
            "deploy:Eu <- gate:bake:us-east-1",
        ]
    );
}

#[test]
fn a_deletion_has_no_rollout() {
    let app = regions();
    let config = Config::parse(ROLLOUT, Utf8Path::new("paceline.yaml")).unwrap();
    let plan = Destruction::make(&app.assembly(), &config, &app.options).unwrap().plan;
    assert_eq!(plan.bake(), None);
    assert!(plan.steps.iter().all(|step| matches!(step.work, Work::Delete { .. })));
    let without = Destruction::make(&app.assembly(), &Config::default(), &app.options).unwrap().plan;
    assert_eq!(steps(&plan), steps(&without));
}

#[test]
fn a_rollout_is_shown_to_people_and_programs() {
    let plan = regions().config(&format!("{}, on-alarm: rollback }}", &ROLLOUT[..ROLLOUT.len() - 2])).plan();
    let text = show::text(&plan, &forecast(), &show::TextOptions::default());
    let line = "Rollout: us-east-1 first; then its alarms prod-*, other are watched for 10 min; then ap-south-1, eu-west-1. An alarm stops the run and rolls it back";
    assert!(text.split_whitespace().collect::<Vec<_>>().join(" ").contains(line), "{text}");
    assert!(text.contains("Us → UsApi → bake of us-east-1 → Eu → EuApi"), "{text}");
    assert!(text.contains("waits for the bake of us-east-1 (rollout)"), "{text}");
    let json: Value = serde_json::from_str(&show::json(&plan, &forecast())).unwrap();
    assert_eq!(
        json["rollout"],
        json!({
            "first": "us-east-1", "bake_s": 600, "alarms": ["prod-*", "other"],
            "then": ["ap-south-1", "eu-west-1"], "on_alarm": "rollback",
        })
    );
    insta::assert_snapshot!(show::explain(&plan, "Eu", Some("UsApi")).unwrap(), @"
    Eu waits for UsApi

      Eu waits for UsApi (rollout)
        rollout: the rollout deploys us-east-1 first, and watches its alarms
        bake: between the two, the alarms prod-*, other of us-east-1 are watched for 10 min
    ");
}
