//! Evaluates intrinsic functions, pseudo parameters and dynamic references.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use paceline_assembly::{Intrinsic, Template};
use serde_json::{Map, Value};

use super::parameters::Parameter;
use crate::ssm;
use crate::stack::{Resource, attribute};
use crate::world::{Place, World};

/// What an expression may refer to.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) world: &'a World,
    pub(crate) place: &'a Place,
    pub(crate) stack_name: &'a str,
    pub(crate) stack_id: &'a str,
    pub(crate) notification_arns: &'a [String],
    pub(crate) template: &'a Template,
    pub(crate) parameters: &'a [Parameter],
    /// What the template's conditions come to.
    pub(crate) conditions: &'a BTreeMap<String, bool>,
    pub(crate) resources: &'a BTreeMap<String, Resource>,
    /// Whether resources that do not exist yet are to be passed over, as change sets do.
    pub(crate) lenient: bool,
}

/// What a change set shows for a value that only the deployment will know.
const LATER: &str = "{{changeSet:KNOWN_AFTER_APPLY}}";

/// None stands for `AWS::NoValue`.
type Evaluated = Result<Option<Value>, String>;

/// A value as text, as `Fn::Join` or a parameter needs it.
pub(crate) fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        Value::Array(items) => items.iter().map(text_of).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

impl Scope<'_> {
    /// Evaluates an expression that stands at a place in the template; one that comes to nothing is null.
    pub(crate) fn value(&self, place: &str, expression: &Value) -> Result<Value, String> {
        Evaluation::new(self).at(place, |evaluation| evaluation.value(expression))
    }

    /// Evaluates an expression to text.
    pub(crate) fn text(&self, place: &str, expression: &Value) -> Result<String, String> {
        Evaluation::new(self).at(place, |evaluation| evaluation.text(expression))
    }

    /// Evaluates a condition.
    pub(crate) fn holds(&self, place: &str, condition: &Value) -> Result<bool, String> {
        Evaluation::new(self).at(place, |evaluation| evaluation.holds(condition))
    }

    /// Whether there may be resources that only a macro knows.
    fn is_partly_unseen(&self) -> bool {
        !self.template.unseen().is_empty()
    }

    /// Whether a declared condition holds. One that is not declared does not.
    pub(crate) fn condition_holds(&self, name: &str) -> bool {
        self.conditions.get(name).copied().unwrap_or(false)
    }
}

/// How much an expression may come to, in values and bytes. CloudFormation takes templates of 1 MB, and values that are
/// far smaller.
const LARGEST: usize = 4 << 20;
/// What a value takes beside its text.
const NODE: usize = 32;

/// The evaluation of one expression: functions in functions can describe far more than they are.
struct Evaluation<'a> {
    scope: Scope<'a>,
    left: Cell<usize>,
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
    fn new(scope: &Scope<'a>) -> Self {
        Self { scope: *scope, left: Cell::new(LARGEST), trail: RefCell::default() }
    }

    fn at<T>(self, place: &str, evaluate: impl FnOnce(&Self) -> Result<T, String>) -> Result<T, String> {
        evaluate(&self).map_err(|error| match self.trail.take() {
            Some(trail) => {
                let path = std::iter::once(place.to_owned()).chain(trail.into_iter().rev());
                format!("{error} at {}", path.collect::<String>().trim_start_matches('.'))
            }
            None => error,
        })
    }

    fn spend(&self, cost: usize) -> Result<(), String> {
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
    fn value(&self, expression: &Value) -> Result<Value, String> {
        Ok(self.evaluate(expression)?.unwrap_or(Value::Null))
    }

    /// Evaluates an expression to text.
    fn text(&self, expression: &Value) -> Result<String, String> {
        match self.value(expression)? {
            Value::Object(_) | Value::Array(_) => {
                Err("Template error: every value in this place must be a String.".to_owned())
            }
            value => Ok(text_of(&value)),
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
            Value::String(text) => Value::String(self.dynamic_references(text)?),
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
        let list = |value: &Value| self.value(value)?.as_array().cloned().ok_or_else(wrong);
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
                let items = list(at(1)?)?;
                let separator = self.text(at(0)?)?;
                self.spend(items.iter().map(size).sum::<usize>() + items.len() * separator.len())?;
                let items: Vec<String> = items.iter().map(text_of).collect();
                Value::String(items.join(&separator))
            }
            "Fn::Select" => {
                let index = self.text(at(0)?)?;
                let items = list(at(1)?)?;
                let chosen = index.parse().ok().and_then(|index: usize| items.get(index));
                match chosen {
                    Some(item) => item.clone(),
                    None if self.lenient => Value::String(LATER.to_owned()),
                    None => {
                        return Err("Template error: Fn::Select cannot select nonexistent value at index "
                            .to_owned()
                            + &index);
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
                Value::String(export.ok_or_else(|| format!("No export named {name} found."))?.value.clone())
            }
            "Fn::GetStackOutput" => self.stack_output(argument)?,
            "Fn::GetAZs" => {
                let region = self.text(argument)?;
                let region = if region.is_empty() { self.place.region.to_string() } else { region };
                Value::Array(
                    ["a", "b", "c"].iter().map(|zone| Value::String(format!("{region}{zone}"))).collect(),
                )
            }
            "Fn::Base64" => Value::String(aws_smithy_types::base64::encode(self.text(argument)?)),
            "Fn::Cidr" => {
                let bits = argument.get(2).map(|bits| self.text(bits)).transpose()?;
                cidr(&self.text(at(0)?)?, &self.text(at(1)?)?, bits.as_deref()).ok_or_else(wrong)?
            }
            "Fn::Length" => Value::from(list(argument)?.len()),
            "Fn::ToJsonString" => Value::String(self.value(argument)?.to_string()),
            "Fn::Equals" | "Fn::And" | "Fn::Or" | "Fn::Not" | "Fn::Contains" => {
                let whole =
                    Value::Object([(intrinsic.name.to_owned(), argument.clone())].into_iter().collect());
                Value::Bool(self.holds(&whole)?)
            }
            // A macro's result is known to its Lambda function alone.
            "Fn::Transform" => self.value(argument)?,
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
                    return Ok(Some(parameter.reference()));
                }
                match self.resources.get(name).filter(|resource| !resource.physical.is_empty()) {
                    Some(resource) => resource.physical.clone(),
                    None if self.lenient => LATER.to_owned(),
                    // A macro may have made it.
                    None if self.is_partly_unseen() => format!("{}-{name}", self.stack_name),
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
            Some(resource) => attribute(self.world, self.place, self.stack_name, resource, name),
            None if self.lenient => Ok(Value::String(LATER.to_owned())),
            None if self.is_partly_unseen() => Ok(Value::String(format!("{}-{id}-{name}", self.stack_name))),
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
        self.dynamic_references(&out)
    }

    fn find_in_map(&self, argument: &Value) -> Result<Value, String> {
        let key = |index: usize| argument.get(index).map_or(Ok(String::new()), |key| self.text(key));
        let (map, first, second) = (key(0)?, key(1)?, key(2)?);
        let found =
            self.template.value().get("Mappings").and_then(|maps| maps.get(&map)?.get(&first)?.get(&second));
        match (found, argument.get(3).and_then(|options| options.get("DefaultValue"))) {
            (Some(found), _) => Ok(found.clone()),
            (None, Some(default)) => self.value(default),
            (None, None) => {
                Err(format!("Template error: Unable to get mapping for {map}::{first}::{second}"))
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
        Ok(Value::String(found.value.clone()))
    }

    fn holds(&self, condition: &Value) -> Result<bool, String> {
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

    /// Replaces `{{resolve:…}}` references.
    fn dynamic_references(&self, text: &str) -> Result<String, String> {
        const OPENING: &str = "{{resolve:";
        if self.lenient || !text.contains(OPENING) {
            return Ok(text.to_owned());
        }
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once(OPENING) {
            out.push_str(before);
            let Some((reference, remaining)) = after.split_once("}}") else {
                out.push_str(OPENING);
                rest = after;
                continue;
            };
            let (service, name) = reference.split_once(':').unwrap_or((reference, ""));
            match service {
                "ssm" | "ssm-secure" => match ssm::read(self.world, self.place, name) {
                    Some(parameter) => {
                        self.spend(parameter.value.len())?;
                        out.push_str(&parameter.value);
                    }
                    None => return Err(format!("Parameters: [{service}:{name}] cannot be found.")),
                },
                "secretsmanager" => {
                    out.push_str(&self.world.draws(&["secret", &self.place.account, name]).mixed(32));
                }
                _ => {
                    return Err(format!(
                        "Template error: unknown dynamic reference {{{{resolve:{reference}}}}}"
                    ));
                }
            }
            rest = remaining;
        }
        out.push_str(rest);
        Ok(out)
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

/// `Fn::Cidr`: so many blocks out of an IPv4 block, each with so many host bits.
fn cidr(block: &str, count: &str, bits: Option<&str>) -> Option<Value> {
    let (address, _) = block.split_once('/')?;
    let address: std::net::Ipv4Addr = address.parse().ok()?;
    let (count, bits): (u32, u32) = (count.parse().ok()?, bits.unwrap_or("8").parse().ok()?);
    if !(1..=256).contains(&count) || bits > 31 {
        return None;
    }
    let blocks = (0..count).map(|index| {
        let start = u32::from(address).wrapping_add(index.wrapping_mul(1 << bits));
        Value::String(format!("{}/{}", std::net::Ipv4Addr::from(start), 32 - bits))
    });
    Some(Value::Array(blocks.collect()))
}
