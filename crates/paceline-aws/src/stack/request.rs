//! The request for a stack operation: everything that decides what CloudFormation does.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_cloudformation::types::{Parameter, RollbackConfiguration, RollbackTrigger, Tag};
use paceline_assembly::{RollbackTriggers, Stack, Template};
use paceline_engine::known_bugs::{KnownBug, is_on};
use paceline_plan::DeployOptions;
use paceline_text::hex;
use sha2::{Digest, Sha256};

use super::secrets::SecretKey;
use super::source::Source;
use crate::environment::StackView;
use crate::target::Target;

/// The length of a digest in client tokens, in characters.
const DIGEST: usize = 24;
/// The type of an alarm in rollback triggers (CloudFormation API Reference, `RollbackTrigger`).
const ALARM: &str = "AWS::CloudWatch::Alarm";

/// Everything that decides what CloudFormation does.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) name: String,
    pub(crate) source: Source,
    pub(crate) template: Template,
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) notification_arns: Option<Vec<String>>,
    pub(crate) termination_protection: Option<bool>,
    pub(crate) execution_role_arn: Option<String>,
    /// Whether the command names the role. The role of an assembly is no reason to change a stack.
    pub(crate) asks_for_role: bool,
    pub(crate) rollback_triggers: Option<RollbackTriggers>,
    pub(crate) options: DeployOptions,
    pub(crate) disable_rollback: bool,
    /// The time limit of the operation. It does not affect the result, so it is not a part of the digest. A
    /// resumed run continues an operation that it began with another limit.
    pub(crate) limit: Option<Duration>,
    digest: String,
    /// The digest of what the stack reads from elsewhere. It is empty if the stack reads nothing, or if that is not known.
    inputs: String,
}

/// How the operations of a run are made, whatever the stack is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OperationSettings {
    pub(crate) options: DeployOptions,
    pub(crate) asks_for_role: bool,
    pub(crate) disable_rollback: bool,
    pub(crate) limit: Option<Duration>,
}

impl Request {
    /// `given` are values for parameters that are not in the assembly.
    pub(crate) fn new(
        stack: &Stack,
        target: &Target,
        given: &BTreeMap<String, String>,
        source: Source,
        settings: OperationSettings,
        secret_key: &SecretKey,
    ) -> Self {
        let OperationSettings { options, asks_for_role, disable_rollback, limit } = settings;
        let declared: BTreeSet<&str> = stack.template.parameters().map(|(name, _)| name).collect();
        let values = stack.parameters.iter().chain(given);
        let values = values.filter(|(name, _)| declared.contains(name.as_str()));
        let parameters: BTreeMap<String, String> =
            values.map(|(name, value)| (name.clone(), target.resolve(value))).collect();
        let mut request = Self {
            name: stack.name.clone(),
            source,
            template: stack.template.clone(),
            parameters,
            tags: stack.tags.clone(),
            notification_arns: stack.notification_arns.clone(),
            termination_protection: stack.termination_protection,
            execution_role_arn: stack.execution_role_arn.as_ref().map(|arn| target.resolve(arn)),
            asks_for_role,
            rollback_triggers: stack.rollback_triggers.clone(),
            options,
            disable_rollback,
            limit,
            digest: String::new(),
            inputs: String::new(),
        };
        request.digest = request.compute_digest(target, secret_key);
        request
    }

    /// Makes it a request with these values from elsewhere: their digest, which is empty if the stack reads nothing. An
    /// operation that has read other values does not do the same.
    pub(crate) fn reads(&mut self, inputs: &str) {
        inputs.clone_into(&mut self.inputs);
    }

    /// The beginning of every token of this request.
    pub(super) fn token_prefix(&self) -> String {
        token_prefix(&self.digest())
    }

    /// Returns whether the operation with this token is ours and does exactly the same as this request.
    pub(crate) fn is_done_by(&self, token: &str) -> bool {
        let operation = token.strip_prefix(&self.token_prefix()).and_then(|rest| rest.split('-').next());
        matches!(operation, Some("create" | "update"))
    }

    /// The token of an operation. The same request for the same state of the stack gives the same token. So
    /// an operation that is sent twice, even by two processes, happens once. A later deployment of the same
    /// template finds another state and gives another token.
    pub(crate) fn token(&self, operation: &str, state: &str, attempt: u32) -> String {
        token(&self.digest(), operation, state, attempt)
    }

    /// The digest of the request without what the stack reads from elsewhere.
    pub(super) fn own_digest(&self) -> &str {
        &self.digest
    }

    /// The digest of the request.
    pub(super) fn digest(&self) -> Cow<'_, str> {
        if self.inputs.is_empty() {
            return Cow::Borrowed(&self.digest);
        }
        let both = Sha256::digest(format!("{} {}", self.digest, self.inputs));
        Cow::Owned(hex(&both)[..DIGEST].to_owned())
    }

    /// The parameters that the template declares. Each has a value, or on an update the previous value.
    pub(crate) fn sdk_parameters(&self, before: Option<&StackView>) -> Vec<Parameter> {
        let declared = self.template.parameters().map(|(name, _)| name);
        let parameter = |name: &str| {
            let parameter = Parameter::builder().parameter_key(name);
            if let Some(value) = self.parameters.get(name) {
                return Some(parameter.parameter_value(value).build());
            }
            let keeps = !self.options.forgets_parameters;
            let had = before.is_some_and(|view| keeps && view.parameters.contains(name));
            had.then(|| parameter.use_previous_value(true).build())
        };
        declared.filter_map(parameter).collect()
    }

    pub(crate) fn sdk_tags(&self) -> Vec<Tag> {
        self.tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
    }

    /// The alarms to watch. An empty list removes those of the stack.
    pub(crate) fn sdk_rollback_configuration(&self) -> Option<RollbackConfiguration> {
        let RollbackTriggers { alarms, minutes } = self.rollback_triggers.as_ref()?;
        let trigger = |arn: &String| RollbackTrigger::builder().arn(arn).r#type(ALARM).build();
        let triggers = alarms.as_ref().map(|alarms| alarms.iter().map(trigger).collect());
        let minutes = minutes.and_then(|minutes| i32::try_from(minutes).ok());
        let configuration = RollbackConfiguration::builder().set_rollback_triggers(triggers);
        Some(configuration.set_monitoring_time_in_minutes(minutes).build())
    }

    fn compute_digest(&self, target: &Target, secret_key: &SecretKey) -> String {
        let mut hash = Sha256::new();
        let mut add = |part: &str| {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        };
        add(&target.to_string());
        add(&self.name);
        add(&self.template.digest());
        for (name, value) in &self.parameters {
            add(name);
            if self.template.is_secret(name) {
                add(&secret_key.digest(value));
            } else {
                add(value);
            }
        }
        for (key, value) in &self.tags {
            add(key);
            add(value);
        }
        self.notification_arns.iter().flatten().for_each(|arn| add(arn));
        add(self.execution_role_arn.as_deref().unwrap_or_default());
        add(&format!("{:?}", self.termination_protection));
        // The tokens of an earlier version stay the same without these.
        if let Some(triggers) = &self.rollback_triggers {
            add(&format!("{triggers:?}"));
        }
        if !self.options.is_usual() {
            add(&format!("{:?}", self.options));
        }
        hex(&hash.finalize())[..DIGEST].to_owned()
    }
}

/// The token of an operation of the request with this digest, on a stack in this state.
pub(super) fn token(digest: &str, operation: &str, state: &str, attempt: u32) -> String {
    let state = if is_on(KnownBug::TokenReuse) { "" } else { state };
    let state = &hex(&Sha256::digest(state))[..12];
    format!("{}{operation}-{state}-{attempt}", token_prefix(digest))
}

fn token_prefix(digest: &str) -> String {
    format!("paceline-{digest}-")
}
