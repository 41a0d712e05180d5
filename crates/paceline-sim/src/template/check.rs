//! Checks that CloudFormation makes before it does anything, with its error messages.

use std::collections::BTreeSet;

use paceline_assembly::{Intrinsic, Node, Template, sub_variables, walk};
use serde_json::Value;

use crate::wire::Fault;

/// CloudFormation User Guide, "Understand CloudFormation quotas".
const MOST_RESOURCES: usize = 500;
const MOST_PARAMETERS: usize = 200;
const MOST_OUTPUTS: usize = 200;

/// The function that inserts the result of a macro, which is known only after the macro has run.
const MACRO: &str = "Fn::Transform";

const SECTIONS: [&str; 11] = [
    "AWSTemplateFormatVersion",
    "Conditions",
    "Description",
    "Hooks",
    "Mappings",
    "Metadata",
    "Outputs",
    "Parameters",
    "Resources",
    "Rules",
    "Transform",
];

/// Parses a template, and makes the checks that need no evaluation. A template with loops is checked after
/// they are expanded.
pub(crate) fn parse(text: &str) -> Result<Template, Fault> {
    let template = read(text)?;
    if !template.has_loops() {
        check(&template)?;
    }
    Ok(template)
}

fn malformed(what: &str) -> Fault {
    Fault::validation(format!("Template format error: {what}"))
}

fn read(text: &str) -> Result<Template, Fault> {
    let template = Template::parse(text).map_err(|error| {
        let at = error.line_column().map(|(line, column)| format!(" (line {line}, column {column})"));
        malformed(&format!("JSON or YAML not well-formed.{}", at.unwrap_or_default()))
    })?;
    let sections = template.value().as_object().ok_or_else(|| malformed("unsupported structure."))?;
    let unknown: Vec<&str> =
        sections.keys().map(String::as_str).filter(|section| !SECTIONS.contains(section)).collect();
    if !unknown.is_empty() {
        return Err(Fault::validation(format!(
            "Invalid template property or properties [{}]",
            unknown.join(", ")
        )));
    }
    for section in ["Resources", "Parameters", "Outputs", "Conditions", "Mappings", "Rules"] {
        if sections.get(section).is_some_and(|value| !value.is_object()) {
            return Err(malformed(&format!("[/{section}] '{section}' must be an object.")));
        }
    }
    for (id, parameter) in template.parameters() {
        if parameter.get("Type").and_then(Value::as_str).is_none() {
            return Err(malformed(&format!("Every Parameters object must contain a Type member: {id}")));
        }
    }
    Ok(template)
}

/// Checks a template without loops.
pub(crate) fn check(template: &Template) -> Result<(), Fault> {
    if template.resource_count() == 0 {
        return Err(malformed("At least one Resources member must be defined."));
    }
    for (name, count, most) in [
        ("resources", template.resource_count(), MOST_RESOURCES),
        ("parameters", template.parameters().count(), MOST_PARAMETERS),
        ("outputs", template.outputs().count(), MOST_OUTPUTS),
    ] {
        if count > most {
            return Err(malformed(&format!(
                "Number of {name}, {count}, is greater than maximum allowed, {most}"
            )));
        }
    }
    let resources = template.value().get("Resources").and_then(Value::as_object);
    for (id, body) in resources.into_iter().flatten().filter(|(id, _)| *id != MACRO) {
        if !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(malformed(&format!("Resource name {id} is non alphanumeric.")));
        }
        if body.get("Type").and_then(Value::as_str).is_none_or(str::is_empty) {
            return Err(malformed(&format!(
                "[/Resources/{id}] Every Resources object must contain a Type member."
            )));
        }
    }
    for (id, output) in template.outputs() {
        if output.get("Value").is_none() {
            return Err(malformed(&format!("Output {id} must contain a Value member")));
        }
    }
    references(template)?;
    super::graph::cycle(template)
}

/// Checks that every referenced name is declared, unless a macro may declare it.
fn references(template: &Template) -> Result<(), Fault> {
    if !template.unseen().is_empty() {
        return Ok(());
    }
    let resources: BTreeSet<&str> = template.resources().map(|(id, _)| id).collect();
    let parameters: BTreeSet<&str> = template.parameters().map(|(id, _)| id).collect();
    let conditions: BTreeSet<&str> = template.conditions().map(|(id, _)| id).collect();
    let mut unresolved = BTreeSet::new();
    for (_, resource) in template.resources() {
        unresolved.extend(resource.depends_on.iter().copied().filter(|id| !resources.contains(id)));
        if let Some(condition) = resource.condition.filter(|condition| !conditions.contains(condition)) {
            return Err(Fault::validation(format!(
                "Template format error: Unresolved dependencies [{condition}]. Cannot reference resources in the Conditions block of the template"
            )));
        }
    }
    for section in ["Resources", "Outputs"] {
        let Some(body) = template.value().get(section) else { continue };
        let mut undefined = None;
        walk(body, &mut |_, node| {
            let Node::Intrinsic(intrinsic) = node else { return };
            for (name, is_attribute) in named(&intrinsic) {
                let known = resources.contains(name)
                    || (!is_attribute && (parameters.contains(name) || name.starts_with("AWS::")));
                match (known, is_attribute) {
                    (true, _) => {}
                    (false, true) => undefined = undefined.or(Some(name)),
                    (false, false) => {
                        unresolved.insert(name);
                    }
                }
            }
        });
        if let Some(name) = undefined {
            return Err(Fault::validation(format!(
                "Template error: instance of Fn::GetAtt references undefined resource {name}"
            )));
        }
        if !unresolved.is_empty() {
            return Err(Fault::validation(format!(
                "Template format error: Unresolved resource dependencies [{}] in the {section} block of the template",
                unresolved.into_iter().collect::<Vec<_>>().join(", ")
            )));
        }
    }
    Ok(())
}

/// The names in an intrinsic function, each with whether an attribute of the name is meant.
pub(super) fn named<'a>(intrinsic: &Intrinsic<'a>) -> Vec<(&'a str, bool)> {
    if let Some(name) = intrinsic.reference() {
        return vec![(name, false)];
    }
    if let Some((name, _)) = intrinsic.attribute() {
        return vec![(name, true)];
    }
    let Some(text) = intrinsic.substitution() else { return Vec::new() };
    let own = intrinsic.argument.as_array().and_then(|parts| parts.get(1)?.as_object());
    sub_variables(text)
        .filter(|variable| own.is_none_or(|own| !own.contains_key(*variable)))
        .map(|variable| match variable.split_once('.') {
            Some((name, _)) => (name, true),
            None => (variable, false),
        })
        .collect()
}

/// Whether macros produce a template or a part of it.
pub(crate) fn has_transform(template: &Template) -> bool {
    template.value().get("Transform").is_some() || !template.unseen().is_empty()
}

/// Refuses a template whose effects the caller did not acknowledge.
///
/// CloudFormation API Reference, `CreateStack`, Capabilities. `has_transform` is about the template as the
/// caller sent it.
pub(crate) fn capabilities(template: &Template, has_transform: bool, given: &[String]) -> Result<(), Fault> {
    const NAMES: [(&str, &str); 5] = [
        ("AWS::IAM::Role", "RoleName"),
        ("AWS::IAM::ManagedPolicy", "ManagedPolicyName"),
        ("AWS::IAM::InstanceProfile", "InstanceProfileName"),
        ("AWS::IAM::User", "UserName"),
        ("AWS::IAM::Group", "GroupName"),
    ];
    const OTHERS: [&str; 3] = ["AWS::IAM::Policy", "AWS::IAM::AccessKey", "AWS::IAM::UserToGroupAddition"];
    let has = |capability: &str| given.iter().any(|given| given == capability);
    let (mut iam, mut named) = (false, false);
    for (_, resource) in template.resources() {
        if let Some((_, property)) = NAMES.iter().find(|(kind, _)| *kind == resource.resource_type) {
            iam = true;
            named |= resource.properties.is_some_and(|properties| properties.get(property).is_some());
        }
        iam |= OTHERS.contains(&resource.resource_type);
    }
    let needed = if named && !has("CAPABILITY_NAMED_IAM") {
        "CAPABILITY_NAMED_IAM"
    } else if iam && !has("CAPABILITY_IAM") && !has("CAPABILITY_NAMED_IAM") {
        "CAPABILITY_IAM"
    } else if has_transform && !has("CAPABILITY_AUTO_EXPAND") {
        "CAPABILITY_AUTO_EXPAND"
    } else {
        return Ok(());
    };
    Err(Fault::bad("InsufficientCapabilitiesException", format!("Requires capabilities : [{needed}]")))
}
