//! Evaluates intrinsic functions, pseudo parameters and dynamic references.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use paceline_assembly::Intrinsic;
use serde_json::{Map, Value};

use super::made_up::{self, Known};
use super::scope::{Scope, text_of};
use super::{cidr, dynamic};
use crate::stack::{attribute, is_made_up};
use crate::world::Place;

/// What a change set shows for a value that only the deployment will know.
const LATER: &str = "{{changeSet:KNOWN_AFTER_APPLY}}";

/// None stands for `AWS::NoValue`.
type Evaluated = Result<Option<Value>, String>;

/// How much an expression may come to, in values and bytes. CloudFormation takes templates of 1 MB, and values that are
/// far smaller.
const LARGEST: usize = 4 << 20;
/// What a value takes beside its text.
const NODE: usize = 32;

/// The evaluation of one expression: functions in functions can describe far more than they are.
pub(super) struct Evaluation<'a> {
    scope: Scope<'a>,
    left: Cell<usize>,
    /// Whether any part so far is made up.
    made_up: Cell<bool>,
    /// Where it became too large, from the inside out.
    trail: RefCell<Option<Vec<String>>>,
}

impl<'a> std::ops::Deref for Evaluation<'a> {
    type Target = Scope<'a>;

    fn deref(&self) -> &Scope<'a> {
        &self.scope
    }
}

impl<'a> Evaluation<'a> {
    pub(super) fn new(scope: &Scope<'a>) -> Self {
        Self { scope: *scope, left: Cell::new(LARGEST), made_up: Cell::new(false), trail: RefCell::default() }
    }

    pub(super) fn at<T>(
        self,
        place: &str,
        evaluate: impl FnOnce(&Self) -> Result<T, String>,
    ) -> Result<T, String> {
        evaluate(&self).map_err(|error| match self.trail.take() {
            Some(trail) => {
                let path = std::iter::once(place.to_owned()).chain(trail.into_iter().rev());
                format!("{error} at {}", path.collect::<String>().trim_start_matches('.'))
            }
            None => error,
        })
    }

    /// Evaluates a part, and tells whether any of it is made up.
    pub(super) fn watched(&self, part: impl FnOnce(&Self) -> Result<Value, String>) -> Result<Known, String> {
        let before = self.made_up.replace(false);
        let value = part(self);
        let made_up = self.made_up.get();
        self.made_up.set(before || made_up);
        Ok(Known { value: value?, made_up })
    }

    /// Notes whether a part is made up.
    pub(super) fn note(&self, made_up: bool) {
        self.made_up.set(self.made_up.get() || made_up);
    }

    fn known(&self, known: Known) -> Value {
        self.note(known.made_up);
        known.value
    }

    pub(super) fn properties(&self, expression: &Value) -> Result<(Value, BTreeSet<String>), String> {
        let fields = expression.as_object().filter(|_| Intrinsic::of(expression).is_none());
        let Some(fields) = fields else { return Ok((self.value(expression)?, BTreeSet::new())) };
        let (mut values, mut made_up) = (Map::new(), BTreeSet::new());
        for (name, field) in fields {
            self.made_up.set(false);
            if let Some(value) = self.inside(|| format!(".{name}"), field)? {
                values.insert(name.clone(), value);
            }
            if self.made_up.get() {
                made_up.insert(name.clone());
            }
        }
        Ok((Value::Object(values), made_up))
    }

    pub(super) fn spend(&self, cost: usize) -> Result<(), String> {
        if let Some(left) = self.left.get().checked_sub(cost) {
            self.left.set(left);
            return Ok(());
        }
        self.left.set(0);
        self.trail.borrow_mut().get_or_insert_default();
        Err(format!("Template error: a value becomes larger than {} MiB", LARGEST >> 20))
    }

    /// Goes into a part of an expression.
    fn inside(&self, part: impl FnOnce() -> String, value: &Value) -> Evaluated {
        self.evaluate(value).inspect_err(|_| {
            if let Some(trail) = &mut *self.trail.borrow_mut() {
                trail.push(part());
            }
        })
    }

    /// Evaluates an expression; one that comes to nothing is null.
    pub(super) fn value(&self, expression: &Value) -> Result<Value, String> {
        Ok(self.evaluate(expression)?.unwrap_or(Value::Null))
    }

    /// Evaluates an expression to text.
    pub(super) fn text(&self, expression: &Value) -> Result<String, String> {
        let Known { value, made_up } = self.watched(|it| it.value(expression))?;
        match value {
            // Whether it is a list is made up too.
            Value::Object(_) | Value::Array(_) if !made_up => {
                Err("Template error: every value in this place must be a String.".to_owned())
            }
            value => Ok(text_of(&value)),
        }
    }

    /// Evaluates an expression to a list, and tells whether any of it is made up.
    fn list(&self, expression: &Value, wrong: impl Fn() -> String) -> Result<(Vec<Value>, bool), String> {
        let Known { value, made_up } = self.watched(|it| it.value(expression))?;
        match value {
            Value::Array(items) => Ok((items, made_up)),
            value if made_up => Ok((made_up::list(&value), true)),
            _ => Err(wrong()),
        }
    }

    fn evaluate(&self, expression: &Value) -> Evaluated {
        self.spend(NODE)?;
        if let Some(intrinsic) = Intrinsic::of(expression)
            && intrinsic.name != "Condition"
        {
            let value = self.intrinsic(&intrinsic)?;
            value.as_ref().map_or(Ok(()), |value| self.spend(size(value)))?;
            return Ok(value);
        }
        Ok(Some(match expression {
            Value::String(text) => Value::String(dynamic::replace(self, text)?),
            Value::Array(items) => {
                let items = items.iter().enumerate();
                let items: Result<Vec<_>, _> =
                    items.map(|(index, item)| self.inside(|| format!("[{index}]"), item)).collect();
                Value::Array(items?.into_iter().flatten().collect())
            }
            Value::Object(fields) => {
                let mut out = Map::new();
                for (key, field) in fields {
                    if let Some(value) = self.inside(|| format!(".{key}"), field)? {
                        out.insert(key.clone(), value);
                    }
                }
                Value::Object(out)
            }
            scalar => scalar.clone(),
        }))
    }

    fn intrinsic(&self, intrinsic: &Intrinsic<'_>) -> Evaluated {
        let argument = intrinsic.argument;
        let wrong = || format!("Template error: every {} object requires other parameters.", intrinsic.name);
        let list = |value: &Value| self.list(value, wrong);
        let at = |index: usize| argument.get(index).ok_or_else(wrong);
        let value = match intrinsic.name {
            "Ref" => return self.reference(intrinsic.reference().ok_or_else(wrong)?),
            "Fn::GetAtt" => {
                let (id, name) = intrinsic.attribute().ok_or_else(wrong)?;
                let computed = argument.get(1).filter(|name| !name.is_string());
                let name =
                    computed.map(|name| self.text(name)).transpose()?.unwrap_or_else(|| name.to_owned());
                self.attribute(id, &name)?
            }
            "Fn::Sub" => Value::String(self.substitute(intrinsic)?),
            "Fn::Join" => {
                let (items, _) = list(at(1)?)?;
                let separator = self.text(at(0)?)?;
                self.spend(items.iter().map(size).sum::<usize>() + items.len() * separator.len())?;
                let items: Vec<String> = items.iter().map(text_of).collect();
                Value::String(items.join(&separator))
            }
            "Fn::Select" => {
                let index = self.watched(|it| it.text(at(0)?).map(Value::String))?;
                let (items, made_up) = list(at(1)?)?;
                let position = text_of(&index.value);
                let chosen = position.parse().ok().and_then(|position: usize| items.get(position));
                match chosen {
                    Some(item) => item.clone(),
                    None if self.lenient => Value::String(LATER.to_owned()),
                    None if made_up || index.made_up => made_up::item(&items),
                    None => {
                        return Err("Template error: Fn::Select cannot select nonexistent value at index "
                            .to_owned()
                            + &position);
                    }
                }
            }
            "Fn::Split" => {
                let (separator, text) = (self.text(at(0)?)?, self.text(at(1)?)?);
                let parts = text.split(separator.as_str());
                self.spend(NODE * parts.clone().count())?;
                Value::Array(parts.map(|part| Value::String(part.to_owned())).collect())
            }
            "Fn::FindInMap" => self.find_in_map(argument)?,
            "Fn::If" => {
                let holds = self.condition_holds(at(0)?.as_str().ok_or_else(wrong)?);
                return self.evaluate(at(if holds { 1 } else { 2 })?);
            }
            "Fn::ImportValue" => {
                let name = self.text(argument)?;
                let exports = self.world.region(self.place).map(|region| &region.exports);
                let export = exports.and_then(|exports| exports.get(&name));
                let export = export.ok_or_else(|| format!("No export named {name} found."))?;
                self.note(export.made_up);
                Value::String(export.value.clone())
            }
            "Fn::GetStackOutput" => self.stack_output(argument)?,
            "Fn::GetAZs" => {
                let region = self.text(argument)?;
                let region = if region.is_empty() { self.place.region.to_string() } else { region };
                // How many a region has is not known here.
                self.note(true);
                Value::Array(
                    ["a", "b", "c"].iter().map(|zone| Value::String(format!("{region}{zone}"))).collect(),
                )
            }
            "Fn::Base64" => Value::String(aws_smithy_types::base64::encode(self.text(argument)?)),
            "Fn::Cidr" => {
                let bits = argument.get(2).map(|bits| self.text(bits)).transpose()?;
                let block = self.watched(|it| it.text(at(0)?).map(Value::String))?;
                let count = self.text(at(1)?)?;
                let blocks = |block: &str| cidr::blocks(block, &count, bits.as_deref());
                let made_up = || block.made_up.then(|| blocks(made_up::BLOCK)).flatten();
                blocks(&text_of(&block.value)).or_else(made_up).ok_or_else(wrong)?
            }
            "Fn::Length" => Value::from(list(argument)?.0.len()),
            "Fn::ToJsonString" => Value::String(self.value(argument)?.to_string()),
            "Fn::Equals" | "Fn::And" | "Fn::Or" | "Fn::Not" | "Fn::Contains" => {
                let whole =
                    Value::Object([(intrinsic.name.to_owned(), argument.clone())].into_iter().collect());
                Value::Bool(self.holds(&whole)?)
            }
            // A macro's result is known to its Lambda function alone.
            "Fn::Transform" => {
                self.note(true);
                self.value(argument)?
            }
            other => return Err(format!("Template error: unknown intrinsic function {other}")),
        };
        Ok(Some(value))
    }

    fn reference(&self, name: &str) -> Evaluated {
        let text = match name {
            "AWS::NoValue" => return Ok(None),
            "AWS::AccountId" => self.place.account.to_string(),
            "AWS::Region" => self.place.region.to_string(),
            "AWS::Partition" => self.place.partition().to_owned(),
            "AWS::URLSuffix" => self.place.url_suffix().to_owned(),
            "AWS::StackName" => self.stack_name.to_owned(),
            "AWS::StackId" => self.stack_id.to_owned(),
            "AWS::NotificationARNs" => {
                return Ok(Some(Value::Array(
                    self.notification_arns.iter().map(|arn| Value::String(arn.clone())).collect(),
                )));
            }
            _ => {
                if let Some(parameter) = self.parameters.iter().find(|parameter| parameter.key == name) {
                    self.note(parameter.made_up);
                    return Ok(Some(parameter.reference()));
                }
                match self.resources.get(name).filter(|resource| !resource.physical.is_empty()) {
                    Some(resource) => {
                        self.note(is_made_up(resource));
                        resource.physical.clone()
                    }
                    None if self.lenient => {
                        self.note(true);
                        LATER.to_owned()
                    }
                    // A macro may have made it.
                    None if self.is_partly_unseen() => {
                        self.note(true);
                        format!("{}-{name}", self.stack_name)
                    }
                    None => {
                        return Err(format!(
                            "Unresolved resource dependencies [{name}] in the Resources block of the template"
                        ));
                    }
                }
            }
        };
        Ok(Some(Value::String(text)))
    }

    fn attribute(&self, id: &str, name: &str) -> Result<Value, String> {
        match self.resources.get(id) {
            Some(resource) => attribute(self.world, self.place, self.stack_name, resource, name)
                .map(|known| self.known(known)),
            None if self.lenient => Ok(self.known(Known::made_up(LATER))),
            None if self.is_partly_unseen() => {
                Ok(self.known(Known::made_up(format!("{}-{id}-{name}", self.stack_name))))
            }
            None => {
                Err(format!("Unresolved resource dependencies [{id}] in the Resources block of the template"))
            }
        }
    }

    fn substitute(&self, intrinsic: &Intrinsic<'_>) -> Result<String, String> {
        let template = intrinsic.substitution().ok_or(
            "Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments.",
        )?;
        let own = intrinsic.argument.as_array().and_then(|parts| parts.get(1)?.as_object());
        let mut out = String::with_capacity(template.len());
        let mut pieces = template.split("${");
        out.push_str(pieces.next().unwrap_or_default());
        for piece in pieces {
            let Some((name, rest)) = piece.split_once('}') else {
                out.push_str("${");
                out.push_str(piece);
                continue;
            };
            if let Some(literal) = name.strip_prefix('!') {
                out.push_str("${");
                out.push_str(literal);
                out.push('}');
            } else {
                let name = name.trim();
                let value = match (own.and_then(|own| own.get(name)), name.split_once('.')) {
                    (Some(own), _) => self.value(own)?,
                    (None, Some((id, attribute))) => self.attribute(id, attribute)?,
                    (None, None) => self.reference(name)?.unwrap_or(Value::Null),
                };
                self.spend(size(&value) + rest.len())?;
                out.push_str(&text_of(&value));
            }
            out.push_str(rest);
        }
        dynamic::replace(self, &out)
    }

    fn find_in_map(&self, argument: &Value) -> Result<Value, String> {
        let key = |index: usize| {
            self.watched(|it| match argument.get(index) {
                Some(key) => it.text(key).map(Value::String),
                None => Ok(Value::String(String::new())),
            })
        };
        let keys = [key(0)?, key(1)?, key(2)?];
        let maps = self.template.value().get("Mappings");
        let found = maps.and_then(|maps| keys.iter().try_fold(maps, |map, key| map.get(text_of(&key.value))));
        match (found, argument.get(3).and_then(|options| options.get("DefaultValue"))) {
            (Some(found), _) => Ok(found.clone()),
            (None, Some(default)) => self.value(default),
            (None, None) => {
                let entry = maps.and_then(|maps| made_up::entry(maps, &keys)).cloned();
                let [map, first, second] = keys.map(|key| text_of(&key.value));
                entry.ok_or_else(|| {
                    format!("Template error: Unable to get mapping for {map}::{first}::{second}")
                })
            }
        }
    }

    fn stack_output(&self, argument: &Value) -> Result<Value, String> {
        let text = |key: &str| argument.get(key).map(|value| self.text(value)).transpose();
        let (stack, output) =
            (text("StackName")?.unwrap_or_default(), text("OutputName")?.unwrap_or_default());
        let region = text("Region")?.unwrap_or_else(|| self.place.region.to_string());
        // A role of another account tells which account is meant.
        let account = text("RoleArn")?.and_then(|arn| arn.split(':').nth(4).map(str::to_owned));
        let place = Place::new(&account.unwrap_or_else(|| self.place.account.to_string()), &region);
        let found = self.world.region(&place).and_then(|region| {
            let arn =
                region.names.get(&stack).or_else(|| region.stacks.keys().find(|arn| ***arn == *stack))?;
            region.stacks.get(arn)?.outputs.iter().find(|found| found.key == output)
        });
        let found = found
            .ok_or_else(|| format!("Output {output} of stack {stack} in {region} could not be found."))?;
        self.note(found.made_up);
        Ok(Value::String(found.value.clone()))
    }

    pub(super) fn holds(&self, condition: &Value) -> Result<bool, String> {
        let wrong = || "Template error: a condition has an invalid form".to_owned();
        let Some(intrinsic) = Intrinsic::of(condition) else {
            return condition.as_bool().ok_or_else(wrong);
        };
        let parts = || intrinsic.argument.as_array().ok_or_else(wrong);
        Ok(match intrinsic.name {
            "Condition" => self.condition_holds(intrinsic.argument.as_str().ok_or_else(wrong)?),
            "Fn::Not" => !self.holds(parts()?.first().ok_or_else(wrong)?)?,
            "Fn::And" => {
                parts()?.iter().try_fold(true, |all, part| Ok::<_, String>(all & self.holds(part)?))?
            }
            "Fn::Or" => {
                parts()?.iter().try_fold(false, |any, part| Ok::<_, String>(any | self.holds(part)?))?
            }
            "Fn::Equals" => match parts()?[..] {
                [ref left, ref right] => text_of(&self.value(left)?) == text_of(&self.value(right)?),
                _ => return Err(wrong()),
            },
            "Fn::Contains" => match parts()?[..] {
                [ref list, ref wanted] => {
                    let wanted = text_of(&self.value(wanted)?);
                    self.value(list)?.as_array().ok_or_else(wrong)?.iter().any(|item| text_of(item) == wanted)
                }
                _ => return Err(wrong()),
            },
            _ => return Err(wrong()),
        })
    }
}

/// About how much a value takes.
fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => NODE + text.len(),
        Value::Array(items) => NODE + items.iter().map(size).sum::<usize>(),
        Value::Object(fields) => {
            NODE + fields.iter().map(|(key, field)| key.len() + size(field)).sum::<usize>()
        }
        _ => NODE,
    }
}
