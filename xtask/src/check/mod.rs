//! `cargo xtask check`: the layout of the workspace, as README.md and docs/architecture.md describe it.
//!
//! There are four rules. Folders of a crate do not use each other in a cycle. Crates depend on each other only as the
//! table of crates in README.md says. Only the crates for AWS name the AWS SDK. Every path in docs/architecture.md
//! exists. Each finding has its place and a hint.

mod arrows;
mod cycles;
mod known;
mod module_tree;
mod named_paths;
mod named_tests;
mod parser;
mod sdk_names;
mod tokens;

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

/// A violation of a rule.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// The path from the root of the workspace.
    file: PathBuf,
    line: usize,
    what: String,
    /// The remedy.
    hint: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}\n hint: {}", self.file.display(), self.line, self.what, self.hint)
    }
}

/// A crate of the workspace, as Cargo describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Package {
    name: String,
    /// Its folder, from the root of the workspace.
    folder: PathBuf,
    /// Its dependencies, without those of its tests.
    dependencies: Vec<String>,
    /// The dependencies of its tests only.
    test_dependencies: Vec<String>,
}

/// Checks the layout of the workspace.
pub(crate) fn check(sh: &Shell, root: &Path) -> Result<ExitCode> {
    let packages = packages(sh, root)?;
    let mut findings = arrows::check(root, &packages)?;
    for package in &packages {
        findings.extend(cycles::check(root, package)?);
        findings.extend(sdk_names::check(root, package)?);
    }
    findings.extend(known::stale(&packages));
    findings.extend(named_paths::check(root)?);
    findings.extend(named_tests::check(root)?);
    findings.sort();
    for finding in &findings {
        eprintln!("error: {finding}\n");
    }
    match findings.len() {
        0 => {
            eprintln!("{} crates: no cycle, no arrow and no SDK name out of place", packages.len());
            Ok(ExitCode::SUCCESS)
        }
        1 => Ok(fail("1 finding")),
        more => Ok(fail(&format!("{more} findings"))),
    }
}

fn fail(counted: &str) -> ExitCode {
    eprintln!("{counted}; README.md has the table of crates, docs/architecture.md the rules");
    ExitCode::FAILURE
}

/// The crates of the workspace, sorted by name.
fn packages(sh: &Shell, root: &Path) -> Result<Vec<Package>> {
    let metadata = cmd!(sh, "cargo metadata --no-deps --offline --format-version 1").quiet().read()?;
    let metadata: serde_json::Value = serde_json::from_str(&metadata)?;
    let mut packages = Vec::new();
    for package in metadata["packages"].as_array().context("cargo metadata names no packages")? {
        let manifest = Path::new(package["manifest_path"].as_str().unwrap_or_default());
        let folder = manifest.parent().and_then(|folder| folder.strip_prefix(root).ok());
        let of_kind = |is_test: bool| {
            let all = package["dependencies"].as_array().into_iter().flatten();
            let wanted = all.filter(move |it| (it["kind"] == "dev") == is_test);
            let mut names: Vec<String> =
                wanted.filter_map(|it| it["name"].as_str().map(str::to_owned)).collect();
            names.sort();
            names.dedup();
            names
        };
        packages.push(Package {
            name: package["name"].as_str().unwrap_or_default().to_owned(),
            folder: folder
                .with_context(|| format!("{} is outside of the workspace", manifest.display()))?
                .to_owned(),
            dependencies: of_kind(false),
            test_dependencies: of_kind(true),
        });
    }
    packages.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(packages)
}

/// The number of the first line that contains a text, counted from 1. It is 1 if no line does.
fn line_of(text: &str, part: &str) -> usize {
    text.lines().position(|line| line.contains(part)).map_or(1, |index| index + 1)
}

/// The Rust files below a folder, sorted.
fn rust_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        if !folder.is_dir() {
            continue;
        }
        for entry in fs_err::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}
