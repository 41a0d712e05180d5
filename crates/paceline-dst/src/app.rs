//! The cloud assembly of a story.

use std::sync::Arc;

use anyhow::Result;
use camino::Utf8Path;
use paceline_assembly::Assembly;
use serde_json::{Map, Value, json};

use crate::story::{NeedKind, StackStory, Story};

pub(crate) const ACCOUNT: &str = "111111111111";
const REGIONS: [&str; 2] = ["us-east-1", "us-west-2"];
/// The type of the resource that takes as long as the story says.
pub(crate) const SLOW: &str = "Custom::Slow";

/// A version of the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    /// What is deployed before the run.
    Before,
    /// What the run deploys.
    New,
    /// What a rival deploys from another commit.
    Rival,
    /// What somebody else deploys by hand.
    Other,
}

pub(crate) fn name(place: usize) -> String {
    format!("S{place}")
}

pub(crate) fn region(stack: &StackStory) -> &'static str {
    REGIONS[stack.region % REGIONS.len()]
}

pub(crate) fn template(story: &Story, place: usize, version: Version) -> Value {
    let stack = &story.stacks[place];
    let imports = stack.needs.iter().filter(|need| need.kind == NeedKind::Export);
    let imported: Vec<Value> = imports.map(|need| json!({ "Fn::ImportValue": name(need.on) })).collect();
    let mut resources = json!({
        "Slow": { "Type": format!("{SLOW}{place}"), "Properties": {
            "ServiceToken": format!("arn:aws:lambda:{}:{ACCOUNT}:function:slow", region(stack)),
            "Label": format!("{version:?}"),
            "Imported": imported,
        } },
        "Topic": { "Type": "AWS::SNS::Topic", "DependsOn": "Slow", "Properties": { "DisplayName": format!("{version:?}") } },
    });
    if stack.code {
        resources["Coded"] = json!({ "Type": "AWS::Lambda::Function", "Properties": {
            "Role": format!("arn:aws:iam::{ACCOUNT}:role/there-for-years"),
            "Code": { "S3Bucket": bucket(stack), "S3Key": code_key(place, version) },
        } });
    }
    if stack.nested {
        resources["Nested"] = json!({ "Type": "AWS::CloudFormation::Stack", "Properties": {
            "TemplateURL": { "Fn::Sub": format!(
                "https://s3.${{AWS::Region}}.${{AWS::URLSuffix}}/{}/{}",
                bucket(stack),
                nested_key(place, version),
            ) },
        } });
    }
    if stack.role {
        resources["Role"] = json!({ "Type": "AWS::IAM::Role", "Properties": { "AssumeRolePolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [{ "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": { "Service": "lambda.amazonaws.com" } }],
        } } });
        resources["Function"] = json!({ "Type": "AWS::Lambda::Function", "Properties": {
            "Role": { "Fn::GetAtt": ["Role", "Arn"] }, "Code": { "ZipFile": "x" },
        } });
    }
    json!({
        "Resources": resources,
        // The value stays the same, because CloudFormation does not change an export that is imported.
        "Outputs": { "Out": { "Value": "v", "Export": { "Name": name(place) } } },
    })
}

pub(crate) fn bucket(stack: &StackStory) -> String {
    format!("cdk-hnb659fds-assets-{ACCOUNT}-{}", region(stack))
}

/// The key of a stack's code in the bucket. Like all keys of the CDK, it is another one for another content.
pub(crate) fn code_key(place: usize, version: Version) -> String {
    format!("code-{place}-{version:?}.txt").to_lowercase()
}

pub(crate) fn code(place: usize, version: Version) -> String {
    format!("the code of {} in the version {version:?}\n", name(place)).repeat(20 + place)
}

pub(crate) fn nested_key(place: usize, version: Version) -> String {
    format!("nested-{place}-{version:?}.json").to_lowercase()
}

/// The template of a stack's nested stack.
pub(crate) fn nested(story: &Story, place: usize, version: Version) -> String {
    let token = format!("arn:aws:lambda:{}:{ACCOUNT}:function:slow", region(&story.stacks[place]));
    let properties = json!({ "ServiceToken": token, "Label": format!("{version:?}") });
    json!({ "Resources": { "Inner": { "Type": format!("{SLOW}{place}"), "Properties": properties } } })
        .to_string()
}

/// The file assets of a stack that have a content: key and content.
pub(crate) fn files(story: &Story, place: usize, version: Version) -> Vec<(String, String)> {
    let stack = &story.stacks[place];
    let code = stack.code.then(|| (code_key(place, version), code(place, version)));
    let nested = stack.nested.then(|| (nested_key(place, version), nested(story, place, version)));
    code.into_iter().chain(nested).collect()
}

/// Writes the assembly of a version into a folder, and reads it.
pub(crate) fn assembly(story: &Story, version: Version, folder: &Utf8Path) -> Result<Arc<Assembly>> {
    fs_err::create_dir(folder)?;
    let mut artifacts = Map::new();
    for (place, stack) in story.stacks.iter().enumerate() {
        let (name, region) = (name(place), region(stack));
        let role = |kind: &str| {
            format!(
                "arn:${{AWS::Partition}}:iam::{ACCOUNT}:role/cdk-hnb659fds-{kind}-role-{ACCOUNT}-{region}"
            )
        };
        let template_file = format!("{name}.template.json");
        fs_err::write(folder.join(&template_file), template(story, place, version).to_string())?;
        let asset = |key: &str| {
            json!({
                "source": { "path": key, "packaging": "file" },
                "destinations": { "there": {
                    "bucketName": bucket(stack), "objectKey": key, "region": region,
                    "assumeRoleArn": role("file-publishing"),
                } },
            })
        };
        // This asset has no source.
        let mut assets = json!({ "version": "36.0.0", "files": { "file": asset("file.json") } });
        for (key, content) in files(story, place, version) {
            fs_err::write(folder.join(&key), content)?;
            assets["files"][&key] = asset(&key);
        }
        let assets_file = format!("{name}.assets.json");
        fs_err::write(folder.join(&assets_file), assets.to_string())?;
        let manifest_needs = stack.needs.iter().filter(|need| need.kind == NeedKind::Manifest);
        let mut dependencies: Vec<String> = manifest_needs.map(|need| self::name(need.on)).collect();
        dependencies.push(format!("{name}.assets"));
        artifacts.insert(
            format!("{name}.assets"),
            json!({ "type": "cdk:asset-manifest", "properties": { "file": assets_file } }),
        );
        artifacts.insert(
            name,
            json!({
                "type": "aws:cloudformation:stack",
                "environment": format!("aws://{ACCOUNT}/{region}"),
                "dependencies": dependencies,
                "properties": {
                    "templateFile": template_file,
                    "assumeRoleArn": role("deploy"),
                    "cloudFormationExecutionRoleArn": role("cfn-exec"),
                    "requiresBootstrapStackVersion": 6,
                    "bootstrapStackVersionSsmParameter": "/cdk-bootstrap/hnb659fds/version",
                },
            }),
        );
    }
    let manifest = json!({ "version": "36.0.0", "artifacts": artifacts });
    fs_err::write(folder.join("manifest.json"), manifest.to_string())?;
    Ok(Arc::new(Assembly::read(folder)?))
}
