//! The rights of the generated role, and the messages about rights that it cannot have.

use std::collections::BTreeSet;

use paceline_buildspec::generate::{Gap, gaps};
use paceline_buildspec::project::{Located, OwnStack, Rights, Unaided};
use paceline_buildspec::{Generation, RunnerSource, generate, yaml};
use paceline_config::{CodeBuild, SourceType};
use paceline_text::Explained as _;
use serde_json::Value;

use crate::{file, from_npm, installed, roles, synthesized, workshop};

fn statements(generation: &Generation) -> Vec<Value> {
    let template = yaml::parse(&file(generation, ".project.yaml")).unwrap().to_json();
    let role = &template["Resources"]["ServiceRole"]["Properties"];
    role["Policies"][0]["PolicyDocument"]["Statement"].as_array().unwrap().clone()
}

fn statement(generation: &Generation, sid: &str) -> Option<Value> {
    statements(generation).into_iter().find(|statement| statement["Sid"] == sid)
}

/// The ARNs of a statement as text, and other resources unchanged.
fn resources(statement: &Value) -> Vec<String> {
    let text = |resource: &Value| resource["Fn::Sub"].as_str().or(resource.as_str()).unwrap().to_owned();
    statement["Resource"].as_array().unwrap().iter().map(text).collect()
}

fn actions(statement: &Value) -> Vec<&str> {
    statement["Action"].as_array().unwrap().iter().map(|action| action.as_str().unwrap()).collect()
}

fn with(rights: Rights) -> Generation {
    Generation { rights, ..workshop() }
}

fn located(name: &str) -> Located {
    Located { account: "111122223333".into(), region: "eu-west-1".into(), name: name.into() }
}

#[test]
fn the_role_may_assume_only_the_roles_that_the_assembly_names() {
    let mut named = roles("${AWS::AccountId}", "${AWS::Region}");
    named.push("arn:${AWS::Partition}:iam::222222222222:role/acme/platform-deployer".to_owned());
    let found =
        statement(&with(Rights { roles: named.clone(), ..Rights::default() }), "AssumeRoles").unwrap();
    assert_eq!(resources(&found), named);
    assert_eq!(actions(&found), ["sts:AssumeRole"]);
    assert_eq!(statement(&with(Rights::default()), "AssumeRoles"), None);
}

#[test]
fn session_tags_need_a_separate_action() {
    let rights = Rights { roles: roles("1", "x"), session_tags: true, ..Rights::default() };
    let found = statement(&with(rights), "AssumeRoles").unwrap();
    assert_eq!(actions(&found), ["sts:AssumeRole", "sts:TagSession"]);
}

#[test]
fn builds_may_read_the_source_that_a_pipeline_passes_on() {
    let mut generation = workshop();
    (generation.codebuild.source, generation.codebuild.location) = (SourceType::Codepipeline, None);
    generation.codebuild.artifacts_bucket = Some("acme-pipeline".into());
    let key = "arn:aws:kms:eu-west-1:111122223333:key/1234";
    generation.codebuild.kms_keys = vec![key.to_owned()];
    let found = statement(&generation, "UsePipelineBucket").unwrap();
    assert!(actions(&found).contains(&"s3:GetObject"), "{found}");
    assert_eq!(
        resources(&found),
        ["arn:${AWS::Partition}:s3:::acme-pipeline", "arn:${AWS::Partition}:s3:::acme-pipeline/*"]
    );
    let found = statement(&generation, "UseKeys").unwrap();
    assert_eq!(resources(&found), [key]);
    assert!(actions(&found).contains(&"kms:Decrypt"), "{found}");
    assert_eq!(gaps(&generation), []);
}

#[test]
fn the_build_may_ask_only_the_services_whose_resources_it_deploys() {
    let explained = BTreeSet::from(["AWS::ECS::Service".to_owned()]);
    let found = statement(&with(Rights { explained, ..Rights::default() }), "AskServices").unwrap();
    assert_eq!(actions(&found), ["ecs:DescribeServices", "ecs:DescribeTasks", "ecs:ListTasks"]);
    assert!(statement(&with(Rights::default()), "AskServices").is_none());
}

#[test]
fn the_build_may_read_the_logs_of_functions_only_if_it_deploys_custom_resources() {
    let explained = BTreeSet::from(["AWS::CloudFormation::CustomResource".to_owned()]);
    let found = statement(&with(Rights { explained, ..Rights::default() }), "ReadFunctionLogs").unwrap();
    assert_eq!(actions(&found), ["cloudformation:DescribeStackResource", "logs:FilterLogEvents"]);
    let logs = "arn:${AWS::Partition}:logs:*:${AWS::AccountId}:log-group:/aws/lambda/*";
    assert!(resources(&found).contains(&logs.to_owned()), "{found}");
    assert!(statement(&with(Rights::default()), "ReadFunctionLogs").is_none());
}

#[test]
fn a_build_without_records_may_delete_no_file() {
    let unaided = Unaided { buckets: vec!["files".into()], ..Unaided::default() };
    let generation = with(Rights { unaided, ..Rights::default() });
    assert!(statement(&generation, "PublishFiles").is_some());
    assert!(statement(&generation, "ReplaceRecords").is_none());
}

#[test]
fn the_build_may_do_itself_what_the_assembly_names_no_role_for() {
    let unaided = Unaided {
        stacks: vec![OwnStack {
            stack: located("Shop"),
            id: "Shop".into(),
            execution_role: Some("arn:${AWS::Partition}:iam::111122223333:role/cfn".into()),
            nests: true,
        }],
        buckets: vec!["files-${AWS::AccountId}".into()],
        records: true,
        repositories: vec![located("images")],
        versions: vec![located("/acme/version")],
        parameters: Vec::new(),
        toolkit: true,
    };
    let generation = with(Rights { unaided, ..Rights::default() });
    let check = |sid: &str, resource: &str| {
        let found = statement(&generation, sid).unwrap_or_else(|| panic!("no {sid}"));
        assert!(resources(&found).contains(&resource.to_owned()), "{sid}: {found}");
        found
    };
    check("ChangeStacks", "arn:${AWS::Partition}:cloudformation:eu-west-1:111122223333:stack/Shop/*");
    let nested = "arn:${AWS::Partition}:cloudformation:eu-west-1:111122223333:stack/Shop-*/*";
    let read = check("ReadNestedStacks", nested);
    assert_eq!(actions(&read), ["cloudformation:DescribeStackEvents"], "nobody changes a nested stack");
    check("ReadStacks", "*");
    check("PublishFiles", "arn:${AWS::Partition}:s3:::files-${AWS::AccountId}/*");
    check("ReplaceRecords", "arn:${AWS::Partition}:s3:::files-${AWS::AccountId}/paceline/deployed/*");
    check("FindFiles", "arn:${AWS::Partition}:s3:::cdktoolkit-stagingbucket-*");
    check("PublishImages", "arn:${AWS::Partition}:ecr:eu-west-1:111122223333:repository/images");
    check("ReadBootstrapVersion", "arn:${AWS::Partition}:ssm:eu-west-1:111122223333:parameter/acme/version");
    let passed = check("PassExecutionRoles", "arn:${AWS::Partition}:iam::111122223333:role/cfn");
    assert_eq!(passed["Condition"]["StringEquals"]["iam:PassedToService"], "cloudformation.amazonaws.com");
    assert_eq!(gaps(&generation), []);
}

#[test]
fn actions_allowed_on_any_resource_only_read_or_have_no_resources() {
    for generation in [workshop(), synthesized()] {
        for statement in statements(&generation) {
            if resources_or_log_group(&statement).contains(&"*".to_owned()) {
                let sid = statement["Sid"].as_str().unwrap();
                assert!(["ReadLimits", "LogInToRegistry", "JoinVpc"].contains(&sid), "{sid}");
            }
        }
    }
}

fn resources_or_log_group(statement: &Value) -> Vec<String> {
    let is_log_group = statement["Resource"][0].get("Fn::GetAtt").is_some();
    if is_log_group { Vec::new() } else { resources(statement) }
}

#[test]
fn names_of_the_assembly_have_no_special_meaning_in_a_policy() {
    for role in [
        "*",
        "arn:aws:iam::111122223333:role/*",
        "arn:aws:iam::*:role/deploy",
        "arn:aws:iam::111122223333:user/deploy",
        "arn:${AWS::Partition}:iam::111122223333:role/${AWS::StackName}",
        "arn:aws:iam::111122223333:role/a b",
        "deploy",
    ] {
        let generation = with(Rights { roles: vec![role.into()], ..Rights::default() });
        let error = generate(&generation).unwrap_err();
        assert!(error.to_string().contains(&format!("the role `{role}`")), "{error}");
        assert_eq!(error.hint().unwrap(), "correct the synthesizer of its stacks");
    }
    let unaided = Unaided { buckets: vec!["files-*".into()], ..Unaided::default() };
    let text = generate(&with(Rights { unaided, ..Rights::default() })).unwrap_err().to_string();
    assert!(text.contains("in the policy of the build"), "{text}");
}

#[test]
fn a_policy_that_is_too_long_for_iam_is_reported() {
    let roles = |count: u32| {
        let role =
            |n| format!("arn:aws:iam::111122223333:role/cdk-hnb659fds-deploy-role-111122223333-{n:03}");
        with(Rights { roles: (0..count).map(role).collect(), ..Rights::default() })
    };
    assert_eq!(gaps(&roles(50)), []);
    let found = gaps(&roles(150));
    assert!(matches!(found[..], [Gap::Policy { characters: 10_241.. }]), "{found:?}");
    assert!(found[0].is_certain() && found[0].hint().contains("codebuild.service-role"));
    let mut own_role = roles(150);
    own_role.codebuild.service_role = Some("arn:aws:iam::111122223333:role/builds".into());
    assert_eq!(gaps(&own_role), []);
}

#[test]
fn unknown_rights_are_reported_with_the_setting_to_add() {
    let pipeline = || Generation {
        codebuild: CodeBuild { artifacts_bucket: None, ..CodeBuild::default() },
        ..workshop()
    };
    let said = |generation: &Generation| gaps(generation).iter().map(Gap::hint).collect::<Vec<_>>();
    assert_eq!(gaps(&workshop()), []);
    assert_eq!(gaps(&pipeline()), [Gap::PipelineBucket]);
    assert!(said(&pipeline())[0].contains("codebuild.artifacts-bucket"));
    assert!(said(&pipeline())[0].contains("codebuild.kms-keys"));
    // The team decides the rights of its own role.
    let mut own_role = pipeline();
    own_role.codebuild.service_role = Some("arn:aws:iam::111122223333:role/builds".into());
    assert_eq!(gaps(&own_role), []);

    let unset = Generation { runner: RunnerSource::Unset, ..workshop() };
    let image = "aws/codebuild/standard:7.0".to_owned();
    assert_eq!(gaps(&unset), [Gap::Runner { image: image.clone(), is_said: false }]);
    assert_eq!(gaps(&installed()), [Gap::Runner { image, is_said: true }]);
    assert_eq!(gaps(&from_npm()), []);
    for (lock, message) in [
        (None, "there is no package-lock.json"),
        (Some("infra/package-lock.json"), "infra/package-lock.json does not list paceline"),
    ] {
        let mut unpinned = from_npm();
        let RunnerSource::Npm { lock: own, is_pinned, .. } = &mut unpinned.runner else { unreachable!() };
        (*own, *is_pinned) = (lock.map(str::to_owned), false);
        let found = gaps(&unpinned);
        assert!(found[0].what().contains(message), "{found:?}");
        assert!(found[0].hint().contains("npm install --save-dev paceline"), "{found:?}");
    }
    let mut custom = installed();
    custom.codebuild.image = "acme/builder:1".parse().unwrap();
    assert_eq!(gaps(&custom), []);

    let stack = OwnStack { stack: located("Shop"), id: "Shop".into(), execution_role: None, nests: false };
    let unaided = Unaided { stacks: vec![stack], ..Unaided::default() };
    assert!(
        statement(&with(Rights { unaided: unaided.clone(), ..Rights::default() }), "ReadNestedStacks")
            .is_none()
    );
    let rights = Rights { unaided, commands: vec!["seed".into()], ..Rights::default() };
    let found = gaps(&with(rights));
    assert_eq!(
        found,
        [Gap::ExecutionRights { stacks: vec!["Shop".into()] }, Gap::Commands { names: vec!["seed".into()] }]
    );
    assert!(found[0].is_certain() && !found[1].is_certain());
    assert!(found[0].what().starts_with("Shop names no role: "), "{}", found[0].what());
}
