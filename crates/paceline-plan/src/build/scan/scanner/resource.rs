//! What a resource provides and reads because of its type. References in its properties are found by the scanner.

use std::collections::BTreeSet;

use paceline_assembly::Text;
use serde_json::Value;

use super::super::uses::{At, Use};
use super::super::{calls, looked_up, named};
use super::{SHORTEST_NAME, Scanner, is_public};
use crate::build::timestamps::has_time;
use crate::model::{Reason, TemplatePlace};

impl Scanner<'_, '_> {
    pub(super) fn resource(&mut self, resource: &Value) {
        let kind = resource["Type"].as_str().unwrap_or_default();
        let properties = &resource["Properties"];
        match kind {
            "AWS::SSM::Parameter" => self.named(Reason::Ssm, properties, "Name"),
            "AWS::SecretsManager::Secret" => self.named(Reason::Secret, properties, "Name"),
            "AWS::ECR::Repository" => self.named(Reason::Image, properties, "RepositoryName"),
            "Custom::CrossRegionExportWriter" => self.export_writer(&properties["WriterProps"]),
            "Custom::CrossRegionExportReader" => {
                // Its properties repeat each name in a dynamic reference.
                self.export_reader(&properties["ReaderProps"]);
                return;
            }
            // CDK's reader of the ARN of a function at the edge.
            "Custom::CrossRegionStringParameterReader" if properties.get("ParameterName").is_some() => {
                let name = self.resolved(&properties["ParameterName"]);
                let region = self.resolved(&properties["Region"]);
                self.under("Properties", |scanner| scanner.reads(Reason::Ssm, name, At::region(region)));
            }
            _ if properties.get("ServiceToken").is_some() => self.sdk_calls(properties),
            _ => {}
        }
        if let Some((kind, property)) = named::naming(kind)
            && let Some(name) = properties.get(property)
        {
            let name = self.resolved(name).known();
            self.uses.physical.made.extend(name.map(|name| (kind, name)));
        }
        for (property, name) in looked_up::made(kind, properties, &self.resolver) {
            self.under("Properties", |scanner| {
                scanner.under(property, |scanner| scanner.provides(Reason::Synth, name, At::default()));
            });
        }
        if properties.get("ServiceToken").is_some() {
            self.under("Properties", |scanner| scanner.times(properties));
        }
        self.given_names(properties);
        for (section, value) in resource.as_object().into_iter().flatten() {
            if section != "Metadata" {
                self.under(section, |scanner| scanner.value(value));
            }
        }
    }

    /// Looks for times in the properties of a custom resource, which may be there only to make it run again.
    fn times(&mut self, properties: &Value) {
        for (name, value) in properties.as_object().into_iter().flatten() {
            let text = self.resolved(value);
            if has_time(text.raw()) {
                self.under(name, |scanner| {
                    let place = scanner.place();
                    scanner.uses.times.push(place);
                });
            }
        }
    }

    fn given_names(&mut self, properties: &Value) {
        let named = properties.as_object().into_iter().flatten();
        let names = named.filter(|(key, _)| key.ends_with("Name"));
        for (_, value) in names {
            let name = self.resolved(value).known().filter(|name| name.len() >= SHORTEST_NAME);
            self.uses.given_names.extend(name);
        }
    }

    fn named(&mut self, reason: Reason, properties: &Value, property: &str) {
        let Some(name) = properties.get(property) else { return };
        let name = self.resolved(name);
        self.under("Properties", |scanner| {
            scanner.under(property, |scanner| scanner.provides(reason, name, At::default()));
        });
    }

    /// CDK's writer puts each export into Parameter Store in the region of the reader.
    fn export_writer(&mut self, writer: &Value) {
        let at = At::region(self.resolved(&writer["region"]));
        for name in writer["exports"].as_object().into_iter().flatten().map(|(name, _)| name) {
            self.under("Properties.WriterProps.exports", |scanner| {
                scanner.provides(Reason::CrossRegion, Text::from_raw(name), at.clone());
            });
        }
    }

    /// CDK's reader names what it reads with the leading slash or, since 2.50, without it.
    fn export_reader(&mut self, reader: &Value) {
        let at = At::region(self.resolved(&reader["region"]));
        for name in reader["imports"].as_object().into_iter().flatten().map(|(name, _)| name) {
            self.under("Properties.ReaderProps.imports", |scanner| {
                scanner.reads(Reason::CrossRegion, Text::from_raw(name), at.clone());
            });
        }
    }

    /// `AwsCustomResource` keeps its calls as JSON in strings.
    fn sdk_calls(&mut self, properties: &Value) {
        let mut seen = BTreeSet::new();
        for moment in ["Create", "Update"] {
            let Some(text) = properties.get(moment) else { continue };
            for call in calls::of(&self.resolved(text)) {
                // Most resources do the same when they are updated.
                if is_public(call.name.raw()) || !seen.insert(call.clone()) {
                    continue;
                }
                let place = TemplatePlace { path: format!("Properties.{moment}"), ..self.place() };
                let calls::Call { reason, name, at, below, writes } = call;
                let uses = if writes { &mut self.uses.provided } else { &mut self.uses.read };
                uses.push(Use { below, overwrites: writes, ..Use::new(reason, name, at, place) });
            }
        }
    }
}
