//! Aliases of stacks (CloudFormation API Reference, `SetAlias`): a stack has at most one, and an alias can be
//! used wherever a name can. The error for an alias that is taken is not documented.

use std::sync::Arc;

use serde_json::json;

use super::actions::valid_name;
use super::{does_not_exist, key_of};
use crate::wire::{Fault, Outcome, Request};
use crate::world::{AccountRegion, Region, Stack, World};

/// The ARN of the stack that has this alias.
pub(super) fn meant<'a>(region: &'a Region, alias: &str) -> Option<&'a Arc<str>> {
    let mut all = region.stacks.iter();
    let is_it = |stack: &Stack| !stack.is_deleted() && stack.alias.as_deref() == Some(alias);
    all.find(|(_, stack)| is_it(stack)).map(|(arn, _)| arn)
}

pub(super) fn set(world: &mut World, request: &Request) -> Outcome {
    let (name, alias) = (request.form.required("StackName")?, request.form.required("AliasName")?);
    give(world, &request.place, name, alias).map(|()| json!({}))
}

/// Gives a stack an alias.
pub(crate) fn give(world: &mut World, place: &AccountRegion, name: &str, alias: &str) -> Result<(), Fault> {
    valid_name(alias)?;
    let key = key_of(world, place, name).ok_or_else(|| Fault::validation(does_not_exist(name)))?;
    if key_of(world, place, alias).is_some() {
        return Err(Fault::bad("AlreadyExistsException", format!("Stack [{alias}] already exists")));
    }
    let stack = world.region_mut(&key.place).stacks.get_mut(&key.arn).filter(|stack| !stack.is_deleted());
    let stack = stack.ok_or_else(|| Fault::validation(does_not_exist(name)))?;
    if let Some(alias) = &stack.alias {
        return Err(Fault::validation(format!("Stack [{name}] already has the alias [{alias}]")));
    }
    stack.alias = Some(alias.to_owned());
    Ok(())
}

pub(super) fn remove(world: &mut World, request: &Request) -> Outcome {
    let alias = request.form.required("AliasName")?;
    let region = world.region_mut(&request.place);
    let arn = meant(region, alias).cloned();
    let stack = arn.and_then(|arn| region.stacks.get_mut(&arn));
    let stack = stack.ok_or_else(|| Fault::validation(format!("Alias [{alias}] does not exist")))?;
    stack.alias = None;
    Ok(json!({}))
}
