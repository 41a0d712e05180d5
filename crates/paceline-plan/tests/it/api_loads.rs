//! How long the operations on stacks occupy APIs whose rates are low.

use std::time::Duration;

use camino::Utf8Path;
use paceline_config::Config;
use paceline_plan::{ApiLoads, Destruction, ThrottledService};
use serde_json::{Value, json};

use crate::build::{App, resources};

fn loads(of: Value) -> ApiLoads {
    App::default().stack("A", "us-east-1", resources(of)).plan().stacks[0].api_loads.clone()
}

fn seconds(loads: &ApiLoads, service: ThrottledService) -> Option<f64> {
    loads.get(&service).map(Duration::as_secs_f64)
}

fn rest_api(endpoints: Option<&str>) -> Value {
    let configuration = endpoints.map(|kind| json!({ "EndpointConfiguration": { "Types": [kind] } }));
    json!({ "Api": { "Type": "AWS::ApiGateway::RestApi", "Properties": configuration.unwrap_or(json!({})) } })
}

#[test]
fn an_api_counts_by_the_documented_rate_of_its_kind() {
    let of = |endpoints| seconds(&loads(rest_api(endpoints)), ThrottledService::ApiGateway);
    assert_eq!((of(None), of(Some("EDGE")), of(Some("REGIONAL"))), (Some(30.0), Some(30.0), Some(3.0)));
}

#[test]
fn many_small_resources_of_a_service_add_up_and_few_do_not_count() {
    let functions = |count: usize| {
        let functions = (0..count).map(|n| (format!("F{n}"), json!({ "Type": "AWS::Lambda::Function" })));
        loads(Value::Object(functions.collect()))
    };
    assert_eq!(functions(10), ApiLoads::new());
    let many = seconds(&functions(60), ThrottledService::Lambda).unwrap();
    assert!((many - 4.02).abs() < 0.01, "{many}");
}

#[test]
fn a_resource_that_a_condition_leaves_out_does_not_count() {
    let mut template = resources(rest_api(None));
    template["Conditions"] = json!({ "Never": { "Fn::Equals": ["a", "b"] } });
    template["Resources"]["Api"]["Condition"] = json!("Never");
    let plan = App::default().stack("A", "us-east-1", template).plan();
    assert_eq!(plan.stacks[0].api_loads, ApiLoads::new());
}

#[test]
fn a_deletion_counts_by_the_rate_of_deletions() {
    let app = App::default().stack("A", "us-east-1", resources(rest_api(Some("REGIONAL"))));
    let config = Config::parse("", Utf8Path::new("paceline.yaml")).unwrap();
    let plan = Destruction::make(&app.assembly(), &config, &app.options).unwrap().plan;
    assert_eq!(seconds(&plan.stacks[0].api_loads, ThrottledService::ApiGateway), Some(30.0));
}

#[test]
fn loads_do_not_decide_what_an_approved_plan_is() {
    let plan = App::default().stack("A", "us-east-1", resources(rest_api(None))).plan();
    let mut without = plan.clone();
    without.stacks[0].api_loads.clear();
    assert_eq!(plan.digest(), without.digest());
}
