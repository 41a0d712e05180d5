//! Reads YAML templates, and converts CloudFormation's short forms to long forms, so that other code handles
//! only one form.

use std::cell::Cell;
use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde_json::{Map, Number, Value};

/// The number of open brackets above which a text is not parsed. The parser takes quadratic time for nested
/// brackets and gives up at 128. This limit is higher because it also counts brackets in text, such as those
/// of an inline script.
const MAX_OPEN_BRACKETS: usize = 512;

/// The longest YAML template in bytes: the limit of CloudFormation (CloudFormation User Guide, "Understand CloudFormation
/// quotas"). The parser needs up to 160 bytes of memory for a byte of dense YAML, and the CDK writes JSON.
const LONGEST: usize = 1 << 20;

/// The values and bytes of text that aliases may add to a text.
const SPARE: usize = 100_000;

/// Parses a template, and converts it to long form.
pub(crate) fn parse(text: &str) -> Result<Value, serde_yaml::Error> {
    if text.len() > LONGEST {
        return Err(serde_yaml::Error::custom(
            "it is longer than 1 MiB, which CloudFormation does not accept",
        ));
    }
    if too_many_open(text) {
        return Err(serde_yaml::Error::custom("brackets are inside of each other too deep to be meant"));
    }
    // Aliases can make a small text describe a huge value. A text without aliases cannot cost more than twice
    // its length. CloudFormation itself does not accept aliases, so little is lost.
    let budget = Cell::new(SPARE + 2 * text.len());
    Node { budget: &budget }.deserialize(serde_yaml::Deserializer::from_str(text))
}

fn too_many_open(text: &str) -> bool {
    let mut open = 0_usize;
    for byte in text.bytes() {
        match byte {
            b'[' | b'{' => open += 1,
            b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        if open > MAX_OPEN_BRACKETS {
            return true;
        }
    }
    false
}

/// Any value. `budget` is the number of values and bytes of text that may still be added.
#[derive(Clone, Copy)]
struct Node<'b> {
    budget: &'b Cell<usize>,
}

impl Node<'_> {
    fn spend<E: serde::de::Error>(self, cost: usize) -> Result<(), E> {
        let left = self.budget.get().checked_sub(cost);
        let left =
            left.ok_or_else(|| E::custom("the template is too large once its aliases are followed"))?;
        self.budget.set(left);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of a template")
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Value, E> {
        self.spend(1)?;
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Value, E> {
        self.spend(1)?;
        Ok(Value::from(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Value, E> {
        self.spend(1)?;
        Ok(Value::from(value))
    }

    fn visit_i128<E: serde::de::Error>(self, value: i128) -> Result<Value, E> {
        self.visit_string(value.to_string())
    }

    fn visit_u128<E: serde::de::Error>(self, value: u128) -> Result<Value, E> {
        self.visit_string(value.to_string())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        self.spend(1)?;
        // JSON has no infinity and no NaN.
        Ok(Number::from_f64(value).map_or_else(|| Value::String(value.to_string()), Value::Number))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value, E> {
        self.spend(1 + value.len())?;
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E: serde::de::Error>(self, value: String) -> Result<Value, E> {
        self.spend(1 + value.len())?;
        Ok(Value::String(value))
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Value, E> {
        self.spend(1)?;
        Ok(Value::Null)
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<Value, E> {
        self.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        self.spend(1)?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        self.spend(1)?;
        let mut map = Map::new();
        while let Some(key) = entries.next_key_seed(Key { known: &map })? {
            self.spend(1 + key.len())?;
            let value = entries.next_value_seed(self)?;
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }

    /// A value with a tag.
    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<Value, A::Error> {
        let (tag, content) = tagged.variant_seed(Key { known: &Map::new() })?;
        let argument = content.newtype_variant_seed(self)?;
        self.spend(1 + tag.len())?;
        Ok(long_form(&tag, argument))
    }
}

/// A tag, or a key that is not among the `known` ones. Keys of a template are text even if they look like
/// numbers, such as account ids in mappings.
struct Key<'m> {
    known: &'m Map<String, Value>,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    // The duplicate is refused here, and not where the map is built, so that the error has the place of the
    // key.
    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<String, E> {
        if self.known.contains_key(value) {
            return Err(E::custom(format!("the key `{value}` stands here twice")));
        }
        Ok(value.to_owned())
    }
}

/// Unknown functions are converted like the known ones: CloudFormation adds functions now and then.
fn long_form(tag: &str, argument: Value) -> Value {
    let name = tag.strip_prefix('!').unwrap_or(tag);
    let (key, argument) = match (name, argument) {
        // `!` on its own only says that the value is text, whatever it looks like.
        ("", argument) => return argument,
        ("Ref" | "Condition", argument) => (name.to_owned(), argument),
        ("GetAtt", Value::String(text)) => {
            let parts: Vec<Value> = text.splitn(2, '.').map(Value::from).collect();
            ("Fn::GetAtt".to_owned(), Value::Array(parts))
        }
        (_, argument) => (format!("Fn::{name}"), argument),
    };
    Value::Object(Map::from_iter([(key, argument)]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &Value) {
        assert_eq!(parse(text).unwrap(), *expect, "{text}");
    }

    #[track_caller]
    fn check_error(text: &str, expect: &str) {
        assert_eq!(parse(text).unwrap_err().to_string(), expect);
    }

    #[test]
    fn short_forms_become_long_forms() {
        check("!Ref Table", &json!({"Ref": "Table"}));
        check("!Condition IsProd", &json!({"Condition": "IsProd"}));
        check("!Sub 'a-${B}'", &json!({"Fn::Sub": "a-${B}"}));
        check("!Sub\n- '${x}'\n- {x: !Ref Y}", &json!({"Fn::Sub": ["${x}", {"x": {"Ref": "Y"}}]}));
        check("!ImportValue {'Fn::Sub': 'x'}", &json!({"Fn::ImportValue": {"Fn::Sub": "x"}}));
        check("!GetStackOutput {StackName: a}", &json!({"Fn::GetStackOutput": {"StackName": "a"}}));
        check(
            "!If [C, !Ref AWS::NoValue, !Join ['', [a, !GetAtt A.Arn]]]",
            &json!({"Fn::If": ["C", {"Ref": "AWS::NoValue"}, {"Fn::Join": ["", ["a", {"Fn::GetAtt": ["A", "Arn"]}]]}]}),
        );
    }

    #[test]
    fn get_att_is_split_at_its_first_dot() {
        check("!GetAtt A.Outputs.B", &json!({"Fn::GetAtt": ["A", "Outputs.B"]}));
        check("!GetAtt [A, B]", &json!({"Fn::GetAtt": ["A", "B"]}));
        check("!GetAtt", &json!({"Fn::GetAtt": null}));
    }

    #[test]
    fn text_that_looks_like_another_type_stays_text() {
        check("2010-09-09", &json!("2010-09-09"));
        check("yes", &json!("yes"));
        check("'5'", &json!("5"));
        check("! x", &json!("x"));
        check("!!str 5", &json!("5"));
        check(
            "123456789012: {012345678901: x, true: y}",
            &json!({"123456789012": {"012345678901": "x", "true": "y"}}),
        );
    }

    #[test]
    fn a_repeated_key_is_an_error_at_the_second() {
        check_error("a:\n  b: 1\n  c: 2\n  b: 3\n", "a: the key `b` stands here twice at line 4 column 3");
    }

    #[test]
    fn aliases_are_followed_within_a_budget() {
        check("a: &a [x]\nb: *a\n", &json!({"a": ["x"], "b": ["x"]}));
        let bomb = format!("a: &a [{}]\nb: [{}]\n", "x,".repeat(10_000), "*a,".repeat(10_000));
        assert!(parse(&bomb).unwrap_err().to_string().contains("too large once its aliases are followed"));
        let text = format!("a: &a {}\nb: [{}]\n", "x".repeat(100_000), "*a,".repeat(10_000));
        assert!(parse(&text).unwrap_err().to_string().contains("too large once its aliases are followed"));
        check_error("a: &a [*a]\n", "recursion limit exceeded at line 1 column 4");
    }

    #[test]
    fn a_long_text_without_aliases_is_within_the_budget() {
        assert!(parse(&format!("[{}]", "{a,b},".repeat(170_000))).is_ok());
    }

    #[test]
    fn deep_nesting_is_refused_at_once() {
        check_error(&"[".repeat(1_000_000), "brackets are inside of each other too deep to be meant");
        check_error(&"[".repeat(500), "recursion limit exceeded at line 1 column 129");
        check_error(&"- ".repeat(1_000), "recursion limit exceeded at line 1 column 257");
    }
}
