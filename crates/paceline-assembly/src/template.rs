//! A CloudFormation template in JSON or YAML.

use std::sync::{Arc, OnceLock};

use serde_json::{Map, Value};

use crate::loops::{LOOP, TRANSFORM};
use crate::sections::is_resource;
use crate::seen::{Seen, Transforms, Unseen};
use crate::values::{Known, Resolver};
use crate::{digest, yaml};

/// The start of an escaped character in JSON and in YAML's double quotes. Any text can be hidden in such
/// escapes.
const ESCAPE: &str = "\\u";

/// The type of a custom resource that has no type of its own.
pub const CUSTOM_TYPE: &str = "AWS::CloudFormation::CustomResource";

/// A template in long form. Clones are cheap.
///
/// A template can be kept as text and parsed when it is needed: the parsed templates of a large app take many
/// times the memory of their text.
#[derive(Debug, Clone)]
pub struct Template {
    /// The text that the value was parsed from, if it is kept.
    text: Option<Arc<str>>,
    /// The parsed template, which is always an object. It is only unset if there is a text that was parsed
    /// before.
    value: OnceLock<Arc<Value>>,
    /// The known facts about the stack that is made from this template.
    known: Arc<Known>,
    /// The template as CloudFormation will process it.
    seen: OnceLock<Arc<Seen>>,
}

impl Template {
    /// Parses JSON, or YAML with short-form intrinsics (`!Ref`), which become long forms.
    pub fn parse(text: &str) -> Result<Template, TemplateError> {
        Self::from_value(parse(text)?)
    }

    /// Parses like [`parse`](Self::parse), and keeps the text, so that the value can be
    /// [dropped](Self::forget).
    pub(crate) fn keeping_text(text: &str) -> Result<Template, TemplateError> {
        Ok(Template { text: Some(text.into()), ..Self::parse(text)? })
    }

    /// Wraps a template that is already in long form.
    pub fn from_value(value: Value) -> Result<Template, TemplateError> {
        if value.is_object() {
            Ok(Template {
                text: None,
                value: OnceLock::from(Arc::new(value)),
                known: Arc::default(),
                seen: OnceLock::new(),
            })
        } else {
            Err(TemplateError::NotAMap(kind(&value)))
        }
    }

    /// The same template for a stack with these known facts.
    #[must_use]
    pub fn knowing(self, known: Known) -> Template {
        Template { known: Arc::new(known), seen: OnceLock::new(), ..self }
    }

    pub fn known(&self) -> &Known {
        &self.known
    }

    /// A resolver for the values in the template.
    pub fn resolver(&self) -> Resolver<'_> {
        Resolver::new(&self.known, self.expanded())
    }

    /// Whether the template asks for the transform that expands loops.
    pub fn has_loops(&self) -> bool {
        self.may_hold(TRANSFORM) && Transforms::of(self.value()).has_loops()
    }

    /// The template with its loops expanded, as far as they are known. CloudFormation is sent the unexpanded
    /// [value](Self::value).
    pub fn expanded(&self) -> &Value {
        self.seen().value.as_deref().unwrap_or_else(|| self.value())
    }

    /// The parts of the template that are unknown until CloudFormation has processed them.
    pub fn unseen(&self) -> &[Unseen] {
        &self.seen().unseen
    }

    fn seen(&self) -> &Seen {
        self.seen.get_or_init(|| {
            let value = self.value();
            let may_be_more = [LOOP, "Transform"].iter().any(|it| self.may_hold(it));
            let resolver = may_be_more.then(|| Resolver::new(&self.known, value));
            Arc::new(resolver.map_or_else(|| Seen::plain(value), |resolver| Seen::of(value, &resolver)))
        })
    }

    /// Drops the parsed value, if it can be parsed again from the text.
    pub(crate) fn forget(&mut self) {
        if self.text.is_some() {
            self.value = OnceLock::new();
            self.seen = OnceLock::new();
        }
    }

    /// Whether the template may contain the text, as far as that can be decided without parsing.
    pub(crate) fn may_hold(&self, text: &str) -> bool {
        self.text.as_ref().is_none_or(|own| own.contains(text) || own.contains(ESCAPE))
    }

    /// Whether the template contains this text anywhere.
    pub fn mentions(&self, text: &str) -> bool {
        match &self.text {
            Some(own) => own.contains(text),
            None => self.value().to_string().contains(text),
        }
    }

    /// The template as written. The first call parses it, and keeps the result.
    pub fn value(&self) -> &Value {
        self.value.get_or_init(|| {
            let text = self.text.as_deref().unwrap_or_default();
            // The text was parsed successfully when the template was made.
            Arc::new(parse(text).unwrap_or_else(|_| Value::Object(Map::new())))
        })
    }

    /// The resources, ordered by logical id. A resource of a loop over unknown elements has
    /// [`UNKNOWN`](crate::UNKNOWN) in its id.
    pub fn resources(&self) -> impl Iterator<Item = (&str, Resource<'_>)> {
        let resources = self.section("Resources").filter(|(id, body)| is_resource(id, body));
        resources.filter_map(|(id, body)| Some((id, Resource::of(body)?)))
    }

    pub fn resource(&self, logical_id: &str) -> Option<Resource<'_>> {
        let body = self.expanded().get("Resources")?.get(logical_id)?;
        is_resource(logical_id, body).then(|| Resource::of(body)).flatten()
    }

    /// The lowest possible number of resources. 0 means that there are certainly none: if resources may be
    /// hidden, the number is at least 1.
    pub fn resource_count(&self) -> usize {
        self.seen().resources
    }

    pub fn outputs(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.section("Outputs")
    }

    pub fn parameters(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.section("Parameters")
    }

    pub fn conditions(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.section("Conditions")
    }

    pub fn mappings(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.section("Mappings")
    }

    /// The SHA-256 of the template's canonical JSON, in hexadecimal. It does not depend on the order of keys,
    /// the white space or the syntax.
    pub fn digest(&self) -> String {
        digest::of_value(self.value())
    }

    /// A digest that is cheaper than [`digest`](Self::digest), but that changes with the white space too.
    pub fn fingerprint(&self) -> String {
        self.text.as_deref().map_or_else(|| self.digest(), digest::of_text)
    }

    fn section(&self, name: &str) -> impl Iterator<Item = (&str, &Value)> {
        let entries = self.expanded().get(name).and_then(Value::as_object);
        entries.into_iter().flat_map(Map::iter).map(|(key, value)| (key.as_str(), value))
    }
}

impl PartialEq for Template {
    fn eq(&self, other: &Self) -> bool {
        self.value() == other.value()
    }
}

fn parse(text: &str) -> Result<Value, TemplateError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // A list is no template. The parser of YAML would need a hundred bytes for each of its items to find that out.
    let value = if is_json(text) || text.trim_start().starts_with('[') {
        serde_json::from_str(text).map_err(TemplateError::Json)?
    } else {
        yaml::parse(text).map_err(TemplateError::Yaml)?
    };
    Ok(value)
}

/// A resource of a template.
#[derive(Debug, Clone)]
pub struct Resource<'a> {
    /// The type. It is empty if the template states none.
    pub resource_type: &'a str,
    pub properties: Option<&'a Value>,
    /// The `DependsOn`, which may be a string or a list in the template.
    pub depends_on: Vec<&'a str>,
    pub metadata: Option<&'a Value>,
    pub condition: Option<&'a str>,
    /// The whole resource, including the parts that have no field here.
    pub body: &'a Value,
}

/// Whether resources of this type are custom resources.
pub fn is_custom(resource_type: &str) -> bool {
    resource_type.starts_with("Custom::") || resource_type == CUSTOM_TYPE
}

impl<'a> Resource<'a> {
    fn of(body: &'a Value) -> Option<Self> {
        let fields = body.as_object()?;
        let text = |key: &str| fields.get(key).and_then(Value::as_str);
        let depends_on = match fields.get("DependsOn") {
            Some(Value::String(id)) => vec![id.as_str()],
            Some(Value::Array(ids)) => ids.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        Some(Resource {
            resource_type: text("Type").unwrap_or_default(),
            properties: fields.get("Properties"),
            depends_on,
            metadata: fields.get("Metadata"),
            condition: text("Condition"),
            body,
        })
    }
}

/// The reason why a text is no template.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    #[error("not valid JSON")]
    Json(#[source] serde_json::Error),
    #[error("not valid YAML")]
    Yaml(#[source] serde_yaml::Error),
    #[error("a template is a map of sections, and this is {0}")]
    NotAMap(&'static str),
    #[error("not UTF-8 text")]
    NotText { line: usize, column: usize },
}

impl TemplateError {
    /// The line and the column, both counted from 1, if they are known.
    pub fn line_column(&self) -> Option<(usize, usize)> {
        match self {
            Self::Json(error) => Some((error.line(), error.column())),
            Self::Yaml(error) => error.location().map(|at| (at.line(), at.column())),
            Self::NotAMap(_) => Some((1, 1)),
            Self::NotText { line, column } => Some((*line, *column)),
        }
    }

    /// The error for bytes that are valid text only up to `valid`.
    pub(crate) fn not_text(bytes: &[u8], valid: usize) -> Self {
        let before = &bytes[..valid.min(bytes.len())];
        let line_start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let line = before.split(|&byte| byte == b'\n').count();
        Self::NotText { line, column: before.len() - line_start + 1 }
    }

    pub(crate) fn at(&self) -> String {
        self.line_column()
            .map(|(line, column)| format!(" at line {line}, column {column}"))
            .unwrap_or_default()
    }
}

/// Whether the text is JSON. YAML's flow style starts with a brace too, but a quote or nothing after the
/// brace means JSON. Trying both parsers would mistake truncated JSON for YAML with keys without values.
fn is_json(text: &str) -> bool {
    text.trim_start().strip_prefix('{').is_some_and(|rest| {
        let rest = rest.trim_start();
        rest.is_empty() || rest.starts_with(['"', '}'])
    })
}

/// The name of a value's type in a sentence.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use serde_json::json;

    use super::*;

    fn parse(text: &str) -> Template {
        Template::parse(text).unwrap()
    }

    #[track_caller]
    fn check_error(text: &str, expect: &str, source: &str) {
        let error = Template::parse(text).unwrap_err();
        assert_eq!(format!("{error}{}", error.at()), expect);
        assert_eq!(error.source().map(ToString::to_string).unwrap_or_default(), source);
    }

    #[test]
    fn a_list_is_no_template() {
        assert_eq!(
            Template::parse("[1, 2]").unwrap_err().to_string(),
            Template::parse("- 1").unwrap_err().to_string()
        );
    }

    #[test]
    fn json_and_yaml_of_the_same_meaning_are_equal_templates() {
        let json = parse(r#"{"Resources": {"A": {"Type": "X", "Properties": {"B": {"Ref": "C"}}}}}"#);
        let yaml = parse("\u{feff}# comment\nResources:\n  A: {Properties: {B: !Ref C}, Type: X}\n");
        let flow = parse("{Resources: {A: {Type: X, Properties: {B: !Ref C}}}}");
        assert_eq!(json, yaml);
        assert_eq!(json, flow);
        assert_eq!(json.digest(), yaml.digest());
    }

    #[test]
    fn the_digest_depends_on_values_but_not_on_the_order_of_keys() {
        let digest = |text: &str| parse(text).digest();
        assert_eq!(digest("{}"), "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
        assert_eq!(
            digest(r#"{"a": [1, {"x": 1, "y": 2}], "b": "c"}"#),
            digest(r#"{"b":"c","a":[1,{"y":2,"x":1}]}"#)
        );
        assert_ne!(digest(r#"{"a": [1, 2]}"#), digest(r#"{"a": [2, 1]}"#));
        assert_ne!(digest(r#"{"a": "1"}"#), digest(r#"{"a": 1}"#));
    }

    #[test]
    fn resources_show_their_content() {
        let template = parse(
            r#"{"Resources": {
                "Two": {"Type": "T2", "DependsOn": ["One", "Three"], "Condition": "C", "Metadata": {"m": 1}},
                "One": {"Type": "T1", "DependsOn": "Three", "Properties": {"p": 1}, "DeletionPolicy": "Retain"},
                "Three": {}, "Fn::ForEach::Odd": ["x"]}}"#,
        );
        assert_eq!(template.resource_count(), 3);
        assert_eq!(template.resources().map(|(id, _)| id).collect::<Vec<_>>(), ["One", "Three", "Two"]);
        let one = template.resource("One").unwrap();
        assert_eq!((one.resource_type, one.depends_on), ("T1", vec!["Three"]));
        assert_eq!(one.properties, Some(&json!({"p": 1})));
        assert_eq!(one.body["DeletionPolicy"], "Retain");
        let two = template.resource("Two").unwrap();
        assert_eq!((two.depends_on, two.condition), (vec!["One", "Three"], Some("C")));
        assert_eq!(two.metadata, Some(&json!({"m": 1})));
        assert_eq!(template.resource("Three").unwrap().resource_type, "");
        assert!(template.resource("None").is_none());
    }

    #[test]
    fn sections_that_are_absent_or_malformed_are_empty() {
        let template = parse(r#"{"Outputs": {"O": {"Value": 1}}, "Parameters": [], "Mappings": null}"#);
        assert_eq!(template.outputs().collect::<Vec<_>>(), [("O", &json!({"Value": 1}))]);
        assert_eq!(
            template.parameters().count() + template.mappings().count() + template.conditions().count(),
            0
        );
        assert_eq!(template.resources().count() + template.resource_count(), 0);
    }

    #[test]
    fn errors_name_line_and_column() {
        check_error(
            "{\"a\": 1,\n \"b\": }",
            "not valid JSON at line 2, column 7",
            "expected value at line 2 column 7",
        );
        check_error(
            "{",
            "not valid JSON at line 1, column 1",
            "EOF while parsing an object at line 1 column 1",
        );
        check_error(
            "a: 1\nb: [1,\n",
            "not valid YAML at line 3, column 1",
            "did not find expected node content at line 3 column 1, while parsing a flow node",
        );
        check_error("", "a template is a map of sections, and this is nothing at line 1, column 1", "");
        check_error("[1]", "a template is a map of sections, and this is a list at line 1, column 1", "");
    }

    #[test]
    fn the_error_for_bytes_that_are_no_text_names_their_line() {
        assert_eq!(TemplateError::not_text(b"ab\ncd\xff", 5).line_column(), Some((2, 3)));
        assert_eq!(TemplateError::not_text(b"\xff", 0).line_column(), Some((1, 1)));
        assert_eq!(TemplateError::not_text(b"a\n\xff", 2).line_column(), Some((2, 1)));
    }
}
