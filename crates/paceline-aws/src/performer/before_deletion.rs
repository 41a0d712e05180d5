//! Checks before any deletion for obstacles: protected stacks, and stacks that stay although they need a
//! stack that is deleted, or although nobody asked to keep them.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use paceline_assembly::Stack;
use paceline_plan::{Destruction, Kept};

use super::Aws;
use crate::environment::Environment;
use crate::error::AwsError;
use crate::error::PreflightError;
use crate::stack::{is_protected, protection};

impl Aws {
    /// Refuses the deletion if there is an obstacle. Returns warnings for a person.
    pub async fn survey(&self, destruction: &Destruction) -> Result<Vec<String>, PreflightError> {
        let mut warnings: Vec<String> = destruction.plan.warnings.iter().map(ToString::to_string).collect();
        let mut errors = Box::pin(self.protected(destruction)).await?;
        let present = Box::pin(self.present(&destruction.kept, &mut warnings)).await;
        let is_there = |kept: &&Kept| present.contains(kept.stack.as_str());
        let mut forgotten = Vec::new();
        for kept in destruction.kept.iter().filter(is_there) {
            let (held, used): (Vec<_>, Vec<_>) = kept.needs.iter().partition(|edge| edge.holds());
            if let Some(edge) = held.first() {
                let names: BTreeSet<&str> = held.iter().map(|edge| edge.to.as_str()).collect();
                let names = names.into_iter().collect::<Vec<_>>().join(", ");
                let message =
                    format!("{} stays, and imports what {names} exports: {}", kept.stack, edge.detail());
                errors.push(AwsError::setup(message).hint(format!(
                    "delete {} too, or leave {names} in place as well with --exclude",
                    kept.stack
                )));
            } else if kept.region_is_off {
                forgotten.push(kept.stack.as_str());
            } else if let Some(edge) = used.first() {
                let (stack, to) = (&kept.stack, &edge.to);
                warnings.push(format!(
                    "{stack} stays, and depends on {to}: {}: {}",
                    edge.reason,
                    edge.detail()
                ));
            }
        }
        if !forgotten.is_empty() {
            let message = format!(
                "the other regions are off, but these stacks are there and would be left behind: {}",
                forgotten.join(", ")
            );
            errors.push(AwsError::setup(message).hint(
                "turn the other regions on (see `multi-region` in paceline.yaml) to delete them too, \
                 or name with --exclude what is to stay",
            ));
        }
        if errors.is_empty() { Ok(warnings) } else { Err(PreflightError(errors)) }
    }

    /// An error for each stack of the plan that exists and is protected.
    async fn protected(&self, destruction: &Destruction) -> Result<Vec<AwsError>, PreflightError> {
        let stacks = destruction.plan.stacks.iter().filter_map(|planned| self.assembly.stack(&planned.id));
        let mut errors = Vec::new();
        for looked in join_all(stacks.map(|stack| self.protection(stack))).await {
            errors.extend(looked?);
        }
        Ok(errors)
    }

    async fn protection(&self, stack: &Stack) -> Result<Option<AwsError>, AwsError> {
        let view = self.environment(stack).await?.poller.glance(&stack.name).await?;
        Ok(view.filter(is_protected).map(|_| protection(&stack.id)))
    }

    /// The stacks that are kept and exist. Reads only kept stacks whose existence matters.
    async fn present<'a>(&self, kept: &'a [Kept], warnings: &mut Vec<String>) -> BTreeSet<&'a str> {
        let mut places: BTreeMap<_, Vec<(&'a str, &Stack)>> = BTreeMap::new();
        for kept in kept.iter().filter(|kept| kept.region_is_off || !kept.needs.is_empty()) {
            let Some(stack) = self.assembly.stack(&kept.stack) else { continue };
            let Ok(target) = self.target(stack).await else { continue };
            let role = stack.deploy_role.as_ref().map(|role| role.arn.as_str());
            places.entry((target, role)).or_default().push((&kept.stack, stack));
        }
        let mut present = BTreeSet::new();
        for ((target, _), stacks) in places {
            let role = stacks.first().and_then(|(_, stack)| stack.deploy_role.as_ref());
            let names: BTreeSet<String> = stacks.iter().map(|(_, stack)| stack.name.clone()).collect();
            let opened = self.sessions.assume(role, &target).await;
            let opened = opened.map(|config| {
                let caller = self.sessions.caller(&target);
                let environment = Environment::new(target.clone(), &config, caller, names);
                if self.is_unlisted(&target, role.map(|role| role.arn.clone())) {
                    environment.poller.never_list();
                }
                environment
            });
            for (id, stack) in stacks {
                let looked = match &opened {
                    Ok(environment) => environment.poller.glance(&stack.name).await,
                    Err(error) => Err(error.clone()),
                };
                match looked {
                    Ok(None) => {}
                    Ok(Some(_)) => drop(present.insert(id)),
                    Err(error) => warnings.push(format!(
                        "{id} in {target} could not be looked for, and stays if it is there: {error}"
                    )),
                }
            }
        }
        present
    }
}
