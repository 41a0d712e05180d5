//! Warnings of parts of templates that a plan could not see.

use std::collections::BTreeSet;

use super::inspect::Inspection;
use super::scan::uses::Uses;
use crate::model::Warning;

/// A warning for each stack of which not everything could be seen.
pub(crate) fn warnings(inspections: &[Inspection<'_>]) -> Vec<Warning> {
    let warnings =
        inspections.iter().flat_map(|it| opaque(it).into_iter().chain(too_large(it.stack, &it.uses)));
    warnings.collect()
}

/// Only CloudFormation knows what parts of the template become.
fn opaque(inspection: &Inspection<'_>) -> Option<Warning> {
    let (first, more) = inspection.unseen.split_first()?;
    let stack = inspection.stack.to_owned();
    Some(Warning::Opaque { stack, first: first.to_string(), more: more.len() })
}

/// Functions in functions make texts that are too large to be followed.
fn too_large(stack: &str, uses: &Uses) -> Option<Warning> {
    let places: BTreeSet<String> = uses.too_large.iter().map(ToString::to_string).collect();
    // A place that is looked at as a whole is looked at in parts too.
    let is_whole = |place: &&String| !places.iter().any(|other| other != *place && other.starts_with(*place));
    let places: Vec<String> = places.iter().filter(is_whole).cloned().collect();
    (!places.is_empty()).then(|| Warning::TooLarge { stack: stack.to_owned(), places })
}
