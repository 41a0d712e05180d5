//! The gates after a stack, and the bake after the stacks of a region.
//!
//! A new kind of gate gets its own function here, and a line in `try_perform` of the performer.

mod bake;
mod roles;

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;

use paceline_assembly::{ResourceStatus, Stack};
use paceline_config::IamRoles;
use paceline_engine::{Ended, Outcome, StepContext};

use self::roles::policies_in;
use crate::environment::Environment;
use crate::error::{AwsError, PreflightError};
use crate::sdk::Wire;
use crate::session::{ANY_REGION, Sessions};
use crate::stack::EventLog;
use crate::target::Target;

pub(crate) use self::bake::{OldAlarms, Triggered, Watch, no_alarm, triggered, unknown};
use self::roles::RoleWaiter;
pub use self::roles::{Policies, RoleWait, Usable};

/// Waits until the roles that the last operation of a stack created are usable.
pub(crate) async fn iam_roles(
    sessions: &Sessions,
    environment: &Environment,
    context: &StepContext,
    stack: &Stack,
    roles: &IamRoles,
) -> Result<Ended, AwsError> {
    // The deploy role may not read IAM, but it is the only way into another account.
    let is_ours = environment.target.account == sessions.account().await?;
    let role = stack.deploy_role.as_ref().filter(|_| !is_ours);
    let config = sessions.assume_by(&environment.caller(Some(context)), role, &environment.target).await?;
    let client = aws_sdk_iam::Client::new(&config);
    let caller = sessions.caller(&Target::everywhere(&environment.target.account)).of_step(context);
    let waiter = RoleWaiter { client, caller, now: context.now() };
    let mut wait = RoleWait::default();
    created(environment, stack, &stack.name, &mut Vec::new(), &mut wait).await?;
    if let IamRoles::Named(names) = roles {
        let names: BTreeSet<&str> = names.iter().map(String::as_str).collect();
        wait = named(stack, &names, &wait);
    }
    if wait.is_empty() {
        return Ok(Ended::new(Outcome::Unchanged).with_detail("no new roles"));
    }
    let usable = waiter.wait(&wait).await?;
    if !usable.verified {
        context.warn(format!(
            "the roles of {} could not be read, so only time has passed: allow iam:GetRole, \
             iam:GetInstanceProfile, iam:ListAttachedRolePolicies and iam:ListRolePolicies",
            stack.id
        ));
    }
    let detail = if usable.verified { "usable" } else { "not verified" };
    Ok(Ended::new(Outcome::Deployed).with_detail(format!("{} roles {detail}", usable.count)))
}

/// The named roles among the new roles. A name that no new role has is taken as the name of an existing role.
fn named(stack: &Stack, names: &BTreeSet<&str>, new: &RoleWait) -> RoleWait {
    let mut wait = RoleWait::default();
    for name in names {
        // CloudFormation puts the logical id into the names that it generates.
        let is_it = |physical: &str| physical == *name || physical.contains(&format!("-{name}-"));
        let before = wait.len();
        wait.roles.extend(new.roles.iter().filter(|(role, _)| is_it(role)).map(|(r, p)| (r.clone(), *p)));
        wait.instance_profiles.extend(new.instance_profiles.iter().filter(|profile| is_it(profile)).cloned());
        if wait.len() == before && stack.template.resource(name).is_none() {
            wait.roles.insert((*name).to_owned(), Policies::default());
        }
    }
    wait
}

/// Finds the roles that the last operation of a stack and of its nested stacks created. Events show them.
/// Reading events needs no permission that an older bootstrap version lacks.
fn created<'a>(
    environment: &'a Environment,
    stack: &'a Stack,
    id: &'a str,
    parents: &'a mut Vec<String>,
    wait: &'a mut RoleWait,
) -> Pin<Box<dyn Future<Output = Result<(), AwsError>> + Send + 'a>> {
    Box::pin(async move {
        let changes = EventLog::default().read(environment, id).await?;
        let template = stack.template_at(parents);
        for change in changes
            .iter()
            .filter(|change| !change.of_stack && change.status == ResourceStatus::CreateComplete)
        {
            match change.resource_type.as_str() {
                "AWS::IAM::Role" => {
                    let policies = template.map(|t| policies_in(t, &change.logical_id)).unwrap_or_default();
                    wait.roles.insert(change.physical_id.clone(), policies);
                }
                "AWS::IAM::InstanceProfile" => wait.instance_profiles.push(change.physical_id.clone()),
                "AWS::CloudFormation::Stack" => {
                    parents.push(change.logical_id.clone());
                    created(environment, stack, &change.physical_id, parents, wait).await?;
                    parents.pop();
                }
                _ => {}
            }
        }
        Ok(())
    })
}

/// Waits until roles are usable, without a run. For scripts.
pub async fn wait_for_iam_roles(
    wire: &Wire,
    wait: &RoleWait,
    now: jiff::Timestamp,
) -> Result<Usable, PreflightError> {
    let sessions = Sessions::open(wire, ANY_REGION).await?;
    let client = aws_sdk_iam::Client::new(sessions.base());
    let caller = sessions.caller(&Target::everywhere(sessions.account().await?));
    Ok(RoleWaiter { client, caller, now }.wait(wait).await?)
}
