//! Writes the assemblies that are deployed: stacks of one parameter each.

use std::path::Path;

use anyhow::Result;
use fs_err as fs;
use serde_json::{Map, Value, json};

use crate::digest::sha256;

const ACCOUNT: &str = "111111111111";
pub(super) const REGIONS: [&str; 4] = ["us-east-1", "eu-central-1", "eu-west-1", "us-west-2"];

/// The stacks of an app.
#[derive(Debug, Clone, Copy)]
pub(super) struct App {
    pub(super) stacks: usize,
    /// The number of regions, which get the stacks in turn.
    pub(super) regions: usize,
    /// The last stacks of the app wait for each other, if there is more than one.
    pub(super) chain: usize,
    /// So many of the first stacks have an image.
    pub(super) images: usize,
}

impl App {
    pub(super) fn region(&self, number: usize) -> &'static str {
        REGIONS[number % self.regions]
    }

    /// Writes the synthesized app in this version, as the CDK does. The descriptions of its stacks name the version.
    pub(super) fn write(&self, folder: &Path, version: usize) -> Result<()> {
        fs::create_dir_all(folder)?;
        let mut artifacts = Map::new();
        for number in 0..self.stacks {
            let name = name(number);
            let template = json!({
                "Description": described(version),
                "Resources": { "Value": {
                    "Type": "AWS::SSM::Parameter",
                    "Properties": { "Type": "String", "Name": format!("/{name}"), "Value": described(version) },
                } },
            });
            let template = serde_json::to_vec(&template)?;
            let digest = sha256(&template);
            fs::write(folder.join(format!("{name}.template.json")), template)?;
            if number < self.images {
                let image = folder.join(image(number));
                fs::create_dir_all(&image)?;
                fs::write(image.join("Dockerfile"), format!("FROM scratch\nLABEL of={name}\n"))?;
            }
            let assets = self.assets(number, &digest);
            fs::write(folder.join(format!("{name}.assets.json")), serde_json::to_vec(&assets)?)?;
            artifacts.insert(
                format!("{name}.assets"),
                json!({
                    "type": "cdk:asset-manifest",
                    "properties": { "file": format!("{name}.assets.json"), "requiresBootstrapStackVersion": 6,
                        "bootstrapStackVersionSsmParameter": "/cdk-bootstrap/hnb659fds/version" },
                }),
            );
            artifacts.insert(name.clone(), self.stack(number, &digest));
        }
        let manifest = json!({ "version": "36.0.0", "artifacts": artifacts });
        fs::write(folder.join("manifest.json"), serde_json::to_vec_pretty(&manifest)?)?;
        Ok(())
    }

    fn stack(&self, number: usize, digest: &str) -> Value {
        let (name, region) = (name(number), self.region(number));
        let mut dependencies = vec![format!("{name}.assets")];
        let first_of_chain = self.stacks - self.chain;
        if number > first_of_chain {
            dependencies.push(self::name(number - 1));
        }
        json!({
            "type": "aws:cloudformation:stack",
            "environment": format!("aws://{ACCOUNT}/{region}"),
            "properties": {
                "templateFile": format!("{name}.template.json"),
                "stackTemplateAssetObjectUrl": format!("s3://cdk-hnb659fds-assets-{ACCOUNT}-{region}/{digest}.json"),
                "assumeRoleArn": role("deploy", region),
                "cloudFormationExecutionRoleArn": role("cfn-exec", region),
                "requiresBootstrapStackVersion": 6,
                "bootstrapStackVersionSsmParameter": "/cdk-bootstrap/hnb659fds/version",
                "additionalDependencies": [format!("{name}.assets")],
            },
            "dependencies": dependencies,
            "displayName": name,
        })
    }

    fn assets(&self, number: usize, digest: &str) -> Value {
        let (name, region) = (name(number), self.region(number));
        let mut images = Map::new();
        if number < self.images {
            let image = image(number);
            images.insert(
                sha256(image.as_bytes()),
                json!({
                    "source": { "directory": image },
                    "destinations": { "current": {
                        "repositoryName": format!("cdk-hnb659fds-container-assets-{ACCOUNT}-{region}"),
                        "imageTag": sha256(image.as_bytes()), "region": region,
                        "assumeRoleArn": role("image-publishing", region),
                    } },
                }),
            );
        }
        json!({
            "version": "36.0.0",
            "files": { digest: {
                "source": { "path": format!("{name}.template.json"), "packaging": "file" },
                "destinations": { "current": {
                    "bucketName": format!("cdk-hnb659fds-assets-{ACCOUNT}-{region}"),
                    "objectKey": format!("{digest}.json"), "region": region,
                    "assumeRoleArn": role("file-publishing", region),
                } },
            } },
            "dockerImages": images,
        })
    }
}

fn name(number: usize) -> String {
    format!("Service{number:03}")
}

/// The folder of a stack's image.
fn image(number: usize) -> String {
    format!("image-of-{}", name(number))
}

/// The description of a stack in this version.
pub(super) fn described(version: usize) -> String {
    format!("version {version}")
}

fn role(purpose: &str, region: &str) -> String {
    format!("arn:${{AWS::Partition}}:iam::{ACCOUNT}:role/cdk-hnb659fds-{purpose}-role-{ACCOUNT}-{region}")
}
