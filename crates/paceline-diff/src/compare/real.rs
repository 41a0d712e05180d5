//! What change sets say, in place of what templates show: only CloudFormation knows which resources it replaces.

use std::collections::BTreeMap;

use paceline_assembly::{Assembly, Stack, Template};

use crate::model::{AppDiff, Effect, Place, ResourceDiff, StackChange, StackDiff};
use crate::rules::data_loss;

/// A resource that a change set changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RealChange {
    /// The logical ids of the nested stacks that lead to it, outermost first.
    pub nested: Vec<String>,
    pub logical_id: String,
    pub resource_type: String,
    /// [`Effect::Add`], [`Effect::Update`], [`Effect::MayReplace`], [`Effect::Replace`] or [`Effect::Remove`].
    pub effect: Effect,
}

/// Replaces what the templates show by what the change sets of stacks change, by the ids of the stacks.
pub fn apply_change_sets(
    diff: &mut AppDiff,
    base: &Assembly,
    app: &Assembly,
    real: &BTreeMap<String, Vec<RealChange>>,
) {
    for stack in &mut diff.stacks {
        let Some(changes) = real.get(&stack.id) else { continue };
        apply(stack, base.stack(&stack.id), app.stack(&stack.id), changes);
    }
}

fn apply(stack: &mut StackDiff, base: Option<&Stack>, app: Option<&Stack>, changes: &[RealChange]) {
    let key = |change: &RealChange| (change.nested.clone(), change.logical_id.clone());
    let mut by_place: BTreeMap<_, &RealChange> = changes.iter().map(|it| (key(it), it)).collect();
    // A resource that may be replaced because another one is, and that CloudFormation does not touch.
    let is_real = |it: &ResourceDiff, found: bool| found || !it.is_only_caused();
    stack.resources.retain_mut(|it| {
        let found = by_place.remove(&(it.place.nested.clone(), it.place.logical_id.clone()));
        let keeps = is_real(it, found.is_some());
        match found {
            Some(change) => set_effect(it, change.effect, base, app),
            None => set_effect(it, Effect::TemplateOnly, base, app),
        }
        keeps
    });
    for change in by_place.into_values() {
        let place =
            Place { nested: change.nested.clone(), logical_id: change.logical_id.clone(), construct: None };
        let mut resource = ResourceDiff {
            place,
            resource_type: change.resource_type.clone(),
            type_before: None,
            effect: change.effect,
            because: None,
            changes: Vec::new(),
            data: None,
        };
        set_effect(&mut resource, change.effect, base, app);
        stack.resources.push(resource);
    }
    if matches!(stack.change, StackChange::Unchanged | StackChange::Equivalent) && !changes.is_empty() {
        stack.change = StackChange::Changed;
    }
}

fn set_effect(it: &mut ResourceDiff, effect: Effect, base: Option<&Stack>, app: Option<&Stack>) {
    let Place { nested, logical_id, .. } = &it.place;
    let old = base.and_then(|stack| template(stack, nested)?.resource(logical_id));
    let new = app.and_then(|stack| template(stack, nested)?.resource(logical_id));
    it.effect = effect;
    it.data = data_loss(old.as_ref(), new.as_ref(), effect);
}

/// The template that the nested stacks lead to.
fn template<'a>(stack: &'a Stack, nested: &[String]) -> Option<&'a Template> {
    let Some((last, parents)) = nested.split_last() else { return Some(&stack.template) };
    let mut all = stack.nested.iter();
    all.find(|it| it.logical_id == *last && it.parents == parents).map(|it| &it.template)
}
