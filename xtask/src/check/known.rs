//! The cycles that exist today and are accepted until they are removed. An entry without its cycle is a finding.

use super::{Finding, Package, line_of};

/// By crate, the modules of each cycle, sorted.
const CYCLES: &[(&str, &[&str])] = &[];

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

/// The finding that an entry has no cycle any more, or that the cycle has changed.
pub(super) fn gone(what: &str) -> Finding {
    Finding {
        file: HERE.into(),
        line: line_of(include_str!("known.rs"), "const CYCLES"),
        what: format!("{what} is listed here, but does not exist in this form any more"),
        hint: "remove the entry, or shorten it to the present cycle".to_owned(),
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
