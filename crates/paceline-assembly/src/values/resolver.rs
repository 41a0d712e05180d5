//! Resolves functions to texts, lists and conditions.

mod conditions;

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::Value;

use super::bounds::Bounds;
use super::{Known, Text, UNKNOWN};
use crate::partitions::{partition, url_suffix};
use crate::walk::Intrinsic;

/// The depth to which functions may be nested and names may refer to names, which is safe for the call stack.
const DEPTH: u8 = 64;
/// The size of a list element without its text, in bytes.
const ITEM: usize = 32;

/// Resolves the values that a template's strings refer to.
///
/// A value is unknown if it cannot be known, or if it would take more memory or time than any sensible
/// template needs.
#[derive(Debug)]
pub struct Resolver<'a> {
    known: &'a Known,
    template: &'a Value,
    parameters: BTreeMap<&'a str, Parameter>,
    /// The results of named conditions. A condition is `None` during its own evaluation, in case it refers to
    /// itself.
    conditions: RefCell<BTreeMap<&'a str, Option<bool>>>,
    bounds: Bounds,
}

#[derive(Debug)]
struct Parameter {
    value: Option<String>,
    is_list: bool,
    /// The name in Parameter Store, if the value is looked up there.
    stored: Option<Text>,
}

impl Parameter {
    fn new(declared: &Value, given: Option<&Option<String>>) -> Self {
        let value = match (given, &declared["Default"]) {
            (Some(given), _) => given.clone(),
            (None, Value::String(text)) => Some(text.clone()),
            (None, Value::Number(number)) => Some(number.to_string()),
            (None, Value::Bool(flag)) => Some(flag.to_string()),
            (None, _) => None,
        };
        let kind = declared["Type"].as_str().unwrap_or_default();
        let is_list = kind.starts_with("List<") || kind == "CommaDelimitedList";
        let is_stored = kind.starts_with("AWS::SSM::Parameter::") && (value.is_some() || given.is_some());
        let stored = is_stored.then(|| value.clone().map_or_else(Text::unknown, Text::from));
        // For a parameter that is looked up, the given value is its name in Parameter Store.
        let value = value.filter(|_| !kind.starts_with("AWS::SSM::Parameter::Value"));
        Self { value, is_list, stored }
    }
}

impl<'a> Resolver<'a> {
    pub fn new(known: &'a Known, template: &'a Value) -> Self {
        let declared = template["Parameters"].as_object().into_iter().flatten();
        let parameters = declared
            .map(|(name, declared)| (name.as_str(), Parameter::new(declared, known.given.get(name))))
            .collect();
        let bounds = Bounds::of(template);
        Self { known, template, parameters, conditions: RefCell::default(), bounds }
    }

    /// Resolves a string, a number, or an intrinsic that gives a string.
    pub fn resolve(&self, value: &Value) -> Text {
        self.bounds.one(|| self.text(value, DEPTH)).unwrap_or_else(Text::unknown)
    }

    /// Resolves one intrinsic, given as its name and its argument.
    pub fn resolve_intrinsic(&self, function: &str, argument: &Value) -> Text {
        let resolve = || {
            let mut out = String::new();
            self.append_intrinsic(function, argument, DEPTH, &mut out);
            Text::from(out)
        };
        self.bounds.one(resolve).unwrap_or_else(Text::unknown)
    }

    /// The elements of a list or of an intrinsic that gives a list. `None` if their number is not known.
    pub fn list(&self, value: &Value) -> Option<Vec<Text>> {
        self.bounds.one(|| self.items(value, DEPTH))?
    }

    /// The value that an `Fn::If` or an `Fn::FindInMap` selects. Any other value is returned as it is.
    pub(crate) fn chosen<'v>(&self, value: &'v Value) -> &'v Value
    where
        'a: 'v,
    {
        let mut chosen = value;
        for _ in 0..DEPTH {
            let next =
                Intrinsic::of(chosen).and_then(|intrinsic| match (intrinsic.name, intrinsic.argument) {
                    ("Fn::If", argument) => self.taken_branch(argument),
                    ("Fn::FindInMap", Value::Array(keys)) => {
                        self.bounds.one(|| self.find_in_map(keys, DEPTH))?
                    }
                    _ => None,
                });
            let Some(next) = next else { break };
            chosen = next;
        }
        chosen
    }

    /// The name of a parameter in Parameter Store, if its value is looked up there.
    pub fn stored(&self, parameter: &str) -> Option<Text> {
        self.parameters.get(parameter)?.stored.clone()
    }

    /// Whether anything was too large to be resolved since the last call.
    pub fn take_exceeded(&self) -> bool {
        self.bounds.take_exceeded()
    }

    fn text(&self, value: &Value, depth: u8) -> Text {
        let mut out = String::new();
        self.append(value, depth, &mut out);
        Text::from(out)
    }

    fn append(&self, value: &Value, depth: u8, out: &mut String) {
        match value {
            Value::String(text) => self.push(text, out),
            Value::Number(number) => self.push(&number.to_string(), out),
            Value::Bool(flag) => self.push(if *flag { "true" } else { "false" }, out),
            Value::Object(map) if map.len() == 1 => {
                let Some((function, argument)) = map.iter().next() else { return };
                self.append_intrinsic(function, argument, depth, out);
            }
            _ => self.push_unknown(out),
        }
    }

    fn push(&self, text: &str, out: &mut String) {
        if self.bounds.spend(1 + text.len()) {
            out.push_str(text);
        }
    }

    fn push_unknown(&self, out: &mut String) {
        if self.bounds.spend(UNKNOWN.len_utf8()) {
            out.push(UNKNOWN);
        }
    }

    fn append_intrinsic(&self, function: &str, argument: &Value, depth: u8, out: &mut String) {
        let Some(depth) = depth.checked_sub(1).filter(|_| self.bounds.spend(1)) else {
            return self.push_unknown(out);
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
            ("Fn::Length", list) => {
                self.items(list, depth).map(|items| self.push(&items.len().to_string(), out))
            }
            ("Fn::ToJsonString", value @ (Value::Array(_) | Value::Object(_))) => {
                self.append_json(value, depth, out);
                Some(())
            }
            _ => None,
        };
        if known.is_none() {
            out.truncate(before);
            self.push_unknown(out);
        }
    }

    fn append_join(&self, parts: &[Value], depth: u8, out: &mut String) -> Option<()> {
        let [Value::String(separator), list] = parts else { return None };
        for (i, item) in self.items(list, depth)?.iter().enumerate() {
            if i > 0 {
                self.push(separator, out);
            }
            self.push(item.raw(), out);
        }
        Some(())
    }

    fn append_select(&self, parts: &[Value], depth: u8, out: &mut String) -> Option<()> {
        let [index, list] = parts else { return None };
        let index: usize = self.text(index, depth).known()?.parse().ok()?;
        self.push(self.items(list, depth)?.get(index)?.raw(), out);
        Some(())
    }

    /// Appends the branch that is certainly taken, or the text that both branches have in common.
    fn append_if(&self, parts: &[Value], depth: u8, out: &mut String) -> Option<()> {
        let [condition, yes, no] = parts else { return None };
        match self.named_condition(condition.as_str()?, depth) {
            Some(true) => self.append(yes, depth, out),
            Some(false) => self.append(no, depth, out),
            None => {
                let (yes, no) = (self.text(yes, depth), self.text(no, depth));
                (yes == no).then(|| self.push(yes.raw(), out))?;
            }
        }
        Some(())
    }

    /// Appends a value as JSON, with the functions in it resolved as far as they are known.
    fn append_json(&self, value: &Value, depth: u8, out: &mut String) {
        let Some(depth) = depth.checked_sub(1).filter(|_| self.bounds.spend(1)) else { return };
        match value {
            Value::Object(_) if Intrinsic::of(value).is_some() => {
                let text = self.text(value, depth);
                self.push(&Value::from(text.raw()).to_string(), out);
            }
            Value::Object(fields) => {
                self.push("{", out);
                let fields = fields.iter().map(|(key, field)| (key, self.branch(field, depth)));
                for (at, (key, field)) in fields.filter(|(_, field)| !is_no_value(field)).enumerate() {
                    self.push(if at == 0 { "" } else { "," }, out);
                    self.push(&Value::from(key.as_str()).to_string(), out);
                    self.push(":", out);
                    self.append_json(field, depth, out);
                }
                self.push("}", out);
            }
            Value::Array(items) => {
                self.push("[", out);
                let items = items.iter().map(|item| self.branch(item, depth));
                for (at, item) in items.filter(|item| !is_no_value(item)).enumerate() {
                    self.push(if at == 0 { "" } else { "," }, out);
                    self.append_json(item, depth, out);
                }
                self.push("]", out);
            }
            scalar => self.push(&scalar.to_string(), out),
        }
    }

    /// The branch that an `Fn::If` certainly takes. Any other value is returned as it is.
    fn branch<'v>(&self, value: &'v Value, depth: u8) -> &'v Value {
        let parts =
            Intrinsic::of(value).filter(|it| it.name == "Fn::If").and_then(|it| it.argument.as_array());
        let Some([condition, yes, no]) = parts.map(Vec::as_slice) else { return value };
        let Some(depth) = depth.checked_sub(1) else { return value };
        match condition.as_str().and_then(|condition| self.named_condition(condition, depth)) {
            Some(true) => self.branch(yes, depth),
            Some(false) => self.branch(no, depth),
            None => value,
        }
    }

    fn items(&self, list: &Value, depth: u8) -> Option<Vec<Text>> {
        let depth = depth.checked_sub(1).filter(|_| self.bounds.spend(1))?;
        if let Value::Array(items) = list {
            let room = |_: &&Value| self.bounds.spend(ITEM);
            return Some(items.iter().take_while(room).map(|item| self.text(item, depth)).collect());
        }
        match list.as_object().filter(|map| map.len() == 1)?.iter().next()? {
            (function, Value::Array(parts)) if function == "Fn::Split" => {
                let [Value::String(separator), text] = parts.as_slice() else { return None };
                // An unknown part may contain separators.
                self.split(&self.text(text, depth).known()?, separator)
            }
            (function, Value::String(name)) if function == "Ref" => {
                let parameter = self.parameters.get(name.as_str()).filter(|parameter| parameter.is_list)?;
                let items = self.split(parameter.value.as_deref()?, ",")?;
                // CloudFormation trims the items of a CommaDelimitedList too.
                Some(items.iter().map(|item| Text::from_raw(item.raw().trim())).collect())
            }
            (function, Value::Array(keys)) if function == "Fn::FindInMap" => {
                self.find_in_map(keys, depth).and_then(|found| self.items(found, depth))
            }
            (function, Value::Array(parts)) if function == "Fn::If" => {
                let [condition, yes, no] = parts.as_slice() else { return None };
                let holds = self.named_condition(condition.as_str()?, depth)?;
                self.items(if holds { yes } else { no }, depth)
            }
            _ => None,
        }
    }

    fn split(&self, text: &str, separator: &str) -> Option<Vec<Text>> {
        let parts = || text.split(separator);
        self.bounds.spend(text.len() + ITEM * parts().count()).then(|| parts().map(Text::from_raw).collect())
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

    fn append_name(&self, name: &str, depth: u8, out: &mut String) -> Option<()> {
        let region = self.known.environment.region.as_deref();
        let known = match name {
            "AWS::Region" => region,
            "AWS::AccountId" => self.known.environment.account.as_deref(),
            "AWS::StackName" => self.known.stack_name.as_deref(),
            "AWS::Partition" => region.map(partition),
            "AWS::URLSuffix" => region.map(url_suffix),
            _ => self.parameters.get(name).and_then(|parameter| parameter.value.as_deref()),
        };
        if let Some(text) = known {
            self.push(text, out);
            return Some(());
        }
        // `Ref` returns the name of these resources, if the template gives one.
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
        self.push(parts.next()?, out);
        for part in parts {
            let Some((name, text)) = part.split_once('}') else {
                // Without its closing brace, it is no placeholder.
                self.push("${", out);
                self.push(part, out);
                continue;
            };
            let name = name.trim();
            if let Some(literal) = name.strip_prefix('!') {
                for piece in ["${", literal, "}"] {
                    self.push(piece, out);
                }
            } else if let Some(value) = variables.and_then(|v| v.get(name)) {
                self.append(value, depth, out);
            } else if self.append_name(name, depth, out).is_none() {
                self.push_unknown(out);
            }
            self.push(text, out);
        }
        Some(())
    }
}

fn is_no_value(value: &Value) -> bool {
    matches!(value, Value::Object(map) if map.len() == 1 && map.get("Ref").is_some_and(|name| name == "AWS::NoValue"))
}

#[cfg(test)]
mod tests;
