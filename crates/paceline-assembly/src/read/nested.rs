//! Finds the templates of nested stacks.
//!
//! The metadata of a nested stack's resource names the template's file, but only if the CDK command line
//! synthesized the app with asset metadata on. If not, the template's URL is used: it always ends in the key
//! of a file asset.

use std::collections::HashMap;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use crate::assets::{AssetManifest, FileSource, Packaging};
use crate::error::AssemblyError;
use crate::model::NestedTemplate;
use crate::nested_parameters::{NESTED_STACK, known_of_nested};
use crate::shape::join;
use crate::template::Template;
use crate::walk::{Node, walk};

use super::paths::{contained, read_template};

/// CloudFormation ends an operation on nested stacks at 2,500 resources, so an app with more templates cannot
/// work.
const MAX_TEMPLATES: usize = 2_500;
/// This is far more levels than anyone uses, and few enough for the call stack.
const MAX_DEPTH: usize = 32;
/// Shorter keys would also be found in unrelated URLs.
const MIN_KEY: usize = 8;

pub(super) struct Finder<'a> {
    pub(super) root: &'a Utf8Path,
    /// The folder of the stack's own assembly, relative to the root.
    pub(super) base: &'a Utf8Path,
    pub(super) assets: &'a AssetManifest,
    pub(super) read: HashMap<Utf8PathBuf, Template>,
    /// The files from the stack's own template down to the current one.
    pub(super) inside: Vec<Utf8PathBuf>,
    pub(super) found: Vec<NestedTemplate>,
}

impl Finder<'_> {
    /// Adds the nested templates of `template`, whose file is the last one in `inside`.
    pub(super) fn find(
        &mut self,
        template: &Template,
        parents: &mut Vec<String>,
    ) -> Result<(), AssemblyError> {
        for (logical_id, resource) in template.resources() {
            if resource.resource_type != NESTED_STACK {
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

    /// The templates that were found, kept as text.
    pub(super) fn forget(mut self) -> Vec<NestedTemplate> {
        for nested in &mut self.found {
            nested.template.forget();
        }
        self.found
    }

    /// The file of the template, if it is in the assembly. A nested stack can use a template from elsewhere.
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
