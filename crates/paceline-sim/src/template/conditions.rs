//! Evaluates conditions.

use paceline_assembly::Intrinsic;
use serde_json::Value;

use super::evaluate::Evaluation;
use crate::world::text_of;

impl Evaluation<'_> {
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
