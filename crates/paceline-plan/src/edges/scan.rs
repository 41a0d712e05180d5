//! Reads one stack's templates for what it provides to others and what it reads from them.

use paceline_assembly::Stack;
use serde_json::Value;

use super::Reason;
use crate::text::{Resolver, Text};

/// A name that a stack provides or reads.
#[derive(Debug)]
pub(super) struct Use {
    pub(super) reason: Reason,
    pub(super) name: Text,
    /// The region the name lives in, where it is not the stack's own.
    pub(super) region: Option<String>,
    /// The property path, starting with the logical id.
    pub(super) place: String,
}

/// What a stack provides to others and reads from them.
#[derive(Debug, Default)]
pub(super) struct Uses {
    pub(super) provided: Vec<Use>,
    pub(super) read: Vec<Use>,
}

/// Reads a stack's template and its nested ones.
pub(super) fn scan(stack: &Stack) -> Uses {
    let mut uses = Uses::default();
    scan_template(stack, stack.template.value(), String::new(), &mut uses);
    for nested in &stack.nested {
        scan_template(stack, nested.template.value(), format!("{}/", nested.logical_id), &mut uses);
    }
    uses
}

fn scan_template(stack: &Stack, template: &Value, prefix: String, uses: &mut Uses) {
    let environment = &stack.environment;
    let resolver =
        Resolver::new(environment.account.as_deref(), environment.region.as_deref(), &stack.name, template);
    let mut scanner = Scanner { resolver, path: prefix, uses };
    scanner.parameters(&template["Parameters"]);
    for (id, resource) in template["Resources"].as_object().into_iter().flatten() {
        scanner.under(id, |scanner| scanner.resource(resource));
    }
    for section in ["Conditions", "Outputs"] {
        for (id, value) in template[section].as_object().into_iter().flatten() {
            scanner.under(&format!("{section}.{id}"), |scanner| {
                scanner.export(value);
                scanner.value(value);
            });
        }
    }
}

struct Scanner<'a> {
    resolver: Resolver<'a>,
    path: String,
    uses: &'a mut Uses,
}

impl Scanner<'_> {
    fn under(&mut self, name: &str, then: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        if !(self.path.is_empty() || self.path.ends_with('/') || name.starts_with('[')) {
            self.path.push('.');
        }
        self.path.push_str(name);
        then(self);
        self.path.truncate(length);
    }

    fn reads(&mut self, reason: Reason, name: Text, region: Option<String>) {
        let place = self.path.clone();
        self.uses.read.push(Use { reason, name, region, place });
    }

    fn provides(&mut self, reason: Reason, name: Text, region: Option<String>) {
        let place = self.path.clone();
        self.uses.provided.push(Use { reason, name, region, place });
    }

    /// `AWS::SSM::Parameter::Value<…>`: CloudFormation reads the parameter that the default names.
    fn parameters(&mut self, parameters: &Value) {
        for (id, parameter) in parameters.as_object().into_iter().flatten() {
            let stored =
                parameter["Type"].as_str().is_some_and(|t| t.starts_with("AWS::SSM::Parameter::Value"));
            let Some(name) = parameter["Default"].as_str().filter(|_| stored) else { continue };
            // Every modern CDK stack reads its bootstrap version this way; bootstrapping writes it.
            if id == "BootstrapVersion" || name.starts_with("/aws/service/") {
                continue;
            }
            self.under(&format!("Parameters.{id}.Default"), |scanner| {
                scanner.reads(Reason::Ssm, Text::from_raw(name), None);
            });
        }
    }

    fn resource(&mut self, resource: &Value) {
        let kind = resource["Type"].as_str().unwrap_or_default();
        let properties = &resource["Properties"];
        match kind {
            "AWS::SSM::Parameter" if properties.get("Name").is_some() => {
                let name = self.resolver.resolve(&properties["Name"]);
                self.under("Properties.Name", |scanner| scanner.provides(Reason::Ssm, name, None));
            }
            "AWS::ECR::Repository" if properties.get("RepositoryName").is_some() => {
                let name = self.resolver.resolve(&properties["RepositoryName"]);
                self.under("Properties.RepositoryName", |scanner| {
                    scanner.provides(Reason::Image, name, None);
                });
            }
            "Custom::CrossRegionExportWriter" => self.export_writer(&properties["WriterProps"]),
            "Custom::CrossRegionExportReader" => {
                // Its properties repeat each name in a dynamic reference.
                self.export_reader(&properties["ReaderProps"]);
                return;
            }
            _ => self.sdk_calls(properties),
        }
        for (section, value) in resource.as_object().into_iter().flatten() {
            if section != "Metadata" {
                self.under(section, |scanner| scanner.value(value));
            }
        }
    }

    /// CDK's writer puts each export into Parameter Store in the region of the reader.
    fn export_writer(&mut self, writer: &Value) {
        let region = self.resolver.resolve(&writer["region"]).known();
        for name in writer["exports"].as_object().into_iter().flatten().map(|(name, _)| name) {
            self.under("Properties.WriterProps.exports", |scanner| {
                scanner.provides(Reason::CrossRegion, Text::from_raw(name), region.clone());
            });
        }
    }

    /// CDK's reader names what it reads with the leading slash or, since 2.50, without it.
    fn export_reader(&mut self, reader: &Value) {
        let region = self.resolver.resolve(&reader["region"]).known();
        for name in reader["imports"].as_object().into_iter().flatten().map(|(name, _)| name) {
            self.under("Properties.ReaderProps.imports", |scanner| {
                scanner.reads(Reason::CrossRegion, Text::from_raw(name), region.clone());
            });
        }
    }

    /// `AwsCustomResource` keeps its calls as JSON in strings.
    fn sdk_calls(&mut self, properties: &Value) {
        if properties.get("ServiceToken").is_none() {
            return;
        }
        let (create, update) = (properties.get("Create"), properties.get("Update"));
        for (moment, text) in [("Create", create), ("Update", update.filter(|_| update != create))] {
            let Some(text) = text else { continue };
            let text = self.resolver.resolve(text);
            let Ok(call) = serde_json::from_str::<Value>(text.raw()) else { continue };
            let service = call["service"].as_str().unwrap_or_default().to_ascii_lowercase();
            let is_ssm = service == "ssm" || service == "@aws-sdk/client-ssm";
            let Some(name) = call["parameters"]["Name"].as_str().filter(|_| is_ssm) else { continue };
            let region = call["region"].as_str().map(str::to_owned);
            let action = call["action"].as_str().unwrap_or_default().to_ascii_lowercase();
            // What is only read on update exists by then, or the creation has written it.
            if moment == "Update" && create.is_some() && action.starts_with("get") {
                continue;
            }
            self.under(&format!("Properties.{moment}"), |scanner| match action.trim_end_matches("command") {
                "getparameter" => scanner.reads(Reason::Ssm, Text::from_raw(name), region),
                "putparameter" => scanner.provides(Reason::Ssm, Text::from_raw(name), region),
                _ => {}
            });
        }
    }

    fn export(&mut self, output: &Value) {
        if let Some(name) = output.get("Export").and_then(|export| export.get("Name")) {
            let name = self.resolver.resolve(name);
            self.under("Export.Name", |scanner| scanner.provides(Reason::Import, name, None));
        }
    }

    /// Looks for intrinsics and dynamic references wherever they can be.
    fn value(&mut self, value: &Value) {
        match value {
            Value::String(text) => {
                self.references(text);
            }
            Value::Array(items) => {
                for (i, item) in items.iter().enumerate() {
                    self.under(&format!("[{i}]"), |scanner| scanner.value(item));
                }
            }
            Value::Object(map) => {
                for (key, inner) in map {
                    self.under(key, |scanner| match key.as_str() {
                        "Fn::ImportValue" => {
                            let name = scanner.resolver.resolve(inner);
                            scanner.reads(Reason::Import, name, None);
                        }
                        "Fn::GetStackOutput" => scanner.stack_output(inner),
                        // A dynamic reference may be put together from parts.
                        "Fn::Join" | "Fn::Sub" => {
                            let whole = scanner.resolver.resolve_intrinsic(key, inner);
                            if !scanner.references(whole.raw()) {
                                scanner.value(inner);
                            }
                        }
                        _ => scanner.value(inner),
                    });
                }
            }
            _ => {}
        }
    }

    fn stack_output(&mut self, argument: &Value) {
        let Some(name) = argument.get("StackName") else { return };
        let name = self.resolver.resolve(name);
        let region = argument.get("Region").and_then(|region| self.resolver.resolve(region).known());
        self.reads(Reason::Output, name, region);
    }

    /// Finds the references that a string can hold, and says whether there were any.
    fn references(&mut self, text: &str) -> bool {
        let dynamic = text.contains("{{resolve:ssm");
        if dynamic {
            self.dynamic_references(text);
        }
        self.image(text) || dynamic
    }

    /// `ACCOUNT.dkr.ecr.REGION.amazonaws.com/REPOSITORY:TAG`.
    fn image(&mut self, text: &str) -> bool {
        let Some((_, rest)) = text.split_once(".dkr.ecr.") else { return false };
        let Some((host, path)) = rest.split_once('/') else { return false };
        let repository = path.split([':', '@']).next().unwrap_or_default();
        // The repository of CDK's own image assets is part of the bootstrap stack.
        if !repository.is_empty() && !repository.contains("container-assets-") {
            let region = host.split('.').next().map(Text::from_raw).and_then(Text::known);
            if let Some(repository) = Text::from_raw(repository).known() {
                self.reads(Reason::Image, Text::from_raw(&repository), region);
            }
        }
        true
    }

    /// `{{resolve:ssm:name:version}}` and `{{resolve:ssm-secure:name:version}}`; the version may be left out.
    fn dynamic_references(&mut self, text: &str) {
        for start in ["{{resolve:ssm:", "{{resolve:ssm-secure:"] {
            for part in text.split(start).skip(1) {
                let Some((reference, _)) = part.split_once("}}") else { continue };
                let name = reference.split(':').next().unwrap_or_default();
                if !name.starts_with("/aws/service/") {
                    self.reads(Reason::Ssm, Text::from_raw(name), None);
                }
            }
        }
    }
}
