//! Carries out the transform `AWS::LanguageExtensions`.

use paceline_assembly::{LoopValues, Template, expand};
use serde_json::Value;

use super::scope::Scope;
use crate::wire::Fault;

const TRANSFORM: &str = "AWS::LanguageExtensions";

/// Expands the loops of a template with the parameters of a stack.
pub(crate) fn transform(scope: &Scope<'_>) -> Result<Template, Fault> {
    let failed = |why: String| Fault::validation(format!("Transform {TRANSFORM} failed with: {why}"));
    let expansion = expand(scope.template.value(), &Values(scope));
    if let Some(trouble) = expansion.troubles.first() {
        return Err(failed(trouble.to_string()));
    }
    let mut template = expansion.template;
    if let Some(sections) = template.as_object_mut() {
        let transforms = match sections.remove("Transform") {
            Some(Value::Array(all)) => all.into_iter().filter(|name| name != TRANSFORM).collect(),
            _ => Vec::new(),
        };
        if !transforms.is_empty() {
            sections.insert("Transform".to_owned(), Value::Array(transforms));
        }
    }
    Template::from_value(template).map_err(|error| failed(error.to_string()))
}

struct Values<'a>(&'a Scope<'a>);

impl LoopValues for Values<'_> {
    fn collection(&self, collection: &Value) -> Option<Vec<Value>> {
        match self.0.value("", collection) {
            Ok(Value::Array(items)) => Some(items),
            _ => None,
        }
    }

    fn name(&self, function: &Value) -> Option<Value> {
        self.0.value("", function).ok().filter(|value| value.is_string() || value.is_null())
    }
}
