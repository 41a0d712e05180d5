//! Waits until IAM roles are usable.
//!
//! IAM is eventually consistent, and its documentation names no time after which a change is everywhere (IAM
//! User Guide, "Troubleshoot IAM": verify "that the changes have been propagated before production workflows
//! depend on them"). A role that trusts only a service cannot be tested from here. So a role counts as usable
//! when it exists with its policies, has been readable for several polls in a row, and is old enough.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_iam::Client;
use jiff::Timestamp;
use paceline_assembly::Template;
use paceline_plan::pace::{ROLE_OLD_ENOUGH, ROLE_READS, ROLE_READS_EVERY, ROLE_SETTLED};
use serde_json::Value;
use tokio::time::Instant;

use crate::call::Caller;
use crate::error::{AwsError, ErrorKind, code};

/// The wait if roles may not be read.
const BLIND: Duration = Duration::from_secs(30);
/// The longest wait. After that, something else is wrong.
const PATIENCE: Duration = Duration::from_mins(5);

/// The roles and instance profiles to wait for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoleWait {
    /// Role names, each with the policies that the role must have.
    pub roles: BTreeMap<String, Policies>,
    /// The names of instance profiles.
    pub instance_profiles: Vec<String>,
}

/// The number of policies that a role must have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Policies {
    /// The number of attached managed policies.
    pub managed: usize,
    /// The number of inline policies.
    pub inline: usize,
}

/// The result of a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usable {
    /// The number of roles and instance profiles.
    pub count: usize,
    /// True if they could be read. If not, the wait was only a pause.
    pub verified: bool,
}

impl RoleWait {
    /// The number of roles and instance profiles.
    pub fn len(&self) -> usize {
        self.roles.len() + self.instance_profiles.len()
    }

    /// Returns whether there is nothing to wait for.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The time for which one read is tried again. After that, the next round reads again.
const READ_PATIENCE: Duration = Duration::from_mins(1);

/// Reads IAM as one identity in one account.
#[derive(Debug)]
pub(crate) struct RoleWaiter {
    pub(crate) client: Client,
    pub(crate) caller: Caller,
    /// The time when the waiter was made, for computing the age of roles.
    pub(crate) now: Timestamp,
}

impl RoleWaiter {
    /// Waits until all roles and profiles are usable. After [`PATIENCE`], the error names those that are not.
    pub(crate) async fn wait(&self, wait: &RoleWait) -> Result<Usable, AwsError> {
        let started = Instant::now();
        let count = wait.len();
        let mut open: Vec<Subject<'_>> = wait
            .roles
            .iter()
            .map(|(name, policies)| Subject::new(name, Some(*policies)))
            .chain(wait.instance_profiles.iter().map(|name| Subject::new(name, None)))
            .collect();
        let mut why = String::new();
        while !open.is_empty() {
            if started.elapsed() > PATIENCE {
                let names: Vec<&str> = open.iter().map(|subject| subject.name).collect();
                let message =
                    format!("not usable after {} s: {}; {why}", PATIENCE.as_secs(), names.join(", "));
                let hint =
                    "check that the roles and the policies of their stack are there, then run it again";
                return Err(AwsError { kind: ErrorKind::Refused, ..AwsError::setup(message) }
                    .hint(hint)
                    .during("IAM"));
            }
            let mut still_open = Vec::new();
            for mut subject in open {
                match self.read(&subject, started).await {
                    Ok(Seen::Settled) => {}
                    Ok(Seen::Young { old_enough }) => {
                        subject.reads += 1;
                        subject.readable_since.get_or_insert_with(Instant::now);
                        if subject.reads < ROLE_READS || !old_enough {
                            still_open.push(subject);
                        }
                    }
                    Ok(Seen::NotYet(reason)) => {
                        why = format!("{}: {reason}", subject.name);
                        (subject.reads, subject.readable_since) = (0, None);
                        still_open.push(subject);
                    }
                    Err(error) if error.kind == ErrorKind::Denied => {
                        tokio::time::sleep(BLIND).await;
                        return Ok(Usable { count, verified: false });
                    }
                    Err(error) => return Err(error),
                }
            }
            open = still_open;
            if !open.is_empty() {
                tokio::time::sleep(ROLE_READS_EVERY).await;
            }
        }
        Ok(Usable { count, verified: true })
    }

    async fn read(&self, subject: &Subject<'_>, started: Instant) -> Result<Seen, AwsError> {
        let created = match subject.policies {
            None => self.instance_profile(subject.name).await?,
            Some(_) => self.role(subject.name).await?,
        };
        let created = match created {
            Ok(created) => created,
            Err(reason) => return Ok(Seen::NotYet(reason)),
        };
        // Policies are counted once, because they stay attached.
        if let (Some(policies), 0) = (subject.policies, subject.reads)
            && let Some(missing) = self.missing(subject.name, policies).await?
        {
            return Ok(Seen::NotYet(missing));
        }
        let now = self.now.as_second() + i64::try_from(started.elapsed().as_secs()).unwrap_or(i64::MAX / 2);
        let age = Duration::from_secs(u64::try_from(now - created).unwrap_or(0));
        // If this machine's clock is behind AWS's clock, the role seems to be created in the future. Its
        // readable time counts then.
        let age = age.max(subject.readable_since.map_or(Duration::ZERO, |since| since.elapsed()));
        Ok(if age >= ROLE_SETTLED {
            Seen::Settled
        } else {
            Seen::Young { old_enough: age >= ROLE_OLD_ENOUGH }
        })
    }

    /// The creation time of the role in seconds since the epoch, or the reason why it cannot be read yet.
    async fn role(&self, name: &str) -> Result<Result<i64, String>, AwsError> {
        let send = || self.client.get_role().role_name(name).send();
        match self.reader().call("GetRole", send).await {
            Ok(answer) => Ok(Ok(answer.role().map_or(0, |role| role.create_date().secs()))),
            Err(error) => not_yet(error).map(Err),
        }
    }

    async fn instance_profile(&self, name: &str) -> Result<Result<i64, String>, AwsError> {
        let send = || self.client.get_instance_profile().instance_profile_name(name).send();
        match self.reader().call("GetInstanceProfile", send).await {
            Ok(answer) => Ok(match answer.instance_profile() {
                Some(profile) if profile.roles().is_empty() => Err("it has no role yet".to_owned()),
                Some(profile) => Ok(profile.create_date().secs()),
                None => Err("the answer is empty".to_owned()),
            }),
            Err(error) => not_yet(error).map(Err),
        }
    }

    async fn missing(&self, name: &str, policies: Policies) -> Result<Option<String>, AwsError> {
        if policies.managed > 0 {
            let send = || self.client.list_attached_role_policies().role_name(name).send();
            let attached = match self.reader().call("ListAttachedRolePolicies", send).await {
                Ok(answer) => answer.attached_policies().len(),
                Err(error) => return not_yet(error).map(Some),
            };
            if attached < policies.managed {
                return Ok(Some(format!("{attached} of {} policies are attached", policies.managed)));
            }
        }
        if policies.inline > 0 {
            let send = || self.client.list_role_policies().role_name(name).send();
            let inline = match self.reader().call("ListRolePolicies", send).await {
                Ok(answer) => answer.policy_names().len(),
                Err(error) => return not_yet(error).map(Some),
            };
            if inline < policies.inline {
                return Ok(Some(format!("it has {inline} of {} inline policies", policies.inline)));
            }
        }
        Ok(None)
    }

    fn reader(&self) -> Caller {
        self.caller.within(READ_PATIENCE)
    }
}

/// The reason to read again later. A missing role may exist at the next read. Other errors are returned.
fn not_yet(error: AwsError) -> Result<String, AwsError> {
    if error.is(code::NO_SUCH_ENTITY) || error.is_transient() { Ok(error.to_string()) } else { Err(error) }
}

struct Subject<'a> {
    name: &'a str,
    /// The policies that a role must have. `None` for an instance profile.
    policies: Option<Policies>,
    /// The number of successful reads in a row, and the time of the first of them.
    reads: u32,
    readable_since: Option<Instant>,
}

impl<'a> Subject<'a> {
    fn new(name: &'a str, policies: Option<Policies>) -> Self {
        Self { name, policies, reads: 0, readable_since: None }
    }
}

enum Seen {
    Settled,
    Young { old_enough: bool },
    NotYet(String),
}

/// The number of policies that a template gives to a role. Only policies without a condition count, because a
/// condition may remove a policy.
pub(crate) fn policies_in(template: &Template, role: &str) -> Policies {
    let resources = &template.value()["Resources"];
    let properties = &resources[role]["Properties"];
    let certain = |list: &Value| {
        list.as_array().map_or(0, |list| list.iter().filter(|item| item.get("Fn::If").is_none()).count())
    };
    let mut policies = Policies {
        managed: certain(&properties["ManagedPolicyArns"]),
        inline: certain(&properties["Policies"]),
    };
    for resource in resources.as_object().into_iter().flatten().map(|(_, resource)| resource) {
        let roles = resource["Properties"]["Roles"].as_array().into_iter().flatten();
        let is_attached = roles.into_iter().any(|named| named["Ref"].as_str() == Some(role));
        if is_attached && resource.get("Condition").is_none() {
            match resource["Type"].as_str() {
                Some("AWS::IAM::Policy") => policies.inline += 1,
                Some("AWS::IAM::ManagedPolicy") => policies.managed += 1,
                _ => {}
            }
        }
    }
    policies
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_policies_without_a_condition_are_counted() {
        let template = Template::parse(
            r#"{"Resources":{
                "R":{"Type":"AWS::IAM::Role","Properties":{
                    "ManagedPolicyArns":["a",{"Fn::If":["C","b",{"Ref":"AWS::NoValue"}]}],
                    "Policies":[{"PolicyName":"p"}]}},
                "P":{"Type":"AWS::IAM::Policy","Properties":{"Roles":[{"Ref":"R"}]}},
                "Q":{"Type":"AWS::IAM::Policy","Condition":"C","Properties":{"Roles":[{"Ref":"R"}]}},
                "M":{"Type":"AWS::IAM::ManagedPolicy","Properties":{"Roles":[{"Ref":"Other"}]}}}}"#,
        );
        assert_eq!(policies_in(&template.unwrap(), "R"), Policies { managed: 1, inline: 2 });
    }
}
