//! What a template's intrinsics come to, as far as that is known before deployment.

use std::collections::BTreeMap;

use paceline_assembly::Environment;
use serde_json::Value;

use crate::text::{Text, UNKNOWN, partition, url_suffix};

/// The parameters that a template is deployed with; what is `None` is only known at deployment.
pub(crate) type Given = BTreeMap<String, Option<String>>;

/// How deep names may lead to names: conditions to conditions, resources to resources.
const DEPTH: u8 = 16;

/// Knows the values that a template's strings may refer to.
#[derive(Debug)]
pub(crate) struct Resolver<'a> {
    environment: &'a Environment,
    /// The name of the stack, which for a nested one only deployment knows.
    stack_name: Option<&'a str>,
    parameters: BTreeMap<&'a str, String>,
    /// The names in Parameter Store of the parameters that are read from there.
    stored: BTreeMap<&'a str, Text>,
    template: &'a Value,
}

impl<'a> Resolver<'a> {
    /// Knows the stack's environment, its name, and what `template` says itself.
    pub(crate) fn new(
        environment: &'a Environment,
        stack_name: Option<&'a str>,
        template: &'a Value,
        given: &Given,
    ) -> Self {
        let (mut parameters, mut stored) = (BTreeMap::new(), BTreeMap::new());
        for (name, parameter) in template["Parameters"].as_object().into_iter().flatten() {
            let value = match (given.get(name), &parameter["Default"]) {
                (Some(given), _) => given.clone(),
                (None, Value::String(text)) => Some(text.clone()),
                (None, Value::Number(number)) => Some(number.to_string()),
                (None, _) => None,
            };
            let kind = parameter["Type"].as_str().unwrap_or_default();
            if kind.starts_with("AWS::SSM::Parameter::") && (value.is_some() || given.contains_key(name)) {
                let unknown = || UNKNOWN.to_string();
                stored.insert(name.as_str(), Text::from(value.clone().unwrap_or_else(unknown)));
            }
            // What stands for a parameter that is read is its name there, not its value.
            if let Some(value) = value.filter(|_| !kind.starts_with("AWS::SSM::Parameter::Value")) {
                parameters.insert(name.as_str(), value);
            }
        }
        Self { environment, stack_name, parameters, stored, template }
    }

    /// Resolves a string, a number, or an intrinsic that makes a string.
    pub(crate) fn resolve(&self, value: &Value) -> Text {
        self.text(value, DEPTH)
    }

    /// Resolves one intrinsic, given as its name and its argument.
    pub(crate) fn resolve_intrinsic(&self, function: &str, argument: &Value) -> Text {
        let mut out = String::new();
        self.append_intrinsic(function, argument, DEPTH, &mut out);
        Text::from(out)
    }

    /// The name that a parameter has in Parameter Store, if it is one that is looked for there.
    pub(crate) fn stored(&self, parameter: &str) -> Option<Text> {
        self.stored.get(parameter).cloned()
    }

    fn text(&self, value: &Value, depth: u8) -> Text {
        let mut out = String::new();
        self.append(value, depth, &mut out);
        Text::from(out)
    }

    fn append(&self, value: &Value, depth: u8, out: &mut String) {
        match value {
            Value::String(text) => out.push_str(text),
            Value::Number(number) => out.push_str(&number.to_string()),
            Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
            Value::Object(map) if map.len() == 1 => {
                let Some((function, argument)) = map.iter().next() else { return };
                self.append_intrinsic(function, argument, depth, out);
            }
            _ => out.push(UNKNOWN),
        }
    }

    fn append_intrinsic(&self, function: &str, argument: &Value, depth: u8, out: &mut String) {
        let Some(depth) = depth.checked_sub(1) else {
            out.push(UNKNOWN);
            return;
        };
        let before = out.len();
        let known = match (function, argument) {
            ("Ref", Value::String(name)) => self.append_name(name, depth, out),
            ("Fn::Join", Value::Array(parts)) => self.append_join(parts, depth, out),
            ("Fn::Sub", Value::String(pattern)) => self.append_pattern(pattern, None, depth, out),
            ("Fn::Sub", Value::Array(parts)) => match parts.as_slice() {
                [Value::String(pattern), rest @ ..] => self.append_pattern(pattern, rest.first(), depth, out),
                _ => None,
            },
            ("Fn::Select", Value::Array(parts)) => self.append_select(parts, depth, out),
            ("Fn::If", Value::Array(parts)) => self.append_if(parts, depth, out),
            ("Fn::FindInMap", Value::Array(keys)) => {
                self.find_in_map(keys, depth).map(|found| self.append(found, depth, out))
            }
            _ => None,
        };
        if known.is_none() {
            out.truncate(before);
            out.push(UNKNOWN);
        }
    }

    fn append_join(&self, parts: &[Value], depth: u8, out: &mut String) -> Option<()> {
        let [Value::String(separator), list] = parts else { return None };
        for (i, item) in self.items(list, depth)?.iter().enumerate() {
            if i > 0 {
                out.push_str(separator);
            }
            out.push_str(item.raw());
        }
        Some(())
    }

    fn append_select(&self, parts: &[Value], depth: u8, out: &mut String) -> Option<()> {
        let [index, list] = parts else { return None };
        let index: usize = self.text(index, depth).known()?.parse().ok()?;
        out.push_str(self.items(list, depth)?.get(index)?.raw());
        Some(())
    }

    /// A branch that is sure to be taken, or what both branches come to.
    fn append_if(&self, parts: &[Value], depth: u8, out: &mut String) -> Option<()> {
        let [condition, yes, no] = parts else { return None };
        match self.named_condition(condition.as_str()?, depth) {
            Some(true) => self.append(yes, depth, out),
            Some(false) => self.append(no, depth, out),
            None => {
                let (yes, no) = (self.text(yes, depth), self.text(no, depth));
                (yes == no).then(|| out.push_str(yes.raw()))?;
            }
        }
        Some(())
    }

    /// The elements of a list, written out or made by an intrinsic.
    fn items(&self, list: &Value, depth: u8) -> Option<Vec<Text>> {
        let depth = depth.checked_sub(1)?;
        if let Value::Array(items) = list {
            return Some(items.iter().map(|item| self.text(item, depth)).collect());
        }
        let split = |text: &str, at: &str| text.split(at).map(Text::from_raw).collect();
        match list.as_object().filter(|map| map.len() == 1)?.iter().next()? {
            (function, Value::Array(parts)) if function == "Fn::Split" => {
                let [Value::String(separator), text] = parts.as_slice() else { return None };
                // A part that is not known may hold separators.
                self.text(text, depth).known().map(|text| split(&text, separator))
            }
            (function, Value::String(name)) if function == "Ref" => {
                self.parameters.get(name.as_str()).map(|list| split(list, ","))
            }
            (function, Value::Array(keys)) if function == "Fn::FindInMap" => {
                self.find_in_map(keys, depth).and_then(|found| self.items(found, depth))
            }
            _ => None,
        }
    }

    fn find_in_map<'v>(&self, keys: &'v [Value], depth: u8) -> Option<&'v Value>
    where
        'a: 'v,
    {
        let (path, rest) = keys.split_at_checked(3)?;
        let mut at = self.template.get("Mappings");
        for key in path {
            let key = self.text(key, depth).known()?;
            at = at.and_then(|map| map.get(&key));
        }
        at.or_else(|| rest.first()?.get("DefaultValue"))
    }

    fn named_condition(&self, name: &str, depth: u8) -> Option<bool> {
        let depth = depth.checked_sub(1)?;
        self.holds(self.template.get("Conditions")?.get(name)?, depth)
    }

    fn holds(&self, condition: &Value, depth: u8) -> Option<bool> {
        let depth = depth.checked_sub(1)?;
        let (function, argument) = condition.as_object().filter(|map| map.len() == 1)?.iter().next()?;
        match (function.as_str(), argument) {
            ("Condition", Value::String(name)) => self.named_condition(name, depth),
            ("Fn::Equals", Value::Array(sides)) => {
                let [a, b] = sides.as_slice() else { return None };
                Some(self.text(a, depth).known()? == self.text(b, depth).known()?)
            }
            ("Fn::Not", Value::Array(inner)) => self.holds(inner.first()?, depth).map(|holds| !holds),
            ("Fn::And", Value::Array(all)) => self.all(all, true, depth),
            ("Fn::Or", Value::Array(any)) => self.all(any, false, depth).map(|none| !none),
            _ => None,
        }
    }

    /// Whether every condition comes to `value`. One that is sure not to settles it.
    fn all(&self, conditions: &[Value], value: bool, depth: u8) -> Option<bool> {
        let results: Vec<_> = conditions.iter().map(|condition| self.holds(condition, depth)).collect();
        if results.contains(&Some(!value)) {
            return Some(false);
        }
        results.iter().all(Option::is_some).then_some(true)
    }

    fn append_name(&self, name: &str, depth: u8, out: &mut String) -> Option<()> {
        let region = self.environment.region.as_deref();
        let known = match name {
            "AWS::Region" => region,
            "AWS::AccountId" => self.environment.account.as_deref(),
            "AWS::StackName" => self.stack_name,
            "AWS::Partition" => region.map(partition),
            "AWS::URLSuffix" => region.map(url_suffix),
            _ => self.parameters.get(name).map(String::as_str),
        };
        if let Some(text) = known {
            out.push_str(text);
            return Some(());
        }
        // `Ref` of these resources is the name that they are given.
        let resource = self.template.get("Resources")?.get(name)?;
        let given = match resource.get("Type")?.as_str()? {
            "AWS::SSM::Parameter" => "Name",
            "AWS::ECR::Repository" => "RepositoryName",
            _ => return None,
        };
        self.append(resource.get("Properties")?.get(given)?, depth, out);
        Some(())
    }

    fn append_pattern(
        &self,
        pattern: &str,
        variables: Option<&Value>,
        depth: u8,
        out: &mut String,
    ) -> Option<()> {
        let mut parts = pattern.split("${");
        out.push_str(parts.next()?);
        for part in parts {
            let Some((name, text)) = part.split_once('}') else {
                // Without its end it is no placeholder.
                out.push_str("${");
                out.push_str(part);
                continue;
            };
            let name = name.trim();
            if let Some(literal) = name.strip_prefix('!') {
                out.push_str("${");
                out.push_str(literal);
                out.push('}');
            } else if let Some(value) = variables.and_then(|v| v.get(name)) {
                self.append(value, depth, out);
            } else if self.append_name(name, depth, out).is_none() {
                out.push(UNKNOWN);
            }
            out.push_str(text);
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn resolve(value: &Value) -> Text {
        let template = json!({
            "Parameters": {
                "Stage": { "Type": "String", "Default": "prod" },
                "Zones": { "Type": "CommaDelimitedList", "Default": "a,b" },
                "Given": { "Type": "String", "Default": "default" },
                "Withheld": { "Type": "String", "Default": "default" },
                "Stored": { "Type": "AWS::SSM::Parameter::Value<String>", "Default": "/a/b" },
                "Checked": { "Type": "AWS::SSM::Parameter::Name", "Default": "/a/b" },
            },
            "Mappings": { "Zones": { "us-east-1": { "hosted": "Z1", "all": ["Z1", "Z2"] } } },
            "Conditions": {
                "IsProd": { "Fn::Equals": [{ "Ref": "Stage" }, "prod"] },
                "IsNot": { "Fn::Not": [{ "Condition": "IsProd" }] },
                "Both": { "Fn::And": [{ "Condition": "IsProd" }, { "Condition": "IsNot" }] },
                "Either": { "Fn::Or": [{ "Condition": "Open" }, { "Condition": "IsProd" }] },
                "Open": { "Fn::Equals": [{ "Ref": "Withheld" }, "x"] },
                "Circle": { "Fn::Not": [{ "Condition": "Circle" }] },
            },
            "Resources": {
                "Parameter": { "Type": "AWS::SSM::Parameter", "Properties": { "Name": { "Fn::Sub": "/${Stage}/x" } } },
                "A": { "Type": "AWS::SSM::Parameter", "Properties": { "Name": { "Ref": "B" } } },
                "B": { "Type": "AWS::SSM::Parameter", "Properties": { "Name": { "Ref": "A" } } },
                "Table": { "Type": "AWS::DynamoDB::Table" },
            },
        });
        let environment =
            Environment { account: Some("111111111111".into()), region: Some("us-east-1".into()) };
        let given = Given::from([("Given".into(), Some("given".into())), ("Withheld".into(), None)]);
        Resolver::new(&environment, Some("Net"), &template, &given).resolve(value)
    }

    fn known(value: &Value) -> Option<String> {
        resolve(value).known()
    }

    #[test]
    fn pseudo_parameters_defaults_and_mappings_are_known() {
        let joined = json!({ "Fn::Join": ["/", ["", { "Ref": "Stage" }, { "Ref": "AWS::Region" }]] });
        assert_eq!(known(&joined).as_deref(), Some("/prod/us-east-1"));
        let pattern =
            json!({ "Fn::Sub": ["${AWS::StackName}-${X}-${!Y}", { "X": { "Ref": "AWS::AccountId" } }] });
        assert_eq!(known(&pattern).as_deref(), Some("Net-111111111111-${Y}"));
        let mapped = json!({ "Fn::FindInMap": ["Zones", { "Ref": "AWS::Region" }, "hosted"] });
        assert_eq!(known(&mapped).as_deref(), Some("Z1"));
    }

    #[test]
    fn what_only_deployment_knows_stays_unknown_and_is_shown_as_an_ellipsis() {
        let name = json!({ "Fn::Sub": "/app/${Table}/name" });
        assert_eq!(resolve(&name).shown(), "/app/…/name");
        assert_eq!(known(&name), None);
        assert_eq!(known(&json!({ "Ref": "Stored" })), None);
    }

    #[test]
    fn an_unclosed_placeholder_is_text() {
        assert_eq!(known(&json!({ "Fn::Sub": "a${b" })).as_deref(), Some("a${b"));
    }

    #[test]
    fn lists_are_selected_from_split_and_joined_where_they_are_known() {
        let select = |list: Value| known(&json!({ "Fn::Select": ["1", list] }));
        assert_eq!(select(json!(["x", { "Ref": "Stage" }])).as_deref(), Some("prod"));
        assert_eq!(select(json!({ "Fn::Split": ["/", "a/b/c"] })).as_deref(), Some("b"));
        assert_eq!(select(json!({ "Ref": "Zones" })).as_deref(), Some("b"));
        let mapped = json!({ "Fn::FindInMap": ["Zones", { "Ref": "AWS::Region" }, "all"] });
        assert_eq!(select(mapped).as_deref(), Some("Z2"));
        assert_eq!(select(json!(["only one"])), None);
        assert_eq!(select(json!({ "Fn::Split": ["/", { "Fn::Sub": "${Table.Arn}/b" }] })), None);
        let joined = json!({ "Fn::Join": ["+", { "Ref": "Zones" }] });
        assert_eq!(known(&joined).as_deref(), Some("a+b"));
    }

    #[test]
    fn a_mapping_without_the_key_has_its_default() {
        let keys = json!(["Zones", "us-west-2", "hosted", { "DefaultValue": "none" }]);
        assert_eq!(known(&json!({ "Fn::FindInMap": keys })).as_deref(), Some("none"));
        assert_eq!(known(&json!({ "Fn::FindInMap": ["Zones", "us-west-2", "hosted"] })), None);
        assert_eq!(known(&json!({ "Fn::FindInMap": ["Zones"] })), None);
    }

    #[test]
    fn the_branch_that_is_sure_to_be_taken_is_known() {
        let branch = |condition: &str| known(&json!({ "Fn::If": [condition, "yes", "no"] }));
        for (condition, expected) in [
            ("IsProd", Some("yes")),
            ("IsNot", Some("no")),
            ("Both", Some("no")),
            ("Either", Some("yes")),
            ("Open", None),
            ("Circle", None),
            ("Missing", None),
        ] {
            assert_eq!(branch(condition).as_deref(), expected, "{condition}");
        }
        assert_eq!(known(&json!({ "Fn::If": ["Open", "same", "same"] })).as_deref(), Some("same"));
    }

    #[test]
    fn what_a_parameter_is_given_counts_and_not_its_default() {
        assert_eq!(known(&json!({ "Ref": "Given" })).as_deref(), Some("given"));
        assert_eq!(known(&json!({ "Ref": "Withheld" })), None);
        assert_eq!(known(&json!({ "Ref": "Checked" })).as_deref(), Some("/a/b"));
    }

    #[test]
    fn a_resource_is_known_by_the_name_it_is_given_and_a_circle_of_names_ends() {
        assert_eq!(known(&json!({ "Ref": "Parameter" })).as_deref(), Some("/prod/x"));
        assert_eq!(known(&json!({ "Ref": "Table" })), None);
        assert_eq!(known(&json!({ "Ref": "A" })), None);
    }

    #[test]
    fn malformed_intrinsics_are_unknown() {
        for value in [
            json!({ "Fn::Join": ["-"] }),
            json!({ "Fn::Join": [1, ["a"]] }),
            json!({ "Fn::Sub": [] }),
            json!({ "Fn::Sub": 5 }),
            json!({ "Fn::Select": [-1, ["a"]] }),
            json!({ "Fn::Select": ["x", ["a"]] }),
            json!({ "Fn::If": ["IsProd", "yes"] }),
            json!({ "Fn::If": [{}, "yes", "no"] }),
            json!({ "Ref": [] }),
            json!({ "Ref": "A", "Fn::Sub": "b" }),
            json!(["list"]),
            json!(null),
        ] {
            assert_eq!(known(&value), None, "{value}");
        }
        assert_eq!(known(&json!({ "Fn::Sub": ["only ${Stage}"] })).as_deref(), Some("only prod"));
    }
}
