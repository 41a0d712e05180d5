//! Fills the JSON document.

use std::time::Duration;

use paceline_text::to_the_millisecond;

use super::SCHEMA;
use super::Shown;
use super::document::{
    ChangeDocument, CollisionDocument, DiffDocument, EdgeDocument, EdgesDocument, ElementDocument,
    ResourceDocument, StackDocument, TimeDocument, WideningDocument,
};
use super::sentences::conflict_kind;
use crate::model::{
    Access, Collision, EdgeChange, ElementDiff, PropertyChange, ResourceDiff, StackDiff, Widening,
};

impl DiffDocument {
    pub(super) fn of(shown: &Shown<'_>) -> Self {
        let diff = shown.diff;
        Self {
            schema: SCHEMA,
            base: shown.base.to_owned(),
            different: diff.is_different(),
            stacks: diff.stacks.iter().map(stack).collect(),
            collisions: diff.collisions.iter().map(collision).collect(),
            edges: diff.edges.as_ref().map(|edges| EdgesDocument {
                gained: edges.gained.iter().map(edge).collect(),
                lost: edges.lost.iter().map(edge).collect(),
            }),
            time: diff
                .time
                .as_ref()
                .map(|time| TimeDocument { before_s: seconds(time.before), after_s: seconds(time.after) }),
        }
    }
}

fn stack(it: &StackDiff) -> StackDocument {
    StackDocument {
        id: it.id.clone(),
        name: it.name.clone(),
        account: it.account.clone(),
        region: it.region.clone(),
        change: it.change.as_str().to_owned(),
        resources: it.resources.iter().map(resource).collect(),
        elements: it.elements.iter().map(element).collect(),
        settings: it.settings.iter().map(change).collect(),
        widenings: it.widenings.iter().map(widening).collect(),
    }
}

fn resource(it: &ResourceDiff) -> ResourceDocument {
    ResourceDocument {
        nested: it.place.nested.clone(),
        logical_id: it.place.logical_id.clone(),
        construct: it.place.construct.clone(),
        resource_type: it.resource_type.clone(),
        type_before: it.type_before.clone(),
        effect: it.effect.as_str().to_owned(),
        because: it.because.as_ref().map(ToString::to_string),
        changes: it.changes.iter().map(change).collect(),
        data: it.data.map(|data| data.fate.as_str().to_owned()),
        data_certain: it.data.map(|data| data.is_certain),
    }
}

fn element(it: &ElementDiff) -> ElementDocument {
    ElementDocument {
        nested: it.nested.clone(),
        section: it.section.clone(),
        id: it.id.clone(),
        effect: it.effect.as_str().to_owned(),
        changes: it.changes.iter().map(change).collect(),
    }
}

fn change(it: &PropertyChange) -> ChangeDocument {
    ChangeDocument {
        path: it.path.clone(),
        before: it.before.clone(),
        after: it.after.clone(),
        effect: it.effect.as_str().to_owned(),
    }
}

fn widening(it: &Widening) -> WideningDocument {
    WideningDocument {
        nested: it.place.nested.clone(),
        logical_id: it.place.logical_id.clone(),
        construct: it.place.construct.clone(),
        resource_type: it.resource_type.clone(),
        kind: access_kind(&it.access).to_owned(),
        broad: it.access.is_broad(),
        sentence: it.sentence(),
    }
}

fn access_kind(access: &Access) -> &'static str {
    match access {
        Access::Allows { .. } => "allows",
        Access::AssumedBy { .. } => "assumed-by",
        Access::ManagedPolicy { .. } => "managed-policy",
        Access::NoLongerDenies { .. } => "no-longer-denies",
        Access::NoBoundary => "no-boundary",
        Access::Ingress { .. } => "ingress",
    }
}

fn collision(it: &Collision) -> CollisionDocument {
    CollisionDocument {
        stack: it.stack.clone(),
        place: it.place.to_string(),
        kind: it.kind.clone(),
        name: it.name.clone(),
        conflict: conflict_kind(&it.conflict).to_owned(),
        sentence: it.sentence(),
    }
}

fn edge(it: &EdgeChange) -> EdgeDocument {
    EdgeDocument {
        stack: it.from.clone(),
        on: it.to.clone(),
        reasons: it.reasons.clone(),
        detail: it.detail.clone(),
    }
}

/// Seconds to the millisecond.
fn seconds(duration: Duration) -> f64 {
    to_the_millisecond(duration.as_secs_f64())
}
