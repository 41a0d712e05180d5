//! The stacks of an assembly that another assembly does not have in the same way.

use std::collections::{BTreeMap, BTreeSet};

use paceline_assembly::{Assembly, Stack};

use super::settings::settings;

/// The ids of the stacks that `base` does not have, or has with another template, with other assets, or with other settings
/// for CloudFormation.
pub fn affected(assembly: &Assembly, base: &Assembly) -> BTreeSet<String> {
    let before: BTreeMap<&str, &Stack> = base.stacks.iter().map(|stack| (stack.id.as_str(), stack)).collect();
    let differs = |stack: &&Stack| {
        let was = before.get(stack.id.as_str());
        was.is_none_or(|was| contents(was) != contents(stack))
    };
    assembly.stacks.iter().filter(differs).map(|stack| stack.id.clone()).collect()
}

/// Everything of a stack that a deployment brings to AWS. Digests stand for templates, and the ids of assets for their
/// contents.
fn contents(stack: &Stack) -> Vec<String> {
    let opened = stack.opened();
    let mut contents = vec![
        opened.name.clone(),
        opened.environment.to_string(),
        opened.template.fingerprint(),
        settings(&opened),
    ];
    let nested = opened.nested.iter();
    contents.extend(nested.map(|it| format!("{:?} {}", it.parents, it.template.fingerprint())));
    let assets = &opened.assets;
    contents.extend(assets.files.keys().chain(assets.images.keys()).cloned());
    contents
}
