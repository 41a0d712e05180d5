//! The CDK construct, compiled by `tsc --strict` and synthesized. Its template has to be the CloudFormation
//! template.
//!
//! This needs Node, and the packages aws-cdk-lib, constructs, typescript and @types/node in a place where
//! Node finds them (`NODE_PATH`).

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

use paceline_buildspec::{Generation, yaml};
use paceline_config::{MetricsTarget, SourceType};
use serde_json::{Map, Value, json};

use crate::project::{everything, plain};
use crate::{file, installed, synthesized, workshop};

/// Synthesizes the construct of each file that is named, and prints the templates.
const SYNTHESIZE: &str = "
const { App, Stack } = require('aws-cdk-lib');
const templates = process.argv.slice(2).map((file) => {
  const app = new App();
  const stack = new Stack(app, 'Stack');
  const [construct] = Object.values(require(file));
  new construct(stack, 'Build');
  return app.synth().getStackByName('Stack').template;
});
process.stdout.write(JSON.stringify(templates));
";

/// The `node_modules` folder that contains all the packages.
fn node_modules() -> Option<PathBuf> {
    let find =
        "for (const it of ['typescript', 'constructs', '@types/node']) require.resolve(it + '/package.json');
        console.log(require.resolve('aws-cdk-lib/package.json'))";
    let found = Command::new("node").args(["-e", find]).output().ok().filter(|it| it.status.success())?;
    let package = PathBuf::from(String::from_utf8(found.stdout).ok()?.trim());
    Some(package.parent()?.parent()?.to_owned())
}

/// Generations with every kind of source, and one with everything that a project can have.
fn generations() -> Vec<Generation> {
    let from = |kind, location: &str| {
        let mut generation = workshop();
        (generation.codebuild.source, generation.codebuild.location) = (kind, Some(location.to_owned()));
        generation.codebuild.auto_retry_limit = Some("2".parse().unwrap());
        generation.codebuild.sleep = true;
        generation
    };
    let sources = [
        from(SourceType::Bitbucket, "https://bitbucket.org/team/workshop.git"),
        from(SourceType::GithubEnterprise, "https://git.example.com/team/workshop.git"),
        from(SourceType::Gitlab, "https://gitlab.com/team/group/workshop.git"),
        from(SourceType::S3, "sources/team/workshop.zip"),
        from(SourceType::Codecommit, "https://git-codecommit.eu-west-1.amazonaws.com/v1/repos/workshop"),
    ];
    // The construct has no dashboard and no alarms.
    let everything = Generation { metrics: MetricsTarget::Off, ..everything() };
    let mut named = vec![workshop(), synthesized(), installed(), everything];
    named.extend(sources);
    for (number, generation) in named.iter_mut().enumerate() {
        generation.name = format!("{}-{number}", generation.name);
    }
    named
}

#[test]
fn the_construct_compiles_and_synthesizes_to_the_template() {
    let Some(modules) = node_modules() else {
        let _ = writeln!(
            std::io::stderr().lock(),
            "\nSKIPPED: node does not find aws-cdk-lib, typescript and @types/node"
        );
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(&modules, folder.path().join("node_modules")).unwrap();
    let generations = generations();
    let mut sources = Vec::new();
    for generation in &generations {
        let name = format!("{}.ts", generation.name);
        fs_err::write(folder.path().join(&name), file(generation, ".project.ts")).unwrap();
        sources.push(name);
    }
    let strict = ["--strict", "--noUnusedLocals", "--skipLibCheck", "--target", "es2022"];
    let module = ["--module", "commonjs", "--moduleResolution", "node10", "--ignoreDeprecations", "5.0"];
    let compiled = Command::new("node")
        .arg("node_modules/typescript/bin/tsc")
        .args(strict)
        .args(module)
        .args(&sources)
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stdout));

    fs_err::write(folder.path().join("synthesize.js"), SYNTHESIZE).unwrap();
    let compiled = sources.iter().map(|source| format!("./{}", source.replace(".ts", ".js")));
    let synthesized = Command::new("node")
        .arg("synthesize.js")
        .args(compiled)
        .current_dir(folder.path())
        .env("NODE_PATH", &modules)
        .output()
        .unwrap();
    assert!(synthesized.status.success(), "{}", String::from_utf8_lossy(&synthesized.stderr));
    let templates: Vec<Value> = serde_json::from_slice(&synthesized.stdout).unwrap();
    for (generation, synthesized) in generations.iter().zip(&templates) {
        let expected = plain(&yaml::parse(&file(generation, ".project.yaml")).unwrap().to_json());
        let expected = properties(expected["Resources"].as_object().unwrap(), str::to_owned);
        let resources = plain_joins(&synthesized["Resources"]);
        let found = properties(plain(&resources).as_object().unwrap(), own_id);
        assert_eq!(found, expected, "{}", generation.name);
    }
}

/// The properties of each resource, without those that only repeat the default.
fn properties(resources: &Map<String, Value>, name: fn(&str) -> String) -> Value {
    let named = resources.iter().map(|(id, resource)| {
        let mut properties = resource["Properties"].clone();
        if resource["Type"] == "AWS::CodeBuild::Project" {
            remove_defaults(&mut properties);
        }
        lists(&mut properties);
        (name(id), with_own_ids(properties))
    });
    named.collect::<Map<_, _>>().into()
}

/// The id without its prefix and hash: `BuildServiceRole1A2B3C4D` becomes `ServiceRole`.
fn own_id(id: &str) -> String {
    let hash = |text: &str| text.len() == 8 && text.bytes().all(|b| b.is_ascii_hexdigit());
    match id.strip_prefix("Build") {
        Some(rest) if rest.len() > 8 && hash(&rest[rest.len() - 8..]) => rest[..rest.len() - 8].to_owned(),
        _ => id.to_owned(),
    }
}

/// The value, with references by the ids of the template.
fn with_own_ids(value: Value) -> Value {
    match value {
        Value::String(text) => {
            let (id, attribute) = text.split_once('.').map_or((text.as_str(), None), |(a, b)| (a, Some(b)));
            match attribute {
                Some("Arn") => Value::from(format!("{}.Arn", own_id(id))),
                _ => Value::from(own_id(&text)),
            }
        }
        Value::Array(items) => items.into_iter().map(with_own_ids).collect(),
        Value::Object(entries) => {
            entries.into_iter().map(|(key, value)| (key, with_own_ids(value))).collect()
        }
        other => other,
    }
}

/// Removes the defaults of CodeBuild, which the CDK writes out.
fn remove_defaults(project: &mut Value) {
    let defaults = [
        ("", "EncryptionKey", json!("alias/aws/s3")),
        ("/Source", "ReportBuildStatus", json!(false)),
        ("/Environment", "EnvironmentVariables", json!([])),
    ];
    for (place, key, default) in defaults {
        let Some(Value::Object(entries)) = project.pointer_mut(place) else { continue };
        if entries.get(key) == Some(&default) {
            entries.remove(key);
        }
    }
}

/// Replaces a single text in a policy of the CDK with a list of one item.
fn lists(value: &mut Value) {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                if matches!(key.as_str(), "Action" | "Resource") && value.is_string() {
                    *value = json!([value.take()]);
                }
                lists(value);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(lists),
        _ => {}
    }
}

/// Replaces the `Fn::Join` of an ARN with the text that `Fn::Sub` would have.
fn plain_joins(value: &Value) -> Value {
    match value {
        Value::Object(entries) => match entries.get("Fn::Join") {
            Some(join) if join[0] == "" => {
                let part = |part: &Value| match part["Ref"].as_str() {
                    Some(parameter) => format!("${{{parameter}}}"),
                    None => part.as_str().unwrap().to_owned(),
                };
                Value::from(join[1].as_array().unwrap().iter().map(part).collect::<String>())
            }
            _ => entries.iter().map(|(key, value)| (key.clone(), plain_joins(value))).collect(),
        },
        Value::Array(items) => items.iter().map(plain_joins).collect(),
        other => other.clone(),
    }
}
