//! The CloudFormation API.

mod actions;
mod aliases;
mod change_sets;
mod describe;
mod lists;
mod rate;
mod submission;

use std::sync::Arc;

use serde_json::json;

use crate::services::service::{Answer, Service, page, unknown_operation};
use crate::wire::{Fault, Outcome, Protocol, Request};
use crate::world::{AccountRegion, Stack, StackKey, World};

pub(crate) use aliases::give as give_alias;

pub(super) struct CloudFormation;

impl Service for CloudFormation {
    fn name(&self) -> &'static str {
        "cloudformation"
    }

    fn protocol(&self) -> Protocol {
        Protocol::Query { namespace: "http://cloudformation.amazonaws.com/doc/2010-05-15/" }
    }

    fn rate(&self, operation: &str) -> Option<f64> {
        rate::rate(operation)
    }

    fn answer(&self, world: &mut World, request: &Request) -> Result<Answer, Fault> {
        perform(world, request).map(Answer::Result)
    }
}

fn perform(world: &mut World, request: &Request) -> Outcome {
    match request.operation.as_str() {
        "CreateStack" => actions::create_stack(world, request),
        "UpdateStack" => actions::update_stack(world, request),
        "DeleteStack" => actions::delete_stack(world, request),
        "RollbackStack" => actions::rollback_stack(world, request),
        "ContinueUpdateRollback" => actions::continue_update_rollback(world, request),
        "CancelUpdateStack" => actions::cancel_update_stack(world, request),
        "UpdateTerminationProtection" => actions::update_termination_protection(world, request),
        "SetAlias" => aliases::set(world, request),
        "RemoveAlias" => aliases::remove(world, request),
        "CreateChangeSet" => change_sets::create(world, request),
        "DescribeChangeSet" => change_sets::describe(world, request),
        "ExecuteChangeSet" => change_sets::execute(world, request),
        "DeleteChangeSet" => change_sets::delete(world, request),
        "ListChangeSets" => change_sets::list(world, request),
        "DescribeStacks" => describe::stacks(world, request),
        "DescribeStackEvents" => describe::events(world, request),
        "DescribeEvents" => describe::operation_events(world, request),
        "DescribeStackResource" => describe::resource(world, request),
        "DescribeStackResources" => describe::resources(world, request),
        "GetTemplate" => describe::template(world, request),
        "ListStacks" => lists::stacks(world, request),
        "ListStackResources" => lists::resources(world, request),
        "ListExports" => lists::exports(world, request),
        "ListImports" => lists::imports(world, request),
        "GetTemplateSummary" => lists::template_summary(world, request),
        "ValidateTemplate" => lists::validate_template(world, request),
        "DescribeAccountLimits" => Ok(json!({"AccountLimits": [
            {"Name": "StackLimit", "Value": world.options.stacks},
            {"Name": "StackOutputsLimit", "Value": 200},
            {"Name": "ConcurrentResourcesLimit", "Value": world.options.concurrent_resources},
        ]})),
        _ => Err(unknown_operation(request)),
    }
}

/// The key of the stack with this name, alias or ARN. A name or an alias never means a deleted stack.
fn key_of(world: &World, place: &AccountRegion, name: &str) -> Option<StackKey> {
    let region = world.region(place)?;
    let arn: Arc<str> = if name.starts_with("arn:") {
        region.stacks.get_key_value(name)?.0.clone()
    } else {
        region.names.get(name).or_else(|| aliases::meant(region, name))?.clone()
    };
    Some(StackKey { place: place.clone(), arn })
}

/// The stack that a request names.
fn named<'a>(
    world: &'a World,
    request: &Request,
    missing: impl Fn(&str) -> String,
) -> Result<&'a Stack, Fault> {
    let name = request.form.required("StackName")?;
    let key = key_of(world, &request.place, name);
    let stack = key.and_then(|key| world.region(&request.place)?.stacks.get(&key.arn));
    stack.map(|stack| &**stack).ok_or_else(|| Fault::validation(missing(name)))
}

fn does_not_exist(name: &str) -> String {
    format!("Stack with id {name} does not exist")
}
