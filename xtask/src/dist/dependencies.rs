//! The crates whose code is in the program, as `cargo metadata` tells them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::Value;
use xshell::{Shell, cmd};

use super::release::{Binary, Release};

/// A crate that is linked into the program.
pub(super) struct Dependency {
    pub(super) name: String,
    pub(super) version: String,
    /// Its licences as an SPDX expression.
    pub(super) license: String,
    /// Whether it is a part of this workspace.
    pub(super) is_ours: bool,
    pub(super) folder: PathBuf,
    /// The crates that it uses, each as name and version.
    pub(super) uses: Vec<(String, String)>,
}

/// The crates in the program of any of the release's platforms, by name and version. Crates that only build others, and
/// procedural macros, leave no code in it.
pub(super) fn of(sh: &Shell, release: &Release) -> Result<Vec<Dependency>> {
    let platforms = release.binaries.iter().flat_map(|it| ["--filter-platform", it.target.triple]);
    let metadata = cmd!(sh, "cargo metadata --format-version 1 --locked").args(platforms).quiet().read()?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let built = built(sh, release)?;
    let by_id = |list: &Value| -> BTreeMap<String, Value> {
        let entries = list.as_array().into_iter().flatten();
        entries.filter_map(|entry| Some((entry["id"].as_str()?.to_owned(), entry.clone()))).collect()
    };
    let (packages, nodes) = (by_id(&metadata["packages"]), by_id(&metadata["resolve"]["nodes"]));
    let start = packages.iter().find(|(_, package)| package["name"] == "paceline");
    let start = start.context("the workspace has no package paceline")?.0;

    let mut seen = BTreeSet::from([start.as_str()]);
    let mut open = vec![start.as_str()];
    let mut found = Vec::new();
    while let Some(id) = open.pop() {
        let package = packages.get(id).with_context(|| format!("cargo does not describe {id}"))?;
        let is_in_program = |id: &&str| {
            let package = &packages[*id];
            !is_macro(package) && built.contains(&(text(package, "name"), text(package, "version")))
        };
        let used: Vec<&str> = linked(&nodes[id]).filter(is_in_program).collect();
        found.push(dependency(package, used.iter().map(|id| &packages[*id])));
        open.extend(used.into_iter().filter(|id| seen.insert(id)));
    }
    found.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
    Ok(found)
}

/// The crates that cargo builds for the program, and for its build scripts and macros. `cargo metadata` also has those
/// that only another crate of the workspace switches on.
fn built(sh: &Shell, release: &Release) -> Result<BTreeSet<(String, String)>> {
    let mut built = BTreeSet::new();
    for Binary { target, .. } in &release.binaries {
        let triple = target.triple;
        let tree =
            cmd!(sh, "cargo tree --locked --package paceline --edges normal --prefix none --target {triple}");
        for line in tree.args(["--format", "{p}"]).quiet().read()?.lines() {
            if let [name, version, ..] = line.split_whitespace().collect::<Vec<_>>()[..] {
                built.insert((name.to_owned(), version.trim_start_matches('v').to_owned()));
            }
        }
    }
    Ok(built)
}

fn dependency<'a>(package: &Value, uses: impl Iterator<Item = &'a Value>) -> Dependency {
    let mut uses: Vec<_> = uses.map(|it| (text(it, "name"), text(it, "version"))).collect();
    uses.sort();
    let mut folder = PathBuf::from(text(package, "manifest_path"));
    folder.pop();
    Dependency {
        name: text(package, "name"),
        version: text(package, "version"),
        // Old crates write a slash.
        license: text(package, "license").split('/').map(str::trim).collect::<Vec<_>>().join(" OR "),
        is_ours: package["source"].is_null(),
        folder,
        uses,
    }
}

/// The ids of the packages that a package links.
fn linked(node: &Value) -> impl Iterator<Item = &str> {
    let is_linked = |used: &&Value| {
        let mut kinds = used["dep_kinds"].as_array().into_iter().flatten();
        kinds.any(|kind| kind["kind"].is_null())
    };
    node["deps"].as_array().into_iter().flatten().filter(is_linked).filter_map(|used| used["pkg"].as_str())
}

fn text(of: &Value, key: &str) -> String {
    of[key].as_str().unwrap_or_default().to_owned()
}

fn is_macro(package: &Value) -> bool {
    let mut targets = package["targets"].as_array().into_iter().flatten();
    targets.any(|target| {
        target["kind"].as_array().is_some_and(|kinds| kinds.iter().any(|it| it == "proc-macro"))
    })
}
