//! Checks CloudFormation's limits before anything is changed: the number of stacks in an environment, and the
//! size of templates.
//!
//! The limits are those of the CloudFormation User Guide, "Understand CloudFormation quotas". If a limit
//! cannot be read, the check is left out and noted. A missing permission to read it stops nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_cloudformation::Client;
use camino::Utf8Path;
use futures_util::future::join_all;
use paceline_assembly::{Assembly, Stack, Template};
use paceline_plan::{Plan, Work};

use super::Aws;
use crate::environment::Environment;
use crate::error::{AwsError, ErrorKind};
use crate::target::Target;

/// The greatest number of resources in a template.
const RESOURCES: usize = 500;
/// The greatest number of parameters in a template. The same limit applies to outputs and to mappings.
const ENTRIES: usize = 200;
/// The greatest size of a template in S3. The limit is 1 MB, and this is the larger meaning of that.
const BYTES: u64 = 1 << 20;
/// "Stacks per account" of CloudFormation in Service Quotas.
const QUOTA: &str = "L-0485CB21";
/// The time for which the limit is read before it counts as unknown.
const PATIENCE: Duration = Duration::from_secs(5);

/// The limits of an account in a region, as far as `DescribeAccountLimits` tells them.
#[derive(Debug, Default)]
pub(super) struct AccountLimits {
    /// The number of stacks.
    stacks: Option<usize>,
    /// The number of resources in stack operations at the same time.
    pub(super) resources: Option<usize>,
}

impl Aws {
    /// The limits that the plan exceeds, and notes about checks that were not possible.
    pub(crate) async fn check_quotas(&self, plan: &Plan) -> (Vec<AwsError>, Vec<String>) {
        let mut places: BTreeMap<Target, Vec<&Stack>> = BTreeMap::new();
        let mut errors = Vec::new();
        for step in &plan.steps {
            let Work::Deploy { stack } = step.work else { continue };
            let Some(planned) = plan.stacks.get(stack) else { continue };
            let Some(stack) = self.assembly.stack(&planned.id) else { continue };
            errors.extend(templates(stack));
            // A stack without resources is not created.
            if planned.resources > 0
                && let Ok(target) = self.target(stack).await
            {
                places.entry(target).or_default().push(stack);
            }
        }
        let mut unknown: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let asked = places
            .iter()
            .map(|(target, stacks)| async move { (target, self.check_stacks(target, stacks).await) });
        for (target, asked) in join_all(asked).await {
            match asked {
                Ok(error) => errors.extend(error),
                Err(error) => unknown.entry(reason(&error)).or_default().push(target.to_string()),
            }
        }
        let note = |(why, places): (String, Vec<String>)| {
            format!("how many stacks there may be is not checked in {}: {why}", places.join(", "))
        };
        (errors, unknown.into_iter().map(note).collect())
    }

    /// Compares the allowed number of stacks with the number after the run. The error is the reason why this
    /// is not possible.
    async fn check_stacks(&self, target: &Target, stacks: &[&Stack]) -> Result<Option<AwsError>, AwsError> {
        let (mut more, mut counted, mut asker) = (0, None, None);
        for stack in stacks {
            // An environment that could not be opened is reported already.
            let Ok(environment) = self.environment(stack).await else { return Ok(None) };
            if environment.poller.glance(&stack.name).await?.is_none() {
                more += 1 + nested(stack);
            }
            counted = counted.or(environment.poller.counted());
            asker = asker.or(Some((environment, stack)));
        }
        let Some((environment, stack)) = asker.filter(|_| more > 0) else { return Ok(None) };
        let counted = counted.ok_or_else(|| AwsError::setup("the stacks there cannot be listed"))?;
        let limits = self.account_limits(environment, stack).await?;
        self.resource_limits.note(target, &limits);
        let limit =
            limits.stacks.ok_or_else(|| AwsError::setup("DescribeAccountLimits does not tell the limit"))?;
        if counted + more <= limit {
            return Ok(None);
        }
        let Target { region, .. } = target;
        let stacks = if counted == 1 { "stack is" } else { "stacks are" };
        let message = format!(
            "aws://{target} may have {limit} stacks: {counted} {stacks} there, and {more} more would be created"
        );
        Ok(Some(AwsError::setup(message).hint(format!(
            "delete stacks that are not needed there, or ask for more: aws service-quotas \
             request-service-quota-increase --service-code cloudformation --quota-code {QUOTA} --region {region} \
             --desired-value {}",
            counted + more
        ))))
    }

    /// The limits of the account in a region. The deploy role of a bootstrap may not read it (its policy has no
    /// `DescribeAccountLimits`), but that role is the only way into another account.
    pub(super) async fn account_limits(
        &self,
        environment: &Environment,
        stack: &Stack,
    ) -> Result<AccountLimits, AwsError> {
        let is_ours = environment.target.account == self.sessions.account().await?;
        let role = stack.deploy_role.as_ref().filter(|_| !is_ours);
        let config = self.sessions.assume(role, &environment.target).await?;
        let client = Client::new(&config);
        let (mut next, mut limits) = (None::<String>, AccountLimits::default());
        loop {
            let send = || client.describe_account_limits().set_next_token(next.clone()).send();
            let answer = environment.call_within(PATIENCE, None, "DescribeAccountLimits", send).await?;
            for limit in answer.account_limits() {
                let value = limit.value().and_then(|value| usize::try_from(value).ok());
                match limit.name() {
                    Some("StackLimit") => limits.stacks = value,
                    Some("ConcurrentResourcesLimit") => limits.resources = value,
                    _ => {}
                }
            }
            next = answer.next_token().map(str::to_owned);
            if next.is_none() {
                return Ok(limits);
            }
        }
    }
}

/// The reason why something is not known, in one line.
fn reason(error: &AwsError) -> String {
    match (error.kind, &error.place) {
        (ErrorKind::Denied, Some(at)) => format!("{at} is not allowed"),
        (_, Some(at)) => format!("{at}: {error}"),
        (_, None) => error.to_string(),
    }
}

/// The least number of nested stacks of a stack. A nested stack does not count if its condition may be false.
fn nested(stack: &Stack) -> usize {
    if stack.nested.is_empty() {
        return 0;
    }
    let stack = stack.opened();
    let resolver = stack.template.resolver();
    let is_made = |outermost: &str| {
        let holds = |condition| resolver.condition(condition) == Some(true);
        stack.template.resource(outermost).is_some_and(|resource| resource.condition.is_none_or(holds))
    };
    let outermost =
        stack.nested_that_may_be_made().map(|nested| nested.parents.first().unwrap_or(&nested.logical_id));
    outermost.filter(|outermost| is_made(outermost)).count()
}

/// An error for each of CloudFormation's limits that a template of the plan exceeds. It asks nobody.
pub fn template_limits(assembly: &Assembly, plan: &Plan) -> Vec<AwsError> {
    let deployed = plan.steps.iter().filter_map(|step| match step.work {
        Work::Deploy { stack } => plan.stacks.get(stack),
        _ => None,
    });
    deployed.filter_map(|planned| assembly.stack(&planned.id)).flat_map(templates).collect()
}

/// An error for each limit that the templates of a stack exceed. The templates of nested stacks are checked
/// separately.
fn templates(stack: &Stack) -> Vec<AwsError> {
    let stack = stack.opened();
    let mut errors = too_large(&stack.id, &stack.template, &stack.template_path);
    let mut seen = BTreeSet::new();
    for nested in &stack.nested {
        if seen.insert(&nested.path) {
            let name =
                [&stack.id].into_iter().chain(nested.logical_ids()).cloned().collect::<Vec<_>>().join(" / ");
            errors.extend(too_large(&name, &nested.template, &nested.path));
        }
    }
    errors
}

fn too_large(name: &str, template: &Template, path: &Utf8Path) -> Vec<AwsError> {
    let counts = [
        ("resources", template.resource_count(), RESOURCES),
        ("parameters", template.parameters().count(), ENTRIES),
        ("outputs", template.outputs().count(), ENTRIES),
        ("mappings", template.mappings().count(), ENTRIES),
    ];
    let over = counts.into_iter().filter(|(_, count, limit)| count > limit);
    let over = over.map(|(what, count, limit)| {
        format!("the template of {name} has {count} {what}, and CloudFormation takes {limit}")
    });
    let bytes = fs_err::metadata(path).map_or(0, |file| file.len());
    let size = (bytes > BYTES).then(|| {
        format!("the template of {name} has {bytes} bytes, and CloudFormation takes 1 MB ({BYTES})")
    });
    let error = |message| {
        AwsError::setup(message)
            .hint("split the stack, or move a part of it into a nested stack")
            .during(path.as_str())
    };
    over.chain(size).map(error).collect()
}
