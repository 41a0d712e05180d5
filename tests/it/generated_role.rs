//! The role that `paceline gen` writes for builds.

use serde_json::{Value, json};

use crate::harness::Place;

/// An app of one stack whose roles a team has named itself; `properties` come on top.
pub(crate) fn own_roles(place: &Place, environment: &str, properties: &Value) {
    let role = |name: &str| format!("arn:${{AWS::Partition}}:iam::222222222222:role/acme/{name}");
    let mut all = json!({
        "templateFile": "Shop.template.json",
        "assumeRoleArn": role("deployer"),
        "lookupRole": { "arn": role("lookup") },
    });
    for (key, value) in properties.as_object().unwrap() {
        all[key] = value.clone();
    }
    let artifacts = json!({
        "Shop.assets": { "type": "cdk:asset-manifest", "properties": { "file": "Shop.assets.json" } },
        "Shop": {
            "type": "aws:cloudformation:stack", "environment": environment, "properties": all,
            "dependencies": ["Shop.assets"],
        },
    });
    let to = json!({ "bucketName": "acme-files", "objectKey": "t.json", "assumeRoleArn": role("publisher") });
    let assets = json!({ "version": "36.0.0", "dockerImages": {}, "files": { "t": {
        "source": { "path": "Shop.template.json", "packaging": "file" }, "destinations": { "d": to } } } });
    place.write("cdk.out/manifest.json", &json!({ "version": "36.0.0", "artifacts": artifacts }).to_string());
    place.write("cdk.out/Shop.assets.json", &assets.to_string());
    let topic = json!({ "Resources": { "T": { "Type": "AWS::SNS::Topic", "Properties": {} } } });
    place.write("cdk.out/Shop.template.json", &topic.to_string());
}

pub(crate) const RUNNER: &str = "codebuild: { source: github, location: \"https://github.com/acme/shop\" }\nrunner: { from: s3, uri: \"s3://tools/paceline\", sha256: \"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\" }\n";

/// What the role of the generated template may be: each resource of the statement.
fn allowed(place: &Place, sid: &str) -> Vec<String> {
    let text = place.read("buildspecs/shop.project.yaml");
    let mut lines = text.lines().skip_while(|line| !line.contains(&format!("Sid: {sid}"))).skip(1);
    let mut rest = lines.by_ref().skip_while(|line| !line.contains("Resource:")).skip(1);
    let mut found = Vec::new();
    while let Some(arn) = rest.next().and_then(|line| line.trim().strip_prefix("- !Sub ")) {
        found.push(arn.to_owned());
    }
    found
}

#[test]
fn the_role_may_assume_what_the_team_has_named_and_not_what_is_usual() {
    let place = Place::new();
    own_roles(&place, "aws://222222222222/eu-west-1", &json!({}));
    place.write("paceline.yaml", RUNNER);
    let ran = place.paceline(["gen", "--name", "shop"]).run().expect(0);
    assert!(!ran.stderr.contains("warning: "), "{}", ran.stderr);
    let role = |name: &str| format!("arn:${{AWS::Partition}}:iam::222222222222:role/acme/{name}");
    assert_eq!(allowed(&place, "AssumeRoles"), ["deployer", "lookup", "publisher"].map(role));
    assert!(!place.read("buildspecs/shop.project.yaml").contains("role/cdk-"));
    assert!(!place.read("buildspecs/shop.project.yaml").contains("sts:TagSession"));
}

#[test]
fn the_role_may_create_repositories_only_if_prewarm_is_set_and_only_those() {
    let place = Place::new();
    own_roles(&place, "aws://222222222222/eu-west-1", &json!({}));
    place.write("paceline.yaml", RUNNER);
    place.paceline(["gen", "--name", "shop"]).run().expect(0);
    assert!(!place.read("buildspecs/shop.project.yaml").contains("ecr:CreateRepository"));
    place.write("paceline.yaml", &format!("{RUNNER}prewarm: {{ ecr: [pets, team/site] }}\n"));
    place.paceline(["gen", "--name", "shop"]).run().expect(0);
    let arn = |name: &str| format!("arn:${{AWS::Partition}}:ecr:eu-west-1:222222222222:repository/{name}");
    assert_eq!(allowed(&place, "CreateRepositories"), ["pets", "team/site"].map(arn));
    let role = place.read("buildspecs/shop.project.yaml");
    let statement = role.split("Sid: ").find(|it| it.starts_with("CreateRepositories")).unwrap();
    let actions: Vec<&str> =
        statement.lines().filter_map(|line| line.trim().strip_prefix("- ecr:")).collect();
    assert_eq!(actions, ["CreateRepository", "DescribeRepositories"]);
}

#[test]
fn the_role_may_ask_ecs_only_if_a_stack_without_a_lookup_role_has_a_service() {
    let place = Place::new();
    place.write("paceline.yaml", RUNNER);
    let actions = |lookup_role: &Value, kind: &str| -> Vec<String> {
        own_roles(&place, "aws://222222222222/eu-west-1", &json!({ "lookupRole": lookup_role }));
        let template = json!({ "Resources": { "It": { "Type": kind, "Properties": {} } } });
        place.write("cdk.out/Shop.template.json", &template.to_string());
        place.paceline(["gen", "--name", "shop"]).run().expect(0);
        let role = place.read("buildspecs/shop.project.yaml");
        let statement = role.split("Sid: ").find(|it| it.starts_with("AskServices")).unwrap_or_default();
        let actions = statement.lines().filter_map(|line| line.trim().strip_prefix("- ecs:"));
        actions.map(str::to_owned).collect()
    };
    let ecs = "AWS::ECS::Service";
    assert_eq!(actions(&Value::Null, ecs), ["DescribeServices", "DescribeTasks", "ListTasks"]);
    assert!(actions(&Value::Null, "AWS::SNS::Topic").is_empty());
    let role = json!({ "arn": "arn:aws:iam::222222222222:role/acme/lookup" });
    assert!(actions(&role, ecs).is_empty());
}

#[test]
fn what_only_the_build_knows_of_a_role_is_left_to_it() {
    let place = Place::new();
    let role = "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/deploy-${AWS::Region}";
    let tags = json!({ "Tags": [{ "Key": "team", "Value": "shop" }] });
    let properties =
        json!({ "assumeRoleArn": role, "lookupRole": null, "assumeRoleAdditionalOptions": tags });
    own_roles(&place, "aws://unknown-account/unknown-region", &properties);
    place.write("paceline.yaml", RUNNER);
    place.paceline(["gen", "--name", "shop"]).run().expect(0);
    assert!(allowed(&place, "AssumeRoles").contains(&role.to_owned()));
    assert!(place.read("buildspecs/shop.project.yaml").contains("sts:TagSession"));
    // With the region known, only the account is left.
    own_roles(&place, "aws://unknown-account/eu-west-1", &properties);
    place.paceline(["gen", "--name", "shop"]).run().expect(0);
    let named = "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/deploy-eu-west-1".to_owned();
    assert!(allowed(&place, "AssumeRoles").contains(&named));
}

#[test]
fn what_cannot_be_enough_is_said_with_what_to_set() {
    let place = Place::new();
    own_roles(&place, "aws://222222222222/eu-west-1", &json!({ "assumeRoleArn": null }));
    let ran = place.paceline(["gen", "--name", "shop"]).run().expect(0);
    for part in [
        "warning: builds have no runner: aws/codebuild/standard:7.0 has no paceline",
        "hint: set `runner: { from: npm }` if the app has a package.json",
        "warning: the generated role cannot read the source",
        "hint: set codebuild.artifacts-bucket to the pipeline's bucket, and codebuild.kms-keys",
        "warning: Shop names no role: CloudFormation creates the resources in it with the rights of the build",
        "hint: set codebuild.service-role",
    ] {
        assert!(ran.stderr.contains(part), "no {part} in\n{}", ran.stderr);
    }
    assert_eq!(
        allowed(&place, "ChangeStacks"),
        ["arn:${AWS::Partition}:cloudformation:eu-west-1:222222222222:stack/Shop/*"]
    );
    // What is set is allowed, and nothing more is said of it.
    let key = "arn:aws:kms:eu-west-1:222222222222:key/1";
    let set = format!(
        "codebuild: {{ artifacts-bucket: acme-pipeline, kms-keys: [\"{key}\"], image: acme/builder:1 }}\nrunner: {{ from: image }}\n"
    );
    place.write("paceline.yaml", &set);
    let ran = place.paceline(["gen", "--name", "shop"]).run().expect(0);
    assert_eq!(ran.stderr.matches("warning: ").count(), 1, "{}", ran.stderr);
    let bucket = "arn:${AWS::Partition}:s3:::acme-pipeline";
    assert_eq!(allowed(&place, "UsePipelineBucket"), [bucket.to_owned(), format!("{bucket}/*")]);
    assert!(place.read("buildspecs/shop.project.yaml").contains(key));
}
