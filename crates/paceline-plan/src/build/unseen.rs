//! What of the templates a plan could not see.

use std::collections::BTreeSet;

use crate::build::edges::Uses;
use crate::build::facts::Facts;

/// So many places of a stack are named.
const NAMED: usize = 3;

/// A warning for each stack of which not everything could be seen.
pub(crate) fn warnings(facts: &[Facts<'_>]) -> Vec<String> {
    let told =
        facts.iter().flat_map(|facts| unseen(facts).into_iter().chain(too_large(facts.stack, &facts.uses)));
    told.collect()
}

/// What only CloudFormation makes of a template.
fn unseen(facts: &Facts<'_>) -> Option<String> {
    let (first, more) = facts.unseen.split_first()?;
    let more = match more.len() {
        0 => String::new(),
        more => format!(" (and {more} more)"),
    };
    Some(format!("{}: {first}{more}; if that ties it to other stacks, `edges:` has to say so", facts.stack))
}

/// Places where functions in functions come to more than is followed.
fn too_large(stack: &str, uses: &Uses) -> Option<String> {
    let places: BTreeSet<String> = uses.too_large.iter().map(ToString::to_string).collect();
    // What is looked at as a whole is looked at in parts too.
    let is_whole = |place: &&String| !places.iter().any(|other| other != *place && other.starts_with(*place));
    let places: Vec<&String> = places.iter().filter(is_whole).collect();
    if places.is_empty() {
        return None;
    }
    let named: Vec<String> = places.iter().take(NAMED).map(|place| format!("`{place}`")).collect();
    let more = match places.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more places"),
    };
    Some(format!(
        "{stack}: what the functions at {}{more} come to is too large to be followed; if that ties it to other stacks, \
         `edges:` has to say so",
        named.join(", ")
    ))
}
