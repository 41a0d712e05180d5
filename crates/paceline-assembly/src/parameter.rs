//! The rules of a template for the values of its parameters.
//!
//! A value is only refused if CloudFormation certainly refuses it. If a rule may mean something else to
//! CloudFormation, such as a pattern with syntax of Java's regular expressions, the decision is left to
//! CloudFormation.

use paceline_text::first_few;
use regex_lite::Regex;
use serde_json::Value;

use crate::template::Template;

/// The number of allowed values that an error names.
const NAMED: usize = 10;

/// Syntax that has a different meaning in Java's regular expressions, or that does not exist here.
const JAVA: [&str; 13] = [r"\p", r"\P", r"\Q", r"\h", r"\b", r"\Z", "(?", "[[", "&&", "++", "*+", "?+", "}+"];

impl Template {
    /// The parameters without a default: a new stack needs a value for each.
    pub fn parameters_without_default(&self) -> impl Iterator<Item = &str> {
        self.parameters().filter(|(_, declared)| declared.get("Default").is_none()).map(|(name, _)| name)
    }

    /// The default of a parameter, as text.
    pub fn default_of(&self, parameter: &str) -> Option<String> {
        scalar(self.declared(parameter)?.get("Default")?)
    }

    /// Whether a parameter may be secret, as far as that can be decided without parsing the template. Large apps have
    /// thousands of templates, and each one that is parsed stays in memory.
    pub fn may_have_secrets(&self) -> bool {
        self.may_hold("NoEcho")
    }

    /// Whether the value of a parameter must never be shown.
    pub fn is_secret(&self, parameter: &str) -> bool {
        let flag = self.declared(parameter).and_then(|declared| declared.get("NoEcho"));
        flag.and_then(scalar).is_some_and(|flag| flag.eq_ignore_ascii_case("true"))
    }

    /// The reason why CloudFormation refuses this value of a parameter. The reason continues a sentence that
    /// begins with "the value".
    pub fn refusal(&self, parameter: &str, value: &str) -> Option<String> {
        let declared = self.declared(parameter)?;
        let kind = declared.get("Type").and_then(Value::as_str).unwrap_or("String");
        let (of, is_list) = match kind {
            "String" => ("String", false),
            "Number" => ("Number", false),
            "CommaDelimitedList" => ("String", true),
            "List<Number>" => ("Number", true),
            // For other types, only AWS knows the values that exist.
            _ => return None,
        };
        if is_list && value.is_empty() {
            return None;
        }
        let mut items = value.split(',').map(str::trim);
        let refused = |item: &str| {
            let number = || not_a_number(item).filter(|_| of == "Number");
            let pattern = || not_of_pattern(declared, item).filter(|_| of == "String");
            let size = || out_of_bounds(declared, of, item).filter(|_| !is_list);
            number().or_else(|| not_allowed(declared, item)).or_else(pattern).or_else(size)
        };
        if is_list { items.find_map(refused) } else { refused(value) }
    }

    fn declared(&self, parameter: &str) -> Option<&Value> {
        self.value().get("Parameters")?.get(parameter)
    }
}

fn not_a_number(text: &str) -> Option<String> {
    let text = text.trim();
    let may_be = |c: char| c.is_ascii_digit() || "+-.eEdDfF".contains(c);
    let is_none = !text.contains(|c: char| c.is_ascii_digit()) || !text.chars().all(may_be);
    is_none.then(|| "is no number".to_owned())
}

fn not_allowed(declared: &Value, text: &str) -> Option<String> {
    let allowed = declared.get("AllowedValues")?.as_array()?;
    let allowed: Vec<String> = allowed.iter().map(scalar).collect::<Option<_>>()?;
    let number = |text: &str| text.trim().parse::<f64>().ok();
    let is_it = |it: &String| it == text || number(it).is_some_and(|it| number(text) == Some(it));
    if allowed.is_empty() || allowed.iter().any(is_it) {
        return None;
    }
    Some(format!("is none of its AllowedValues: {}", first_few(&allowed, NAMED)))
}

fn not_of_pattern(declared: &Value, text: &str) -> Option<String> {
    let pattern = declared.get("AllowedPattern")?.as_str()?;
    if JAVA.iter().any(|java| pattern.contains(java)) || !text.is_ascii() || text.contains(['\n', '\r']) {
        return None;
    }
    let whole = Regex::new(&format!("^(?:{pattern})$")).ok()?;
    let is_refused = !whole.is_match(text);
    is_refused.then(|| {
        let why = declared.get("ConstraintDescription").and_then(Value::as_str);
        let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
        format!("does not match its AllowedPattern {pattern}{why}")
    })
}

fn out_of_bounds(declared: &Value, of: &str, text: &str) -> Option<String> {
    let bound = |name: &str| declared.get(name).and_then(scalar)?.trim().parse::<f64>().ok();
    #[expect(clippy::cast_precision_loss, reason = "a text of so many bytes is refused before")]
    let (least, most, is) = match of {
        "Number" => ("MinValue", "MaxValue", text.trim().parse::<f64>().ok()?),
        _ if text.is_ascii() => ("MinLength", "MaxLength", text.len() as f64),
        _ => return None,
    };
    let low = bound(least).filter(|bound| is < *bound).map(|bound| format!("is below its {least} {bound}"));
    low.or_else(|| {
        bound(most).filter(|bound| is > *bound).map(|bound| format!("is above its {most} {bound}"))
    })
}

/// A scalar as the text that CloudFormation makes of it.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(declared: &Value, value: &str, refusal: Option<&str>) {
        let template = Template::from_value(json!({ "Parameters": { "P": declared } })).unwrap();
        assert_eq!(template.refusal("P", value).as_deref(), refusal, "{value} for {declared}");
    }

    #[test]
    fn a_value_that_a_rule_excludes_is_refused() {
        let size = json!({ "Type": "String", "AllowedValues": ["s", "m"] });
        check(&size, "s", None);
        check(&size, "xl", Some("is none of its AllowedValues: s, m"));
        let count = json!({ "Type": "Number", "AllowedValues": [1, "2"], "MaxValue": 1 });
        check(&count, "1.0", None);
        check(&count, "3", Some("is none of its AllowedValues: 1, 2"));
        check(&count, "2", Some("is above its MaxValue 1"));
        check(&count, "two", Some("is no number"));
        check(&json!({ "Type": "Number" }), "", Some("is no number"));
        check(&json!({ "Type": "Number" }), " -1.5e3 ", None);
        let name =
            json!({ "AllowedPattern": "[a-z]+", "ConstraintDescription": "lower case", "MinLength": "2" });
        check(&name, "ab", None);
        check(&name, "abC", Some("does not match its AllowedPattern [a-z]+ (lower case)"));
        check(&name, "a", Some("is below its MinLength 2"));
    }

    #[test]
    fn each_item_of_a_list_is_checked_by_the_rules() {
        let zones = json!({ "Type": "CommaDelimitedList", "AllowedValues": ["a", "b"] });
        check(&zones, "a, b", None);
        check(&zones, "a,c", Some("is none of its AllowedValues: a, b"));
        check(&json!({ "Type": "List<Number>" }), "80,http", Some("is no number"));
    }

    #[test]
    fn uncertain_values_are_left_to_cloudformation() {
        check(&json!({ "Type": "AWS::EC2::VPC::Id", "AllowedValues": ["vpc-1"] }), "x", None);
        check(&json!({ "Type": "AWS::SSM::Parameter::Value<String>", "AllowedPattern": "x" }), "/y", None);
        for pattern in [r"\p{Alpha}+", "(?i)abc", "[a-z&&[^b]]+", "a++", "(a"] {
            check(&json!({ "Type": "String", "AllowedPattern": pattern }), "1", None);
        }
        check(&json!({ "Type": "String", "AllowedValues": [["s"]] }), "x", None);
        check(&json!("odd"), "x", None);
    }
}
