//! The example app, as a user sees its plan.

use paceline_assembly::Assembly;
use paceline_plan::render::{self, TextOptions};
use paceline_plan::{Config, Plan, PlanOptions};

use crate::build::{example, forecast};

fn plan(multi_region: &str) -> Plan {
    let folder = example();
    let assembly = Assembly::read(folder.join("cdk.out")).unwrap();
    let config = Config::read(&folder.join("paceline.yaml")).unwrap();
    let options = PlanOptions { multi_region: Some(multi_region.to_owned()), ..PlanOptions::default() };
    Plan::make(&assembly, &config, &options).unwrap()
}

#[test]
fn text() {
    insta::assert_snapshot!(render::text(&plan("true"), &forecast(), &TextOptions::default()));
}

#[test]
fn text_of_one_region() {
    insta::assert_snapshot!(render::text(&plan("false"), &forecast(), &TextOptions::default()));
}

#[test]
fn mermaid() {
    insta::assert_snapshot!(render::mermaid(&plan("true")));
}

#[test]
fn dot() {
    insta::assert_snapshot!(render::dot(&plan("true")));
}

#[test]
fn json() {
    let mut plan: serde_json::Value =
        serde_json::from_str(&render::json(&plan("true"), &forecast())).unwrap();
    // A digest of templates says nothing to a reader.
    plan["digest"] = "…".into();
    insta::assert_json_snapshot!(plan);
}

#[test]
fn explain() {
    let plan = plan("true");
    let explain = |from, to| render::explain(&plan, from, to).unwrap();
    insta::assert_snapshot!(explain("NetworkRoutesMain", Some("ServicesSecondary")));
    insta::assert_snapshot!(explain("ObservabilityDashboard", Some("NetworkRegionPeering")));
    insta::assert_snapshot!(explain("Applications", None));
}
