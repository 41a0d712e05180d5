//! Writes small assemblies into a folder of their own, and plans them.

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use paceline_assembly::Assembly;
use paceline_config::Config;
use paceline_plan::forecast::{Forecast, MadeBy};
use paceline_plan::price::Price;
use paceline_plan::{Edge, Plan, PlanError, PlanOptions};
use paceline_text::Explained as _;
use serde_json::{Map, Value, json};

pub(crate) const ACCOUNT: &str = "111111111111";

/// An assembly that is being written.
#[derive(Default)]
pub(crate) struct App {
    artifacts: Map<String, Value>,
    files: Vec<(String, Value)>,
    missing: Vec<Value>,
    config: String,
    pub(crate) options: PlanOptions,
}

impl App {
    /// An app in which `Producer` has these resources and outputs, and `Consumer` these resources.
    pub(crate) fn pair(producer: Value, consumer: Value) -> Self {
        Self::default().stack("Producer", "us-east-1", producer).stack("Consumer", "us-east-1", consumer)
    }

    /// A stack whose template is the sections in `template`.
    pub(crate) fn stack(self, id: &str, region: &str, template: Value) -> Self {
        self.stack_in(id, &format!("aws://{ACCOUNT}/{region}"), template)
    }

    pub(crate) fn stack_in(self, id: &str, environment: &str, template: Value) -> Self {
        self.artifact(id, json!({ "environment": environment }), template)
    }

    /// A stack with fields of its own in the manifest.
    pub(crate) fn artifact(mut self, id: &str, fields: Value, template: Value) -> Self {
        let file = format!("{}.template.json", id.replace('/', ""));
        let mut artifact = json!({
            "type": "aws:cloudformation:stack",
            "environment": format!("aws://{ACCOUNT}/us-east-1"),
            "properties": { "templateFile": file },
            "displayName": id,
        });
        merge(&mut artifact, fields);
        self.artifacts.insert(id.to_owned(), artifact);
        self.files.push((file, template));
        self
    }

    /// A stack that the manifest puts after others.
    pub(crate) fn after(self, id: &str, before: &[&str]) -> Self {
        self.artifact(id, json!({ "dependencies": before }), empty())
    }

    pub(crate) fn asset_manifest(mut self, id: &str, manifest: Value) -> Self {
        let file = format!("{id}.json");
        let artifact = json!({ "type": "cdk:asset-manifest", "properties": { "file": file } });
        self.artifacts.insert(id.to_owned(), artifact);
        self.files.push((file, manifest));
        self
    }

    pub(crate) fn file(mut self, name: &str, content: Value) -> Self {
        self.files.push((name.to_owned(), content));
        self
    }

    /// Context that the synthesis has not found.
    pub(crate) fn missing(mut self, missing: Value) -> Self {
        self.missing.push(missing);
        self
    }

    pub(crate) fn config(mut self, yaml: &str) -> Self {
        yaml.clone_into(&mut self.config);
        self
    }

    pub(crate) fn options(mut self, change: impl FnOnce(&mut PlanOptions)) -> Self {
        change(&mut self.options);
        self
    }

    pub(crate) fn assembly(&self) -> Assembly {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap();
        let manifest = json!({ "version": "36.0.0", "artifacts": self.artifacts, "missing": self.missing });
        fs_err::write(folder.join("manifest.json"), manifest.to_string()).unwrap();
        for (name, content) in &self.files {
            fs_err::write(folder.join(name), content.to_string()).unwrap();
        }
        Assembly::read_incomplete(folder).unwrap()
    }

    pub(crate) fn try_plan(&self) -> Result<Plan, PlanError> {
        let config = Config::parse(&self.config, Utf8Path::new("paceline.yaml")).unwrap();
        Plan::make(&self.assembly(), &config, &self.options)
    }

    /// The plan of an assembly that was changed after it was read.
    pub(crate) fn plan_of(&self, assembly: &Assembly) -> Plan {
        let config = Config::parse(&self.config, Utf8Path::new("paceline.yaml")).unwrap();
        Plan::make(assembly, &config, &self.options).unwrap()
    }

    pub(crate) fn config_text(&self) -> &str {
        &self.config
    }

    pub(crate) fn plan(&self) -> Plan {
        self.try_plan().unwrap()
    }

    /// The message of the error that the plan ends in, and its hint.
    pub(crate) fn refused(&self) -> String {
        let error = self.try_plan().unwrap_err();
        format!("{}\nhint: {}", error.what(), error.hint().unwrap())
    }

    /// Every edge as `from -> to reason: detail`.
    #[track_caller]
    pub(crate) fn check_edges(&self, expected: &[&str]) {
        assert_eq!(edges(&self.plan()), expected);
    }

    /// Every name that nothing provides as `stack reason: name (place)`.
    #[track_caller]
    pub(crate) fn check_external(&self, expected: &[&str]) {
        let plan = self.plan();
        let shown = plan.external.iter().map(|it| {
            let unresolved = if it.unresolved { " unresolved" } else { "" };
            let place = it.read_at.as_ref().map_or_else(String::new, ToString::to_string);
            format!("{} {}: {} ({}: {place}){unresolved}", it.stack, it.reason, it.name, it.stack)
        });
        assert_eq!(shown.collect::<Vec<_>>(), expected);
    }
}

pub(crate) fn edges(plan: &Plan) -> Vec<String> {
    let edges = plan.stacks.iter().flat_map(|stack| &stack.depends_on);
    let shown = |edge: &Edge| format!("{} -> {} {}: {}", edge.from, edge.to, edge.reason, edge.detail());
    edges.map(shown).collect()
}

/// The sentences of the warnings.
pub(crate) fn warnings(plan: &Plan) -> Vec<String> {
    plan.warnings.iter().map(ToString::to_string).collect()
}

pub(crate) fn ids(plan: &Plan) -> Vec<&str> {
    plan.stacks.iter().map(|stack| stack.id.as_str()).collect()
}

/// A template with nothing of interest.
pub(crate) fn empty() -> Value {
    resources(json!({ "Topic": { "Type": "AWS::SNS::Topic" } }))
}

pub(crate) fn resources(resources: Value) -> Value {
    json!({ "Resources": resources })
}

/// A template that writes a parameter.
pub(crate) fn writes(name: Value) -> Value {
    resources(json!({ "P": { "Type": "AWS::SSM::Parameter", "Properties": { "Name": name, "Value": "v" } } }))
}

/// A template with one resource whose `Value` is this.
pub(crate) fn holds(value: Value) -> Value {
    resources(json!({ "R": { "Type": "Custom::Holder", "Properties": { "Value": value } } }))
}

/// A template that exports a name.
pub(crate) fn exports(name: Value) -> Value {
    json!({
        "Resources": { "Topic": { "Type": "AWS::SNS::Topic" } },
        "Outputs": { "Out": { "Value": "v", "Export": { "Name": name } } },
    })
}

pub(crate) fn forecast() -> Forecast {
    Forecast {
        sequential: Duration::from_mins(100),
        phased: Duration::from_mins(70),
        graph: Duration::from_mins(50),
        lower_bound: Duration::from_mins(45),
        redeployed: None,
        whole_stacks: None,
        made_by: MadeBy::Rehearsal,
        price: Price::of("x-large", None),
        what_if: None,
        advice: None,
    }
}

/// The folder of the example app.
pub(crate) fn example() -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/workshop")
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}
