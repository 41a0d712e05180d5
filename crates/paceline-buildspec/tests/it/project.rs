//! The two forms of the project, and the settings that CodeBuild would refuse.

use paceline_buildspec::project::{CacheMode, Privileged, SourceSettings, SourceType, VpcSettings};
use paceline_buildspec::{CodeBuildSettings, Generation, generate, yaml};
use serde_json::Value;

use crate::{file, installed, synthesized, workshop};

/// What the properties of the template are called in the API.
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

#[test]
fn both_forms_say_the_same() {
    for generation in [workshop(), synthesized(), installed()] {
        let template = yaml::parse(&file(&generation, ".project.yaml")).unwrap().to_json();
        let json: Value = serde_json::from_str(&file(&generation, ".project.json")).unwrap();
        let mut properties = api_names(&template["Resources"]["Project"]["Properties"]);
        // The template's references, resolved.
        assert_eq!(properties["logsConfig"]["cloudWatchLogs"]["groupName"]["ref"], "BuildLogs");
        let group = &template["Resources"]["BuildLogs"]["Properties"]["LogGroupName"];
        properties["logsConfig"]["cloudWatchLogs"]["groupName"] = group.clone();
        if generation.codebuild.service_role.is_none() {
            assert_eq!(properties["serviceRole"]["fn::GetAtt"], serde_json::json!(["ServiceRole", "Arn"]));
            properties.as_object_mut().unwrap().remove("serviceRole");
        }
        assert_eq!(properties, json);
    }
}

#[test]
fn the_role_reaches_the_accounts_of_the_plan_only() {
    let generation =
        Generation { accounts: vec!["222222222222".into(), "111111111111".into()], ..workshop() };
    let template = yaml::parse(&file(&generation, ".project.yaml")).unwrap().to_json();
    let policy =
        &template["Resources"]["ServiceRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"];
    let assumed: Vec<_> = policy
        .as_array()
        .unwrap()
        .iter()
        .filter(|statement| statement["Action"][0] == "sts:AssumeRole")
        .flat_map(|statement| statement["Resource"].as_array().unwrap())
        .map(|resource| resource["Fn::Sub"].as_str().unwrap())
        .collect();
    assert_eq!(assumed.len(), 8);
    assert_eq!(assumed[0], "arn:${AWS::Partition}:iam::111111111111:role/cdk-*-deploy-role-111111111111-*");
    let unknown = Generation { accounts: vec!["unknown-account".into()], ..workshop() };
    let own = Generation { accounts: Vec::new(), ..workshop() };
    assert_eq!(file(&unknown, ".project.yaml"), file(&own, ".project.yaml"));
    // Everything that the role may do without naming what to, reads or has no resources.
    for statement in policy.as_array().unwrap() {
        if statement["Resource"].as_array().unwrap().contains(&Value::from("*")) {
            let sid = statement["Sid"].as_str().unwrap();
            assert!(["ReadStacks", "LogInToRegistry", "JoinVpc"].contains(&sid), "{sid}");
        }
    }
}

#[track_caller]
fn check_refused(change: impl FnOnce(&mut CodeBuildSettings), part: &str) {
    let mut generation = Generation { images: 0, ..workshop() };
    change(&mut generation.codebuild);
    let text = generate(&generation).unwrap_err().to_string();
    assert!(text.contains(part) && text.matches("\nhint: ").count() == 1, "{text}");
}

fn modes(modes: &[&str]) -> Vec<CacheMode> {
    modes.iter().map(|mode| mode.parse().unwrap()).collect()
}

#[test]
fn what_codebuild_refuses_is_refused_first() {
    let vpc = || {
        Some(VpcSettings { vpc: "v".into(), subnets: vec!["s".into()], security_groups: vec!["g".into()] })
    };
    check_refused(|s| s.timeout_minutes = 4, "5 to 2160");
    check_refused(|s| s.timeout_minutes = 2161, "5 to 2160");
    check_refused(|s| s.queued_timeout_minutes = 481, "5 to 480");
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
    check_refused(|s| s.source = SourceSettings { kind: SourceType::Github, location: None }, "no location");
    check_refused(
        |s| s.source = SourceSettings { kind: SourceType::Codepipeline, location: Some("x".into()) },
        "takes no location",
    );
    check_refused(
        |s| s.source = SourceSettings { kind: SourceType::NoSource, location: None },
        "without a source",
    );
    check_refused(|s| s.vpc = vpc().map(|vpc| VpcSettings { subnets: Vec::new(), ..vpc }), "1 to 16 subnets");
}

#[test]
fn a_long_list_of_regions_fits_the_description() {
    let regions = (0..60).map(|n| format!("region-{n}")).collect();
    let json = file(&Generation { regions, ..workshop() }, ".project.json");
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["description"].as_str().unwrap().chars().count(), 255);
}
