//! An image whose build decides when the stacks behind it can start.

use super::{Proposal, Scene};
use crate::model::plan::{Plan, Publish, Step, Work};
use crate::outlook::forecast::PUSH_TIME;
use crate::show::show_duration;

pub(super) fn find<'s>(scene: &'s Scene<'_>) -> Vec<Proposal<'s>> {
    let critical = scene.plan.critical_steps();
    let slowest = critical.iter().map(|&step| &scene.plan.steps[step]).filter(|step| image(step).is_some());
    let Some(slowest) = slowest.max_by_key(|step| step.expected) else { return Vec::new() };
    let Some(publish) = image(slowest) else { return Vec::new() };
    let what = format!(
        "{} waits {} for {} to be built and pushed: keep Docker layers between builds (`codebuild.cache`), or build \
         the images before the deployment begins",
        scene.id(publish.stack),
        show_duration(slowest.expected),
        publish.named()
    );
    let cost = "a build without the layers takes as long as before".to_owned();
    // Other images that are built meanwhile would take the place of the slowest.
    let change = |plan: &mut Plan| {
        for step in plan.steps.iter_mut().filter(|step| image(step).is_some()) {
            step.expected = step.expected.min(PUSH_TIME);
        }
    };
    vec![Scene::propose_for_all("image", [what, cost], change).at_most()]
}

fn image(step: &Step) -> Option<&Publish> {
    match &step.work {
        Work::Publish(publish) if publish.image => Some(publish),
        _ => None,
    }
}
