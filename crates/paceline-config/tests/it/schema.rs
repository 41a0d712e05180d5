//! The schema says what the configuration reads, field by field.

use camino::Utf8Path;
use paceline_config::{Config, schema};
use serde_json::Value;

use crate::config::{APPS, EVERY_FIELD};

/// What is wrong with a value, by as much of JSON Schema as ours uses.
fn wrong(value: &Value, schema: &Value, at: &str, found: &mut Vec<String>) {
    let mut say = |what: &str| found.push(format!("{at}: {what}"));
    if schema.get("const").is_some_and(|only| only != value) {
        say("another constant");
    }
    if schema["enum"].as_array().is_some_and(|any| !any.contains(value)) {
        say("not one of the values");
    }
    let is_right = match schema["type"].as_str() {
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => {
            value.as_i64().is_some_and(|n| n >= schema["minimum"].as_i64().unwrap_or(i64::MIN))
        }
        Some("number") => value.as_f64().is_some_and(|n| n >= schema["minimum"].as_f64().unwrap_or(f64::MIN)),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        other => other.is_none(),
    };
    if !is_right {
        say("another type");
    }
    for required in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if value.get(required).is_none() {
            say(&format!("{required} is missing"));
        }
    }
    if let Some(ways) = schema["oneOf"].as_array() {
        let fits = |way: &&Value| {
            let mut found = Vec::new();
            wrong(value, way, at, &mut found);
            found.is_empty()
        };
        if ways.iter().filter(fits).count() != 1 {
            say("not one of the forms");
        }
    }
    for (key, inner) in value.as_object().into_iter().flatten() {
        let any = Some(&schema["additionalProperties"]).filter(|any| any.is_object());
        match schema["properties"].get(key).or(any) {
            Some(schema) => wrong(inner, schema, &format!("{at}.{key}"), found),
            None if schema["additionalProperties"].is_object() => {
                wrong(inner, &schema["additionalProperties"], &format!("{at}.{key}"), found);
            }
            None => found.push(format!("{at}: {key} is not in the schema")),
        }
    }
    for inner in value.as_array().into_iter().flatten().filter(|_| schema.get("items").is_some()) {
        wrong(inner, &schema["items"], &format!("{at}[]"), found);
    }
}

/// The properties of the schema that the value does not have.
fn unused(value: &Value, schema: &Value, at: &str, found: &mut Vec<String>) {
    for (key, inner) in schema["properties"].as_object().into_iter().flatten() {
        match value.get(key) {
            Some(value) => unused(value, inner, &format!("{at}.{key}"), found),
            None => found.push(format!("{at}.{key}")),
        }
    }
    if schema["additionalProperties"].is_object() {
        for (key, inner) in value.as_object().into_iter().flatten() {
            unused(inner, &schema["additionalProperties"], &format!("{at}.{key}"), found);
        }
    }
    if schema.get("items").is_some() {
        unused(&value[0], &schema["items"], at, found);
    }
}

fn check(yaml: &str) -> Vec<String> {
    let value: Value = serde_saphyr::from_str(yaml).unwrap();
    let mut found = Vec::new();
    wrong(&value, &schema(), "", &mut found);
    found
}

#[test]
fn the_schema_has_every_field_that_is_read_and_no_other() {
    let config = Config::parse(EVERY_FIELD, Utf8Path::new("paceline.yaml")).unwrap();
    // A new field must be added here, and so to the text that has every field.
    let Config {
        version: _,
        app: _,
        apps: _,
        install: _,
        synth: _,
        multi_region: _,
        rollout: _,
        phases: _,
        strategy: _,
        edges: _,
        concurrency: _,
        gates: _,
        prewarm: _,
        commands: _,
        unchanged: _,
        on_failure: _,
        approve: _,
        journal: _,
        signal: _,
        metrics: _,
        notifications: _,
        traces: _,
        codebuild: _,
        pipeline: _,
        fan_out: _,
        runner: _,
        places: _,
    } = config;
    assert_eq!(check(EVERY_FIELD), [""; 0]);
    let mut found = Vec::new();
    let mut value: Value = serde_saphyr::from_str(EVERY_FIELD).unwrap();
    // One app and several exclude each other.
    assert_eq!(check(APPS), [""; 0]);
    value["apps"] = serde_saphyr::from_str::<Value>(APPS).unwrap()["apps"].take();
    // A build image has a version, and an address has none.
    let image = "runner: { from: image, version: 1.2.3 }";
    assert_eq!(check(image), [""; 0]);
    value["runner"]["version"] = "1.2.3".into();
    unused(&value, &schema(), "", &mut found);
    assert_eq!(found, [""; 0]);
}

#[test]
fn the_example_fits() {
    let example =
        Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/workshop/paceline.yaml");
    assert_eq!(check(&fs_err::read_to_string(example).unwrap()), [""; 0]);
}

#[test]
fn the_configuration_of_the_design_fits() {
    let yaml = r#"
version: 1
app: cdk.out
multi-region: { when: ENABLE_MULTI_REGION, primary: us-east-1 }
phases:
  - name: services
    stacks: [Services, ServicesSecondary]
  - name: network
    sequential: true
    stacks: ["Network*"]
strategy: graph
edges:
  - { from: NetworkRegionPeering, to: ServicesSecondary, because: accepts its transit gateway attachment }
concurrency: { stacks: 20, assets: 8, images: 4 }
gates:
  - after: Services
    iam-roles: all
commands:
  - name: remove-simulation-tags
    after: UserSimulationStack
    run: ./scripts/removeusersimtags.sh
on-failure: { policy: skip-dependents, rollback: stack }
codebuild: { image: standard:7.0, compute: x-large, timeout: 240m, cache: [docker-layer], privileged: auto }
runner: { from: s3, uri: "s3://tools/paceline", sha256: "00" }
"#;
    assert_eq!(check(yaml), [""; 0]);
    Config::parse(yaml, Utf8Path::new("paceline.yaml")).unwrap();
}

#[test]
fn what_the_configuration_refuses_the_schema_refuses() {
    for yaml in [
        "stratgy: graph",
        "strategy: fastest",
        "version: 2",
        "phases: [{ name: a }]",
        "gates: [{ after: A, iam-roles: some }]",
        "concurrency: { stacks: 0 }",
        "runner: { uri: x }",
        "signal: { when-interrupted: sometimes }",
        "metrics: prometheus",
        "notifications: { on: [always] }",
        "notifications: { webhook: { parameter: /chat } }",
    ] {
        assert_ne!(check(yaml), [""; 0], "{yaml}");
        Config::parse(yaml, Utf8Path::new("paceline.yaml")).unwrap_err();
    }
}

#[test]
fn the_defaults_of_the_schema_are_those_of_the_configuration() {
    let schema = schema();
    let default = |path: &str| {
        let pointer = format!("/properties/{}/default", path.replace('.', "/properties/"));
        schema.pointer(&pointer).unwrap().clone()
    };
    let Config { concurrency, codebuild, strategy, on_failure, signal, metrics, .. } = Config::default();
    assert_eq!(default("concurrency.stacks"), concurrency.stacks.get());
    assert_eq!(default("concurrency.assets"), concurrency.assets.get());
    assert_eq!(default("concurrency.images"), concurrency.images.get());
    assert_eq!(default("strategy"), strategy.as_str());
    assert_eq!(default("on-failure.policy"), on_failure.policy.as_str());
    assert_eq!(default("on-failure.rollback"), on_failure.rollback.as_str());
    assert_eq!(default("on-failure.retries"), on_failure.retries);
    assert_eq!(default("on-failure.stuck"), on_failure.stuck.as_str());
    assert_eq!(default("on-failure.run"), on_failure.run.as_str());
    assert_eq!(default("signal.wait-handle"), signal.wait_handle.as_str());
    assert_eq!(default("metrics"), metrics.as_str());
    assert_eq!(default("codebuild.image").as_str().unwrap().parse(), Ok(codebuild.image));
    assert_eq!(default("codebuild.compute"), codebuild.compute.as_str());
    assert_eq!(default("codebuild.privileged"), codebuild.privileged.to_string());
    assert_eq!(default("codebuild.log-retention-days"), codebuild.log_retention_days.days());
    assert_eq!(default("codebuild.timeout").as_str().unwrap().parse(), Ok(codebuild.timeout));
}
