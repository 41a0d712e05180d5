//! What CloudFormation reads from elsewhere when it deploys a stack: values that may change although the template does not.
//!
//! Two things that templates read are no inputs in this sense:
//!
//! - `Fn::ImportValue`: an export cannot change while a stack imports it (CloudFormation User Guide, "Get exported outputs
//!   from a deployed CloudFormation stack").
//! - `{{resolve:secretsmanager:…}}`: CloudFormation reads the secret again only when the resource changes for another reason
//!   (CloudFormation User Guide, "Get a secret or secret value from Secrets Manager"), so a new value is no reason to update.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::environment::Environment;
use crate::model::Stack;
use crate::seen::Unseen;
use crate::template::Template;
use crate::values::{Known, Resolver, Text};
use crate::walk::Intrinsic;

/// The start of a dynamic reference to Parameter Store, without the kind of the parameter.
const REFERENCE: &str = "{{resolve:ssm";
/// The types of parameters whose values CloudFormation reads from Parameter Store.
const STORED: &str = "AWS::SSM::Parameter::Value";
/// A parameter with this text in its description does not count, as in the CDK CLI.
const SKIPPED: &str = "[cdk:skip]";

/// What a deployment reads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inputs {
    /// The names of parameters in Parameter Store, in the account and region of the stack. They are as `GetParameters` takes
    /// them: a name or an ARN.
    pub parameters: BTreeSet<String>,
    /// The outputs that `Fn::GetStackOutput` reads.
    pub outputs: BTreeSet<StackOutput>,
    /// Whether the stack reads something whose name is only known at deployment, or has a part that a macro or an included
    /// file makes.
    pub has_unknown: bool,
}

/// An output of another stack.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StackOutput {
    /// The name of the other stack.
    pub stack: String,
    pub output: String,
    /// The region of the other stack. `None` is that of the reader.
    pub region: Option<String>,
}

impl Inputs {
    pub fn is_empty(&self) -> bool {
        self.parameters.is_empty() && self.outputs.is_empty() && !self.has_unknown
    }
}

impl Stack {
    /// What the deployment reads with these values of its parameters, in this environment. A value is `None` if it is not
    /// known. Parameters without a value have their defaults.
    pub fn inputs(&self, environment: &Environment, given: BTreeMap<String, Option<String>>) -> Inputs {
        let mut inputs = Inputs::default();
        let known = Known { environment: environment.clone(), stack_name: Some(self.name.clone()), given };
        read(&self.template, known, &mut inputs);
        for nested in &self.nested {
            let known = Known { environment: environment.clone(), ..nested.template.known().clone() };
            read(&nested.template, known, &mut inputs);
        }
        inputs
    }
}

fn read(template: &Template, known: Known, inputs: &mut Inputs) {
    let holds = |texts: &[&str]| texts.iter().any(|it| template.may_hold(it));
    // The program behind a macro and an included file may change, and may read anything.
    let is_macro = |unseen: &Unseen| matches!(unseen, Unseen::Macro { .. });
    inputs.has_unknown |= holds(&["Transform"]) && template.unseen().iter().any(is_macro);
    if !holds(&[STORED, REFERENCE, "Fn::GetStackOutput", "!GetStackOutput"]) {
        return;
    }
    let template = template.clone().knowing(known);
    let mut reader = Reader { resolver: template.resolver(), inputs };
    let expanded = template.expanded();
    reader.parameters(&expanded["Parameters"]);
    for (section, entries) in expanded.as_object().into_iter().flatten() {
        if !["Parameters", "Metadata", "Description"].contains(&section.as_str()) {
            reader.value(entries);
        }
    }
    // A part that CloudFormation adds may read anything.
    reader.inputs.has_unknown |= reader.resolver.take_exceeded();
}

struct Reader<'a, 'i> {
    resolver: Resolver<'a>,
    inputs: &'i mut Inputs,
}

impl Reader<'_, '_> {
    fn parameters(&mut self, parameters: &Value) {
        for (id, parameter) in parameters.as_object().into_iter().flatten() {
            let is_stored = parameter["Type"].as_str().is_some_and(|kind| kind.starts_with(STORED));
            let is_skipped = parameter["Description"].as_str().is_some_and(|text| text.contains(SKIPPED));
            if is_stored && !is_skipped {
                self.parameter(self.resolver.stored(id).unwrap_or_else(Text::unknown));
            }
        }
    }

    fn parameter(&mut self, name: Text) {
        match name.known() {
            Some(name) => drop(self.inputs.parameters.insert(name)),
            None => self.inputs.has_unknown = true,
        }
    }

    fn value(&mut self, value: &Value) {
        match Intrinsic::of(value) {
            Some(Intrinsic { name: "Fn::GetStackOutput", argument }) => self.output(argument),
            // A reference may be put together from parts.
            Some(Intrinsic { name: "Fn::Join" | "Fn::Sub", argument }) => {
                let whole = self.resolver.resolve(value);
                if begun(value) > whole.raw().matches(REFERENCE).count() {
                    self.inputs.has_unknown = true;
                }
                self.references(whole.raw());
                self.parts(argument);
            }
            _ => match value {
                Value::String(text) => self.references(text),
                Value::Array(items) => items.iter().for_each(|item| self.value(item)),
                Value::Object(map) => {
                    map.iter().filter(|(key, _)| *key != "Metadata").for_each(|(_, inner)| self.value(inner));
                }
                _ => {}
            },
        }
    }

    /// The functions in the parts of a text whose references have been read already.
    fn parts(&mut self, value: &Value) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.parts(item)),
            Value::Object(map) => match Intrinsic::of(value) {
                Some(Intrinsic { name: "Fn::Join" | "Fn::Sub", argument }) => self.parts(argument),
                Some(_) => self.value(value),
                None => map.values().for_each(|inner| self.parts(inner)),
            },
            _ => {}
        }
    }

    fn output(&mut self, argument: &Value) {
        let text = |key: &str| argument.get(key).map(|value| self.resolver.resolve(value).known());
        let region = text("Region");
        match (text("StackName"), text("OutputName")) {
            // The role reads stacks of another account, which this run may not be able to.
            (Some(Some(stack)), Some(Some(output)))
                if argument.get("RoleArn").is_none() && region != Some(None) =>
            {
                self.inputs.outputs.insert(StackOutput { stack, output, region: region.flatten() });
            }
            _ => self.inputs.has_unknown = true,
        }
    }

    /// Finds `{{resolve:ssm:NAME:VERSION}}` and `{{resolve:ssm-secure:NAME:VERSION}}` in a text. A version of a parameter
    /// never changes.
    fn references(&mut self, text: &str) {
        for rest in text.split(REFERENCE).skip(1) {
            let reference = rest.split_once("}}").and_then(|(reference, _)| {
                reference.strip_prefix(':').or_else(|| reference.strip_prefix("-secure:"))
            });
            match reference {
                Some(name) if has_version(name) => {}
                Some(name) => self.parameter(Text::from_raw(name)),
                None => self.inputs.has_unknown = true,
            }
        }
    }
}

/// The number of references that begin in the strings of a value.
fn begun(value: &Value) -> usize {
    match value {
        Value::String(text) => text.matches(REFERENCE).count(),
        Value::Array(items) => items.iter().map(begun).sum(),
        Value::Object(map) => map.values().map(begun).sum(),
        _ => 0,
    }
}

fn has_version(name: &str) -> bool {
    name.rsplit_once(':')
        .is_some_and(|(_, version)| !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn inputs(template: Value, given: &[(&str, &str)]) -> Inputs {
        let template = Template::from_value(template).unwrap();
        let environment =
            Environment { account: Some("111111111111".to_owned()), region: Some("eu-west-1".to_owned()) };
        let given = given.iter().map(|(name, value)| ((*name).to_owned(), Some((*value).to_owned())));
        let known = Known { environment, stack_name: None, given: given.collect() };
        let mut inputs = Inputs::default();
        read(&template, known, &mut inputs);
        inputs
    }

    fn of_property(value: &Value) -> Inputs {
        let parameters = json!({
            "Stage": { "Type": "String", "Default": "prod" },
            "Free": { "Type": "String" },
        });
        let resources = json!({ "R": { "Type": "T", "Properties": { "P": value } }, "Q": { "Type": "T" } });
        inputs(json!({ "Parameters": parameters, "Resources": resources }), &[])
    }

    #[track_caller]
    fn check(value: &Value, parameters: &[&str], has_unknown: bool) {
        let found = of_property(value);
        let names: Vec<&str> = found.parameters.iter().map(String::as_str).collect();
        assert_eq!((names, found.has_unknown), (parameters.to_vec(), has_unknown), "{value}");
    }

    #[test]
    fn parameters_are_read_by_dynamic_references() {
        check(&json!("a {{resolve:ssm:/a}} and {{resolve:ssm-secure:/b}}"), &["/a", "/b"], false);
        check(&json!({ "Fn::Sub": "{{resolve:ssm:/${Stage}/${AWS::Region}}}" }), &["/prod/eu-west-1"], false);
        let joined = json!({ "Fn::Join": ["", ["{{resolve:ssm:/x/", { "Ref": "Stage" }, "}}"]] });
        check(&joined, &["/x/prod"], false);
        check(&json!({ "Fn::Base64": { "Fn::Sub": ["${V}", { "V": joined }] } }), &["/x/prod"], false);
        check(
            &json!("{{resolve:ssm:arn:aws:ssm:eu-west-1:111111111111:parameter/a}}"),
            &["arn:aws:ssm:eu-west-1:111111111111:parameter/a"],
            false,
        );
    }

    #[test]
    fn a_version_never_changes_and_a_secret_is_no_reason_to_update() {
        check(&json!("{{resolve:ssm:/a:3}} {{resolve:secretsmanager:db:SecretString:password}}"), &[], false);
    }

    #[test]
    fn a_name_that_is_not_known_before_the_deployment_is_told() {
        check(&json!({ "Fn::Sub": "{{resolve:ssm:/${Free}}}" }), &[], true);
        check(
            &json!({ "Fn::Join": ["", ["{{resolve:ssm:", { "Fn::GetAtt": ["Q", "Name"] }, "}}"]] }),
            &[],
            true,
        );
        check(&json!({ "Fn::Join": [{ "Ref": "Free" }, ["{{resolve:ssm:/a", "b}}"]] }), &[], true);
        check(&json!("{{resolve:ssm:/a"), &[], true);
    }

    #[test]
    fn outputs_of_stacks_are_read_by_name() {
        let read = |argument: Value| of_property(&json!({ "Fn::GetStackOutput": argument }));
        let output = |region: Option<&str>| StackOutput {
            stack: "Shop-prod".to_owned(),
            output: "Url".to_owned(),
            region: region.map(str::to_owned),
        };
        let stack = json!({ "Fn::Sub": "Shop-${Stage}" });
        let found = read(json!({ "StackName": stack, "OutputName": "Url" }));
        assert_eq!((found.outputs, found.has_unknown), (BTreeSet::from([output(None)]), false));
        let found = read(json!({ "StackName": stack, "OutputName": "Url", "Region": "us-east-1" }));
        assert_eq!(found.outputs, BTreeSet::from([output(Some("us-east-1"))]));
        assert!(read(json!({ "StackName": stack, "OutputName": "Url", "RoleArn": "arn:r" })).has_unknown);
        assert!(read(json!({ "StackName": { "Ref": "Free" }, "OutputName": "Url" })).has_unknown);
    }

    #[test]
    fn typed_parameters_name_what_they_read() {
        let template = json!({ "Parameters": {
            "A": { "Type": "AWS::SSM::Parameter::Value<String>", "Default": "/a" },
            "B": { "Type": "AWS::SSM::Parameter::Value<List<String>>" },
            "Checked": { "Type": "AWS::SSM::Parameter::Name", "Default": "/checked" },
            "Version": {
                "Type": "AWS::SSM::Parameter::Value<String>", "Default": "/v", "Description": "v [cdk:skip]",
            },
        } });
        assert!(inputs(template.clone(), &[]).has_unknown);
        let found = inputs(template, &[("A", "/other"), ("B", "/b")]);
        assert_eq!(found.parameters, BTreeSet::from(["/b".to_owned(), "/other".to_owned()]));
        assert!(!found.has_unknown);
    }

    #[test]
    fn a_macro_and_an_included_file_may_read_anything() {
        let queue = json!({ "Q": { "Type": "T" } });
        assert!(inputs(json!({ "Transform": ["Mine"], "Resources": queue }), &[]).has_unknown);
        assert!(of_property(&json!({ "Fn::Transform": { "Name": "AWS::Include" } })).has_unknown);
        // AWS's own transforms give the same again.
        let own = json!({ "Transform": "AWS::LanguageExtensions", "Resources": queue });
        assert!(inputs(own, &[]).is_empty());
    }

    #[test]
    fn most_templates_read_nothing() {
        assert!(of_property(&json!({ "Fn::ImportValue": "x" })).is_empty());
    }
}
