//! Whether an app is there in a primary and a secondary region, and what switches the second on.

use std::collections::{BTreeMap, BTreeSet};

use paceline_assembly::Assembly;
use paceline_buildspec::understand::{Deployment, ExistingPipeline};
use paceline_plan::Plan;
use paceline_yaml::inline;

use crate::group_names;
use crate::order::Order;
use crate::out::Out;

/// What switches the secondary regions on, where nothing else says so.
const VARIABLE: &str = "ENABLE_MULTI_REGION";

/// Writes how the second region is switched on, if stacks come in two forms.
pub(crate) fn found(out: &mut Out, plan: &Plan) {
    let Some(primary) = primary(plan) else { return };
    out.blank();
    out.comment(&format!(
        "Stacks come in a form for {primary} and one for another region. With {VARIABLE} unset, only those of \
         {primary} are deployed; set it to true to deploy all. Without this line, all always are."
    ));
    out.line(&format!("multi-region: {{ when: {VARIABLE}, primary: {} }}", inline::word(&primary)));
}

/// The region of the first forms, if most stacks of every other region are a second form of one of them.
fn primary(plan: &Plan) -> Option<String> {
    let mut by_region: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for stack in &plan.stacks {
        if let Some(region) = &stack.region {
            by_region.entry(region).or_default().push(&stack.id);
        }
    }
    if by_region.len() < 2 {
        return None;
    }
    let is_first = |ids: &[&str]| ids.iter().filter(|id| !group_names::is_secondary(id)).count();
    let (primary, firsts) = by_region.iter().max_by_key(|(_, ids)| is_first(ids))?;
    let families: BTreeSet<Vec<String>> =
        firsts.iter().map(|id| group_names::family(id, Some(primary))).collect();
    let is_second = |region: &str, id: &str| {
        let family = group_names::family(id, Some(region));
        !family.is_empty() && families.contains(&family)
    };
    let others = by_region.iter().filter(|(region, _)| region != &primary);
    let mut others = others.map(|(region, ids)| {
        let seconds = ids.iter().filter(|id| is_second(region, id)).count();
        seconds * 2 >= ids.len() && seconds > 0
    });
    let some_is_left = plan.stacks.iter().any(|stack| stack.region.as_deref() == Some(primary));
    (others.all(|most| most) && some_is_left).then(|| (*primary).to_owned())
}

/// Writes what the build's own conditions say about a second region.
pub(crate) fn asked_for(out: &mut Out, build: &ExistingPipeline, assembly: Option<&Assembly>, order: &Order) {
    let Some(variable) = variable(build) else { return };
    let conditional = build.deployments.iter().enumerate().filter(|(_, it)| is_switched(it, &variable));
    let line = conditional.clone().next().map_or(0, |(_, it)| it.line);
    let region_of =
        |id: &str| assembly.and_then(|it| it.stack(id)).and_then(|it| it.environment.region.clone());
    let regions = |wanted: bool| -> BTreeSet<Option<String>> {
        let numbers = build.deployments.iter().enumerate();
        let numbers = numbers.filter(|(_, it)| is_switched(it, &variable) == wanted);
        numbers.flat_map(|(number, _)| order.stacks_of(number)).map(|id| region_of(id)).collect()
    };
    let mut is_said = assembly.is_some();
    let primary = if assembly.is_some() {
        let (first, second) = (regions(false), regions(true));
        match first.iter().next() {
            Some(Some(region)) if first.len() == 1 && !second.contains(&Some(region.clone())) => {
                region.clone()
            }
            // What is switched is not a region.
            _ => return,
        }
    } else {
        let is_about = variable.to_ascii_uppercase().contains("REGION")
            || conditional
                .clone()
                .all(|(_, it)| it.stacks.iter().all(|name| group_names::is_secondary(name)));
        if !is_about {
            return;
        }
        let names = ["AWS_REGION", "AWS_DEFAULT_REGION", "CDK_DEFAULT_REGION"];
        let said = build.apps.iter().find_map(|app| names.iter().find_map(|name| app.env.get(*name)));
        is_said = said.is_some();
        said.cloned().unwrap_or_else(|| "us-east-1".to_owned())
    };
    out.blank();
    let lines: Vec<String> = conditional.map(|(_, it)| it.line.to_string()).collect();
    let check = if is_said { "" } else { " Check the region: the build does not say it." };
    out.comment(&format!(
        "With {variable} unset or false, only the stacks of {primary} are deployed: lines {} asked for it.{check}",
        lines.join(", ")
    ));
    out.line(&format!(
        "multi-region: {{ when: {}, primary: {} }}",
        inline::word(&variable),
        inline::word(&primary)
    ));
    if !is_said {
        out.note(line, format!("{variable} switches the second region on: check `primary: {primary}`"));
    }
}

/// Whether a deployment is done only if the variable says yes.
pub(crate) fn is_switched(deployment: &Deployment, variable: &str) -> bool {
    let yes = |value: &str| ["true", "yes", "on", "1"].iter().any(|yes| value.eq_ignore_ascii_case(yes));
    deployment
        .when
        .as_ref()
        .is_some_and(|when| when.variable.as_deref() == Some(variable) && when.equals && yes(&when.value))
}

/// The one variable that switches deployments on.
pub(crate) fn variable(build: &ExistingPipeline) -> Option<String> {
    let named = build.deployments.iter().filter_map(|it| it.when.as_ref()?.variable.clone());
    let mut candidates: BTreeSet<String> = named.collect();
    candidates.retain(|name| build.deployments.iter().any(|it| is_switched(it, name)));
    let is_one = candidates.len() == 1;
    candidates.into_iter().next().filter(|_| is_one)
}
