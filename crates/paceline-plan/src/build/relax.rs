//! Edges that templates show and of which the team says that less is enough.

use std::collections::{BTreeMap, BTreeSet};

use super::error::{NotEased, PlanError};
use super::scan::place::ELLIPSIS;
use crate::config::{DeclaredEdge, Until};
use crate::model::{Edge, PlannedStack, Reason, Relaxed, Section, Warning, folded};

/// The stacks that wait and those they wait for whose parameters are all there already.
pub type Present = BTreeSet<(String, String)>;

/// Does to `edges` what the team says of those from `from` to `to`. `place` is where it says so.
pub(crate) fn apply(
    declared: &DeclaredEdge,
    (from, to): (&str, &str),
    place: &str,
    edges: &mut Vec<Edge>,
    present: &Present,
) -> Result<Option<Relaxed>, PlanError> {
    let meant = |edge: &Edge| {
        edge.from == from && edge.to == to && is_meant(declared.reason, declared.relax.is_some(), edge)
    };
    // That a synthesis is waited for is so on a fresh account, and no more when it has found what it looks for.
    if declared.reason != Some(Reason::Synth) && !edges.iter().any(meant) {
        return Err(PlanError::NoEdge {
            place: place.to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
            reason: declared.reason,
        });
    }
    let refuse = |edge: &Edge, why| {
        Err(PlanError::NotRelaxed { place: place.to_owned(), edge: Box::new(edge.clone()), why })
    };
    if declared.until == Some(Until::Resource) {
        for edge in edges.iter_mut().filter(|edge| meant(edge)) {
            if early_resource(edge).is_none() {
                return refuse(edge, NotEased::NoResource);
            }
            edge.until = Until::Resource;
        }
    }
    if declared.relax.is_none() {
        return Ok(None);
    }
    let mut parameters = Vec::new();
    for edge in edges.iter().filter(|edge| meant(edge)) {
        if edge.reason == Reason::Manifest {
            continue;
        }
        let Some(stored) = &edge.stored else {
            return refuse(edge, NotEased::NoKnownParameter);
        };
        parameters.push(stored.clone());
    }
    parameters.sort_unstable();
    parameters.dedup();
    let dropped = present.contains(&(from.to_owned(), to.to_owned()));
    if dropped {
        edges.retain(|edge| !meant(edge));
    }
    Ok(Some(Relaxed {
        from: from.to_owned(),
        to: to.to_owned(),
        because: declared.because.clone(),
        reason: declared.reason,
        parameters,
        dropped,
        forced: false,
        without_effect: false,
    }))
}

/// Whether an edge between two stacks is among those that an entry of `edges` is about which names this reason, or none.
/// Without one, it is about what templates show.
pub(crate) fn is_meant(named: Option<Reason>, relaxes: bool, edge: &Edge) -> bool {
    let can_be_eased = match edge.reason {
        // What a synthesis has not found is not there: it cannot be relaxed with all the others.
        Reason::Synth => named.is_some() || !relaxes,
        // No template shows what it is for: whoever names it knows.
        Reason::Manifest => named.is_some(),
        reason => reason.is_in_templates(),
    };
    can_be_eased && named.is_none_or(|reason| reason == edge.reason)
}

/// The logical id of the resource that is enough for an edge: one of the stack's own template whose name is known
/// to the reader.
pub(crate) fn early_resource(edge: &Edge) -> Option<&str> {
    let place = edge.provided_at.as_ref()?;
    let by_name = matches!(edge.reason, Reason::Ssm | Reason::Image | Reason::CrossRegion | Reason::Synth);
    // One that a loop makes for what is not known has no id that an event could name.
    let is_own = place.section == Section::Resources && place.nested.is_empty();
    (by_name && is_own && !place.logical_id.contains(ELLIPSIS)).then_some(&place.logical_id)
}

/// The stacks that all the edges wait for only until some resources are complete, and those resources.
pub(crate) fn early_resources(edges: &[Edge]) -> BTreeMap<&str, BTreeSet<String>> {
    let mut early: BTreeMap<&str, Option<BTreeSet<String>>> = BTreeMap::new();
    for edge in edges {
        let resource = early_resource(edge).filter(|_| edge.until == Until::Resource);
        let all = early.entry(&edge.to).or_insert_with(|| Some(BTreeSet::new()));
        match (resource, &mut *all) {
            (Some(id), Some(ids)) => drop(ids.insert(id.to_owned())),
            // One edge that needs the whole stack is enough.
            _ => *all = None,
        }
    }
    early.into_iter().filter_map(|(to, resources)| Some((to, resources?))).collect()
}

/// A warning for each pair of stacks of which the team says that less is enough, and that other edges tie all the
/// same: nothing is won there until those are gone as well. The relaxed edges among them are marked.
pub(crate) fn without_effect(stacks: &[PlannedStack], relaxed: &mut [Relaxed]) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for from in stacks {
        let tied = tied(from, relaxed);
        for (to, reasons) in folded(&tied) {
            for it in relaxed.iter_mut().filter(|it| it.from == from.id && it.to == to) {
                it.without_effect = true;
            }
            let (from, to) = (from.id.clone(), to.to_owned());
            warnings.push(Warning::EasedWithoutEffect { from, to, reasons });
        }
    }
    warnings
}

/// The edges of a stack that make it wait for all of others of which the team says that less is enough.
fn tied(from: &PlannedStack, relaxed: &[Relaxed]) -> Vec<Edge> {
    let of_from: Vec<&Relaxed> = relaxed.iter().filter(|it| it.from == from.id).collect();
    let dropped = |edge: &Edge| {
        let mut of_pair = of_from.iter().filter(|it| it.to == edge.to);
        of_pair.any(|it| match &edge.stored {
            Some(stored) => edge.reason.is_in_templates() && it.parameters.contains(stored),
            None => is_meant(it.reason, true, edge),
        })
    };
    let early = from.depends_on.iter().filter(|edge| edge.until == Until::Resource);
    let eased: BTreeSet<&str> =
        early.map(|edge| edge.to.as_str()).chain(of_from.iter().map(|it| it.to.as_str())).collect();
    let tied =
        |edge: &&Edge| eased.contains(edge.to.as_str()) && edge.until == Until::Stack && !dropped(edge);
    from.depends_on.iter().filter(tied).cloned().collect()
}
