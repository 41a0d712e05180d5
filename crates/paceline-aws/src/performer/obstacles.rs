//! Assumes the roles for publishing before anything is published, and reports roles that cannot be assumed.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use paceline_assembly::Role;
use paceline_plan::{Plan, Publish, Work};
use paceline_text::first_few;

use super::Aws;
use crate::error::AwsError;
use crate::target::Target;

/// The greatest number of roles that are listed after the first one.
const NAMED: usize = 3;

/// The reason why an environment cannot be used.
#[derive(Debug)]
pub(crate) enum Obstacle {
    /// This role cannot be assumed.
    Role(String, AwsError),
    Other(AwsError),
}

impl Aws {
    /// Assumes every role that the plan publishes as, and returns the roles that cannot be assumed. A role
    /// that a stack of the plan may create first is not tried.
    pub(crate) async fn assume_publishing_roles(&self, plan: &Plan) -> Vec<Obstacle> {
        let mut after_a_stack: Vec<bool> = Vec::with_capacity(plan.steps.len());
        let mut roles: BTreeMap<(Target, &str), &Role> = BTreeMap::new();
        for step in &plan.steps {
            let waits = step.needs.iter().any(|&need| after_a_stack.get(need).copied().unwrap_or(true));
            after_a_stack.push(waits || step.work.changes().is_some());
            if let Work::Publish(publish) = &step.work
                && !waits
                && let Some((target, role)) = self.publishes_as(publish).await
            {
                roles.insert((target, &role.arn), role);
            }
        }
        let assumed = roles.into_iter().map(|((target, arn), role)| async move {
            let refused = self.sessions.assume(Some(role), &target).await.err();
            refused.map(|error| Obstacle::Role(target.resolve(arn), error))
        });
        join_all(assumed).await.into_iter().flatten().collect()
    }

    /// The account and region of an asset's destination, and the role that publishes it.
    async fn publishes_as<'a>(&'a self, publish: &Publish) -> Option<(Target, &'a Role)> {
        let stack = self.assembly.stack(&publish.manifest)?;
        let (asset, to) = (&publish.asset, &publish.destination);
        let (region, role) = if publish.image {
            let to = stack.assets.images.get(asset)?.destinations.get(to)?;
            (&to.region, &to.role)
        } else {
            let to = stack.assets.files.get(asset)?.destinations.get(to)?;
            (&to.region, &to.role)
        };
        Some((self.target(stack).await.ok()?.of_destination(region.as_ref()), role.as_ref()?))
    }
}

/// The errors, each cause once. If several roles cannot be assumed for the same reason, the error names the
/// first role with the reason, and the other roles.
pub(crate) fn each_cause_once(obstacles: Vec<Obstacle>) -> Vec<AwsError> {
    let mut errors: Vec<(AwsError, Vec<String>)> = Vec::new();
    for obstacle in obstacles {
        match obstacle {
            Obstacle::Other(error) if errors.iter().any(|(it, _)| *it == error) => {}
            Obstacle::Other(error) => errors.push((error, Vec::new())),
            Obstacle::Role(arn, error) => {
                let of_another = |(it, arns): &&mut (AwsError, Vec<String>)| {
                    let why = |error: &AwsError, arn: &str| error.to_string().replace(arn, "");
                    let same = |first: &String| why(it, first) == why(&error, &arn);
                    (it.kind, &it.hint) == (error.kind, &error.hint) && arns.first().is_some_and(same)
                };
                match errors.iter_mut().find(of_another) {
                    Some((_, arns)) if arns.contains(&arn) => {}
                    Some((_, arns)) => arns.push(arn),
                    None => errors.push((error, vec![arn])),
                }
            }
        }
    }
    let with_more = |(error, arns): (AwsError, Vec<String>)| {
        let more = arns.get(1..).unwrap_or_default();
        let named = first_few(more, NAMED);
        let others = match more.len() {
            0 => return error,
            1 => format!("; the same of {named}"),
            count => format!("; the same of {count} more roles: {named}"),
        };
        AwsError { message: format!("{}{others}", error.message), ..error }
    };
    errors.into_iter().map(with_more).collect()
}
