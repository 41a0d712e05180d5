//! The bill of materials in the format CycloneDX 1.5.

use serde_json::{Value, json};

use super::dependencies::Dependency;
use super::licenses::BUNDLED;
use super::release::{ABOUT, Release};

/// The document: the crates that are linked into the program, and which of them uses which.
pub(super) fn document(release: &Release, dependencies: &[Dependency]) -> String {
    let (ours, others): (Vec<_>, Vec<_>) = dependencies.iter().partition(|it| it.is_ours);
    let program = reference("paceline", &release.version);
    let mut components: Vec<Value> = others.iter().map(|it| component(it)).collect();
    components.extend(BUNDLED.iter().map(|it| {
        json!({ "type": "library", "bom-ref": it.name, "name": it.name, "licenses": [{ "expression": it.license }] })
    }));
    // The program is one component: what its own crates use, it uses.
    let is_external =
        |used: &&(String, String)| others.iter().any(|it| (&it.name, &it.version) == (&used.0, &used.1));
    let mut uses: Vec<String> = ours
        .iter()
        .flat_map(|it| &it.uses)
        .filter(is_external)
        .map(|(name, version)| reference(name, version))
        .collect();
    uses.extend(BUNDLED.iter().map(|it| it.name.to_owned()));
    uses.sort();
    uses.dedup();
    let mut graph = vec![json!({ "ref": program, "dependsOn": uses })];
    graph.extend(others.iter().map(|it| {
        let uses: Vec<_> = it.uses.iter().map(|(name, version)| reference(name, version)).collect();
        json!({ "ref": reference(&it.name, &it.version), "dependsOn": uses })
    }));
    let document = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": program,
                "name": "paceline",
                "version": release.version,
                "description": ABOUT,
                "licenses": [{ "expression": "Apache-2.0" }],
            },
        },
        "components": components,
        "dependencies": graph,
    });
    format!("{document:#}\n")
}

fn component(dependency: &Dependency) -> Value {
    let reference = reference(&dependency.name, &dependency.version);
    json!({
        "type": "library",
        "bom-ref": reference,
        "name": dependency.name,
        "version": dependency.version,
        "purl": reference,
        "licenses": [{ "expression": dependency.license }],
    })
}

/// The address of a crate, as the package URL specification has it.
fn reference(name: &str, version: &str) -> String {
    format!("pkg:cargo/{name}@{version}")
}
