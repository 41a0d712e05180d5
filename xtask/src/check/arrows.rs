//! Compares the dependencies between crates with the table of crates in README.md. They must be the same.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::{Finding, Package, line_of};

const README: &str = "README.md";
/// The first line of the table of crates.
const HEADER: &str = "| crate | its one job | uses |";

/// A row of the table.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    line: usize,
    uses: Vec<String>,
}

/// The dependencies that the table lacks, and the entries of the table that are no dependencies.
pub(super) fn check(root: &Path, packages: &[Package]) -> Result<Vec<Finding>> {
    let readme = fs_err::read_to_string(root.join(README))?;
    let table =
        table(&readme).with_context(|| format!("{README} has no table that begins with `{HEADER}`"))?;
    let mut manifests = BTreeMap::new();
    for package in packages {
        let text = fs_err::read_to_string(root.join(&package.folder).join("Cargo.toml"))?;
        manifests.insert(package.name.as_str(), text);
    }
    let line = |package: &str, dependency: &str| {
        manifests.get(package).map_or(1, |text| line_of(text, &format!("{dependency}.workspace")))
    };
    Ok(compare(&table, packages, line))
}

/// The rows by crate. Names are in backquotes. The last column has names without `paceline-`.
fn table(readme: &str) -> Option<BTreeMap<String, Row>> {
    let lines: Vec<&str> = readme.lines().collect();
    let start = lines.iter().position(|line| line.trim() == HEADER)?;
    let rows = lines.iter().enumerate().skip(start + 2).take_while(|(_, line)| line.starts_with('|'));
    let row = |(index, line): (usize, &&str)| {
        let cells: Vec<&str> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
        let name = cells.first()?.trim_matches('`').to_owned();
        let uses = cells.get(2)?.split(',').map(|it| it.trim().trim_matches('`')).filter(|it| !it.is_empty());
        let uses = uses.map(|short| format!("paceline-{short}")).collect();
        Some((name, Row { line: index + 1, uses }))
    };
    Some(rows.filter_map(row).collect())
}

/// `line` gives the line of a crate's manifest that names a dependency.
fn compare(
    table: &BTreeMap<String, Row>,
    packages: &[Package],
    line: impl Fn(&str, &str) -> usize,
) -> Vec<Finding> {
    let is_ours = |name: &str| packages.iter().any(|package| package.name == name);
    let mut findings = Vec::new();
    let mut found = |file: PathBuf, line, what, hint: &str| {
        findings.push(Finding { file, line, what, hint: hint.to_owned() });
    };
    for package in packages.iter().filter(|package| package.name != "xtask") {
        let manifest = package.folder.join("Cargo.toml");
        let name = &package.name;
        let Some(row) = table.get(name) else {
            let what = format!("the table of crates does not have {name}");
            found(README.into(), 1, what, "add a row: the crate, its one job, and the crates that it uses");
            continue;
        };
        for used in package.dependencies.iter().filter(|used| is_ours(used)) {
            if !row.uses.contains(used) {
                let what = format!("{name} uses {used}, and the table of crates in {README} does not say so");
                let hint = format!(
                    "let a crate that uses both pass the value; only if the dependency is intended, add it to line {} of {README}",
                    row.line
                );
                found(manifest.clone(), line(name, used), what, &hint);
            }
        }
        for drawn in &row.uses {
            if !package.dependencies.contains(drawn) {
                let what = format!("the table of crates says that {name} uses {drawn}, and it does not");
                found(README.into(), row.line, what, "remove it from the row");
            }
        }
    }
    for (name, row) in table.iter().filter(|(name, _)| !is_ours(name)) {
        found(README.into(), row.line, format!("there is no crate {name}"), "remove the row");
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "text\n\n| crate | its one job | uses |\n|---|---|---|\n\
                         | `paceline-text` | says | |\n| `paceline-plan` | plans | text |\n\nmore";

    fn package(name: &str, uses: &[&str]) -> Package {
        Package {
            name: name.to_owned(),
            folder: format!("crates/{name}").into(),
            dependencies: uses.iter().map(|it| (*it).to_owned()).collect(),
            test_dependencies: Vec::new(),
        }
    }

    #[track_caller]
    fn check(packages: &[Package], expected: &[(&str, usize, &str)]) {
        let findings = compare(&table(TABLE).unwrap(), packages, |_, _| 7);
        assert_eq!(findings.len(), expected.len(), "{findings:#?}");
        for (finding, (file, line, part)) in findings.iter().zip(expected) {
            assert_eq!((finding.file.to_str(), finding.line), (Some(*file), *line), "{finding}");
            assert!(finding.what.contains(part), "{finding}");
        }
    }

    #[test]
    fn what_the_table_draws_is_all_there_is() {
        check(&[package("paceline-plan", &["paceline-text", "serde"]), package("paceline-text", &[])], &[]);
    }

    #[test]
    fn an_arrow_that_is_not_drawn_is_found_in_the_manifest() {
        let packages =
            [package("paceline-plan", &["paceline-text"]), package("paceline-text", &["paceline-plan"])];
        check(&packages, &[("crates/paceline-text/Cargo.toml", 7, "paceline-text uses paceline-plan")]);
    }

    #[test]
    fn what_the_table_says_in_vain_is_found_there() {
        let packages = [package("paceline-plan", &[])];
        check(
            &packages,
            &[("README.md", 6, "uses paceline-text"), ("README.md", 5, "no crate paceline-text")],
        );
        let packages = [
            package("paceline-plan", &["paceline-text"]),
            package("paceline-text", &[]),
            package("paceline-new", &[]),
        ];
        check(&packages, &[("README.md", 1, "does not have paceline-new")]);
    }
}
