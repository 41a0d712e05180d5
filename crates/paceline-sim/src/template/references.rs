//! Evaluates `Ref`, `Fn::GetAtt` and `Fn::Sub`.

use paceline_assembly::Intrinsic;
use serde_json::Value;

use super::dynamic;
use super::evaluate::{Evaluated, Evaluation, LATER, size};
use crate::resources::{attribute, is_made_up};
use crate::world::{Known, text_of};

impl Evaluation<'_> {
    pub(super) fn reference(&self, name: &str) -> Evaluated {
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
                    // A macro may have created it.
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

    pub(super) fn attribute(&self, id: &str, name: &str) -> Result<Value, String> {
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

    pub(super) fn substitute(&self, intrinsic: &Intrinsic<'_>) -> Result<String, String> {
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
}
