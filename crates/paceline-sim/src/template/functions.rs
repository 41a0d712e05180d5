//! Evaluates the intrinsic functions.

use paceline_assembly::Intrinsic;
use serde_json::Value;

use super::evaluate::{Evaluated, Evaluation, LATER, NODE, size};
use super::{cidr, made_up};
use crate::world::{AccountRegion, text_of};

impl Evaluation<'_> {
    /// Evaluates an intrinsic function.
    pub(super) fn intrinsic(&self, intrinsic: &Intrinsic<'_>) -> Evaluated {
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
                // The simulator does not know how many zones a region has.
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
            // Only the macro's Lambda function knows its result.
            "Fn::Transform" => {
                self.note(true);
                self.value(argument)?
            }
            other => return Err(format!("Template error: unknown intrinsic function {other}")),
        };
        Ok(Some(value))
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
        // The account is that of the role, if a role is given.
        let account = text("RoleArn")?.and_then(|arn| arn.split(':').nth(4).map(str::to_owned));
        let place = AccountRegion::new(&account.unwrap_or_else(|| self.place.account.to_string()), &region);
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
}
