//! Statements of policies, and whether one allows what another one does.

use paceline_text::is_wildcard_match;
use serde_json::Value;

use crate::model::AllBut;
use crate::rendered::rendered;

/// With more combinations of principals, actions and resources, a statement is compared as a whole.
const MOST_COMBINATIONS: usize = 20_000;

/// A statement of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) is_allow: bool,
    pub(super) all_but: AllBut,
    /// `*` for everyone. Empty where a policy has none.
    pub(super) principals: Vec<String>,
    pub(super) actions: Vec<String>,
    pub(super) resources: Vec<String>,
    pub(super) condition: Option<String>,
}

/// The part of a statement that nothing allowed before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Gain {
    pub(super) principals: Vec<String>,
    pub(super) actions: Vec<String>,
    pub(super) resources: Vec<String>,
}

impl Statement {
    fn of(value: &Value) -> Option<Self> {
        let fields = value.as_object()?;
        let has = |key: &str| fields.contains_key(key);
        let texts = |key: &str, negated: &str| {
            fields.get(key).or_else(|| fields.get(negated)).map(texts).unwrap_or_default()
        };
        let principals = fields.get("Principal").or_else(|| fields.get("NotPrincipal"));
        Some(Self {
            is_allow: fields.get("Effect").and_then(Value::as_str) != Some("Deny"),
            all_but: AllBut {
                principals: has("NotPrincipal"),
                actions: has("NotAction"),
                resources: has("NotResource"),
            },
            principals: principals.map(principals_of).unwrap_or_default(),
            actions: texts("Action", "NotAction"),
            resources: texts("Resource", "NotResource"),
            condition: fields.get("Condition").map(Value::to_string),
        })
    }

    /// The part of this statement that no statement in `before` allows.
    pub(super) fn gain(&self, before: &[Statement]) -> Option<Gain> {
        if before.contains(self) {
            return None;
        }
        let whole = Gain {
            principals: self.principals.clone(),
            actions: self.actions.clone(),
            resources: self.resources.clone(),
        };
        let combinations = [&self.principals, &self.actions, &self.resources]
            .iter()
            .map(|all| all.len().max(1))
            .product::<usize>();
        if self.all_but.any() || combinations > MOST_COMBINATIONS {
            return Some(whole);
        }
        let nobody = [String::new()];
        let or_nobody = |all: &'_ [String]| if all.is_empty() { nobody.to_vec() } else { all.to_vec() };
        let (principals, resources) = (or_nobody(&self.principals), or_nobody(&self.resources));
        let mut gain = Gain::default();
        let note = |all: &mut Vec<String>, one: &String| {
            if !(one.is_empty() || all.contains(one)) {
                all.push(one.clone());
            }
        };
        for action in &self.actions {
            let same: Vec<&Statement> = before.iter().filter(|it| it.covers_action(action, self)).collect();
            for principal in &principals {
                for resource in &resources {
                    if !same.iter().any(|it| it.has_principal(principal) && it.has_resource(resource)) {
                        note(&mut gain.principals, principal);
                        note(&mut gain.actions, action);
                        note(&mut gain.resources, resource);
                    }
                }
            }
        }
        (!gain.actions.is_empty()).then_some(gain)
    }

    fn covers_action(&self, action: &str, new: &Statement) -> bool {
        let is_condition_met = self.condition.is_none() || self.condition == new.condition;
        let action = action.to_ascii_lowercase();
        self.is_allow
            && !self.all_but.any()
            && is_condition_met
            && self.actions.iter().any(|own| is_wildcard_match(&own.to_ascii_lowercase(), &action))
    }

    fn has_principal(&self, principal: &str) -> bool {
        principal.is_empty() || self.principals.iter().any(|own| own == "*" || own == principal)
    }

    fn has_resource(&self, resource: &str) -> bool {
        resource.is_empty() || self.resources.iter().any(|own| is_wildcard_match(own, resource))
    }
}

/// The statements of every policy in a value.
pub(super) fn statements(value: &Value) -> Vec<Statement> {
    let mut found = Vec::new();
    collect(value, &mut found);
    found
}

fn collect(value: &Value, found: &mut Vec<Statement>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(fields) => match fields.get("Statement") {
            Some(statements) => {
                let all = statements.as_array().map_or(std::slice::from_ref(statements), Vec::as_slice);
                for statement in all {
                    match Statement::of(statement).filter(|_| statement.get("Effect").is_some()) {
                        Some(statement) => found.push(statement),
                        // A function chooses between statements.
                        None => collect_chosen(statement, found),
                    }
                }
            }
            None => fields.values().for_each(|field| collect(field, found)),
        },
        _ => {}
    }
}

fn collect_chosen(value: &Value, found: &mut Vec<Statement>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect_chosen(item, found)),
        Value::Object(fields) if fields.contains_key("Effect") => found.extend(Statement::of(value)),
        Value::Object(fields) => fields.values().for_each(|field| collect_chosen(field, found)),
        _ => {}
    }
}

/// A text or a list of texts.
pub(super) fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().map(rendered).collect(),
        one => vec![rendered(one)],
    }
}

/// `*`, or a map from the kind of principal to one or several. `{"AWS": "*"}` is everyone, too (IAM User Guide, "AWS JSON
/// policy elements: Principal").
fn principals_of(value: &Value) -> Vec<String> {
    match value {
        Value::Object(kinds) if !kinds.is_empty() && paceline_assembly::Intrinsic::of(value).is_none() => {
            kinds.values().flat_map(texts).collect()
        }
        other => texts(other),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(value: &Value) -> Vec<Statement> {
        statements(&json!({ "PolicyDocument": { "Statement": value } }))
    }

    fn gain(before: &Value, after: &Value) -> Option<Gain> {
        of(after)[0].gain(&of(before))
    }

    #[test]
    fn only_what_no_statement_allowed_is_a_gain() {
        let before =
            json!([{ "Effect": "Allow", "Action": ["s3:Get*", "s3:PutObject"], "Resource": "arn:a/*" }]);
        let same =
            json!([{ "Effect": "Allow", "Action": "s3:GetObject", "Resource": ["arn:a/*", "arn:a/b"] }]);
        assert_eq!(gain(&before, &same), None);
        let more = json!([{ "Effect": "Allow", "Action": ["s3:GetObject", "s3:*"], "Resource": "arn:a/*" }]);
        assert_eq!(gain(&before, &more).unwrap().actions, ["s3:*"]);
        let elsewhere =
            json!([{ "Effect": "Allow", "Action": "S3:GETOBJECT", "Resource": ["arn:a/*", "arn:b/*"] }]);
        assert_eq!(gain(&before, &elsewhere).unwrap().resources, ["arn:b/*"]);
    }

    #[test]
    fn a_statement_without_its_condition_allows_more() {
        let statement = |condition: bool| {
            let mut it = json!([{ "Effect": "Allow", "Action": "a:b", "Resource": "*" }]);
            if condition {
                it[0]["Condition"] = json!({ "Bool": { "x": "true" } });
            }
            it
        };
        assert!(gain(&statement(true), &statement(false)).is_some());
        assert_eq!(gain(&statement(false), &statement(true)), None);
    }

    #[test]
    fn principals_of_every_kind_are_compared() {
        let of = |principal: Value| json!([{ "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal }]);
        let service = of(json!({ "Service": "lambda.amazonaws.com" }));
        let both = of(json!({ "AWS": { "Ref": "Admin" }, "Service": "lambda.amazonaws.com" }));
        assert_eq!(gain(&service, &both).unwrap().principals, ["${Admin}"]);
        assert_eq!(gain(&of(json!("*")), &both), None);
        assert_eq!(gain(&service, &of(json!({ "AWS": "*" }))).unwrap().principals, ["*"]);
    }

    #[test]
    fn everything_but_some_actions_is_a_gain_unless_it_was_there() {
        let all_but = json!([{ "Effect": "Allow", "NotAction": "iam:*", "Resource": "*" }]);
        let all = json!([{ "Effect": "Allow", "Action": "*", "Resource": "*" }]);
        assert!(gain(&all, &all_but).is_some());
        assert_eq!(gain(&all_but, &all_but), None);
    }

    #[test]
    fn statements_that_a_condition_chooses_count() {
        let chosen =
            json!([{ "Fn::If": ["C", { "Effect": "Allow", "Action": "a:b" }, { "Ref": "AWS::NoValue" }] }]);
        assert_eq!(of(&chosen)[0].actions, ["a:b"]);
    }
}
