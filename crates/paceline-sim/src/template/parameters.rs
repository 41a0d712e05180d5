//! Binds a template's parameters to values.

use std::collections::BTreeMap;

use paceline_assembly::Template;
use serde_json::Value;

use super::scope::Scope;
use crate::wire::Fault;
use crate::world::{AccountRegion, BoundParameter, World, parameters, text_of};

/// A parameter in a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Given {
    Value(String),
    /// A value of which some part is made up.
    MadeUp(String),
    Previous,
}

/// Gives every parameter of a template its value: the one in the request, the earlier one, or the default.
/// SSM parameter types are looked up now, in the region of the stack.
pub(crate) fn bind(
    world: &World,
    place: &AccountRegion,
    template: &Template,
    given: &BTreeMap<String, Given>,
    previous: &[BoundParameter],
) -> Result<Vec<BoundParameter>, Fault> {
    let declared = |key: &str| template.parameters().any(|(id, _)| id == key);
    let unknown: Vec<&str> = given.keys().map(String::as_str).filter(|key| !declared(key)).collect();
    if !unknown.is_empty() {
        let unknown = unknown.join(", ");
        return Err(Fault::validation(format!("Parameters: [{unknown}] do not exist in the template")));
    }
    let (mut bound, mut missing, mut unfetched) = (Vec::new(), Vec::new(), Vec::new());
    for (key, declaration) in template.parameters() {
        let before = || previous.iter().find(|parameter| parameter.key == key);
        let value = match given.get(key) {
            Some(Given::Value(value)) => Some((value.clone(), false)),
            Some(Given::MadeUp(value)) => Some((value.clone(), true)),
            Some(Given::Previous) => before().map(|old| (old.value.clone(), old.made_up)),
            None => declaration.get("Default").map(|default| (text_of(default), false)),
        };
        let Some((value, made_up)) = value else {
            missing.push(key);
            continue;
        };
        allowed(key, declaration, &value)?;
        let kind = declaration.get("Type").and_then(Value::as_str).unwrap_or("String");
        let stored = kind.strip_prefix("AWS::SSM::Parameter::Value<");
        let found = stored.and_then(|_| parameters::read(world, place, &value));
        let made_up = found.as_ref().map_or(made_up, |parameter| parameter.made_up);
        let resolved = found.map(|parameter| parameter.value.to_string());
        if stored.is_some() && resolved.is_none() {
            unfetched.push(value.clone());
        }
        let inner = stored.unwrap_or(kind);
        bound.push(BoundParameter {
            key: key.to_owned(),
            value,
            resolved,
            made_up,
            is_list: inner.starts_with("List<") || inner.starts_with("CommaDelimitedList"),
            no_echo: declaration.get("NoEcho").is_some_and(|flag| text_of(flag) == "true"),
        });
    }
    if !missing.is_empty() {
        return Err(Fault::validation(format!("Parameters: [{}] must have values", missing.join(", "))));
    }
    if !unfetched.is_empty() {
        return Err(Fault::validation(format!(
            "Unable to fetch parameters [{}] from parameter store for this account.",
            unfetched.join(",")
        )));
    }
    Ok(bound)
}

fn allowed(key: &str, declaration: &Value, value: &str) -> Result<(), Fault> {
    let Some(allowed) = declaration.get("AllowedValues").and_then(Value::as_array) else { return Ok(()) };
    let allowed: Vec<String> = allowed.iter().map(text_of).collect();
    if allowed.iter().any(|allowed| allowed == value) {
        return Ok(());
    }
    Err(Fault::validation(format!("Parameter '{key}' must be one of AllowedValues")))
}

/// Checks the template's rules, such as the CDK's rule about the bootstrap version.
pub(crate) fn check_rules(scope: &Scope<'_>) -> Result<(), Fault> {
    let rules = scope.template.value().get("Rules").and_then(Value::as_object);
    for (name, rule) in rules.into_iter().flatten() {
        if let Some(condition) = rule.get("RuleCondition")
            && !scope.holds(&format!("Rules.{name}.RuleCondition"), condition).map_err(Fault::validation)?
        {
            continue;
        }
        for assertion in rule.get("Assertions").and_then(Value::as_array).into_iter().flatten() {
            let Some(assert) = assertion.get("Assert") else { continue };
            if !scope.holds(&format!("Rules.{name}.Assertions"), assert).map_err(Fault::validation)? {
                let why = assertion.get("AssertDescription").map(text_of);
                return Err(Fault::validation(format!(
                    "Template rule {name} was not satisfied: {}",
                    why.unwrap_or_default()
                )));
            }
        }
    }
    Ok(())
}
