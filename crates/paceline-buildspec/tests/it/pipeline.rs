//! The pipeline: its template, its buildspecs, and the settings that it needs.

use std::collections::BTreeSet;

use paceline_buildspec::lint::{LintContext, lint};
use paceline_buildspec::{GenerateError, Generation, generate, yaml};
use paceline_config::{FanOut, Pipeline, SourceType, Vpc};
use paceline_text::Explained as _;
use serde_json::{Value, json};

use crate::{cfn_lint, file, files, from_npm, installed, snapshot, synthesized, workshop};

const CONNECTION: &str = "arn:aws:codeconnections:us-east-1:111122223333:connection/1a-2b";
const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/1234";
const TOPIC: &str = "arn:aws:sns:us-east-1:111122223333:approvals";

fn connected() -> Pipeline {
    Pipeline { connection: Some(CONNECTION.parse().unwrap()), ..Pipeline::default() }
}

/// The pipeline of a repository at GitHub.
fn pipeline() -> Generation {
    Generation { pipeline: Some(connected()), ..workshop() }
}

/// A pipeline with every setting, and a synthesis.
fn with_everything() -> Generation {
    let mut generation = Generation {
        pipeline: Some(Pipeline {
            branch: Some("release".parse().unwrap()),
            kms_key: Some(KEY.parse().unwrap()),
            approval_topic: Some(TOPIC.parse().unwrap()),
            ..connected()
        }),
        ..from_npm()
    };
    let lookup = generation.rights.roles.iter().filter(|role| role.contains("lookup")).cloned().collect();
    generation.rights.lookup_roles = lookup;
    generation
}

fn with_source(source: SourceType, location: &str) -> Generation {
    let mut generation = Generation { pipeline: Some(Pipeline::default()), ..workshop() };
    (generation.codebuild.source, generation.codebuild.location) = (source, Some(location.to_owned()));
    generation
}

pub(crate) fn every_kind() -> [Generation; 6] {
    let codecommit = "https://git-codecommit.us-east-1.amazonaws.com/v1/repos/shop";
    let own_role = installed().codebuild.service_role;
    let mut with_role = pipeline();
    with_role.codebuild.service_role = own_role;
    let mut in_vpc = synthesized();
    (in_vpc.codebuild.source, in_vpc.codebuild.location) = (SourceType::S3, Some("sources/app.zip".into()));
    in_vpc.codebuild.vpc = Some(Vpc {
        id: "vpc-01234567".into(),
        subnets: vec!["subnet-01234567".into()],
        security_groups: vec!["sg-01234567".into()],
    });
    in_vpc.pipeline = Some(Pipeline::default());
    [
        pipeline(),
        with_everything(),
        with_source(SourceType::Codecommit, codecommit),
        with_source(SourceType::S3, "sources/shop/source.zip"),
        with_role,
        in_vpc,
    ]
}

fn template(generation: &Generation) -> Value {
    yaml::parse(&file(generation, ".pipeline.yaml")).unwrap().to_json()
}

fn statement(template: &Value, role: &str, sid: &str) -> Option<Value> {
    let policy = &template["Resources"][role]["Properties"]["Policies"][0]["PolicyDocument"];
    policy["Statement"].as_array().unwrap().iter().find(|statement| statement["Sid"] == sid).cloned()
}

/// The action of a stage.
fn action<'a>(template: &'a Value, stage: &str) -> &'a Value {
    let stages = template["Resources"]["Pipeline"]["Properties"]["Stages"].as_array().unwrap();
    &stages.iter().find(|it| it["Name"] == stage).unwrap()["Actions"][0]
}

#[test]
fn the_files_of_a_pipeline_match_their_snapshots() {
    for suffix in [".plan.yml", ".approved.yml", ".pipeline.yaml"] {
        snapshot(&format!("pipeline{suffix}"), &file(&pipeline(), suffix));
        snapshot(&format!("pipeline.everything{suffix}"), &file(&with_everything(), suffix));
    }
}

#[test]
fn a_deployment_waits_for_the_approval_of_its_plan() {
    let template = template(&pipeline());
    let stages = template["Resources"]["Pipeline"]["Properties"]["Stages"].as_array().unwrap();
    let names: Vec<&str> = stages.iter().map(|stage| stage["Name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Source", "Plan", "Approve", "Deploy"]);
    assert_eq!(action(&template, "Approve")["ActionTypeId"]["Provider"], "Manual");
    let shown = action(&template, "Approve")["Configuration"]["CustomData"].as_str().unwrap();
    assert!(
        shown.contains("#{Plan.PACELINE_PLAN}") && shown.contains("#{Plan.PACELINE_PLAN_URL}"),
        "{shown}"
    );
    assert_eq!(action(&template, "Plan")["Namespace"], "Plan");
    let plan = file(&pipeline(), ".plan.yml");
    assert!(plan.contains("exported-variables:\n    - PACELINE_PLAN\n    - PACELINE_PLAN_URL\n"), "{plan}");
    // The deployment takes the artifact of the plan.
    let inputs = action(&template, "Deploy")["InputArtifacts"].as_array().unwrap();
    assert_eq!(inputs[1]["Name"], action(&template, "Plan")["OutputArtifacts"][0]["Name"]);
    assert_eq!(action(&template, "Deploy")["Configuration"]["PrimarySource"], "Source");
    assert!(
        file(&pipeline(), ".approved.yml").contains("--plan \"$CODEBUILD_SRC_DIR_Plan\"/saved-plan.json")
    );
}

#[test]
fn an_approved_plan_is_deployed_whole_although_a_state_machine_deploys_parts() {
    let both = Generation { fan_out: Some(FanOut::default()), ..pipeline() };
    assert!(file(&both, ".yml").contains("PACELINE_ONLY"));
    let approved = file(&both, ".approved.yml");
    assert!(!approved.contains("only[@]") && !approved.contains("PACELINE_ONLY"), "{approved}");
}

#[test]
fn each_kind_of_source_has_its_action_and_what_starts_the_pipeline() {
    let everything = template(&with_everything());
    let source = action(&everything, "Source");
    assert_eq!(source["ActionTypeId"]["Provider"], "CodeStarSourceConnection");
    assert_eq!(source["Configuration"]["FullRepositoryId"], "example/workshop");
    assert_eq!(source["Configuration"]["BranchName"], "release");
    assert!(everything["Resources"].get("Trigger").is_none());

    let codecommit = "https://git-codecommit.us-east-1.amazonaws.com/v1/repos/shop";
    let template_of = template(&with_source(SourceType::Codecommit, codecommit));
    let source = action(&template_of, "Source");
    assert_eq!(source["Configuration"]["RepositoryName"], "shop");
    assert_eq!(source["Configuration"]["BranchName"], "main");
    let pattern = &template_of["Resources"]["Trigger"]["Properties"]["EventPattern"];
    assert_eq!(pattern["detail"]["referenceName"][0], "main");

    for location in ["sources/shop/source.zip", "arn:aws-cn:s3:::sources/shop/source.zip"] {
        let template_of = template(&with_source(SourceType::S3, location));
        let source = action(&template_of, "Source");
        assert_eq!(source["Configuration"]["S3ObjectKey"], "shop/source.zip");
        let pattern = &template_of["Resources"]["Trigger"]["Properties"]["EventPattern"];
        assert_eq!(pattern["detail"]["bucket"]["name"][0], "sources");
        let read = statement(&template_of, "PipelineRole", "ReadSource").unwrap();
        assert_eq!(read["Resource"][1]["Fn::Sub"], "arn:${AWS::Partition}:s3:::sources/shop/source.zip");
    }
}

#[test]
fn the_build_that_plans_may_assume_only_the_roles_for_lookups() {
    let everything = template(&with_everything());
    let assumed = |role| statement(&everything, role, "AssumeRoles").unwrap()["Resource"].clone();
    let of_plan = assumed("PlanRole");
    assert_eq!(of_plan.as_array().unwrap().len(), 1);
    assert!(of_plan[0]["Fn::Sub"].as_str().unwrap().contains("-lookup-role-"), "{of_plan}");
    assert_eq!(assumed("DeployRole").as_array().unwrap().len(), 4);
    let template_of = template(&pipeline());
    assert_eq!(statement(&template_of, "PlanRole", "AssumeRoles"), None);
}

#[test]
fn the_roles_may_use_only_the_resources_of_the_pipeline() {
    for generation in every_kind() {
        let template = template(&generation);
        let builds = statement(&template, "PipelineRole", "RunBuilds").unwrap();
        for (arn, kind) in builds["Resource"].as_array().unwrap().iter().zip(["plan", "deploy"]) {
            let end = format!(":project/{}-pipeline-{kind}", generation.name);
            assert!(arn["Fn::Sub"].as_str().unwrap().ends_with(&end), "{arn}");
        }
        let policy = &template["Resources"]["PipelineRole"]["Properties"]["Policies"][0]["PolicyDocument"];
        for statement in policy["Statement"].as_array().unwrap() {
            for resource in statement["Resource"].as_array().unwrap() {
                let is_any =
                    resource == "*" || resource["Fn::Sub"].as_str().is_some_and(|arn| arn.ends_with(":*"));
                assert!(!is_any, "{statement}");
            }
        }
    }
}

#[test]
fn only_rules_of_this_account_and_region_may_start_the_pipeline() {
    let template = template(&with_source(SourceType::S3, "sources/shop/source.zip"));
    let role = &template["Resources"]["TriggerRole"]["Properties"];
    let trust = &role["AssumeRolePolicyDocument"]["Statement"][0]["Condition"];
    assert_eq!(trust["StringEquals"]["aws:SourceAccount"], json!({ "Ref": "AWS::AccountId" }));
    let rules = "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:rule/*";
    assert_eq!(trust["ArnEquals"]["aws:SourceArn"], json!({ "Fn::Sub": rules }));
}

#[test]
fn the_artifacts_are_private_and_encrypted_with_the_key_that_is_set() {
    let template_of = template(&pipeline());
    let bucket = &template_of["Resources"]["Artifacts"]["Properties"];
    for setting in ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"] {
        assert_eq!(bucket["PublicAccessBlockConfiguration"][setting], true);
    }
    let rule = |bucket: &Value| {
        let rules = &bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"];
        rules[0]["ServerSideEncryptionByDefault"].clone()
    };
    assert_eq!(rule(bucket)["SSEAlgorithm"], "aws:kms");
    assert!(rule(bucket).get("KMSMasterKeyID").is_none());
    let everything = template(&with_everything());
    assert_eq!(rule(&everything["Resources"]["Artifacts"]["Properties"])["KMSMasterKeyID"], KEY);
    let store = &everything["Resources"]["Pipeline"]["Properties"]["ArtifactStore"];
    assert_eq!(store["EncryptionKey"]["Id"], KEY);
    for role in ["PipelineRole", "PlanRole", "DeployRole"] {
        let keys = statement(&everything, role, "UseKeys").unwrap();
        assert_eq!(keys["Resource"][0], KEY, "{role}");
        assert_eq!(statement(&template_of, role, "UseKeys"), None, "{role}");
    }
    let asked = statement(&everything, "PipelineRole", "AskForApproval").unwrap();
    assert_eq!(asked["Resource"][0], TOPIC);
}

#[test]
fn the_pipeline_may_use_the_keys_of_the_builds_if_it_reads_a_zip_file() {
    let with_key = |mut generation: Generation| {
        generation.codebuild.kms_keys = vec![KEY.to_owned()];
        statement(&template(&generation), "PipelineRole", "UseKeys")
    };
    let keys = with_key(with_source(SourceType::S3, "sources/shop/source.zip")).unwrap();
    assert_eq!(keys["Resource"], json!([KEY]));
    assert_eq!(with_key(pipeline()), None);
    // The same key is listed once.
    let mut same = with_source(SourceType::S3, "sources/shop/source.zip");
    same.pipeline.as_mut().unwrap().kms_key = Some(KEY.parse().unwrap());
    assert_eq!(with_key(same).unwrap()["Resource"], json!([KEY]));
}

/// The names in `!Ref`, `!GetAtt` and `!Sub`.
fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                match (key.as_str(), value) {
                    ("Ref", Value::String(name)) => drop(found.insert(name.clone())),
                    ("Fn::GetAtt", Value::Array(parts)) => {
                        found.insert(parts[0].as_str().unwrap().to_owned());
                    }
                    ("Fn::Sub", Value::String(text)) => {
                        let names =
                            text.split("${").skip(1).map(|rest| rest.split(['}', '.']).next().unwrap());
                        found.extend(names.map(str::to_owned));
                    }
                    _ => references(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[test]
fn every_reference_of_the_template_is_to_one_of_its_resources() {
    for generation in every_kind() {
        let template = template(&generation);
        let mut found = BTreeSet::new();
        references(&template, &mut found);
        assert!(found.contains("Artifacts") && found.contains("PlanLogs"));
        for name in found.iter().filter(|name| !name.starts_with("AWS::")) {
            assert!(template["Resources"].get(name).is_some(), "{name}");
        }
    }
}

#[test]
fn the_linter_finds_nothing_in_the_buildspecs() {
    for generation in every_kind() {
        for suffix in [".plan.yml", ".approved.yml"] {
            let text = file(&generation, suffix);
            let report = lint("generated.yml", text.as_bytes(), &LintContext::default());
            assert_eq!(report.findings, [], "{text}");
        }
    }
}

#[test]
fn cfn_lint_finds_nothing_in_the_templates() {
    let mut templates = Vec::new();
    for (number, generation) in every_kind().iter().enumerate() {
        for suffix in [".pipeline.yaml", ".project.yaml"] {
            templates.push((format!("{number}{suffix}"), file(generation, suffix)));
        }
    }
    cfn_lint::check(&templates);
}

#[test]
fn the_names_of_the_files_without_a_pipeline_are_as_before() {
    let suffixes = |generation: &Generation| {
        let of = |it: paceline_buildspec::GeneratedFile| it.path[generation.name.len()..].to_owned();
        files(generation).into_iter().map(of).collect::<Vec<_>>()
    };
    let (before, with) = (suffixes(&workshop()), suffixes(&pipeline()));
    assert_eq!(with[..before.len()], before);
    assert_eq!(with[before.len()..], [".plan.yml", ".approved.yml", ".pipeline.yaml"]);
    // Every file names the command that generates all of them.
    let plan = file(&pipeline(), ".yml");
    assert!(
        plan.contains("# Regenerate: paceline gen") && plan.contains("--name workshop --pipeline\n"),
        "{plan}"
    );
    assert!(file(&pipeline(), ".pull-request.yml").contains("--name workshop --pipeline --check\n"));
    assert!(!file(&workshop(), ".yml").contains("--pipeline"));
}

#[track_caller]
fn refused(generation: &Generation, says: &str, setting: &str) {
    let error: GenerateError = generate(generation).unwrap_err();
    assert!(error.to_string().contains(says), "{error}");
    assert_eq!(error.setting(), Some(setting));
    assert!(error.hint().is_some());
}

#[test]
fn a_missing_setting_is_one_error_that_names_it() {
    let mut nowhere = pipeline();
    (nowhere.codebuild.source, nowhere.codebuild.location) = (SourceType::Codepipeline, None);
    refused(&nowhere, "the pipeline has no source: `codebuild.source`", "codebuild.source");
    let unconnected = Generation { pipeline: Some(Pipeline::default()), ..workshop() };
    refused(&unconnected, "the setting `pipeline.connection` is missing", "pipeline.connection");
    let mut elsewhere = pipeline();
    elsewhere.codebuild.location = Some("https://github.com/shop".into());
    refused(&elsewhere, "does not end in the owner and the name", "codebuild.location");
    for location in
        ["sources/folder/", "s3://sources/shop.zip", "arn:aws:s3:us-east-1:1:accesspoint/sources/shop.zip"]
    {
        refused(
            &with_source(SourceType::S3, location),
            &format!("`{location}`, and a pipeline takes its source from one zip file"),
            "codebuild.location",
        );
    }
    let connected =
        Generation { pipeline: Some(connected()), ..with_source(SourceType::S3, "sources/source.zip") };
    refused(
        &connected,
        "`pipeline.connection` has no effect with `codebuild.source: s3`",
        "pipeline.connection",
    );
}
