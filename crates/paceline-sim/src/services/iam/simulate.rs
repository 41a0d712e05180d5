//! What the policies of a role allow. Of conditions, only `StringEquals` is known.

use serde_json::{Value, json};

use super::role;
use crate::wire::{Outcome, Request};
use crate::world::{Role, World};

/// The policy that allows everything. The documents of other policies of AWS are not known here.
const ADMINISTRATOR: &str = ":iam::aws:policy/AdministratorAccess";

/// `SimulatePrincipalPolicy`, of a role.
pub(super) fn simulate(world: &mut World, request: &Request) -> Outcome {
    let arn = request.form.required("PolicySourceArn")?;
    let name = arn.rsplit('/').next().unwrap_or_default().to_owned();
    let role = role(world, request, &name)?;
    let context = request.form.structures("ContextEntries").unwrap_or_default();
    let has = |key: &str, value: &str| {
        context.iter().any(|entry| {
            let values = entry.list("ContextKeyValues").unwrap_or_default();
            entry.text("ContextKeyName") == Some(key) && values.iter().any(|it| it == value)
        })
    };
    let actions = request.form.list("ActionNames").unwrap_or_default();
    let resources = request.form.list("ResourceArns").unwrap_or_else(|| vec!["*".to_owned()]);
    let evaluated = actions.iter().flat_map(|action| {
        let decision = |resource: &String| {
            json!({
                "EvalActionName": action,
                "EvalResourceName": resource,
                "EvalDecision": decide(&role, action, resource, &has),
            })
        };
        resources.iter().map(decision).collect::<Vec<_>>()
    });
    Ok(json!({"EvaluationResults": evaluated.collect::<Vec<_>>(), "IsTruncated": false}))
}

fn decide(role: &Role, action: &str, resource: &str, has: &impl Fn(&str, &str) -> bool) -> &'static str {
    let documents = role.inline.values().filter_map(|(text, _)| serde_json::from_str::<Value>(text).ok());
    let statements: Vec<Value> = documents.flat_map(|document| list(&document["Statement"])).collect();
    let applies = |statement: &&Value| {
        let matches = |key: &str, wanted: &str| {
            // The case of an action is of no importance.
            let form = |text: &str| if key == "Action" { text.to_ascii_lowercase() } else { text.to_owned() };
            let patterns = list(&statement[key]);
            patterns.iter().filter_map(Value::as_str).any(|pattern| is_match(&form(pattern), &form(wanted)))
        };
        let conditions = statement["Condition"].as_object().into_iter().flatten();
        let mut conditions = conditions.flat_map(|(operator, keys)| {
            keys.as_object().into_iter().flatten().map(move |(key, value)| (operator, key, value))
        });
        matches("Action", action)
            && matches("Resource", resource)
            && conditions.all(|(operator, key, value)| {
                operator == "StringEquals"
                    && list(value).iter().filter_map(Value::as_str).any(|it| has(key, it))
            })
    };
    let effects: Vec<&str> =
        statements.iter().filter(applies).filter_map(|statement| statement["Effect"].as_str()).collect();
    if effects.contains(&"Deny") {
        "explicitDeny"
    } else if effects.contains(&"Allow") || role.attached.keys().any(|arn| arn.ends_with(ADMINISTRATOR)) {
        "allowed"
    } else {
        "implicitDeny"
    }
}

/// A list, of which one item may be written without its brackets.
fn list(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items.clone(),
        Value::Null => Vec::new(),
        item => vec![item.clone()],
    }
}

/// Whether a pattern with `*` and `?` matches a text.
fn is_match(pattern: &str, text: &str) -> bool {
    match (pattern.chars().next(), text.chars().next()) {
        (None, None) => true,
        (Some('*'), _) => {
            is_match(&pattern[1..], text)
                || text.chars().next().is_some_and(|c| is_match(pattern, &text[c.len_utf8()..]))
        }
        (Some(p), Some(c)) if p == '?' || p == c => is_match(&pattern[p.len_utf8()..], &text[c.len_utf8()..]),
        _ => false,
    }
}
