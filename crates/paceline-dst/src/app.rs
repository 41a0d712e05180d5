//! The cloud assembly of a story.

use std::sync::Arc;

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use paceline_assembly::Assembly;
use paceline_config::Config;
use serde_json::{Map, Value, json};

use crate::story::{NeedKind, Rollout, StackStory, Story};

pub(crate) const ACCOUNT: &str = "111111111111";
const REGIONS: [&str; 2] = ["us-east-1", "us-west-2"];
/// The alarm of the region that is deployed first.
pub(crate) const ALARM: &str = "errors";
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
    let looked_up = stack.needs.iter().filter(|need| need.kind == NeedKind::Synthesis);
    let looked_up: Vec<String> = looked_up.map(|need| made_by(need.on)).collect();
    let mut resources = json!({
        "Slow": { "Type": format!("{SLOW}{place}"), "Properties": {
            "ServiceToken": format!("arn:aws:lambda:{}:{ACCOUNT}:function:slow", region(stack)),
            "Label": format!("{version:?}"),
            "Imported": imported,
            "LookedUp": looked_up,
        } },
        "Topic": { "Type": "AWS::SNS::Topic", "DependsOn": "Slow", "Properties": { "DisplayName": format!("{version:?}") } },
    });
    if is_looked_up(story, place) {
        resources["Parameter"] = json!({ "Type": "AWS::SSM::Parameter", "Properties": {
            "Name": parameter(place), "Type": "String", "Value": made_by(place),
        } });
    }
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

/// What a synthesis puts into a template until it finds the value.
pub(crate) const PLACEHOLDER: &str = "dummy-value-for-";

/// Whether the synthesis looks up the parameter of a stack.
fn is_looked_up(story: &Story, place: usize) -> bool {
    let mut needs = story.stacks.iter().flat_map(|stack| &stack.needs);
    needs.any(|need| need.on == place && need.kind == NeedKind::Synthesis)
}

/// The name of a stack's parameter.
fn parameter(place: usize) -> String {
    format!("/made/{}", name(place))
}

/// The value of a stack's parameter.
fn made_by(place: usize) -> String {
    format!("made-by-{}", name(place))
}

/// The configuration of the run.
pub(crate) fn config(story: &Story) -> Result<Config> {
    let synth = story.has_synthesis().then(|| "synth: npx cdk synth".to_owned());
    let rollout = story.effective_rollout().map(|Rollout { first, bake, .. }| {
        let first = REGIONS[first % REGIONS.len()];
        format!("rollout: {{ first: {first}, bake: {bake}s, alarms: [{ALARM}] }}")
    });
    let lines: Vec<String> = synth.into_iter().chain(rollout).collect();
    Ok(Config::parse(&lines.join("\n"), Utf8Path::new("paceline.yaml"))?)
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

/// The app as a run finds it, and as another synthesis makes it once every value can be looked up.
#[derive(Debug, Clone)]
pub(crate) struct App {
    pub(crate) assembly: Arc<Assembly>,
    pub(crate) made_again: Utf8PathBuf,
}

impl App {
    /// Writes both into folders, and reads the first.
    pub(crate) fn new(story: &Story, version: Version, folder: &Utf8Path) -> Result<Self> {
        let made_again = folder.join("again");
        fs_err::create_dir(folder)?;
        fs_err::create_dir(&made_again)?;
        write(story, version, &made_again, true)?;
        write(story, version, folder, false)?;
        Ok(Self { assembly: Arc::new(Assembly::read_incomplete(folder)?), made_again })
    }
}

/// Writes the assembly of a version into a folder.
fn write(story: &Story, version: Version, folder: &Utf8Path, is_complete: bool) -> Result<()> {
    let mut artifacts = Map::new();
    for (place, stack) in story.stacks.iter().enumerate() {
        let (name, region) = (name(place), region(stack));
        let role = |kind: &str| {
            format!(
                "arn:${{AWS::Partition}}:iam::{ACCOUNT}:role/cdk-hnb659fds-{kind}-role-{ACCOUNT}-{region}"
            )
        };
        let template_file = format!("{name}.template.json");
        let mut text = template(story, place, version).to_string();
        for need in stack.needs.iter().filter(|need| need.kind == NeedKind::Synthesis && !is_complete) {
            text = text.replace(&made_by(need.on), &format!("{PLACEHOLDER}{}", parameter(need.on)));
        }
        fs_err::write(folder.join(&template_file), text)?;
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
    let missing = (0..story.stacks.len()).filter(|place| is_looked_up(story, *place) && !is_complete);
    let missing: Vec<Value> = missing.map(|place| lookup(story, place)).collect();
    let manifest = json!({ "version": "36.0.0", "artifacts": artifacts, "missing": missing });
    fs_err::write(folder.join("manifest.json"), manifest.to_string())?;
    Ok(())
}

/// The lookup of a stack's parameter, as the manifest has it.
fn lookup(story: &Story, place: usize) -> Value {
    let (region, parameter) = (region(&story.stacks[place]), parameter(place));
    json!({
        "key": format!("ssm:account={ACCOUNT}:parameterName={parameter}:region={region}"),
        "provider": "ssm",
        "props": {
            "account": ACCOUNT, "region": region, "parameterName": parameter,
            "dummyValue": format!("{PLACEHOLDER}{parameter}"),
        },
    })
}
