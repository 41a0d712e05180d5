//! What breaks a rule today, listed so that it is seen and gets less. An entry that nothing needs any more is a finding.

use super::{Finding, Package, line_of};

/// By crate, the modules of each cycle, sorted.
const CYCLES: &[(&str, &[&str])] = &[
    ("paceline-buildspec", &["grammar::read", "grammar::schema"]),
    ("paceline-buildspec", &["lint::allow", "lint::rules"]),
];

/// This file, from the root of the workspace.
const HERE: &str = "xtask/src/check/known.rs";

/// Whether a cycle is known, with exactly these modules in it.
pub(super) fn is_cycle(package: &str, places: &[&str]) -> bool {
    CYCLES.iter().any(|(name, known)| *name == package && *known == places)
}

/// The known cycles of a crate.
pub(super) fn cycles_of(package: &str) -> impl Iterator<Item = &'static [&'static str]> {
    CYCLES.iter().filter(move |(name, _)| *name == package).map(|(_, places)| *places)
}

/// The finding that an entry is not needed any more, or does not describe what there is.
pub(super) fn gone(what: &str) -> Finding {
    Finding {
        file: HERE.into(),
        line: line_of(include_str!("known.rs"), "const CYCLES"),
        what: format!("{what} is listed here, and is not there like that any more"),
        hint: "remove the entry, or shorten it to what is left".to_owned(),
    }
}

/// Entries about crates that do not exist.
pub(super) fn stale(packages: &[Package]) -> Vec<Finding> {
    let is_there = |name: &str| packages.iter().any(|package| package.name == name);
    CYCLES
        .iter()
        .filter(|(name, _)| !is_there(name))
        .map(|(name, _)| gone(&format!("the crate {name}")))
        .collect()
}
