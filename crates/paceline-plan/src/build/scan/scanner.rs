//! Reads one stack's templates for what it provides to others and what it reads from them.

mod resource;

use std::fmt::Write as _;

use paceline_assembly::{Intrinsic, Resolver, Stack, Text, UNKNOWN};
use serde_json::Value;

use super::borrowed::Assets;
use super::place::ELLIPSIS;
use super::uses::{At, Use, Uses};
use super::{calls, images, secrets};
use crate::build::assets::Catalogue;
use crate::build::context::{self, ContextLookup};
use crate::build::context_key::HOSTED_ZONE;
use crate::model::{Reason, Section, TemplatePlace};

/// The parameter in which the CDK has the version of the bootstrap stack.
const BOOTSTRAP_VERSION: &str = "BootstrapVersion";
/// Ids and paths in places are cut off here. Nobody reads more, and a template with longer ones has many of them.
const LONGEST: usize = 255;
/// Shorter names are found by chance in unrelated texts.
const SHORTEST_NAME: usize = 6;

/// Reads a stack's template and its nested ones.
pub(crate) fn scan<'a>(
    stack: &'a Stack,
    looked_up: &'a [&'a ContextLookup],
    catalogue: &'a Catalogue<'a>,
) -> Uses {
    let mut uses = Uses::default();
    let mut assets = Assets::new(stack, catalogue);
    Scanner::new(stack.template.resolver(), Vec::new(), looked_up, &mut uses, &mut assets)
        .template(stack.template.expanded());
    for child in stack.nested_that_may_be_made() {
        let path: Vec<String> = child.logical_ids().cloned().collect();
        Scanner::new(child.template.resolver(), path, looked_up, &mut uses, &mut assets)
            .template(child.template.expanded());
    }
    uses.borrowed = assets.borrowed;
    uses
}

struct Scanner<'a, 's> {
    resolver: Resolver<'a>,
    /// Where the scanner is.
    at: TemplatePlace,
    /// What the stack's app looks up in its environment.
    looked_up: &'a [&'a ContextLookup],
    uses: &'s mut Uses,
    assets: &'s mut Assets<'a>,
}

impl<'a, 's> Scanner<'a, 's> {
    fn new(
        resolver: Resolver<'a>,
        nested: Vec<String>,
        looked_up: &'a [&'a ContextLookup],
        uses: &'s mut Uses,
        assets: &'s mut Assets<'a>,
    ) -> Self {
        let at = TemplatePlace {
            nested,
            section: Section::Resources,
            logical_id: String::new(),
            path: String::new(),
            construct: None,
        };
        Self { resolver, at, looked_up, uses, assets }
    }

    fn template(&mut self, template: &Value) {
        self.parameters(&template["Parameters"]);
        self.section(template, Section::Resources, |scanner, resource| {
            if !scanner.resolver.is_left_out(resource) {
                scanner.resource(resource);
                scanner.borrow_assets(resource);
            }
        });
        self.section(template, Section::Outputs, |scanner, output| {
            if !scanner.resolver.is_left_out(output) {
                scanner.export(output);
                scanner.value(output);
            }
        });
        for section in [Section::Conditions, Section::Rules, Section::Hooks] {
            self.section(template, section, Self::value);
        }
    }

    fn section(&mut self, template: &Value, section: Section, look: impl Fn(&mut Self, &Value)) {
        for (id, body) in template[section.as_str()].as_object().into_iter().flatten() {
            self.entry(section, id);
            look(self, body);
        }
    }

    /// Goes to an entry of a section.
    fn entry(&mut self, section: Section, id: &str) {
        self.at.section = section;
        self.at.logical_id = shortened(id);
        self.at.path.clear();
    }

    fn under(&mut self, name: &str, then: impl FnOnce(&mut Self)) {
        let length = self.at.path.len();
        if length > 0 {
            self.at.path.push('.');
        }
        self.at.path.push_str(name);
        then(self);
        self.at.path.truncate(length);
    }

    fn at_index(&mut self, index: usize, then: impl FnOnce(&mut Self)) {
        let length = self.at.path.len();
        let _ = write!(self.at.path, "[{index}]");
        then(self);
        self.at.path.truncate(length);
    }

    fn place(&self) -> TemplatePlace {
        author_place(&self.at)
    }

    fn resolved(&mut self, value: &Value) -> Text {
        self.checked(|resolver| resolver.resolve(value))
    }

    /// Notes it if something here is too large to be resolved.
    fn checked(&mut self, resolve: impl FnOnce(&Resolver<'a>) -> Text) -> Text {
        let text = resolve(&self.resolver);
        if self.resolver.take_exceeded() {
            let place = self.place();
            if self.uses.too_large.last() != Some(&place) {
                self.uses.too_large.push(place);
            }
        }
        text
    }

    fn reads(&mut self, reason: Reason, name: Text, at: At) {
        let place = self.place();
        self.uses.read.push(Use::new(reason, name, at, place));
    }

    fn provides(&mut self, reason: Reason, name: Text, at: At) {
        let place = self.place();
        self.uses.provided.push(Use::new(reason, name, at, place));
    }

    /// `AWS::SSM::Parameter::Value<…>` and `AWS::SSM::Parameter::Name`: CloudFormation looks for the
    /// parameter that is named.
    fn parameters(&mut self, parameters: &Value) {
        for (id, parameter) in parameters.as_object().into_iter().flatten() {
            let kind = parameter["Type"].as_str().unwrap_or_default();
            if !kind.starts_with("AWS::SSM::Parameter::") {
                continue;
            }
            let Some(name) = self.resolver.stored(id) else { continue };
            if is_public(name.raw()) {
                continue;
            }
            self.entry(Section::Parameters, id);
            self.at.path.push_str("Default");
            let place = self.place();
            // Every modern CDK stack reads its bootstrap version this way, which few apps write themselves.
            let only_here = id == BOOTSTRAP_VERSION;
            let at = At::default();
            self.uses.read.push(Use { only_here, ..Use::new(Reason::Ssm, name, at, place) });
        }
    }

    fn export(&mut self, output: &Value) {
        if let Some(name) = output.get("Export").and_then(|export| export.get("Name")) {
            let name = self.resolved(name);
            self.under("Export.Name", |scanner| scanner.provides(Reason::Import, name, At::default()));
        }
    }

    /// Looks for intrinsics and dynamic references wherever they can be.
    fn value(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.references(text),
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.at_index(index, |scanner| scanner.value(item));
                }
            }
            Value::Object(map) => {
                for (key, inner) in map {
                    self.under(key, |scanner| match key.as_str() {
                        "Fn::ImportValue" => scanner.import(inner),
                        "Fn::If" => match scanner.resolver.taken_branch(inner) {
                            Some(taken) => scanner.value(taken),
                            None => scanner.value(inner),
                        },
                        "Fn::GetStackOutput" => scanner.stack_output(inner),
                        "Ref" | "Fn::FindInMap" | "Fn::Select" if scanner.assets.are_looked_for() => {
                            let whole = scanner.checked(|resolver| resolver.resolve_intrinsic(key, inner));
                            scanner.name_assets(whole.raw());
                            scanner.value(inner);
                        }
                        // A reference may be put together from parts.
                        "Fn::Join" | "Fn::Sub" => {
                            let whole = scanner.checked(|resolver| resolver.resolve_intrinsic(key, inner));
                            scanner.references(whole.raw());
                            scanner.parts(inner);
                        }
                        _ => scanner.value(inner),
                    });
                }
            }
            _ => {}
        }
    }

    /// Looks for intrinsics in the parts of a string that has been looked at as a whole.
    fn parts(&mut self, value: &Value) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.parts(item)),
            Value::Object(map) => {
                for (key, inner) in map {
                    match key.as_str() {
                        "Fn::Join" | "Fn::Sub" => self.parts(inner),
                        _ if key.starts_with("Fn::") => self.value(value),
                        // The variables of `Fn::Sub`.
                        _ => self.parts(inner),
                    }
                }
            }
            _ => {}
        }
    }

    fn import(&mut self, name: &Value) {
        let resolved = self.resolved(name);
        match name["Fn::If"].as_array().map(Vec::as_slice) {
            // Either may be imported.
            Some([_, yes, no]) if !resolved.is_known() => {
                self.import(yes);
                self.import(no);
            }
            _ if name["Ref"] == "AWS::NoValue" => {}
            _ => self.reads(Reason::Import, resolved, At::default()),
        }
    }

    fn stack_output(&mut self, argument: &Value) {
        let Some(name) = argument.get("StackName") else { return };
        let name = self.resolved(name);
        let region = argument.get("Region").map(|region| self.resolved(region));
        // A role of another account reads that account's stacks.
        let account = argument.get("RoleArn").map(|role| self.resolved(role));
        let account = account.map(|role| calls::account_of(&role));
        self.reads(Reason::Output, name, At { account, region });
    }

    /// Finds the references that a string can hold.
    fn references(&mut self, text: &str) {
        if text.contains("{{resolve:") {
            self.dynamic_references(text);
            for (name, at) in secrets::of(text) {
                self.reads(Reason::Secret, name, at);
            }
        }
        for name in context::held_by(text, self.looked_up) {
            // A hosted zone is of no region.
            let anywhere = name.starts_with(HOSTED_ZONE).then(|| At::region(Text::unknown()));
            self.reads(Reason::Synth, Text::from_raw(name), anywhere.unwrap_or_default());
        }
        for (name, at) in images::of(text) {
            self.reads(Reason::Image, name, at);
        }
        self.name_assets(text);
        if self.at.section == Section::Resources {
            let at = &self.at;
            self.uses.physical.look(text, &at.path, || author_place(at));
        }
    }

    fn name_assets(&mut self, text: &str) {
        let numbers = match self.at.section {
            Section::Resources => self.assets.named_in(text),
            _ => Vec::new(),
        };
        if !numbers.is_empty() {
            let place = self.place();
            self.assets.named(numbers, &place);
        }
    }

    /// Decides which of the assets that a resource may name it uses.
    fn borrow_assets(&mut self, resource: &Value) {
        if self.assets.are_named() {
            let mut texts = Vec::new();
            self.texts(resource, &mut texts);
            self.assets.borrow(&texts);
        }
    }

    /// Every text in a value, as a whole and in its parts.
    fn texts(&mut self, value: &Value, texts: &mut Vec<Text>) {
        match value {
            Value::String(text) => texts.push(Text::from_raw(text)),
            Value::Array(items) => items.iter().for_each(|item| self.texts(item, texts)),
            Value::Object(map) => {
                if Intrinsic::of(value).is_some() {
                    texts.push(self.resolved(value));
                }
                map.values().for_each(|inner| self.texts(inner, texts));
            }
            _ => {}
        }
    }

    /// `{{resolve:ssm:name:version}}` and `{{resolve:ssm-secure:name:version}}`; the version may be left out.
    fn dynamic_references(&mut self, text: &str) {
        for start in ["{{resolve:ssm:", "{{resolve:ssm-secure:"] {
            for part in text.split(start).skip(1) {
                let Some((name, _)) = part.split_once("}}") else { continue };
                if !is_public(name) {
                    self.reads(Reason::Ssm, Text::from_raw(name), At::default());
                }
            }
        }
    }
}

/// The property that the template's author would name: the path up to the first intrinsic.
fn author_place(at: &TemplatePlace) -> TemplatePlace {
    let path = shortened(at.path.split("Fn::").next().unwrap_or_default().trim_end_matches('.'));
    let TemplatePlace { nested, section, logical_id, .. } = at;
    TemplatePlace {
        nested: nested.clone(),
        section: *section,
        logical_id: logical_id.clone(),
        path,
        construct: None,
    }
}

/// A part of a place for people.
fn shortened(text: &str) -> String {
    let end = text.char_indices().nth(LONGEST).map(|(end, _)| end);
    let mut shown = text[..end.unwrap_or(text.len())].replace(UNKNOWN, ELLIPSIS);
    if end.is_some() {
        shown.push_str(ELLIPSIS);
    }
    shown
}

/// Whether AWS publishes the parameter.
fn is_public(name: &str) -> bool {
    name.starts_with("/aws/service/")
}
