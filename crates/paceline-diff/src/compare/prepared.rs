//! A template in the form in which it is compared.

use paceline_assembly::Template;
use serde_json::{Map, Value};

/// The type of the resource with which the CDK counts its users.
const CDK_METADATA: &str = "AWS::CDK::Metadata";
/// What the CDK adds to templates for itself: entries of sections.
const CDK_ENTRIES: [(&str, &str); 2] =
    [("Conditions", "CDKMetadataAvailable"), ("Rules", "CheckBootstrapVersion")];
/// The path of a construct, in the metadata of its resource.
const PATH: &str = "aws:cdk:path";

/// The template with one form for each meaning: lists for `DependsOn` and `Fn::GetAtt`. Unless it is strict, what the CDK
/// writes for itself is left out.
pub(crate) fn prepared(template: &Template, strict: bool) -> Template {
    let mut value = template.value().clone();
    normalize(&mut value);
    if let Some(Value::Object(resources)) = value.get_mut("Resources") {
        resources.values_mut().filter_map(Value::as_object_mut).for_each(sort_depends_on);
    }
    if !strict {
        leave_out(&mut value);
    }
    // It is a map as before.
    Template::from_value(value).map_or_else(|_| template.clone(), |it| it.knowing(template.known().clone()))
}

/// The path of the construct that made a resource.
pub(crate) fn construct(body: &Value) -> Option<String> {
    body["Metadata"][PATH].as_str().map(|path| path.trim_start_matches('/').to_owned())
}

fn normalize(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(normalize),
        Value::Object(fields) => {
            let only = fields.len() == 1;
            for (key, field) in fields.iter_mut() {
                if only
                    && key == "Fn::GetAtt"
                    && let Some((resource, attribute)) = field.as_str().and_then(|text| text.split_once('.'))
                {
                    *field = Value::from(vec![resource, attribute]);
                } else {
                    normalize(field);
                }
            }
        }
        _ => {}
    }
}

fn sort_depends_on(resource: &mut Map<String, Value>) {
    let Some(field) = resource.get_mut("DependsOn") else { return };
    match field {
        Value::String(id) => *field = Value::from(vec![id.clone()]),
        Value::Array(ids) => ids.sort_by(|a, b| a.as_str().cmp(&b.as_str())),
        _ => {}
    }
}

fn leave_out(template: &mut Value) {
    for (section, id) in CDK_ENTRIES {
        if let Some(Value::Object(entries)) = template.get_mut(section) {
            entries.remove(id);
            if entries.is_empty()
                && let Some(sections) = template.as_object_mut()
            {
                sections.remove(section);
            }
        }
    }
    let Some(Value::Object(resources)) = template.get_mut("Resources") else { return };
    resources.retain(|_, body| body["Type"] != CDK_METADATA);
    for body in resources.values_mut().filter_map(Value::as_object_mut) {
        if let Some(Value::Object(metadata)) = body.get_mut("Metadata") {
            metadata.remove(PATH);
            if metadata.is_empty() {
                body.remove("Metadata");
            }
        }
    }
}
