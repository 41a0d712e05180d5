//! Finds the templates of nested stacks.
//!
//! The resource says which file it came from in its metadata, but only when the app was synthesized by the CDK
//! command line with asset metadata on. The URL it loads its template from always ends in the key of a file
//! asset, so that is the second place to look.

use std::collections::HashMap;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use crate::assets::{AssetManifest, FileSource, Packaging};
use crate::error::AssemblyError;
use crate::model::{NestedTemplate, Stack};
use crate::read::{contained, read_template};
use crate::shape::join;
use crate::template::Template;
use crate::values::Known;
use crate::walk::{Node, walk};

/// The type of a nested stack.
pub(crate) const STACK: &str = "AWS::CloudFormation::Stack";
/// CloudFormation ends an operation on nested stacks at 2,500 resources; more templates than that cannot work.
const MAX_TEMPLATES: usize = 2_500;
/// Far more levels than anyone uses, and few enough for the call stack.
const MAX_DEPTH: usize = 32;
/// Shorter keys would be found in URLs that have nothing to do with them.
const MIN_KEY: usize = 8;

pub(crate) struct Finder<'a> {
    pub(crate) root: &'a Utf8Path,
    /// The folder of the stack's own assembly, relative to the root.
    pub(crate) base: &'a Utf8Path,
    pub(crate) assets: &'a AssetManifest,
    pub(crate) read: HashMap<Utf8PathBuf, Template>,
    /// The files from the stack's own template to the one that is looked at.
    pub(crate) inside: Vec<Utf8PathBuf>,
    pub(crate) found: Vec<NestedTemplate>,
}

impl Finder<'_> {
    /// Adds the nested templates of `template`, which is the last of the files in `inside`.
    pub(crate) fn find(
        &mut self,
        template: &Template,
        parents: &mut Vec<String>,
    ) -> Result<(), AssemblyError> {
        for (logical_id, resource) in template.resources() {
            if resource.resource_type != STACK {
                continue;
            }
            let Some(file) = self.file(resource.metadata, resource.properties) else { continue };
            let path = self.inside.last().map_or(self.root, Utf8PathBuf::as_path);
            let place = join("Resources", logical_id);
            let nesting = |problem: &str| AssemblyError::Nesting {
                path: path.to_owned(),
                place: place.clone(),
                problem: problem.to_owned(),
            };
            if self.inside.contains(&file) {
                return Err(nesting("the nested stack's template is one that it is inside of"));
            }
            if self.inside.len() > MAX_DEPTH {
                return Err(nesting("nested stacks are inside of each other too deep to be meant"));
            }
            if self.found.len() >= MAX_TEMPLATES {
                return Err(nesting("the stack has too many nested stacks to be deployed"));
            }
            let nested = match self.read.get(&file) {
                Some(known) => known.clone(),
                None => read_template(&file, format!("`{path}` at `{place}`"))?,
            };
            self.read.insert(file.clone(), nested.clone());
            let nested = nested.knowing(known_of_nested(template, resource.properties));
            self.found.push(NestedTemplate {
                logical_id: logical_id.to_owned(),
                parents: parents.clone(),
                path: file.clone(),
                template: nested.clone(),
            });
            self.inside.push(file);
            parents.push(logical_id.to_owned());
            self.find(&nested, parents)?;
            parents.pop();
            self.inside.pop();
        }
        Ok(())
    }

    /// What was found; the templates are kept as text.
    pub(crate) fn forget(mut self) -> Vec<NestedTemplate> {
        for nested in &mut self.found {
            nested.template.forget();
        }
        self.found
    }

    /// The template's file, if it is in the assembly: a nested stack can as well come from elsewhere.
    fn file(&self, metadata: Option<&Value>, properties: Option<&Value>) -> Option<Utf8PathBuf> {
        metadata
            .and_then(|metadata| self.file_in_metadata(metadata))
            .or_else(|| self.file_in_url(properties?.get("TemplateURL")?))
    }

    fn file_in_metadata(&self, metadata: &Value) -> Option<Utf8PathBuf> {
        let property = metadata.get("aws:asset:property").and_then(Value::as_str);
        if property.is_some_and(|property| property != "TemplateURL") {
            return None;
        }
        let named = metadata.get("aws:asset:path")?.as_str()?;
        let file = self.root.join(contained(self.base, named)?);
        file.is_file().then_some(file)
    }

    fn file_in_url(&self, url: &Value) -> Option<Utf8PathBuf> {
        let mut text = String::new();
        walk(url, &mut |_, node| {
            if let Node::Text(part) = node {
                text.push_str(part);
            }
        });
        self.assets.files.values().find_map(|asset| {
            let FileSource::Path { path, packaging: Packaging::File } = &asset.source else { return None };
            let mut keys = asset.destinations.values().map(|to| to.key.as_str());
            let is_it = keys.any(|key| key.len() >= MIN_KEY && text.contains(key));
            (is_it && path.is_file()).then(|| path.clone())
        })
    }
}

/// Has the templates of nested stacks know what those around them give them.
pub(crate) fn inform(stack: &mut Stack) {
    for at in 0..stack.nested.len() {
        let nested = &stack.nested[at];
        let outer = match nested.parents.split_last() {
            None => Some(&stack.template),
            Some((id, parents)) => stack.nested[..at]
                .iter()
                .find(|outer| outer.logical_id == *id && outer.parents == parents)
                .map(|outer| &outer.template),
        };
        let Some(outer) = outer else { continue };
        let properties = outer.resource(&nested.logical_id).and_then(|resource| resource.properties);
        let known = known_of_nested(outer, properties);
        let template = nested.template.clone().knowing(known);
        stack.nested[at].template = template;
    }
}

/// What is known of a nested stack with these properties: the parameters that the template around it gives it.
fn known_of_nested(outer: &Template, properties: Option<&Value>) -> Known {
    let resolver = outer.resolver();
    let given = properties.and_then(|properties| properties.get("Parameters")?.as_object());
    let given = given.into_iter().flatten();
    Known {
        environment: outer.known().environment.clone(),
        stack_name: None,
        given: given.map(|(name, value)| (name.clone(), resolver.resolve(value).known())).collect(),
    }
}
