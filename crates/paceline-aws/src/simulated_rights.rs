//! What the policies of a role allow, as IAM itself evaluates them. Nothing is done with the rights.

use aws_sdk_iam::types::{ContextEntry, ContextKeyTypeEnum, PolicyEvaluationDecisionType};

use crate::error::AwsError;
use crate::sdk::Wire;
use crate::session::Sessions;

/// Rights that belong together: each of the actions on each of the resources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedRights {
    /// Such as `s3:GetObject`.
    pub actions: Vec<String>,
    /// ARNs, or `*`.
    pub resources: Vec<String>,
    /// A key of the request, and the value that it has.
    pub condition: Option<(String, String)>,
}

/// The actions that the policies of a role do not allow on at least one of the resources: for each of the asked rights, in
/// their order. The caller needs `iam:SimulatePrincipalPolicy`.
///
/// The policies of the role count, with its permissions boundary and those of the organization. The policies of the
/// resources themselves do not, so an action may be allowed all the same.
pub async fn not_allowed(
    wire: &Wire,
    region: &str,
    role: &str,
    asked: &[AskedRights],
) -> Result<Vec<Vec<String>>, AwsError> {
    let sessions = Sessions::open(wire, region).await?;
    if role.split(':').nth(4) != Some(sessions.account().await?) {
        return Err(AwsError::setup("it is in another account than that of the credentials"));
    }
    let mut lacking = Vec::new();
    for rights in asked {
        lacking.push(simulate(&sessions, role, rights).await?);
    }
    Ok(lacking)
}

async fn simulate(sessions: &Sessions, role: &str, rights: &AskedRights) -> Result<Vec<String>, AwsError> {
    let client = aws_sdk_iam::Client::new(sessions.base());
    let caller = sessions.caller(&sessions.here());
    let entry = |(key, value): &(String, String)| {
        let entry = ContextEntry::builder().context_key_name(key).context_key_values(value);
        entry.context_key_type(ContextKeyTypeEnum::String).build()
    };
    let context: Option<Vec<ContextEntry>> = rights.condition.as_ref().map(|it| vec![entry(it)]);
    let (mut lacking, mut marker) = (Vec::new(), None::<String>);
    loop {
        let send = || {
            let call = client.simulate_principal_policy().policy_source_arn(role);
            let call = call.set_action_names(Some(rights.actions.clone()));
            let call = call.set_resource_arns(Some(rights.resources.clone()));
            call.set_context_entries(context.clone()).set_marker(marker.clone()).send()
        };
        let answer = caller.call("SimulatePrincipalPolicy", send).await?;
        for result in answer.evaluation_results() {
            let action = result.eval_action_name().to_owned();
            let is_allowed = *result.eval_decision() == PolicyEvaluationDecisionType::Allowed;
            if !(is_allowed || lacking.contains(&action)) {
                lacking.push(action);
            }
        }
        marker = answer.marker().map(str::to_owned).filter(|_| answer.is_truncated());
        if marker.is_none() {
            return Ok(lacking);
        }
    }
}
