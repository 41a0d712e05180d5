//! Edges that the team eases: it says that the template asks for more than is needed.

use std::collections::{BTreeMap, BTreeSet};

use super::error::{NotEased, PlanError};
use super::scan::place::ELLIPSIS;
use crate::model::{Edge, PlannedStack, Reason, Relaxed, Section, Warning, folded};
use paceline_config::{DeclaredEdge, Until};

/// Pairs of stacks, the one that waits first, where every parameter that it reads exists already.
pub type Present = BTreeSet<(String, String)>;

/// Eases the edges from `from` to `to` as the team declares. `place` is where it declares so.
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
    // An edge to a later synthesis exists only on a fresh account: once the lookup is found, nothing waits for it.
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

/// Whether an entry of `edges` is about this edge. An entry that names no reason is about the edges that templates show.
pub(crate) fn is_meant(named: Option<Reason>, relaxes: bool, edge: &Edge) -> bool {
    let can_be_eased = match edge.reason {
        // A lookup that the synthesis did not find has no value yet: it cannot be relaxed with all the others.
        Reason::Synth => named.is_some() || !relaxes,
        // No template shows what it is for. The team that names it knows.
        Reason::Manifest => named.is_some(),
        reason => reason.is_in_templates(),
    };
    can_be_eased && named.is_none_or(|reason| reason == edge.reason)
}

/// The logical id of the resource that is enough for an edge: a resource of the stack's own template, whose name the
/// reader knows.
pub(crate) fn early_resource(edge: &Edge) -> Option<&str> {
    let place = edge.provided_at.as_ref()?;
    let by_name = matches!(edge.reason, Reason::Ssm | Reason::Image | Reason::CrossRegion | Reason::Synth);
    // A resource of a loop over unknown values has no id that an event could name.
    let is_own = place.section == Section::Resources && place.nested.is_empty();
    (by_name && is_own && !place.logical_id.contains(ELLIPSIS)).then_some(&place.logical_id)
}

/// The stacks of which all edges need only some resources, and those resources.
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

/// A warning for each pair of stacks whose edges the team eases in vain, since other edges tie them. The relaxed edges
/// among them are marked.
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

/// The edges that make a stack wait for the whole of others although the team eases edges to them.
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
