//! Writes small assemblies.

use camino::{Utf8Path, Utf8PathBuf};
use paceline_assembly::Assembly;
use paceline_plan::{Edge, Plan};
use serde_json::{Map, Value, json};

/// The stacks of an assembly that is being written: id, region, template.
#[derive(Default)]
pub(crate) struct Stacks(Vec<(String, String, Value)>);

impl Stacks {
    pub(crate) fn pair(producer: Value, consumer: Value) -> Self {
        Self::default().stack("Producer", "us-east-1", producer).stack("Consumer", "us-east-1", consumer)
    }

    pub(crate) fn stack(mut self, id: &str, region: &str, template: Value) -> Self {
        self.0.push((id.to_owned(), region.to_owned(), template));
        self
    }

    pub(crate) fn assembly(&self) -> Assembly {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap();
        let mut artifacts = Map::new();
        for (id, region, template) in &self.0 {
            let file = format!("{id}.template.json");
            fs_err::write(folder.join(&file), template.to_string()).unwrap();
            let artifact = json!({
                "type": "aws:cloudformation:stack",
                "environment": format!("aws://111111111111/{region}"),
                "properties": { "templateFile": file },
            });
            artifacts.insert(id.clone(), artifact);
        }
        let manifest = json!({ "version": "36.0.0", "artifacts": artifacts });
        fs_err::write(folder.join("manifest.json"), manifest.to_string()).unwrap();
        Assembly::read(folder).unwrap()
    }
}

/// Every edge as `from -> to reason: detail`.
pub(crate) fn edges(plan: &Plan) -> Vec<String> {
    let edges = plan.stacks.iter().flat_map(|stack| &stack.depends_on);
    let shown = |edge: &Edge| format!("{} -> {} {}: {}", edge.from, edge.to, edge.reason, edge.detail());
    edges.map(shown).collect()
}

/// A template that no other template refers to.
pub(crate) fn empty() -> Value {
    json!({ "Resources": { "Topic": { "Type": "AWS::SNS::Topic" } } })
}

/// A template that writes a parameter.
pub(crate) fn writes(name: Value) -> Value {
    let properties = json!({ "Name": name, "Value": "v" });
    json!({ "Resources": { "P": { "Type": "AWS::SSM::Parameter", "Properties": properties } } })
}

/// A template with one resource whose `Value` is this.
pub(crate) fn holds(value: Value) -> Value {
    json!({ "Resources": { "R": { "Type": "Custom::Holder", "Properties": { "Value": value } } } })
}

/// The folder of the example app.
pub(crate) fn example() -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/workshop")
}
