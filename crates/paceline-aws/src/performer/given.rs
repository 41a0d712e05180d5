//! Checks that every parameter which needs a value has one.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use paceline_assembly::{Assembly, LegacyPackaging, Stack};
use paceline_plan::Plan;
use paceline_text::{first_few, shell_word};

use super::{Aws, AwsOptions};
use crate::error::AwsError;
use crate::stack::previous_parameters;

/// The greatest number of parameters that are listed one by one.
const NAMED: usize = 10;

impl Aws {
    /// The values for a stack's parameters from the command line.
    pub(crate) fn given(&self, stack: &Stack) -> BTreeMap<String, String> {
        let mut given = BTreeMap::new();
        for name in ["*", &stack.name, &stack.id] {
            given.extend(self.options.parameters.get(name).cloned().unwrap_or_default());
        }
        given
    }

    /// An error for the parameters of all stacks that have no value: neither a given one, nor a default, nor
    /// the previous one of an existing stack.
    pub(crate) async fn check_parameters(&self, plan: &Plan) -> Option<AwsError> {
        let looked = join_all(self.deployed(plan).map(|stack| self.without_value(stack))).await;
        let missing: Vec<(&Stack, String)> = looked.into_iter().flatten().collect();
        let name = |(stack, parameter): &(&Stack, String)| format!("{}:{parameter}", stack.id);
        let give = |it: &(&Stack, String)| format!("--parameters {}=VALUE", shell_word(&name(it)));
        let (first, rest) = missing.split_first()?;
        if rest.is_empty() {
            let (stack, parameter) = first;
            let what = format!("{} needs a value for its parameter `{parameter}`", stack.id);
            return Some(AwsError::setup(what).hint(format!("give it one: {}", give(first))));
        }
        let names = first_few(missing.iter().map(name), NAMED);
        let gifts = missing.iter().take(NAMED).map(give).collect::<Vec<_>>().join(" ");
        let and_so_on = if missing.len() > NAMED { " …" } else { "" };
        let what = format!("{} parameters need a value: {names}", missing.len());
        Some(AwsError::setup(what).hint(format!("give each one: {gifts}{and_so_on}")))
    }

    async fn without_value<'a>(&self, stack: &'a Stack) -> Vec<(&'a Stack, String)> {
        let mut missing = self.not_given(stack);
        if missing.is_empty() {
            return Vec::new();
        }
        // Another check reports an environment that cannot be read.
        let Ok(environment) = self.environment(stack).await else { return Vec::new() };
        let Ok(view) = environment.poller.glance(&stack.name).await else { return Vec::new() };
        match previous_parameters(view.as_ref()) {
            Some(previous) => missing.retain(|name| !previous.contains(name)),
            None => missing.clear(),
        }
        missing.into_iter().map(|name| (stack, name)).collect()
    }

    /// The parameters of a stack with resources that have neither a given value nor a default.
    fn not_given(&self, stack: &Stack) -> Vec<String> {
        let (given, of_assets) = (self.given(stack), of_assets(stack));
        let has_value = |name: &str| {
            stack.parameters.contains_key(name) || given.contains_key(name) || of_assets.contains(name)
        };
        // What a copy parses is dropped with it.
        let template = stack.template.clone();
        if template.resource_count() == 0 {
            return Vec::new();
        }
        let missing = template.parameters_without_default().filter(|name| !has_value(name));
        missing.map(str::to_owned).collect()
    }
}

/// Returns whether a stack of the plan gets a value for a secret parameter.
pub(super) fn gives_secrets(assembly: &Assembly, plan: &Plan, options: &AwsOptions) -> bool {
    let stacks = plan.stacks.iter().filter_map(|planned| assembly.stack(&planned.id));
    stacks.into_iter().any(|stack| {
        let given = options.parameters.values().flat_map(BTreeMap::keys);
        stack.parameters.keys().chain(given).any(|name| stack.template.is_secret(name))
    })
}

/// The parameters that tell a stack where its assets are.
fn of_assets(stack: &Stack) -> BTreeSet<&str> {
    let parameters = stack.legacy_assets.iter().flat_map(|asset| match &asset.packaging {
        LegacyPackaging::S3 { bucket_parameter, key_parameter, hash_parameter, .. } => {
            vec![bucket_parameter.as_str(), key_parameter, hash_parameter]
        }
        LegacyPackaging::Image { .. } => Vec::new(),
    });
    parameters.collect()
}
