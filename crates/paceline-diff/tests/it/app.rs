//! Apps of the tests.

use std::collections::BTreeMap;

use paceline_assembly::{Assembly, AssetManifest, Environment, Known, NestedTemplate, Stack, Template};
use paceline_diff::{AppDiff, CompareOptions, StackDiff, compare};
use paceline_plan::{Plan, PlanOptions};
use serde_json::{Value, json};

/// The assembly of these stacks: id and template.
pub(crate) fn assembly(stacks: &[(&str, Value)]) -> Assembly {
    Assembly {
        dir: "cdk.out".into(),
        schema: "36.0.0".to_owned(),
        stacks: stacks.iter().map(|(id, template)| stack(id, template)).collect(),
        warnings: Vec::new(),
        missing: Vec::new(),
    }
}

pub(crate) fn stack(id: &str, template: &Value) -> Stack {
    let environment =
        Environment { account: Some("111111111111".to_owned()), region: Some("eu-west-1".to_owned()) };
    let known =
        Known { environment: environment.clone(), stack_name: Some(id.to_owned()), given: BTreeMap::new() };
    Stack {
        id: id.to_owned(),
        app: None,
        artifact_id: id.to_owned(),
        name: id.to_owned(),
        environment,
        template: Template::from_value(template.clone()).unwrap().knowing(known),
        template_path: format!("{id}.template.json").into(),
        depends_on: Vec::new(),
        assets: AssetManifest::default(),
        legacy_assets: Vec::new(),
        parameters: BTreeMap::new(),
        tags: BTreeMap::new(),
        notification_arns: None,
        termination_protection: None,
        deploy_role: None,
        execution_role_arn: None,
        rollback_triggers: None,
        lookup_role: None,
        template_url: None,
        bootstrap: None,
        construct_paths: BTreeMap::new(),
        sources: BTreeMap::new(),
        nested: Vec::new(),
        messages: Vec::new(),
    }
}

/// Adds a nested stack.
pub(crate) fn nest(stack: &mut Stack, logical_id: &str, template: &Value) {
    stack.nested.push(NestedTemplate {
        logical_id: logical_id.to_owned(),
        parents: Vec::new(),
        path: format!("{logical_id}.nested.json").into(),
        template: Template::from_value(template.clone()).unwrap(),
    });
}

pub(crate) fn plan(assembly: &Assembly) -> Plan {
    Plan::make(assembly, &paceline_config::Config::default(), &PlanOptions::default()).unwrap()
}

pub(crate) fn diff(base: &Assembly, app: &Assembly) -> AppDiff {
    compare(base, app, &plan(app), &CompareOptions::default())
}

/// A template of these resources.
pub(crate) fn resources(resources: Value) -> Value {
    json!({ "Resources": resources })
}

/// The only stack of an app, after a change of its resources.
pub(crate) fn stack_diff(before: Value, after: Value) -> StackDiff {
    let of = |value| assembly(&[("S", resources(value))]);
    diff(&of(before), &of(after)).stacks.remove(0)
}
