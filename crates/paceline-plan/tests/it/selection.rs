//! Which stacks are deployed, and why the others are not.

use std::collections::BTreeSet;

use camino::Utf8Path;
use paceline_config::Config;
use paceline_plan::{Affected, Destruction, affected};
use serde_json::json;

use crate::build::{App, empty, ids, warnings};

/// Two regions; `Late` waits for the second through `Middle`.
fn regions() -> App {
    App::default()
        .stack("Main", "us-east-1", empty())
        .stack("Second", "us-west-2", empty())
        .stack("Middle", "us-east-1", empty())
        .stack("Late", "us-east-1", empty())
        .stack_in("Anywhere", "aws://unknown-account/unknown-region", empty())
        .config(
            "multi-region: { when: MULTI, primary: us-east-1 }
phases: [{ name: p, stacks: [Main, Second] }]
edges:
  - { from: Middle, to: Second, because: x }
  - { from: Late, to: Middle, because: x }",
        )
}

fn left_out(app: &App) -> Vec<String> {
    app.plan().left_out.iter().map(|it| format!("{}: {}", it.stack, it.why)).collect()
}

#[test]
fn with_the_secondary_regions_off_what_waits_for_them_is_left_out() {
    let app = regions();
    assert_eq!(ids(&app.plan()), ["Anywhere", "Main"]);
    assert_eq!(
        left_out(&app),
        [
            "Late: waits for Middle, which is left out",
            "Middle: waits for Second, which is left out",
            "Second: us-west-2 is off: MULTI is not set to true",
        ]
    );
    assert_eq!(app.plan().phases[0].stacks, ["Main"]);
}

#[test]
fn with_the_secondary_regions_on_all_are_deployed() {
    let app = regions().options(|options| options.multi_region = Some("true".into()));
    assert_eq!(ids(&app.plan()), ["Anywhere", "Main", "Second", "Middle", "Late"]);
    assert!(left_out(&app).is_empty());
}

#[test]
fn only_and_exclude() {
    let app = |only: &[&str], exclude: &[&str]| {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        regions().options(|options| {
            options.multi_region = Some("true".into());
            options.only = owned(only);
            options.exclude = owned(exclude);
        })
    };
    assert_eq!(ids(&app(&["M*"], &[]).plan()), ["Main", "Middle"]);
    assert_eq!(ids(&app(&["M*"], &["Main"]).plan()), ["Middle"]);
    assert_eq!(ids(&app(&[], &["M*", "Late"]).plan()), ["Anywhere", "Second"]);
    assert_eq!(left_out(&app(&["M*"], &["Main"]))[2], "Main: --exclude names it");
    assert_eq!(left_out(&app(&["M*"], &["Main"]))[1], "Late: --only does not name it");
    assert!(app(&["Middle"], &[]).plan().stacks[0].depends_on.is_empty());
    insta::assert_snapshot!(app(&["Nain"], &[]).refused(), @"
    --only: no stack is called `Nain`
    hint: did you mean `Main`?
    ");
    insta::assert_snapshot!(app(&["Main"], &["Main"]).refused(), @"
    there is no stack to deploy: every stack is left out
    hint: check --only, --exclude and the multi-region setting
    ");
}

#[test]
fn stacks_that_are_named_come_with_what_they_need_or_in_a_deletion_with_what_needs_them() {
    let app = |stacks: &[&str], exclude: &[&str]| {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        regions().options(|options| {
            options.multi_region = Some("true".into());
            options.stacks = owned(stacks);
            options.exclude = owned(exclude);
        })
    };
    assert_eq!(ids(&app(&["Late"], &[]).plan()), ["Second", "Middle", "Late"]);
    assert_eq!(ids(&app(&["Mid*", "Main"], &[]).plan()), ["Main", "Second", "Middle"]);
    assert_eq!(left_out(&app(&["Late"], &[]))[0], "Anywhere: it is not named, and no named stack needs it");
    assert!(warnings(&app(&["Late"], &[]).plan()).is_empty());
    let middle = app(&["Middle"], &[]);
    let config = Config::parse(middle.config_text(), Utf8Path::new("paceline.yaml")).unwrap();
    let destruction = Destruction::make(&middle.assembly(), &config, &middle.options);
    assert_eq!(ids(&destruction.unwrap().plan), ["Late", "Middle"]);
    assert!(app(&["Lat"], &[]).refused().starts_with("on the command line: no stack is called `Lat`"));
}

#[test]
fn an_edge_that_a_selection_cuts_is_told() {
    let told = |only: &[&str], exclude: &[&str]| {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let app = regions().options(|options| {
            options.multi_region = Some("true".into());
            options.only = owned(only);
            options.exclude = owned(exclude);
        });
        warnings(&app.plan())
    };
    assert_eq!(
        told(&["Late"], &[]),
        [
            "Middle is left out (--only does not name it), and Late (config) needs it: it must be deployed already"
        ]
    );
    assert_eq!(
        told(&[], &["Second"]),
        [
            "Second is left out (--exclude names it), and Middle (config) needs it: it must be deployed already"
        ]
    );
    assert_eq!(told(&["Second", "Middle"], &[]), [""; 0]);
}

#[test]
fn an_assembly_without_stacks_has_nothing_to_deploy() {
    assert!(App::default().refused().starts_with("there is no stack to deploy: the assembly has none"));
}

#[test]
fn two_stacks_that_are_one_to_cloudformation_are_refused() {
    let named = || serde_json::json!({ "properties": { "stackName": "shop" } });
    let app = || App::default().artifact("Blue", named(), empty()).artifact("Green", named(), empty());
    insta::assert_snapshot!(app().refused(), @"
    `Blue` and `Green` are the same stack: both are called `shop` in aws://111111111111/us-east-1
    hint: give one of them another `stackName`, leave one out, or declare which waits for the other
    ");
    assert_eq!(ids(&app().options(|options| options.exclude = vec!["Green".into()]).plan()), ["Blue"]);
    let ordered = app().config("edges: [{ from: Blue, to: Green, because: updates it }]");
    assert_eq!(ids(&ordered.plan()), ["Green", "Blue"]);
}

/// `Web` needs `Api`, which needs `Data`; `Jobs` needs `Data`.
fn shop() -> App {
    App::default()
        .stack("Data", "us-east-1", empty())
        .stack("Api", "eu-west-1", empty())
        .stack("Web", "eu-west-2", empty())
        .stack("Jobs", "us-east-1", empty())
        .stack_in("Other", "aws://222222222222/eu-west-1", empty())
        .config(
            "phases: [{ name: base, stacks: [Data] }, { name: rest, stacks: ['*'] }]
edges:
  - { from: Web, to: Api, because: x }
  - { from: Api, to: Data, because: x }
  - { from: Jobs, to: Data, because: x }",
        )
}

fn only(texts: &[&str]) -> App {
    let texts = texts.iter().map(|&text| text.to_owned()).collect();
    shop().options(|options| options.only = texts)
}

#[test]
fn a_plus_before_or_after_a_name_adds_what_it_needs_or_what_needs_it() {
    assert_eq!(ids(&only(&["Api"]).plan()), ["Api"]);
    assert_eq!(ids(&only(&["+Api"]).plan()), ["Data", "Api"]);
    assert_eq!(ids(&only(&["Api+"]).plan()), ["Api", "Web"]);
    assert_eq!(ids(&only(&["+Api+"]).plan()), ["Data", "Api", "Web"]);
    assert_eq!(ids(&only(&["+J*"]).plan()), ["Data", "Jobs"]);
    // Named on the command line, what needs it comes with all that that needs.
    let named = shop().options(|options| options.stacks = vec!["Data+".to_owned()]);
    assert_eq!(ids(&named.plan()), ["Data", "Api", "Jobs", "Web"]);
    let alone = shop().options(|options| {
        options.stacks = vec!["Api+".to_owned()];
        options.exclusively = true;
    });
    assert_eq!(ids(&alone.plan()), ["Api", "Web"]);
    let excluded = shop().options(|options| options.exclude = vec!["Api+".to_owned()]);
    assert_eq!(ids(&excluded.plan()), ["Data", "Jobs", "Other"]);
}

#[test]
fn stacks_are_chosen_by_region_account_and_phase() {
    assert_eq!(ids(&only(&["region:eu-*"]).plan()), ["Api", "Other", "Web"]);
    assert_eq!(ids(&only(&["account:2*"]).plan()), ["Other"]);
    assert_eq!(ids(&only(&["phase:base+"]).plan()), ["Data", "Api", "Jobs", "Web"]);
    assert_eq!(ids(&only(&["+region:eu-west-2"]).plan()), ["Data", "Api", "Web"]);
    insta::assert_snapshot!(only(&["region:ap-*"]).refused(), @"
    --only: no stack is in the region `ap-*`
    hint: the regions are: eu-west-1, eu-west-2, us-east-1
    ");
    insta::assert_snapshot!(only(&["+Nobody"]).refused(), @"
    --only: no stack is called `Nobody`
    hint: `paceline plan` lists the stacks of the assembly
    ");
}

#[test]
fn a_deletion_takes_a_plus_in_the_same_direction() {
    let app = only(&["Api+"]);
    let config = Config::parse(app.config_text(), Utf8Path::new("paceline.yaml")).unwrap();
    let destruction = Destruction::make(&app.assembly(), &config, &app.options).unwrap();
    assert_eq!(ids(&destruction.plan), ["Web", "Api"]);
}

#[test]
fn only_what_differs_from_another_assembly_is_chosen() {
    let queue = |name: &str| json!({"Resources": {"Q": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": name}}}});
    let base = shop().stack("Api", "eu-west-1", queue("a")).assembly();
    let app = shop().stack("Api", "eu-west-1", queue("b")).artifact("New", json!({}), empty());
    let stacks = affected(&app.assembly(), &base);
    assert_eq!(stacks.iter().map(String::as_str).collect::<Vec<_>>(), ["Api", "New"]);
    let affected = Affected { base: "main.out".to_owned(), stacks };
    let app = app.options(|options| options.affected = Some(affected.clone()));
    let plan = app.plan();
    assert_eq!(ids(&plan), ["Api", "New"]);
    assert!(warnings(&plan).is_empty(), "what is as it was is there: {:?}", warnings(&plan));
    assert!(plan.left_out.iter().all(|it| it.why.to_string() == "it does not differ from main.out"));
    let none = Affected { stacks: BTreeSet::new(), ..affected };
    let app = shop().options(|options| options.affected = Some(none));
    let error = app.try_plan().unwrap_err();
    assert_eq!(error.to_string(), "none of these stacks differs from main.out: there is nothing to do");
}
