//! Dynamic references: `{{resolve:SERVICE:NAME}}` in a text.

use super::evaluate::Evaluation;
use crate::world::{parameters, secrets};

const OPENING: &str = "{{resolve:";

/// Replaces the dynamic references in a text with their values.
pub(super) fn replace(evaluation: &Evaluation<'_>, text: &str) -> Result<String, String> {
    if evaluation.lenient || !text.contains(OPENING) {
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
        let value = resolve(evaluation, reference)?;
        evaluation.spend(value.len())?;
        out.push_str(&value);
        rest = remaining;
    }
    out.push_str(rest);
    Ok(out)
}

fn resolve(evaluation: &Evaluation<'_>, reference: &str) -> Result<String, String> {
    let (world, place) = (evaluation.world, evaluation.place);
    let (service, name) = reference.split_once(':').unwrap_or((reference, ""));
    match service {
        "ssm" | "ssm-secure" => {
            let parameter = parameters::read(world, place, name)
                .ok_or_else(|| format!("Parameters: [{service}:{name}] cannot be found."))?;
            evaluation.note(parameter.made_up);
            Ok(parameter.value.to_string())
        }
        "secretsmanager" => {
            evaluation.note(true);
            secrets::read(world, place, name)
        }
        _ => Err(format!("Template error: unknown dynamic reference {{{{resolve:{reference}}}}}")),
    }
}
