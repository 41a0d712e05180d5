//! What a template's strings say, as far as that is known before deployment.

use std::collections::BTreeMap;

use serde_json::Value;

/// Stands in a [`Text`] where a part is only known at deployment.
const UNKNOWN: char = '\u{FFFC}';

/// A string of a template with its intrinsics resolved, as far as they can be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Text(String);

impl Text {
    /// The whole string, if every part of it is known.
    pub(crate) fn known(self) -> Option<String> {
        (!self.0.contains(UNKNOWN)).then_some(self.0)
    }

    /// The string with `…` for each part that is not known, for people.
    pub(crate) fn shown(&self) -> String {
        self.0.replace(UNKNOWN, "…")
    }

    /// The string with a placeholder for each part that is not known, to be parsed further.
    pub(crate) fn raw(&self) -> &str {
        &self.0
    }

    /// The part of a parsed [`raw`](Self::raw) string as a text again.
    pub(crate) fn from_raw(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// Knows the values that a template's strings may refer to.
#[derive(Debug)]
pub(crate) struct Resolver<'a> {
    account: Option<&'a str>,
    region: Option<&'a str>,
    stack_name: &'a str,
    defaults: BTreeMap<&'a str, &'a str>,
    mappings: Option<&'a Value>,
}

impl<'a> Resolver<'a> {
    /// Knows the stack's environment, its name, and the defaults in `template`.
    pub(crate) fn new(
        account: Option<&'a str>,
        region: Option<&'a str>,
        stack_name: &'a str,
        template: &'a Value,
    ) -> Self {
        let mut defaults = BTreeMap::new();
        for (name, parameter) in template["Parameters"].as_object().into_iter().flatten() {
            // The default of a parameter that is read from Parameter Store is a name, not the value.
            let is_stored = parameter["Type"].as_str().is_some_and(|t| t.starts_with("AWS::SSM::Parameter"));
            if let (false, Some(default)) = (is_stored, parameter["Default"].as_str()) {
                defaults.insert(name.as_str(), default);
            }
        }
        Self { account, region, stack_name, defaults, mappings: template.get("Mappings") }
    }

    /// Resolves a string, a number, or an intrinsic that makes a string.
    pub(crate) fn resolve(&self, value: &Value) -> Text {
        let mut out = String::new();
        self.append(value, &mut out);
        Text(out)
    }

    /// Resolves one intrinsic, given as its name and its argument.
    pub(crate) fn resolve_intrinsic(&self, function: &str, argument: &Value) -> Text {
        let mut out = String::new();
        self.append_intrinsic(function, argument, &mut out);
        Text(out)
    }

    fn append(&self, value: &Value, out: &mut String) {
        match value {
            Value::String(text) => out.push_str(text),
            Value::Number(number) => out.push_str(&number.to_string()),
            Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
            Value::Object(map) if map.len() == 1 => {
                let Some((function, argument)) = map.iter().next() else { return };
                self.append_intrinsic(function, argument, out);
            }
            _ => out.push(UNKNOWN),
        }
    }

    fn append_intrinsic(&self, function: &str, argument: &Value, out: &mut String) {
        match (function, argument) {
            ("Ref", Value::String(name)) => self.append_name(name, out),
            ("Fn::Join", Value::Array(parts)) => match parts.as_slice() {
                [Value::String(separator), Value::Array(items)] => {
                    for (i, item) in items.iter().enumerate() {
                        if i > 0 {
                            out.push_str(separator);
                        }
                        self.append(item, out);
                    }
                }
                _ => out.push(UNKNOWN),
            },
            ("Fn::Sub", Value::String(pattern)) => self.append_pattern(pattern, None, out),
            ("Fn::Sub", Value::Array(parts)) => match parts.as_slice() {
                [Value::String(pattern), variables] => self.append_pattern(pattern, Some(variables), out),
                _ => out.push(UNKNOWN),
            },
            ("Fn::FindInMap", Value::Array(keys)) => match self.find_in_map(keys) {
                Some(found) => self.append(found, out),
                None => out.push(UNKNOWN),
            },
            _ => out.push(UNKNOWN),
        }
    }

    fn find_in_map(&self, keys: &[Value]) -> Option<&'a Value> {
        let mut at = self.mappings?;
        for key in keys {
            at = at.get(self.resolve(key).known()?)?;
        }
        Some(at)
    }

    fn append_name(&self, name: &str, out: &mut String) {
        let known = match name {
            "AWS::Region" => self.region,
            "AWS::AccountId" => self.account,
            "AWS::StackName" => Some(self.stack_name),
            "AWS::Partition" => self.region.map(partition),
            "AWS::URLSuffix" => self.region.map(url_suffix),
            _ => self.defaults.get(name).copied(),
        };
        match known {
            Some(text) => out.push_str(text),
            None => out.push(UNKNOWN),
        }
    }

    fn append_pattern(&self, pattern: &str, variables: Option<&Value>, out: &mut String) {
        let mut rest = pattern;
        while let Some(start) = rest.find("${") {
            let (before, after) = rest.split_at(start);
            out.push_str(before);
            let Some(end) = after.find('}') else {
                out.push_str(after);
                return;
            };
            let name = &after[2..end];
            if let Some(literal) = name.strip_prefix('!') {
                out.push_str("${");
                out.push_str(literal);
                out.push('}');
            } else if let Some(value) = variables.and_then(|v| v.get(name)) {
                self.append(value, out);
            } else {
                self.append_name(name, out);
            }
            rest = &after[end + 1..];
        }
        out.push_str(rest);
    }
}

/// The partition of a region (AWS General Reference, "Regional endpoints").
pub fn partition(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        "aws-cn"
    } else if region.starts_with("us-gov-") {
        "aws-us-gov"
    } else {
        "aws"
    }
}

/// The domain of a region's endpoints.
pub fn url_suffix(region: &str) -> &'static str {
    if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn resolve(value: &Value) -> Text {
        let template = json!({
            "Parameters": {
                "Stage": { "Type": "String", "Default": "prod" },
                "Stored": { "Type": "AWS::SSM::Parameter::Value<String>", "Default": "/a/b" },
            },
            "Mappings": { "Zones": { "us-east-1": { "hosted": "Z1" } } },
        });
        Resolver::new(Some("111111111111"), Some("us-east-1"), "Net", &template).resolve(value)
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
}
