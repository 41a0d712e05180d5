//! The results of reading correct assemblies.

use std::collections::BTreeMap;

use paceline_assembly::{
    Bootstrap, Cache, Environment, FileSource, ImageSource, LegacyPackaging, Packaging, Severity,
};
use serde_json::{Value, json};

use crate::fixture::{Folder, stack};

const EMPTY: &str = r#"{"Resources": {}}"#;

fn ids(folder: &Folder) -> Vec<String> {
    folder.read().stacks.into_iter().map(|stack| stack.id).collect()
}

fn strings<const N: usize>(entries: [(&str, &str); N]) -> BTreeMap<String, String> {
    entries.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

#[test]
fn a_stack_has_everything_that_the_manifest_states() {
    let folder = Folder::with(
        &json!({"App-A": stack("a.json", &json!({
            "displayName": "Stage/A",
            "environment": "aws://unknown-account/us-east-1",
            "properties": {
                "stackName": "a-stack",
                "parameters": {"P": "1", "Q": 2, "R": true},
                "tags": {"team": "x"},
                "notificationArns": ["arn:topic"],
                "terminationProtection": true,
                "assumeRoleArn": "arn:deploy",
                "assumeRoleExternalId": "secret",
                "assumeRoleAdditionalOptions": {"Tags": [{"Key": "k", "Value": "v"}]},
                "cloudFormationExecutionRoleArn": "arn:execute",
                "lookupRole": {
                    "arn": "arn:lookup",
                    "requiresBootstrapStackVersion": 8,
                    "bootstrapStackVersionSsmParameter": "/v",
                },
                "stackTemplateAssetObjectUrl": "s3://bucket/key",
                "requiresBootstrapStackVersion": 6,
                "additionalDependencies": ["ignored"],
                "validateOnSynth": false,
            },
        }))}),
        &[("a.json", EMPTY)],
    );
    let assembly = folder.read();
    assert_eq!(assembly.schema, "36.0.0");
    assert_eq!(assembly.dir, folder.path());
    assert_eq!(assembly.warnings, [""; 0]);
    let stack = assembly.stack("Stage/A").unwrap();
    assert_eq!((stack.artifact_id.as_str(), stack.name.as_str()), ("App-A", "a-stack"));
    assert_eq!(stack.environment, Environment { account: None, region: Some("us-east-1".to_owned()) });
    assert_eq!(stack.environment.to_string(), "aws://unknown-account/us-east-1");
    assert_eq!(stack.template_path, folder.path().join("a.json"));
    assert_eq!(stack.parameters, strings([("P", "1"), ("Q", "2"), ("R", "true")]));
    assert_eq!(stack.tags, strings([("team", "x")]));
    assert_eq!(stack.notification_arns, Some(vec!["arn:topic".to_owned()]));
    assert_eq!(stack.termination_protection, Some(true));
    let role = stack.deploy_role.as_ref().unwrap();
    assert_eq!((role.arn.as_str(), role.external_id.as_deref()), ("arn:deploy", Some("secret")));
    assert_eq!(role.session_options["Tags"][0]["Key"], "k");
    assert_eq!(role.bootstrap, None);
    assert_eq!(stack.execution_role_arn.as_deref(), Some("arn:execute"));
    let lookup = Bootstrap { required_version: 8, ssm_parameter: Some("/v".to_owned()) };
    assert_eq!(stack.lookup_role.as_ref().unwrap().bootstrap, Some(lookup));
    assert_eq!(stack.template_url.as_deref(), Some("s3://bucket/key"));
    assert_eq!(stack.bootstrap, Some(Bootstrap { required_version: 6, ssm_parameter: None }));
}

#[test]
fn fields_missing_from_the_manifest_have_defaults() {
    let folder = Folder::with(&json!({"A": stack("a.json", &json!({}))}), &[("a.json", EMPTY)]);
    let assembly = folder.read();
    let stack = assembly.stack("A").unwrap();
    assert_eq!((stack.artifact_id.as_str(), stack.name.as_str()), ("A", "A"));
    assert_eq!((&stack.notification_arns, stack.termination_protection), (&None, None));
    assert!(stack.assets.is_empty() && stack.deploy_role.is_none() && stack.bootstrap.is_none());
}

#[test]
fn stacks_are_in_manifest_order_and_those_of_stages_follow() {
    let stage = |dir: &str| json!({"type": "cdk:cloud-assembly", "properties": {"directoryName": dir}});
    // The manifest is written as text, because a map of values would be sorted.
    let folder = Folder::new();
    let one = |name: &str| format!("{:?}: {}", name, stack("t.json", &json!({})));
    folder.write(
        "manifest.json",
        format!(
            r#"{{"artifacts": {{{}, "St": {}, {}, "Tree": {{"type": "cdk:tree", "x": 1}}, {}}}, "version": "50.0.0"}}"#,
            one("Z"),
            stage("assembly-St"),
            one("A"),
            one("M:eu-west-1"),
        ),
    );
    folder.manifest("assembly-St", &json!({"B": stack("t.json", &json!({})), "In": stage("../assembly-In")}));
    folder.manifest("assembly-In", &json!({"C": stack("../t.json", &json!({}))}));
    folder.write("t.json", EMPTY);
    folder.write("assembly-St/t.json", EMPTY);
    assert_eq!(ids(&folder), ["Z", "A", "M:eu-west-1", "B", "C"]);
}

#[test]
fn a_stage_that_is_named_twice_is_read_once() {
    let stage = json!({"type": "cdk:cloud-assembly", "properties": {"directoryName": "s"}});
    let folder = Folder::with(&json!({"One": stage, "Two": stage}), &[("s/a.json", EMPTY)]);
    folder.manifest("s", &json!({"A": stack("a.json", &json!({}))}));
    assert_eq!(ids(&folder), ["A"]);
}

#[test]
fn stacks_that_share_a_display_name_have_different_ids() {
    let display = json!({"displayName": "Same"});
    let stage = |dir: &str| json!({"type": "cdk:cloud-assembly", "properties": {"directoryName": dir}});
    let folder = Folder::with(
        &json!({"A": stack("t.json", &display), "B": stack("t.json", &display), "S": stage("s")}),
        &[("t.json", EMPTY), ("s/t.json", EMPTY)],
    );
    folder.manifest("s", &json!({"A": stack("t.json", &display)}));
    assert_eq!(ids(&folder), ["A", "B", "s/A"]);
}

#[test]
fn dependencies_are_stack_ids_even_across_stages() {
    let after = |ids: Value| stack("t.json", &json!({"dependencies": ids}));
    let mut first = stack("t.json", &json!({"displayName": "First/Stack"}));
    first["properties"]["stackName"] = json!("other-name");
    let folder = Folder::with(
        &json!({
            "First": first,
            "Second": after(json!(["First", "Tree", "First", "Second"])),
            "Third": after(json!(["Stage", "Second"])),
            "Stage": {
                "type": "cdk:cloud-assembly", "properties": {"directoryName": "s"}, "dependencies": ["First"],
            },
            "Tree": {"type": "cdk:tree"},
        }),
        &[("t.json", EMPTY), ("s/t.json", EMPTY)],
    );
    folder.manifest("s", &json!({"X": stack("t.json", &json!({})), "Y": after(json!(["X"]))}));
    let assembly = folder.read();
    let before = |id: &str| assembly.stack(id).unwrap().depends_on.clone();
    assert_eq!(before("First/Stack"), [""; 0]);
    assert_eq!(before("Second"), ["First/Stack"]);
    assert_eq!(before("Third"), ["Second", "X", "Y"]);
    assert_eq!(before("X"), ["First/Stack"]);
    assert_eq!(before("Y"), ["First/Stack", "X"]);
}

#[test]
fn assets_come_from_every_manifest_that_the_stack_depends_on() {
    let stage = json!({"type": "cdk:cloud-assembly", "properties": {"directoryName": "s"}});
    let folder = Folder::with(&json!({"S": stage}), &[("s/t.json", EMPTY)]);
    let manifest = |file: &str, more: Value| {
        let mut properties = more;
        properties["file"] = json!(file);
        json!({"type": "cdk:asset-manifest", "properties": properties, "dependencies": ["Staging"]})
    };
    folder.manifest(
        "s",
        &json!({
            "A": stack("t.json", &json!({"dependencies": ["A.assets", "More"]})),
            "A.assets": manifest("A.assets.json", json!({"requiresBootstrapStackVersion": 6})),
            "More": manifest("more.json", json!({"requiresBootstrapStackVersion": 21})),
            "Other": manifest("none.json", json!({})),
            "Staging": stack("t.json", &json!({})),
        }),
    );
    folder.write("s/none.json", r#"{"version": "36.0.0"}"#);
    let file = json!({
        "displayName": "A/Code", "source": {"path": "../asset.f", "packaging": "zip"},
        "destinations": {"here": {
            "bucketName": "b-${AWS::Region}", "objectKey": "f.zip", "region": "us-east-1",
            "assumeRoleArn": "arn:publish", "assumeRoleExternalId": "x"}},
    });
    let plain = json!({"source": {"path": "t.json"}, "destinations": {}});
    let command = json!({"source": {"executable": ["make", "zip"]}, "destinations": {}});
    folder.write(
        "s/A.assets.json",
        json!({"version": "36.0.0", "files": {"f": file, "plain": plain, "command": command}}).to_string(),
    );
    let there = json!({"source": {"path": "../asset.f", "packaging": "zip"}, "destinations": {"there": {
        "bucketName": "c", "objectKey": "f.zip"}}});
    folder.write("s/more.json", json!({"files": {"f": there}, "dockerImages": {}}).to_string());

    let assembly = folder.read();
    let assets = &assembly.stack("A").unwrap().assets;
    assert_eq!(assets.dir, folder.path().join("s"));
    assert_eq!(assets.depends_on, ["Staging"]);
    assert_eq!(assets.bootstrap.as_ref().unwrap().required_version, 21);
    assert_eq!(assets.files.keys().collect::<Vec<_>>(), ["command", "f", "plain"]);
    let zip = &assets.files["f"];
    let path = folder.path().join("asset.f");
    assert_eq!(zip.source, FileSource::Path { path, packaging: Packaging::Zip });
    assert_eq!(zip.destinations.keys().collect::<Vec<_>>(), ["here", "there"]);
    let here = &zip.destinations["here"];
    assert_eq!((here.bucket.as_str(), here.key.as_str()), ("b-${AWS::Region}", "f.zip"));
    assert_eq!(
        (here.region.as_deref(), here.role.as_ref().unwrap().arn.as_str()),
        (Some("us-east-1"), "arn:publish")
    );
    let path = folder.path().join("s/t.json");
    assert_eq!(assets.files["plain"].source, FileSource::Path { path, packaging: Packaging::File });
    let command = vec!["make".to_owned(), "zip".to_owned()];
    assert_eq!(assets.files["command"].source, FileSource::Executable(command));
    assert!(assembly.stack("Staging").unwrap().assets.is_empty());
}

#[test]
fn images_have_every_option_for_docker() {
    let folder = Folder::with(
        &json!({
            "A": stack("t.json", &json!({"dependencies": ["M"]})),
            "M": {"type": "cdk:asset-manifest", "properties": {"file": "m.json"}},
        }),
        &[("t.json", EMPTY)],
    );
    let source = json!({
        "directory": "asset.i", "dockerFile": "D", "dockerBuildTarget": "t", "dockerBuildArgs": {"A": "1"},
        "dockerBuildContexts": {"c": "d"}, "dockerBuildSecrets": {"s": "src=x"}, "dockerBuildSsh": "default",
        "networkMode": "host", "platform": "linux/arm64", "dockerOutputs": ["type=local"],
        "cacheFrom": [{"type": "registry", "params": {"ref": "r"}}], "cacheTo": {"type": "inline"},
        "cacheDisabled": true,
    });
    let to = json!({"d": {"repositoryName": "r", "imageTag": "t", "region": "eu-west-1"}});
    let images = json!({
        "i": {"displayName": "Image", "source": source, "destinations": to},
        "e": {"source": {"executable": ["build"]}, "destinations": to},
    });
    folder.write("m.json", json!({"dockerImages": images}).to_string());
    let assembly = folder.read();
    let images = &assembly.stack("A").unwrap().assets.images;
    let expect = ImageSource {
        directory: Some(folder.path().join("asset.i")),
        executable: None,
        docker_file: Some("D".to_owned()),
        build_target: Some("t".to_owned()),
        build_args: strings([("A", "1")]),
        build_contexts: strings([("c", "d")]),
        build_secrets: strings([("s", "src=x")]),
        build_ssh: Some("default".to_owned()),
        network_mode: Some("host".to_owned()),
        platform: Some("linux/arm64".to_owned()),
        outputs: vec!["type=local".to_owned()],
        cache_from: vec![Cache { kind: "registry".to_owned(), params: strings([("ref", "r")]) }],
        cache_to: Some(Cache { kind: "inline".to_owned(), params: strings([]) }),
        cache_disabled: true,
    };
    assert_eq!(images["i"].source, expect);
    assert_eq!(images["i"].display_name.as_deref(), Some("Image"));
    let to = &images["i"].destinations["d"];
    assert_eq!(
        (to.repository.as_str(), to.tag.as_str(), to.region.as_deref()),
        ("r", "t", Some("eu-west-1"))
    );
    assert_eq!(images["e"].source.executable, Some(vec!["build".to_owned()]));
}

#[test]
fn metadata_from_a_file_is_merged_with_that_in_the_manifest() {
    let folder = Folder::with(
        &json!({"A": stack("t.json", &json!({
            "metadata": {
                "/A": [{"type": "aws:cdk:stack-tags", "data": [{"Key": "old", "Value": "1"}, {"key": "new", "value": "2"}]}],
                "/A/B/Resource": [{"type": "aws:cdk:logicalId", "data": "B1"}],
                "/A/C": [{"type": "aws:cdk:warning", "data": "careful"}, {"type": "unheard:of"}],
                "/A/Odd": "not a list",
            },
            "additionalMetadataFile": "A.metadata.json",
        }))}),
        &[
            ("t.json", r#"{"Resources": {"D1": {"Metadata": {"aws:cdk:path": "A/D/Exact"}}}}"#),
            (
                "A.metadata.json",
                r#"{"/A/D/Resource": [{"type": "aws:cdk:logicalId", "data": "D1"}],
                    "/A/E": [{"type": "aws:cdk:logicalId", "data": "E1", "trace": ["x", "new Table (/app/node_modules/aws-cdk-lib/x.js:1:2)",
                        "new Shop (/app/lib/shop.ts:12:5)", "main (/app/bin/app.ts:3:1)"]},
                             {"type": "aws:cdk:info", "data": {"a": 1}}]}"#,
            ),
        ],
    );
    let assembly = folder.read();
    let stack = assembly.stack("A").unwrap();
    assert_eq!(stack.construct_paths, strings([("B1", "A/B/Resource"), ("D1", "A/D/Exact"), ("E1", "A/E")]));
    assert_eq!(stack.sources, strings([("E1", "/app/lib/shop.ts:12:5")]));
    assert_eq!(stack.tags, strings([("old", "1"), ("new", "2")]));
    let messages: Vec<_> =
        stack.messages.iter().map(|m| (m.severity, m.path.as_str(), m.text.as_str())).collect();
    assert_eq!(messages, [(Severity::Warning, "A/C", "careful"), (Severity::Info, "A/E", r#"{"a":1}"#)]);
}

#[test]
fn assets_of_cdk_v1_are_read_once_from_the_metadata() {
    let zip = json!({"type": "aws:cdk:asset", "data": {
        "path": "asset.z", "id": "z", "packaging": "zip", "sourceHash": "h",
        "s3BucketParameter": "B", "s3KeyParameter": "K", "artifactHashParameter": "H"}});
    let image = json!({"type": "aws:cdk:asset", "data": {
        "path": "asset.i", "id": "i", "packaging": "container-image", "sourceHash": "i",
        "repositoryName": "aws-cdk/assets", "imageTag": "i", "buildArgs": {"A": "1"}, "file": "D"}});
    let folder = Folder::with(
        &json!({"A": stack("t.json", &json!({"metadata": {"/A/X": [zip, image], "/A/Y": [zip]}}))}),
        &[("t.json", EMPTY)],
    );
    let assets = folder.read().stacks.remove(0).legacy_assets;
    assert_eq!(assets.len(), 2);
    assert_eq!((assets[0].id.as_str(), assets[0].source_hash.as_str()), ("z", "h"));
    assert_eq!(assets[0].path, folder.path().join("asset.z"));
    let parameters = |zip| LegacyPackaging::S3 {
        zip,
        bucket_parameter: "B".to_owned(),
        key_parameter: "K".to_owned(),
        hash_parameter: "H".to_owned(),
    };
    assert_eq!(assets[0].packaging, parameters(true));
    let LegacyPackaging::Image { build_args, docker_file, tag, .. } = &assets[1].packaging else {
        panic!("{:?}", assets[1]);
    };
    assert_eq!(
        (build_args, docker_file.as_deref(), tag.as_deref()),
        (&strings([("A", "1")]), Some("D"), Some("i"))
    );
}

#[test]
fn old_schemas_are_read_and_newer_ones_with_a_warning() {
    let warnings = |version: &str| {
        let folder = Folder::new();
        let artifacts = json!({"A": stack("t.json", &json!({}))});
        folder.write("manifest.json", json!({"version": version, "artifacts": artifacts}).to_string());
        folder.write("t.json", EMPTY);
        let assembly = folder.read();
        assert_eq!((assembly.schema.as_str(), assembly.stacks.len()), (version, 1));
        assembly.warnings.iter().map(|it| it.replace(folder.path().as_str(), "OUT")).collect::<Vec<_>>()
    };
    assert_eq!(warnings("7.0.0"), [""; 0]);
    assert_eq!(warnings("38.0.1"), [""; 0]);
    assert_eq!(warnings("55.0.0"), [""; 0]);
    assert_eq!(
        warnings("56.1.0"),
        [
            "`OUT/manifest.json` has schema 56.1.0, newer than the newest known one, 55: what is new in it is ignored"
        ],
    );
    assert_eq!(
        warnings("2.0.0"),
        [
            "`OUT/manifest.json` has schema 2.0.0, older than the oldest known one, 7: parts of it may be missed"
        ],
    );
}

#[test]
fn unknown_artifacts_and_properties_are_ignored() {
    let folder = Folder::with(
        &json!({
            "A": stack("t.json", &json!({"unheard": 1, "properties": {"of": []}, "dependencies": ["New"]})),
            "New": {"type": "aws:something:new", "properties": "not even a map"},
            "None": {"type": "none"},
        }),
        &[("t.json", EMPTY)],
    );
    assert_eq!(ids(&folder), ["A"]);
}

#[test]
fn an_app_without_stacks_is_an_assembly() {
    for artifacts in [json!({}), json!(null)] {
        assert_eq!(ids(&Folder::with(&artifacts, &[])), [""; 0]);
    }
    let folder = Folder::new();
    folder.write("manifest.json", r#"{"version": "36.0.0"}"#);
    assert_eq!(ids(&folder), [""; 0]);
}

#[test]
fn byte_order_marks_and_yaml_templates_are_read() {
    let folder = Folder::new();
    let manifest = json!({"version": "36.0.0", "artifacts": {"A": stack("t.yaml", &json!({}))}});
    folder.write("manifest.json", format!("\u{feff}{manifest}"));
    folder.write("t.yaml", "\u{feff}Resources:\r\n  B: {Type: T, Properties: {C: !Ref D}}\r\n");
    let assembly = folder.read();
    assert_eq!(
        assembly.stacks[0].template.value(),
        &json!({"Resources": {"B": {"Type": "T", "Properties": {"C": {"Ref": "D"}}}}}),
    );
}
