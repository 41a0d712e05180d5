//! What policies newly allow: those of IAM, and those of buckets, queues, keys and the like.

use paceline_assembly::Resource;
use serde_json::Value;

use super::statement::{Statement, statements, texts};
use crate::model::{Access, AllBut};
use crate::rendered::rendered;

/// The property of a role that says who may assume it.
const TRUST: &str = "AssumeRolePolicyDocument";
/// Types whose policies are for the resource itself, and name no principal.
const IDENTITIES: [&str; 3] = ["AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group"];
/// The properties that say who has a policy.
const HOLDERS: [&str; 6] = ["Roles", "Users", "Groups", "RoleName", "UserName", "GroupName"];

pub(super) fn widened(before: Option<&Resource<'_>>, after: &Resource<'_>) -> Vec<Access> {
    let mut found = Vec::new();
    let property = |resource: Option<&Resource<'_>>, name: &str| {
        resource.and_then(|it| it.properties).and_then(|it| it.get(name)).cloned()
    };
    let list = |resource: Option<&Resource<'_>>, name: &str| {
        property(resource, name).as_ref().map(texts).unwrap_or_default()
    };
    if let Some(trust) = property(Some(after), TRUST) {
        let had = property(before, TRUST).as_ref().map(statements).unwrap_or_default();
        for statement in statements(&trust) {
            let Some(gain) = allowed(&statement).and_then(|it| it.gain(&had)) else { continue };
            let is_conditional = statement.condition.is_some();
            let all_but = statement.all_but.principals;
            found.push(Access::AssumedBy { principals: gain.principals, all_but, is_conditional });
        }
    }
    policies(before, after, &mut found);
    for arn in ["ManagedPolicyArns", "ManagedPolicies"] {
        let had = list(before, arn);
        let new = list(Some(after), arn).into_iter().filter(|policy| !had.contains(policy));
        found.extend(new.map(|policy| Access::ManagedPolicy { policy }));
    }
    let is_bounded = |resource| property(resource, "PermissionsBoundary").is_some();
    if is_bounded(before) && !is_bounded(Some(after)) {
        found.push(Access::NoBoundary);
    }
    if after.resource_type == "AWS::Lambda::Permission" {
        found.extend(permission(before, after));
    }
    found
}

/// The statements of all policies of a resource, except for who may assume it.
fn of_policies(resource: &Resource<'_>) -> Vec<Statement> {
    let properties = resource.properties.and_then(Value::as_object).into_iter().flatten();
    properties.filter(|(name, _)| *name != TRUST).flat_map(|(_, value)| statements(value)).collect()
}

fn allowed(statement: &Statement) -> Option<&Statement> {
    statement.is_allow.then_some(statement)
}

fn policies(before: Option<&Resource<'_>>, after: &Resource<'_>, found: &mut Vec<Access>) {
    let (had, has) = (before.map(of_policies).unwrap_or_default(), of_policies(after));
    let (had_holders, holders) = (before.map(holders).unwrap_or_default(), holders(after));
    // A role that newly has the policy gains all of it.
    let gained_holders: Vec<String> =
        holders.iter().filter(|it| !had_holders.contains(it)).cloned().collect();
    for statement in has.iter().filter_map(allowed) {
        let mut push = |to: &[String], gain: super::statement::Gain| {
            let to = if gain.principals.is_empty() { to.to_vec() } else { gain.principals };
            found.push(Access::Allows {
                to,
                actions: gain.actions,
                resources: gain.resources,
                all_but: statement.all_but,
                is_conditional: statement.condition.is_some(),
            });
        };
        if let Some(gain) = statement.gain(&had) {
            push(&holders, gain);
        } else if before.is_some()
            && !gained_holders.is_empty()
            && let Some(gain) = statement.gain(&[])
        {
            push(&gained_holders, gain);
        }
    }
    let denied = had.iter().filter(|statement| !statement.is_allow && !has.contains(statement));
    found.extend(denied.map(|statement| Access::NoLongerDenies { actions: statement.actions.clone() }));
}

/// The roles, users and groups that have a policy.
fn holders(resource: &Resource<'_>) -> Vec<String> {
    if IDENTITIES.contains(&resource.resource_type) {
        return Vec::new();
    }
    let Some(properties) = resource.properties else { return Vec::new() };
    HOLDERS.iter().filter_map(|name| properties.get(name)).flat_map(texts).collect()
}

/// A statement of a function's own policy is a resource of its own.
fn permission(before: Option<&Resource<'_>>, after: &Resource<'_>) -> Option<Access> {
    let property = |resource: &Resource<'_>, name: &str| resource.properties?.get(name).map(rendered);
    let scope = |resource: &Resource<'_>| {
        ["Action", "Principal", "FunctionName", "SourceArn", "SourceAccount", "PrincipalOrgID"]
            .map(|name| property(resource, name))
    };
    if before.is_some_and(|before| scope(before) == scope(after)) {
        return None;
    }
    let is_conditional =
        ["SourceArn", "SourceAccount", "PrincipalOrgID"].iter().any(|name| property(after, name).is_some());
    Some(Access::Allows {
        to: vec![property(after, "Principal")?],
        actions: vec![property(after, "Action")?],
        resources: property(after, "FunctionName").into_iter().collect(),
        all_but: AllBut::default(),
        is_conditional,
    })
}
