//! The three forms of the project, and the settings that CodeBuild would refuse.

use std::time::Duration;

use paceline_buildspec::{Generation, generate, yaml};
use paceline_config::{
    BatchBy, CacheMode, CodeBuild, MetricsTarget, Notifications, Privileged, QueueTimeout, SourceType, Vpc,
    Webhook,
};
use paceline_text::Explained as _;
use serde_json::{Value, json};

use crate::{file, installed, snapshot, synthesized, workshop};

/// The value, with the properties of the template under their names in the API.
fn api_names(value: &Value) -> Value {
    match value {
        Value::Object(entries) => {
            let rename = |key: &str| match key {
                "BuildSpec" => "buildspec".to_owned(),
                _ => key[..1].to_lowercase() + &key[1..],
            };
            Value::Object(entries.iter().map(|(key, value)| (rename(key), api_names(value))).collect())
        }
        Value::Array(items) => items.iter().map(api_names).collect(),
        other => other.clone(),
    }
}

/// The value, with `{ "Ref": x }` and similar references as text, so that forms can be compared.
pub(crate) fn plain(value: &Value) -> Value {
    match value {
        Value::Object(entries) if entries.len() == 1 => match entries.iter().next() {
            Some((key, Value::String(text))) if key == "Fn::Sub" || key == "Ref" => {
                Value::from(text.as_str())
            }
            Some((key, Value::Array(parts))) if key == "Fn::GetAtt" => {
                Value::from(format!("{}.{}", parts[0].as_str().unwrap(), parts[1].as_str().unwrap()))
            }
            _ => Value::Object(entries.iter().map(|(key, value)| (key.clone(), plain(value))).collect()),
        },
        Value::Object(entries) => entries.iter().map(|(key, value)| (key.clone(), plain(value))).collect(),
        Value::Array(items) => items.iter().map(plain).collect(),
        other => other.clone(),
    }
}

/// A generation with every option that does not exclude another.
pub(crate) fn everything() -> Generation {
    let mut generation = synthesized();
    generation.codebuild.docker_server = Some("large".parse().unwrap());
    generation.codebuild.batch = Some(BatchBy::Regions);
    generation.codebuild.timeouts.outside = Some(minutes(600));
    generation.codebuild.log_retention_days = "7".parse().unwrap();
    generation.metrics = MetricsTarget::Cloudwatch;
    generation.notifications = Notifications {
        sns: Some("arn:aws:sns:eu-west-1:111122223333:deployments".parse().unwrap()),
        event_bus: Some("deployments".parse().unwrap()),
        webhook: Some(Webhook {
            parameter: "/deploy/chat".parse().unwrap(),
            template: r#"{"text": "${message}"}"#.parse().unwrap(),
        }),
        ..Notifications::default()
    };
    generation
}

#[test]
fn a_project_with_every_option_matches_its_snapshots() {
    for suffix in [".project.json", ".project.yaml", ".project.ts"] {
        snapshot(&format!("everything{suffix}"), &file(&everything(), suffix));
    }
}

#[test]
fn the_template_and_the_input_for_the_cli_are_equivalent() {
    for generation in [workshop(), synthesized(), installed(), everything()] {
        let template = plain(&yaml::parse(&file(&generation, ".project.yaml")).unwrap().to_json());
        let json: Value = serde_json::from_str(&file(&generation, ".project.json")).unwrap();
        let json = without_examples(json, &generation);
        let resource = |id: &str| template["Resources"][id]["Properties"].clone();
        let mut properties = api_names(&resource("Project"));
        // These replace the references of the template with their values.
        let group = &mut properties["logsConfig"]["cloudWatchLogs"]["groupName"];
        assert_eq!(group.take(), "BuildLogs");
        *group = resource("BuildLogs")["LogGroupName"].clone();
        if generation.codebuild.service_role.is_none() {
            let role = properties.as_object_mut().unwrap().remove("serviceRole");
            assert_eq!(role.unwrap(), "ServiceRole.Arn");
        }
        if generation.codebuild.batch.is_some() {
            let role = properties["buildBatchConfig"].as_object_mut().unwrap().remove("serviceRole");
            assert_eq!(role.unwrap(), "BatchRole.Arn");
        }
        assert_eq!(properties, json);
        for section in ["Deploy", "Destroy"] {
            let name = format!("{}-{}", generation.name, section.to_lowercase());
            assert_eq!(resource(&format!("{section}Reports"))["Name"], name.as_str());
        }
    }
}

/// The input for the CLI without examples. It has to name roles, and those that the other forms create are
/// examples.
fn without_examples(mut json: Value, generation: &Generation) -> Value {
    let is_example = |role: Option<Value>, what: &str| {
        let name = format!("arn:aws:iam::111122223333:role/{}-{what}", generation.name);
        assert_eq!(role, Some(Value::from(name)));
    };
    if generation.codebuild.service_role.is_none() {
        is_example(json.as_object_mut().unwrap().remove("serviceRole"), "build");
    }
    if generation.codebuild.batch.is_some() {
        is_example(json["buildBatchConfig"].as_object_mut().unwrap().remove("serviceRole"), "batch");
    }
    json
}

#[track_caller]
fn check_refused(change: impl FnOnce(&mut CodeBuild), part: &str) {
    let mut generation = Generation { images: 0, ..workshop() };
    change(&mut generation.codebuild);
    let error = generate(&generation).unwrap_err();
    let told = error.to_string();
    assert!(told.contains(part) && !told.contains("hint:") && error.hint().is_some(), "{told}");
}

fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(minutes * 60)
}

fn modes(modes: &[&str]) -> Vec<CacheMode> {
    modes.iter().map(|mode| mode.parse().unwrap()).collect()
}

#[test]
fn settings_that_codebuild_would_refuse_are_refused() {
    let vpc = || Some(Vpc { id: "v".into(), subnets: vec!["s".into()], security_groups: vec!["g".into()] });
    check_refused(|s| s.cache = Some(modes(&["docker-layer", "s3://b/p"])), "one cache");
    check_refused(|s| s.cache = Some(modes(&["s3://b/p", "s3://b/q"])), "2 are set");
    check_refused(
        |s| {
            s.cache = Some(modes(&["docker-layer"]));
            s.compute = "2x-large".parse().unwrap();
        },
        "2XLARGE",
    );
    check_refused(
        |s| {
            s.cache = Some(modes(&["source"]));
            s.vpc = vpc();
        },
        "in a VPC",
    );
    check_refused(
        |s| {
            s.cache = Some(modes(&["docker-layer"]));
            s.privileged = Privileged::No;
        },
        "not privileged",
    );
    check_refused(|s| (s.source, s.location) = (SourceType::Github, None), "no location");
    check_refused(
        |s| (s.source, s.location) = (SourceType::Codepipeline, Some("x".into())),
        "takes no location",
    );
    check_refused(|s| (s.source, s.location) = (SourceType::NoSource, None), "without a source");
    check_refused(
        |s| {
            (s.source, s.location) = (SourceType::Codepipeline, None);
            s.auto_retry_limit = Some("1".parse().unwrap());
        },
        "a pipeline repeats its own builds",
    );
    check_refused(
        |s| {
            (s.source, s.location) = (SourceType::Codepipeline, None);
            s.sleep = true;
        },
        "a build of a pipeline cannot sleep",
    );
    check_refused(|s| (s.batch, s.sleep) = (Some(BatchBy::Regions), true), "a build of a batch cannot sleep");
    check_refused(|s| s.service_role = Some("builds".into()), "not the ARN of a role");
    check_refused(|s| s.vpc = vpc().map(|vpc| Vpc { subnets: Vec::new(), ..vpc }), "1 to 16 subnets");
}

#[test]
fn limits_that_cannot_take_effect_are_refused_with_both_figures() {
    check_refused(
        |s| s.timeouts.runner = Some(minutes(240)),
        "the runner may take 240m, and the build ends after 240m",
    );
    check_refused(
        |s| s.timeouts.stack = Some(minutes(230)),
        "a stack may take 230m, and the runner ends after 230m",
    );
    check_refused(
        |s| {
            (s.timeouts.stack, s.timeouts.runner) = (Some(minutes(90)), Some(minutes(60)));
        },
        "a stack may take 90m, and the runner ends after 60m",
    );
    check_refused(
        |s| s.timeouts.outside = Some(minutes(85)),
        "the build may take 240m, and what waits for the build ends after 85m",
    );
    check_refused(
        |s| {
            s.timeouts.outside = Some(minutes(300));
            s.queued_timeout = Some(QueueTimeout::from_minutes(120));
        },
        "the build with its wait for its turn may take 360m, and what waits for the build ends after 300m",
    );
}

#[test]
fn missing_limits_follow_from_given_limits() {
    let project = |change: &dyn Fn(&mut CodeBuild)| {
        let mut generation = workshop();
        change(&mut generation.codebuild);
        let json: Value = serde_json::from_str(&file(&generation, ".project.json")).unwrap();
        (json["timeoutInMinutes"].as_u64().unwrap(), json["queuedTimeoutInMinutes"].as_u64().unwrap())
    };
    assert_eq!(project(&|_| {}), (240, 480));
    // A caller that waits 300 minutes leaves 59 for the queue, and needs one to notice the end.
    assert_eq!(project(&|s| s.timeouts.outside = Some(minutes(300))), (240, 59));
    assert_eq!(project(&|s| s.timeouts.outside = Some(minutes(2000))), (240, 480));
}

#[test]
fn a_refusal_names_its_setting() {
    let setting = |change: &dyn Fn(&mut CodeBuild)| {
        let mut generation = Generation { images: 0, ..workshop() };
        change(&mut generation.codebuild);
        generate(&generation).unwrap_err().setting()
    };
    assert_eq!(setting(&|s| s.timeouts.outside = Some(minutes(85))), Some("codebuild.timeout"));
    assert_eq!(setting(&|s| s.timeouts.stack = Some(minutes(300))), Some("codebuild.timeouts.stack"));
    assert_eq!(setting(&|s| s.timeouts.runner = Some(minutes(300))), Some("codebuild.timeouts.runner"));
    assert_eq!(setting(&|s| s.cache = Some(modes(&["docker-layer", "s3://b/p"]))), Some("codebuild.cache"));
}

#[test]
fn a_docker_server_replaces_the_local_cache_of_layers() {
    let mut generation = workshop();
    generation.codebuild.docker_server = Some("medium".parse().unwrap());
    let json: Value = serde_json::from_str(&file(&generation, ".project.json")).unwrap();
    assert_eq!(json["environment"]["dockerServer"]["computeType"], "BUILD_GENERAL1_MEDIUM");
    assert_eq!(json["cache"]["type"], "NO_CACHE");
}

#[test]
fn builds_on_the_newer_standard_image_select_an_available_runtime() {
    let mut generation = synthesized();
    generation.codebuild.image = "standard:8.0".parse().unwrap();
    let json: Value = serde_json::from_str(&file(&generation, ".project.json")).unwrap();
    assert_eq!(json["environment"]["image"], "aws/codebuild/standard:8.0");
    let buildspec = yaml::parse(&file(&generation, ".yml")).unwrap().to_json();
    let node = &buildspec["phases"]["install"]["runtime-versions"]["nodejs"];
    assert!(
        ["22", "24"].map(Value::from).contains(node) || [22, 24].map(Value::from).contains(node),
        "{node}"
    );
}

#[test]
fn failed_builds_are_repeated_as_often_as_configured() {
    let mut generation = workshop();
    assert!(!file(&generation, ".project.yaml").contains("AutoRetryLimit"));
    generation.codebuild.auto_retry_limit = Some("2".parse().unwrap());
    let json: Value = serde_json::from_str(&file(&generation, ".project.json")).unwrap();
    assert_eq!(json["autoRetryLimit"], 2);
    let template = file(&generation, ".project.yaml");
    assert!(
        template.contains("AutoRetryLimit: 2") && template.contains("codebuild:RetryBuild"),
        "{template}"
    );
}

#[test]
fn a_disabled_rule_continues_sleeping_runs_and_may_only_start_builds_of_the_project() {
    let mut generation = workshop();
    assert!(!file(&generation, ".project.yaml").contains("Wake"), "off by default");
    generation.codebuild.sleep = true;
    let template = yaml::parse(&file(&generation, ".project.yaml")).unwrap().to_json();
    let rule = &template["Resources"]["WakeRule"]["Properties"];
    assert_eq!((&rule["Name"], &rule["State"]), (&json!("workshop-wake"), &json!("DISABLED")));
    assert_eq!(rule["EventPattern"]["source"], json!(["aws.cloudformation"]));
    let arn = "arn:${AWS::Partition}:cloudformation:${AWS::Region}:${AWS::AccountId}:stack/Services/";
    assert_eq!(rule["EventPattern"]["detail"]["stack-id"], json!([{ "prefix": { "Fn::Sub": arn } }]));
    assert_eq!(rule["Targets"][0]["RoleArn"], json!({ "Fn::GetAtt": ["WakeRole", "Arn"] }));
    let role = &template["Resources"]["WakeRole"]["Properties"];
    let allowed = &role["Policies"][0]["PolicyDocument"]["Statement"];
    let project = "arn:${AWS::Partition}:codebuild:${AWS::Region}:${AWS::AccountId}:project/workshop";
    assert_eq!(
        *allowed,
        json!([{ "Effect": "Allow", "Action": "codebuild:StartBuild", "Resource": { "Fn::Sub": project } }])
    );
    // The pattern of a rule has a limit.
    generation.stack_names = (0..40).map(|n| format!("Stack{n}")).collect();
    let template = yaml::parse(&file(&generation, ".project.yaml")).unwrap().to_json();
    let detail = &template["Resources"]["WakeRule"]["Properties"]["EventPattern"]["detail"];
    assert!(detail.get("stack-id").is_none(), "{detail}");
    // The name of a rule has one, too.
    let generation = Generation { name: "p".repeat(150), ..generation };
    let template = yaml::parse(&file(&generation, ".project.yaml")).unwrap().to_json();
    assert_eq!(template["Resources"]["WakeRule"]["Properties"]["Name"].as_str().unwrap().len(), 64);
}

#[test]
fn builds_run_on_a_supported_host_kernel_unless_another_is_set() {
    let kernel = |generation: &Generation| {
        let json: Value = serde_json::from_str(&file(generation, ".project.json")).unwrap();
        json["environment"]["hostKernel"].clone()
    };
    let mut generation = workshop();
    assert_eq!(kernel(&generation), "LINUX_KERNEL_6");
    generation.codebuild.host_kernel = "linux-kernel-4".parse().unwrap();
    assert_eq!(kernel(&generation), "LINUX_KERNEL_4");
}

#[test]
fn a_long_list_of_regions_fits_the_description() {
    let regions = (0..60).map(|n| format!("region-{n}")).collect();
    let json = file(&Generation { regions, ..workshop() }, ".project.json");
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["description"].as_str().unwrap().chars().count(), 255);
}
