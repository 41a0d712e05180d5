//! Assemblies for single tests.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use paceline_assembly::Assembly;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

pub(crate) const ACCOUNT: &str = "111111111111";
pub(crate) const REGION: &str = "us-east-1";
pub(crate) const BUCKET: &str = "cdk-hnb659fds-assets-111111111111-us-east-1";

/// The assembly of an app, in a folder that is removed in the end.
pub(crate) struct App {
    folder: TempDir,
    artifacts: Map<String, Value>,
}

impl App {
    pub(crate) fn new() -> Self {
        Self { folder: TempDir::new().unwrap(), artifacts: Map::new() }
    }

    /// A copy of an assembly, without the sources of its assets.
    pub(crate) fn copy_of(assembly: &Utf8Path) -> Self {
        let mut app = Self::new();
        for entry in assembly.read_dir_utf8().unwrap() {
            let entry = entry.unwrap();
            if entry.path().extension() == Some("json") {
                app.write(entry.file_name(), fs_err::read(entry.path()).unwrap());
            }
        }
        let mut manifest = app.json("manifest.json");
        app.artifacts = manifest["artifacts"].as_object_mut().map(std::mem::take).unwrap();
        app
    }

    /// Reads a file of the assembly.
    pub(crate) fn json(&self, file: &str) -> Value {
        serde_json::from_slice(&fs_err::read(self.path().join(file)).unwrap()).unwrap()
    }

    /// An app with one stack.
    pub(crate) fn of(name: &str, template: &Value) -> Self {
        Self::new().stack(name, template, &[])
    }

    /// An app with one stack, `S`. It has the resources of this template and the nested stack `Child`.
    pub(crate) fn nesting(template: &Value, child: &Value) -> Self {
        let mut template = template.clone();
        template["Resources"]["Child"] = json!({
            "Type": "AWS::CloudFormation::Stack",
            "Properties": {"TemplateURL": format!("https://s3.{REGION}.amazonaws.com/{BUCKET}/child.json")},
            "Metadata": {"aws:asset:path": "child.json", "aws:asset:property": "TemplateURL"},
        });
        let mut app = Self::new();
        app.write("child.json", child.to_string());
        let manifest = json!({"version": "36.0.0", "files": {"child": {
            "source": {"path": "child.json", "packaging": "file"},
            "destinations": {"here": {"bucketName": BUCKET, "objectKey": "child.json", "region": REGION}}}}});
        app.stack("S", &template, &[]).assets("S", &manifest)
    }

    /// Adds a stack that depends on others in the manifest.
    pub(crate) fn stack(self, name: &str, template: &Value, after: &[&str]) -> Self {
        self.stack_with(name, template, &json!({"dependencies": after}))
    }

    /// Adds a stack. `more` overrides parts of its artifact.
    pub(crate) fn stack_with(mut self, name: &str, template: &Value, more: &Value) -> Self {
        let file = format!("{name}.template.json");
        self.write(&file, template.to_string());
        let role = |role| {
            format!(
                "arn:${{AWS::Partition}}:iam::{ACCOUNT}:role/cdk-hnb659fds-{role}-role-{ACCOUNT}-{REGION}"
            )
        };
        let mut artifact = json!({
            "type": "aws:cloudformation:stack",
            "environment": format!("aws://{ACCOUNT}/{REGION}"),
            "properties": {
                "templateFile": file,
                "assumeRoleArn": role("deploy"),
                "cloudFormationExecutionRoleArn": role("cfn-exec"),
                "requiresBootstrapStackVersion": 6,
                "bootstrapStackVersionSsmParameter": "/cdk-bootstrap/hnb659fds/version",
            },
        });
        merge(&mut artifact, more);
        self.artifact(name, artifact)
    }

    /// Adds an asset manifest, and makes an existing stack depend on it.
    pub(crate) fn assets(mut self, stack: &str, manifest: &Value) -> Self {
        let (id, file) = (format!("{stack}.assets"), format!("{stack}.assets.json"));
        self.write(&file, manifest.to_string());
        let dependencies = &mut self.artifacts[stack]["dependencies"];
        match dependencies.as_array_mut() {
            Some(list) => list.push(json!(id)),
            None => *dependencies = json!([id]),
        }
        let artifact = json!({"type": "cdk:asset-manifest", "properties": {"file": file}});
        self.artifact(&id, artifact)
    }

    fn artifact(mut self, id: &str, artifact: Value) -> Self {
        self.artifacts.insert(id.to_owned(), artifact);
        self
    }

    pub(crate) fn path(&self) -> &Utf8Path {
        Utf8Path::from_path(self.folder.path()).unwrap()
    }

    pub(crate) fn write(&mut self, path: &str, text: impl AsRef<[u8]>) -> Utf8PathBuf {
        let path = self.path().join(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(&path, text).unwrap();
        path
    }

    /// Replaces the template of a stack.
    pub(crate) fn change(&mut self, name: &str, template: &Value) {
        self.write(&format!("{name}.template.json"), template.to_string());
    }

    pub(crate) fn read(&self) -> Arc<Assembly> {
        let manifest = json!({"version": "36.0.0", "artifacts": self.artifacts});
        fs_err::write(self.path().join("manifest.json"), manifest.to_string()).unwrap();
        Arc::new(Assembly::read(self.path()).unwrap())
    }
}

fn merge(into: &mut Value, more: &Value) {
    match (into, more) {
        (Value::Object(into), Value::Object(more)) => {
            for (key, value) in more {
                match value {
                    Value::Null => drop(into.remove(key)),
                    _ => merge(into.entry(key).or_insert(Value::Null), value),
                }
            }
        }
        (into, more) => *into = more.clone(),
    }
}

/// A template with one topic, whose name is an output.
pub(crate) fn topic(display_name: &str) -> Value {
    json!({
        "Resources": {"Topic": {
            "Type": "AWS::SNS::Topic",
            "Properties": {"DisplayName": display_name},
            "Metadata": {"aws:cdk:path": "App/Stack/Topic/Resource"},
        }},
        "Outputs": {"Name": {"Value": display_name}},
    })
}

/// A template with one resource that takes a minute: see [`World::slow`](crate::world::World::slow).
pub(crate) fn slow(label: &str) -> Value {
    json!({
        "Resources": {"Slow": {
            "Type": "Custom::Slow",
            "Properties": {"ServiceToken": "arn:aws:lambda:us-east-1:111111111111:function:f", "Label": label},
        }},
        "Outputs": {"Label": {"Value": label}},
    })
}

/// A template with a role that a function in the same stack uses.
pub(crate) fn function() -> Value {
    json!({
        "Resources": {
            "Role": role(),
            "Function": {
                "Type": "AWS::Lambda::Function",
                "Metadata": {"aws:cdk:path": "App/Stack/Function/Resource"},
                "Properties": {"Role": {"Fn::GetAtt": ["Role", "Arn"]}, "Code": {"ZipFile": "x"}},
            },
        },
    })
}

pub(crate) fn role() -> Value {
    json!({
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}]},
            "ManagedPolicyArns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"],
        },
    })
}
