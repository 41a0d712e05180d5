//! Finds out without an operation whether a stack is already as the app wants it.

use paceline_assembly::{RollbackTriggers, Template, is_stored_as};
use paceline_plan::without_times;
use serde_json::Value;

use std::sync::Arc;

use super::request::Request;
use crate::environment::Environment;
use crate::environment::StackView;
use crate::error::AwsError;
use crate::records::{DeployedFrom, Records};

/// What a stack is compared with.
pub(super) struct Look<'a> {
    pub(super) environment: &'a Environment,
    pub(super) request: &'a Request,
    pub(super) ignore_times: bool,
    pub(super) records: Option<&'a Arc<Records>>,
    /// The digest of what the stack reads from elsewhere. `None` if that is not known.
    pub(super) inputs: Option<&'a str>,
}

/// The result of a comparison.
#[derive(Debug, Default)]
pub(super) struct Looked {
    /// Whether the stack is already as requested.
    pub(super) is_unchanged: bool,
    /// The template of the stack, if the comparison had to read it.
    pub(super) template: Option<String>,
}

impl Look<'_> {
    /// Compares the stack with the request. `is_done` is true if this run has deployed the stack.
    pub(super) async fn compare(&self, view: &StackView, is_done: bool) -> Result<Looked, AwsError> {
        let template = &self.request.template;
        if !view.status.has_succeeded() || !settings_are_equal(self.request, view) {
            return Ok(Looked::default());
        }
        let from = self.inputs.map(|inputs| DeployedFrom::new(template, inputs));
        let recorded = self.records.zip(from.as_ref());
        if let Some((records, from)) = recorded
            && records.has(from, view).await
        {
            return Ok(Looked { is_unchanged: true, template: None });
        }
        // Only a record tells which values the stack was deployed from.
        let reads_nothing = self.inputs.is_some_and(str::is_empty);
        if !reads_nothing && !is_done {
            return Ok(Looked::default());
        }
        let kept = deployed_template(self.environment, &view.id).await?;
        let is_equal =
            kept.as_ref().is_some_and(|kept| templates_are_equal(kept, template, self.ignore_times));
        // Times that are ignored now may count in another run.
        if let Some((records, from)) = recorded.filter(|_| is_equal && reads_nothing && !self.ignore_times) {
            records.keep(from, view);
        }
        Ok(Looked { is_unchanged: is_equal, template: kept })
    }
}

/// Returns whether the template asks for new resources only and leaves those of the stack as they are. Then an update
/// replaces nothing, as long as what the resources import from others stays the same. `kept` is the stack's template.
pub(super) fn only_adds(kept: &str, asked: &Template) -> bool {
    let Ok(kept) = Template::parse(kept) else { return false };
    let (kept, asked) = (kept.value(), asked.value());
    let is_equal = |key: &str| kept.get(key) == asked.get(key);
    let mut old = kept.get("Resources").and_then(Value::as_object).into_iter().flatten();
    ["Conditions", "Mappings", "Parameters", "Transform"].into_iter().all(is_equal)
        && old.all(|(id, old)| asked["Resources"].get(id).is_none_or(|new| new == old))
}

/// Reads the template of a stack, and returns whether it is this one.
pub(super) async fn has_template(
    environment: &Environment,
    template: &Template,
    view: &StackView,
) -> Result<bool, AwsError> {
    let kept = deployed_template(environment, &view.id).await?;
    Ok(kept.is_some_and(|kept| templates_are_equal(&kept, template, false)))
}

/// Reads the template of a stack as it was given to CloudFormation. `None` if somebody has deleted the stack: AWS refuses
/// an operation that follows, and the stack is read again.
pub(crate) async fn deployed_template(
    environment: &Environment,
    id: &str,
) -> Result<Option<String>, AwsError> {
    let send = || {
        let stage = aws_sdk_cloudformation::types::TemplateStage::Original;
        environment.client.get_template().stack_name(id).template_stage(stage).send()
    };
    match environment.call(None, "GetTemplate", send).await {
        Err(error) if error.says_no_such_stack() => Ok(None),
        answer => Ok(Some(answer?.template_body().unwrap_or_default().to_owned())),
    }
}

fn settings_are_equal(request: &Request, view: &StackView) -> bool {
    let sorted = |arns: &[String]| {
        let mut arns = arns.to_vec();
        arns.sort_unstable();
        arns
    };
    let topics = request.notification_arns.as_deref();
    let values = request.parameters.iter().all(|(name, value)| view.values.get(name) == Some(value));
    view.tags == request.tags
        && values
        && (!request.options.forgets_parameters || has_defaults(request, view))
        && kept(request, view).is_none()
        && topics.is_none_or(|topics| sorted(topics) == sorted(&view.notification_arns))
        && request.termination_protection.is_none_or(|on| on == view.termination_protection)
}

/// What the stack has in another way than the request, although it is no part of its content: CloudFormation may see
/// nothing to change then.
pub(super) fn kept(request: &Request, view: &StackView) -> Option<&'static str> {
    let has_role = !request.asks_for_role || request.execution_role_arn == view.role_arn;
    let triggers = request.rollback_triggers.as_ref();
    match (has_role, triggers.is_none_or(|triggers| has_triggers(triggers, view))) {
        (true, true) => None,
        (false, true) => Some("its role"),
        (true, false) => Some("its rollback triggers"),
        (false, false) => Some("its role and its rollback triggers"),
    }
}

/// Whether every parameter without a value has its default. The value of a secret parameter is not known.
fn has_defaults(request: &Request, view: &StackView) -> bool {
    let template = &request.template;
    let mut rest = template.parameters().filter(|(name, _)| !request.parameters.contains_key(*name));
    rest.all(|(name, _)| {
        !template.is_secret(name) && view.values.get(name) == template.default_of(name).as_ref()
    })
}

fn has_triggers(asked: &RollbackTriggers, view: &StackView) -> bool {
    let RollbackTriggers { alarms, minutes } = &view.rollback_triggers;
    asked.alarms.as_ref().is_none_or(|asked| Some(asked) == alarms.as_ref())
        && asked.minutes.is_none_or(|asked| Some(asked) == *minutes)
}

/// Compares the template in CloudFormation with the requested one.
fn templates_are_equal(kept: &str, asked: &Template, ignore_times: bool) -> bool {
    let texts = if ignore_times { texts_are_equal_but_for_times } else { is_stored_as };
    Template::parse(kept).is_ok_and(|kept| values_are_equal(kept.value(), asked.value(), texts))
}

fn values_are_equal(kept: &Value, asked: &Value, texts: fn(&str, &str) -> bool) -> bool {
    match (kept, asked) {
        (Value::String(kept), Value::String(asked)) => texts(kept, asked),
        (Value::Array(kept), Value::Array(asked)) => {
            kept.len() == asked.len() && kept.iter().zip(asked).all(|(k, a)| values_are_equal(k, a, texts))
        }
        (Value::Object(kept), Value::Object(asked)) => {
            kept.len() == asked.len()
                && kept.iter().zip(asked).all(|((kept_key, kept), (asked_key, asked))| {
                    is_stored_as(kept_key, asked_key) && values_are_equal(kept, asked, texts)
                })
        }
        _ => kept == asked,
    }
}

fn texts_are_equal_but_for_times(kept: &str, asked: &str) -> bool {
    is_stored_as(&without_times(kept), &without_times(asked))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(text: &str) -> Template {
        Template::parse(text).unwrap()
    }

    #[test]
    fn the_order_of_keys_and_replaced_characters_are_no_difference() {
        let asked = template(r#"{"Description":"Größe","Resources":{"A":{"Type":"T"}}}"#);
        assert!(templates_are_equal(
            r#"{"Resources":{"A":{"Type":"T"}},"Description":"Gr??e"}"#,
            &asked,
            false
        ));
        assert!(!templates_are_equal(
            r#"{"Resources":{"A":{"Type":"T"}},"Description":"Gr?sse"}"#,
            &asked,
            false
        ));
    }

    #[test]
    fn a_question_mark_in_the_template_matches_only_itself() {
        assert!(!templates_are_equal(r#"{"Description":"a"}"#, &template(r#"{"Description":"?"}"#), false));
    }

    #[test]
    fn a_time_is_a_difference_unless_times_are_ignored() {
        let of = |time: &str| format!(r#"{{"Resources":{{"A":{{"Properties":{{"Id":"x-{time}"}}}}}}}}"#);
        let (kept, asked) = (of("1795401174659"), template(&of("1795401999999")));
        assert!(!templates_are_equal(&kept, &asked, false));
        assert!(templates_are_equal(&kept, &asked, true));
        assert!(!templates_are_equal(&kept.replace("x-", "y-"), &asked, true));
    }
}
