//! The number of resources that may be in stack operations at the same time, in each account and region.
//!
//! The number is known after the check of the number of stacks, because one call tells both. A plan that creates no
//! stack has no such check. Then the number is read only where the stacks of the plan have so many resources that it
//! could matter.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use futures_util::future::join_all;
use paceline_assembly::Stack;
use paceline_engine::ASSUMED_RESOURCES;
use paceline_plan::Plan;

use super::Aws;
use super::quota::AccountLimits;
use crate::target::Target;

/// The limits that have been read.
#[derive(Debug, Default)]
pub(super) struct ResourceLimits(Mutex<BTreeMap<Target, Option<NonZeroUsize>>>);

impl ResourceLimits {
    pub(super) fn note(&self, target: &Target, limits: &AccountLimits) {
        let limit = limits.resources.and_then(NonZeroUsize::new);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(target.clone(), limit);
    }

    fn is_read(&self, target: &Target) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains_key(target)
    }

    /// The limit of an account and region. A plan may leave out one of them; then the lowest limit counts.
    pub(super) fn of(&self, account: Option<&str>, region: Option<&str>) -> Option<NonZeroUsize> {
        let limits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_meant = |target: &&Target| {
            account.is_none_or(|account| account == target.account)
                && region.is_none_or(|region| region == target.region)
        };
        limits.iter().filter(|(target, _)| is_meant(target)).filter_map(|(_, limit)| *limit).min()
    }
}

impl Aws {
    /// Reads the limits where the plan could reach them. Returns notes about those that could not be read.
    pub(super) async fn read_resource_limits(&self, plan: &Plan) -> Vec<String> {
        if plan.concurrency.resources.is_some() || plan.prepares {
            return Vec::new();
        }
        let mut places: BTreeMap<Target, (&Stack, usize)> = BTreeMap::new();
        for step in &plan.steps {
            let planned = step.work.changes().map(|stack| &plan.stacks[stack]);
            let stack = planned.and_then(|planned| Some((planned, self.assembly.stack(&planned.id)?)));
            let Some((planned, stack)) = stack else { continue };
            if let Ok(target) = self.target(stack).await {
                places.entry(target).or_insert((stack, 0)).1 += planned.resources;
            }
        }
        places.retain(|target, (_, resources)| {
            *resources > ASSUMED_RESOURCES && !self.resource_limits.is_read(target)
        });
        let read = places.into_iter().map(|(target, (stack, _))| async move {
            let environment = self.environment(stack).await.ok()?;
            match self.account_limits(environment, stack).await {
                Ok(limits) => {
                    self.resource_limits.note(&target, &limits);
                    None
                }
                Err(error) => Some(format!(
                    "how many resources may be in stack operations at the same time in {target} is not known, \
                     {ASSUMED_RESOURCES} is assumed (`concurrency.resources` in paceline.yaml sets it): {error}"
                )),
            }
        });
        join_all(read).await.into_iter().flatten().collect()
    }
}
