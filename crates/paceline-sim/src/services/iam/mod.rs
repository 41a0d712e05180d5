//! IAM: the roles that stacks create, with eventual consistency.
//!
//! A change is stored at once and becomes visible later ("changes take time to become visible", IAM User
//! Guide, troubleshooting, eventual consistency). The seed decides how much later.

mod simulate;

use std::collections::BTreeMap;

use paceline_text::in_url;
use serde_json::{Value, json};

use crate::services::service::{Answer, Service, unknown_operation};
use crate::wire::{Fault, Outcome, Protocol, Request};
use crate::world::{Role, World, visible_at, written};

/// Identity and Access Management.
pub(super) struct Iam;

impl Service for Iam {
    fn name(&self) -> &'static str {
        "iam"
    }

    fn protocol(&self) -> Protocol {
        Protocol::Query { namespace: "https://iam.amazonaws.com/doc/2010-05-08/" }
    }

    fn answer(&self, world: &mut World, request: &Request) -> Result<Answer, Fault> {
        perform(world, request).map(Answer::Result)
    }
}

fn perform(world: &mut World, request: &Request) -> Outcome {
    let form = &request.form;
    match request.operation.as_str() {
        "GetRole" => {
            let name = form.required("RoleName")?;
            let role = role(world, request, name)?;
            Ok(json!({"Role": described(name, &role)}))
        }
        "ListAttachedRolePolicies" => {
            let role = role(world, request, form.required("RoleName")?)?;
            let policies: Vec<Value> = role
                .attached
                .iter()
                .filter(|(_, visible)| **visible <= world.now)
                .map(|(arn, _)| json!({"PolicyArn": arn, "PolicyName": arn.rsplit('/').next()}))
                .collect();
            Ok(json!({"AttachedPolicies": policies, "IsTruncated": false}))
        }
        "ListRolePolicies" => {
            let role = role(world, request, form.required("RoleName")?)?;
            let names: Vec<&String> = role
                .inline
                .iter()
                .filter(|(_, (_, visible))| *visible <= world.now)
                .map(|(name, _)| name)
                .collect();
            Ok(json!({"PolicyNames": names, "IsTruncated": false}))
        }
        "GetRolePolicy" => {
            let name = form.required("RoleName")?;
            let policy = form.required("PolicyName")?;
            let role = role(world, request, name)?;
            match role.inline.get(policy) {
                Some((document, visible)) if *visible <= world.now => Ok(json!({
                    "RoleName": name, "PolicyName": policy, "PolicyDocument": in_url(document),
                })),
                _ => Err(missing(format!("The role policy with name {policy} cannot be found."))),
            }
        }
        "GetInstanceProfile" => get_profile(world, request),
        "SimulatePrincipalPolicy" => simulate::simulate(world, request),
        "CreateServiceLinkedRole" => create_service_linked_role(world, request),
        _ => Err(unknown_operation(request)),
    }
}

fn missing(message: String) -> Fault {
    Fault::new(404, "NoSuchEntity", message)
}

/// A role that is visible by now. With `iam_flaps`, a visible role can be missing once more.
fn role(world: &mut World, request: &Request, name: &str) -> Result<Role, Fault> {
    let flaps = world.options.faults.iam_flaps;
    let (now, unlucky) = (world.now, world.random.chance(flaps));
    let roles = &mut world.account_mut(&request.place.account).identities.roles;
    let absent = || missing(format!("The role with name {name} cannot be found."));
    let role = roles.get_mut(name).filter(|role| role.visible <= now).ok_or_else(absent)?;
    if unlucky && !role.flapped {
        role.flapped = true;
        return Err(absent());
    }
    Ok(role.clone())
}

fn described(name: &str, role: &Role) -> Value {
    json!({
        "RoleName": name,
        "RoleId": role.id,
        "Arn": role.arn,
        "Path": role.path,
        "CreateDate": written(role.created),
        "AssumeRolePolicyDocument": in_url(&role.trust),
        "MaxSessionDuration": 3600,
    })
}

fn get_profile(world: &mut World, request: &Request) -> Outcome {
    let name = request.form.required("InstanceProfileName")?;
    let now = world.now;
    let identities = &world.account_mut(&request.place.account).identities;
    let profile = identities
        .profiles
        .get(name)
        .filter(|profile| profile.visible <= now)
        .ok_or_else(|| missing(format!("Instance Profile {name} cannot be found.")))?;
    let roles: Vec<Value> = profile
        .roles
        .iter()
        .filter_map(|name| {
            Some(described(name, identities.roles.get(name).filter(|role| role.visible <= now)?))
        })
        .collect();
    Ok(json!({"InstanceProfile": {
        "InstanceProfileName": name,
        "InstanceProfileId": profile.id,
        "Arn": profile.arn,
        "Path": "/",
        "CreateDate": written(profile.created),
        "Roles": roles,
    }}))
}

fn create_service_linked_role(world: &mut World, request: &Request) -> Outcome {
    let service = request.form.required("AWSServiceName")?;
    let account = request.place.account.clone();
    let stem: String = service
        .split('.')
        .next()
        .unwrap_or_default()
        .split('-')
        .map(|word| word.get(..1).unwrap_or_default().to_uppercase() + word.get(1..).unwrap_or_default())
        .collect();
    let name = format!("AWSServiceRoleFor{stem}");
    let (now, visible) = (world.now, visible_at(world, &["service-linked", &account, &name]));
    let id = format!("AROA{}", world.draws(&["role", &account, &name]).upper(17));
    let roles = &mut world.account_mut(&account).identities.roles;
    if roles.contains_key(&name) {
        return Err(Fault::bad(
            "InvalidInput",
            format!(
                "Service role name {name} has been taken in this account, please try a different suffix."
            ),
        ));
    }
    let path = format!("/aws-service-role/{service}/");
    let role = Role {
        id,
        arn: format!("arn:{}:iam::{account}:role{path}{name}", request.place.partition()),
        path,
        trust: json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": ["sts:AssumeRole"], "Principal": {"Service": [service]}}
        ]})
        .to_string(),
        created: now,
        visible,
        flapped: false,
        stack: None,
        attached: BTreeMap::new(),
        inline: BTreeMap::new(),
    };
    let answer = json!({"Role": described(&name, &role)});
    roles.insert(name, role);
    Ok(answer)
}
