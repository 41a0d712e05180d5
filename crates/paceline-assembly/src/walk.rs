//! Visits every intrinsic function and every string in a part of a template.

use std::fmt;

use serde_json::Value;

/// Something found in a template.
#[derive(Debug, Clone, Copy)]
pub enum Node<'a> {
    /// A string that is text. The names in `Ref` and `Fn::GetAtt` are part of the intrinsic, and not visited
    /// on their own.
    Text(&'a str),
    Intrinsic(Intrinsic<'a>),
}

/// `{ "Ref": … }`, `{ "Condition": "…" }` or `{ "Fn::…": … }`.
#[derive(Debug, Clone, Copy)]
pub struct Intrinsic<'a> {
    /// The key in long form, such as `Ref` or `Fn::GetAtt`.
    pub name: &'a str,
    pub argument: &'a Value,
}

impl<'a> Intrinsic<'a> {
    /// Reads a value as an intrinsic, if it is one.
    pub fn of(value: &'a Value) -> Option<Self> {
        let object = value.as_object()?;
        if object.len() != 1 {
            return None;
        }
        let (name, argument) = object.iter().next()?;
        let known =
            name == "Ref" || name.starts_with("Fn::") || (name == "Condition" && argument.is_string());
        known.then_some(Intrinsic { name, argument })
    }

    /// The name in a `Ref`.
    pub fn reference(&self) -> Option<&'a str> {
        if self.name == "Ref" { self.argument.as_str() } else { None }
    }

    /// The resource and the attribute of an `Fn::GetAtt`, written as a list or as `Resource.Attribute`. A
    /// computed attribute is returned as the empty string.
    pub fn attribute(&self) -> Option<(&'a str, &'a str)> {
        if self.name != "Fn::GetAtt" {
            return None;
        }
        match self.argument {
            Value::String(text) => text.split_once('.'),
            Value::Array(parts) => {
                let resource = parts.first()?.as_str()?;
                Some((resource, parts.get(1).and_then(Value::as_str).unwrap_or_default()))
            }
            _ => None,
        }
    }

    /// The text of an `Fn::Sub`, with or without its own variables.
    pub fn substitution(&self) -> Option<&'a str> {
        if self.name != "Fn::Sub" {
            return None;
        }
        match self.argument {
            Value::String(text) => Some(text),
            Value::Array(parts) => parts.first()?.as_str(),
            _ => None,
        }
    }

    fn names_things(&self) -> bool {
        matches!(self.name, "Ref" | "Condition" | "Fn::GetAtt")
    }
}

/// The `${…}` names in the text of an `Fn::Sub`, without those that are escaped as `${!…}`.
pub fn sub_variables(text: &str) -> impl Iterator<Item = &str> {
    text.split("${").skip(1).filter_map(|rest| {
        let (name, _) = rest.split_once('}')?;
        (!name.starts_with('!')).then(|| name.trim())
    })
}

/// One step from a value to a value inside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Segment<'a> {
    Key(&'a str),
    Index(usize),
}

impl Segment<'_> {
    fn is_intrinsic(&self) -> bool {
        matches!(self, Self::Key(key) if *key == "Ref" || key.starts_with("Fn::"))
    }
}

/// The place of a value. It is displayed as `Properties.Environment.Variables.TABLE` or
/// `Properties.Statement[0]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PropertyPath<'a> {
    segments: Vec<Segment<'a>>,
}

impl<'a> PropertyPath<'a> {
    pub fn segments(&self) -> &[Segment<'a>] {
        &self.segments
    }

    /// The path up to the first intrinsic function, which is the property as the template's author would name
    /// it.
    #[must_use]
    pub fn property(&self) -> PropertyPath<'a> {
        let end = self.segments.iter().position(Segment::is_intrinsic).unwrap_or(self.segments.len());
        PropertyPath { segments: self.segments[..end].to_vec() }
    }
}

impl fmt::Display for PropertyPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, segment) in self.segments.iter().enumerate() {
            match segment {
                Segment::Key(key) if at == 0 => f.write_str(key)?,
                Segment::Key(key) => write!(f, ".{key}")?,
                Segment::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// Calls `visit` for every intrinsic and every text in `value`, outer ones before inner ones.
pub fn walk<'a>(value: &'a Value, visit: &mut dyn FnMut(&PropertyPath<'a>, Node<'a>)) {
    step(value, &mut PropertyPath::default(), visit);
}

fn step<'a>(
    value: &'a Value,
    path: &mut PropertyPath<'a>,
    visit: &mut dyn FnMut(&PropertyPath<'a>, Node<'a>),
) {
    match value {
        Value::String(text) => visit(path, Node::Text(text)),
        Value::Array(items) => elements(items, |_| false, path, visit),
        Value::Object(fields) => {
            if let Some(intrinsic) = Intrinsic::of(value) {
                visit(path, Node::Intrinsic(intrinsic));
                if intrinsic.names_things() {
                    if let Value::Array(items) = intrinsic.argument {
                        path.segments.push(Segment::Key(intrinsic.name));
                        elements(items, Value::is_string, path, visit);
                        path.segments.pop();
                    }
                    return;
                }
            }
            for (key, field) in fields {
                path.segments.push(Segment::Key(key));
                step(field, path, visit);
                path.segments.pop();
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn elements<'a>(
    items: &'a [Value],
    skip: fn(&Value) -> bool,
    path: &mut PropertyPath<'a>,
    visit: &mut dyn FnMut(&PropertyPath<'a>, Node<'a>),
) {
    for (index, item) in items.iter().enumerate().filter(|(_, item)| !skip(item)) {
        path.segments.push(Segment::Index(index));
        step(item, path, visit);
        path.segments.pop();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Formats every visited node, one on a line.
    #[track_caller]
    fn check(value: &Value, expect: &[&str]) {
        let mut found = Vec::new();
        walk(value, &mut |path, node| {
            found.push(match node {
                Node::Text(text) => format!("{path} = {text}"),
                Node::Intrinsic(it) => format!("{path} {}", it.name),
            });
        });
        assert_eq!(found, expect);
    }

    #[test]
    fn strings_and_intrinsics_are_shown_with_their_path() {
        check(
            &json!({"Properties": {"Environment": {"Variables": {"TABLE": {"Ref": "Table"}}}, "List": ["a", 1, {"k": "b"}]}}),
            &[
                "Properties.Environment.Variables.TABLE Ref",
                "Properties.List[0] = a",
                "Properties.List[2].k = b",
            ],
        );
    }

    #[test]
    fn the_content_of_an_intrinsic_is_shown_after_it() {
        check(
            &json!({"A": {"Fn::Join": ["-", ["x", {"Fn::GetAtt": ["B", "Arn"]}]]}}),
            &["A Fn::Join", "A.Fn::Join[0] = -", "A.Fn::Join[1][0] = x", "A.Fn::Join[1][1] Fn::GetAtt"],
        );
        check(&json!({"Fn::GetAtt": ["B", {"Ref": "Name"}]}), &[" Fn::GetAtt", "Fn::GetAtt[1] Ref"]);
    }

    #[test]
    fn a_map_with_another_key_beside_the_function_is_no_intrinsic() {
        check(&json!({"Ref": "A", "Other": "B"}), &["Other = B", "Ref = A"]);
        check(&json!({"Condition": {"StringEquals": "x"}}), &["Condition.StringEquals = x"]);
        check(&json!({"Condition": "IsProd"}), &[" Condition"]);
    }

    #[test]
    fn the_property_is_the_path_before_the_first_intrinsic() {
        let value = json!({"P": [{"Fn::If": ["c", {"k": "text"}, "e"]}]});
        let mut found = Vec::new();
        walk(&value, &mut |path, node| {
            if matches!(node, Node::Text("text")) {
                found.push((path.to_string(), path.property().to_string()));
            }
        });
        assert_eq!(found, [("P[0].Fn::If[1].k".to_owned(), "P[0]".to_owned())]);
    }

    #[test]
    fn intrinsics_return_the_names_in_them() {
        let of = |value: &Value| {
            let it = Intrinsic::of(value).unwrap();
            format!("{:?} {:?} {:?}", it.reference(), it.attribute(), it.substitution())
        };
        assert_eq!(of(&json!({"Ref": "A"})), r#"Some("A") None None"#);
        assert_eq!(of(&json!({"Fn::GetAtt": ["A", "B.C"]})), r#"None Some(("A", "B.C")) None"#);
        assert_eq!(of(&json!({"Fn::GetAtt": "A.B.C"})), r#"None Some(("A", "B.C")) None"#);
        assert_eq!(of(&json!({"Fn::GetAtt": ["A", {"Ref": "B"}]})), r#"None Some(("A", "")) None"#);
        assert_eq!(of(&json!({"Fn::Sub": "x"})), r#"None None Some("x")"#);
        assert_eq!(of(&json!({"Fn::Sub": ["x", {}]})), r#"None None Some("x")"#);
        assert_eq!(of(&json!({"Fn::GetAtt": 5})), "None None None");
    }

    #[test]
    fn sub_variables_are_listed_without_the_escaped_ones() {
        let names = |text: &'static str| sub_variables(text).collect::<Vec<_>>();
        assert_eq!(
            names("arn:${AWS::Partition}:${ A.Arn }/${!Literal}${B}"),
            ["AWS::Partition", "A.Arn", "B"]
        );
        assert_eq!(names("${open"), [""; 0]);
        assert_eq!(names("$ {x} }${"), [""; 0]);
    }
}
