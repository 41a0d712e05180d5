//! An edge that the app declares and that nothing in the templates uses.

use super::{Bar, Proposal, Scene};

const COST: &str = "nothing, unless what runs in one needs the other in a way that no template shows";

pub(super) fn find<'s>(scene: &'s Scene<'_>) -> Vec<Proposal<'s>> {
    let number = |id: &String| scene.plan.stacks.iter().position(|stack| stack.id == *id);
    let unused = scene.plan.declared_only.iter();
    let unused = unused.filter_map(|edge| Some((number(&edge.from)?, number(&edge.to)?)));
    let unused: Vec<(usize, usize)> = unused.collect();
    let mut found = Vec::new();
    for &(from, to) in &unused {
        // Another may stand in its way, which the last proposal is for.
        if scene.path.contains(&from) && scene.path.contains(&to) {
            let what = format!(
                "let it not wait for {}: the app declares that (addDependency), and no template uses anything of it",
                scene.id(to)
            );
            found.push(scene.propose("unused-edge", from, None, [what, COST.to_owned()], move |plan| {
                plan.drop_edges(from, to);
            }));
        }
    }
    if unused.len() > 1 {
        let what = format!(
            "remove all {} dependencies that the app declares (addDependency) and no template uses",
            unused.len()
        );
        let all = Scene::propose_for_all("unused-edges", [what, COST.to_owned()], move |plan| {
            for &(from, to) in &unused {
                plan.drop_edges(from, to);
            }
        });
        found.push(all.with_bar(Bar::BeyondItsRule));
    }
    found
}
