//! The example app, as a user sees its plan.

use std::fmt::Write as _;

use paceline_assembly::Assembly;
use paceline_config::Config;
use paceline_plan::show::{self, TextOptions};
use paceline_plan::{Plan, PlanOptions, PlannedStack};
use serde_json::{Value, json};

use crate::build::{App, example, forecast, holds, writes};

fn plan(multi_region: &str) -> Plan {
    let folder = example();
    let assembly = Assembly::read(folder.join("cdk.out")).unwrap();
    let config = Config::read(&folder.join("paceline.yaml")).unwrap();
    let options = PlanOptions { multi_region: Some(multi_region.to_owned()), ..PlanOptions::default() };
    Plan::make(&assembly, &config, &options).unwrap()
}

#[test]
fn text() {
    insta::assert_snapshot!(show::text(&plan("true"), &forecast(), &TextOptions::default()));
}

#[test]
fn text_of_one_region() {
    insta::assert_snapshot!(show::text(&plan("false"), &forecast(), &TextOptions::default()));
}

#[test]
fn mermaid() {
    insta::assert_snapshot!(show::mermaid(&plan("true")));
}

#[test]
fn dot() {
    insta::assert_snapshot!(show::dot(&plan("true")));
}

/// The plan as a value: what its other forms are made from.
#[test]
fn model() {
    let plan = plan("true");
    let mut model = String::new();
    for stack in &plan.stacks {
        let PlannedStack { id, level, resources, expected, .. } = stack;
        let phase = stack.phase.as_deref().unwrap_or("no phase");
        let region = stack.region.as_deref().unwrap_or("any region");
        let time = expected.as_secs();
        let _ = writeln!(model, "{id}: {phase}, {region}, level {level}, {resources} resources, {time} s");
        for edge in &stack.depends_on {
            let _ = writeln!(model, "  {} {}: {}", edge.reason, edge.to, edge.detail());
        }
    }
    insta::assert_snapshot!(model);
}

/// The JSON of two stacks has every field that the JSON of more stacks has.
#[test]
fn json() {
    let app = App::pair(writes(json!("/url")), holds(json!("{{resolve:ssm:/url}}")))
        .config("phases: [{ name: all, stacks: ['*'] }]");
    let mut plan: Value = serde_json::from_str(&show::json(&app.plan(), &forecast())).unwrap();
    // A digest of templates says nothing to a reader.
    plan["digest"] = "…".into();
    insta::assert_json_snapshot!(plan);
}

#[test]
fn explain() {
    let plan = plan("true");
    let explain = |from, to| show::explain(&plan, from, to).unwrap();
    insta::assert_snapshot!(explain("NetworkRoutesMain", Some("ServicesSecondary")));
    insta::assert_snapshot!(explain("ObservabilityDashboard", Some("NetworkRegionPeering")));
    insta::assert_snapshot!(explain("Applications", None));
}
