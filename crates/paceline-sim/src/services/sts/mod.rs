//! STS: the caller's identity, and the assumption of roles.

use std::time::Duration;

use serde_json::json;

use crate::services::service::{Answer, Service, unknown_operation};
use crate::wire::{Fault, Outcome, Protocol, Request, access_key_for, session_token};
use crate::world::{AccountRegion, World, add, written};

/// Security Token Service.
pub(super) struct Sts;

impl Service for Sts {
    fn name(&self) -> &'static str {
        "sts"
    }

    fn protocol(&self) -> Protocol {
        Protocol::Query { namespace: "https://sts.amazonaws.com/doc/2011-06-15/" }
    }

    fn answer(&self, world: &mut World, request: &Request) -> Result<Answer, Fault> {
        perform(world, request).map(Answer::Result)
    }
}

fn perform(world: &mut World, request: &Request) -> Outcome {
    match request.operation.as_str() {
        "GetCallerIdentity" => {
            let account = &request.place.account;
            let partition = request.place.partition();
            Ok(json!({
                "Arn": format!("arn:{partition}:sts::{account}:assumed-role/simulated/session"),
                "UserId": "AROASIMULATEDROLE0000:session",
                "Account": &**account,
            }))
        }
        "AssumeRole" => assume_role(world, request),
        _ => Err(unknown_operation(request)),
    }
}

fn assume_role(world: &mut World, request: &Request) -> Outcome {
    let role = request.form.required("RoleArn")?;
    let session = request.form.required("RoleSessionName")?;
    let parts: Vec<&str> = role.splitn(6, ':').collect();
    let ["arn", partition, "iam", "", account, resource] = parts[..] else {
        return Err(Fault::validation(format!("{role} is invalid")));
    };
    let name = resource.strip_prefix("role/").map(|path| path.rsplit('/').next().unwrap_or(path));
    let Some(name) = name.filter(|_| world.is_account(account)) else {
        return Err(Fault::validation(format!("{role} is invalid")));
    };
    // Credentials of one partition cannot assume roles of another.
    if partition != request.place.partition() || !may_be_assumed(world, account, name) {
        // AWS gives the same error for a role that does not exist and for one that does not trust the caller.
        return Err(Fault::new(
            403,
            "AccessDenied",
            format!(
                "User: arn:{}:sts::{}:assumed-role/simulated/session is not authorized to perform: sts:AssumeRole on resource: {role}",
                request.place.partition(),
                request.place.account
            ),
        ));
    }
    let seconds = request.form.text("DurationSeconds").and_then(|text| text.parse().ok()).unwrap_or(3600);
    let ends = add(world.now, Duration::from_secs(seconds));
    let mut draws = world.draws(&["session", role, session]);
    Ok(json!({
        "Credentials": {
            "AccessKeyId": access_key_for(account, &draws.upper(4)),
            "SecretAccessKey": draws.mixed(40),
            "SessionToken": session_token(&draws.mixed(200), ends),
            "Expiration": written(ends),
        },
        "AssumedRoleUser": {
            "AssumedRoleId": format!("AROA{}:{session}", draws.upper(17)),
            "Arn": format!("arn:{}:sts::{account}:assumed-role/{name}/{session}", request.place.partition()),
        },
        "PackedPolicySize": 6,
    }))
}

/// Whether a role can be assumed. The CDK's roles exist in bootstrapped environments, and roles of stacks
/// exist once they are visible. Any other role is assumed to be the team's own.
fn may_be_assumed(world: &World, account: &str, name: &str) -> bool {
    let known = world.accounts.get(account).and_then(|account| account.identities.roles.get(name));
    if let Some(role) = known {
        return role.visible <= world.now;
    }
    let Some(rest) = name.strip_prefix("cdk-") else { return true };
    match rest.split_once(&format!("-{account}-")) {
        Some((_, region)) => world.is_bootstrapped(&AccountRegion::new(account, region)),
        None => true,
    }
}
