//! Reads the artifacts of a stack: the stack itself, its assets and its nested templates.

use std::collections::{BTreeSet, HashMap};

use camino::Utf8Path;
use serde_json::Value;

use crate::assets::{self, AssetManifest};
use crate::environment::{Environment, EnvironmentError};
use crate::error::AssemblyError;
use crate::ids::Names;
use crate::metadata::Metadata;
use crate::model::{NestedTemplate, Stack};
use crate::nested_parameters::NESTED_STACK;
use crate::shape::{Shape, read_json};
use crate::values::Known;

use super::nested::Finder;
use super::paths::{contained, named_file, read_template};
use super::stages::Reader;

/// A stack whose id and dependencies are not known yet.
pub(super) struct Draft {
    pub(super) stack: Stack,
    pub(super) names: Names,
    pub(super) depends_on: BTreeSet<usize>,
    pub(super) assets_depend_on: BTreeSet<usize>,
}

impl Reader {
    pub(super) fn stack(
        &self,
        id: &str,
        artifact: &Shape<'_>,
        base: &Utf8Path,
    ) -> Result<Draft, AssemblyError> {
        let dir = self.under_root(base);
        let named = artifact.require("environment")?;
        let environment: Environment = named.text()?.parse().map_err(|problem: EnvironmentError| {
            named.error(format!("{problem}, found `{}`", named.text().unwrap_or_default()))
        })?;

        let properties = artifact.require("properties")?;
        let file = properties.require("templateFile")?;
        let template_path = self.root.join(named_file(&file, base)?);
        let name = properties.string("stackName")?.unwrap_or_else(|| id.to_owned());
        let parameters = properties.string_map("parameters")?.unwrap_or_default();
        let known = Known {
            environment: environment.clone(),
            stack_name: Some(name.clone()),
            given: parameters.iter().map(|(name, value)| (name.clone(), Some(value.clone()))).collect(),
        };
        let mut template = read_template(&template_path, file.named_by())?.knowing(known);

        let mut metadata = Metadata::default();
        if let Some(inline) = artifact.get("metadata")? {
            metadata.add(&inline, &dir)?;
        }
        if let Some(file) = artifact.get("additionalMetadataFile")? {
            let path = self.root.join(named_file(&file, base)?);
            let value: Value = read_json(&path, Some(file.named_by()))?;
            metadata.add(&Shape::new(&value, &path, ""), &dir)?;
        }
        let mut construct_paths = metadata.paths;
        for (logical_id, resource) in template.resources() {
            // If the template states a path, it is the exact one.
            let path = resource.metadata.and_then(|it| it.get("aws:cdk:path")).and_then(Value::as_str);
            if let Some(path) = path {
                construct_paths.insert(logical_id.to_owned(), path.trim_start_matches('/').to_owned());
            }
        }

        template.forget();

        let lookup_role = match properties.get("lookupRole")? {
            Some(role) => assets::role(&role, "arn", assets::bootstrap(&role)?)?,
            None => None,
        };
        let display = artifact.string("displayName")?.filter(|name| !name.is_empty());
        let names = Names {
            display: display.unwrap_or_else(|| id.to_owned()),
            artifact: id.to_owned(),
            path: base.join(id).into_string(),
        };
        let stack = Stack {
            id: String::new(),
            app: None,
            artifact_id: id.to_owned(),
            name,
            environment,
            template,
            template_path,
            depends_on: Vec::new(),
            assets: AssetManifest { dir, ..AssetManifest::default() },
            legacy_assets: metadata.legacy_assets,
            parameters,
            tags: properties.string_map("tags")?.unwrap_or(metadata.tags),
            notification_arns: properties.strings("notificationArns")?,
            termination_protection: properties.boolean("terminationProtection")?,
            deploy_role: assets::role(&properties, "assumeRoleArn", None)?,
            execution_role_arn: properties.string("cloudFormationExecutionRoleArn")?,
            rollback_triggers: None,
            lookup_role,
            template_url: properties.string("stackTemplateAssetObjectUrl")?,
            bootstrap: assets::bootstrap(&properties)?,
            construct_paths,
            sources: metadata.sources,
            nested: Vec::new(),
            messages: metadata.messages,
        };
        Ok(Draft { stack, names, depends_on: BTreeSet::new(), assets_depend_on: BTreeSet::new() })
    }

    pub(super) fn asset_manifest(
        &self,
        artifact: &Shape<'_>,
        base: &Utf8Path,
    ) -> Result<AssetManifest, AssemblyError> {
        let properties = artifact.require("properties")?;
        let file = properties.require("file")?;
        let relative = named_file(&file, base)?;
        let path = self.root.join(&relative);
        let value: Value = read_json(&path, Some(file.named_by()))?;
        let folder = relative.parent().unwrap_or(Utf8Path::new(""));
        let dir = self.under_root(folder);
        // Sources may be anywhere: an app that is synthesized without staging refers to their original
        // places.
        let resolve = |named: &str| match contained(folder, named) {
            Some(inside) => self.under_root(&inside),
            None => dir.join(named),
        };
        let mut assets = AssetManifest::from_shape(&Shape::new(&value, &path, ""), &dir, &resolve)?;
        assets.bootstrap = assets::bootstrap(&properties)?;
        Ok(assets)
    }

    pub(super) fn find_nested(
        &self,
        stack: &Stack,
        base: &Utf8Path,
    ) -> Result<Vec<NestedTemplate>, AssemblyError> {
        if !stack.template.may_hold(NESTED_STACK) {
            return Ok(Vec::new());
        }
        let mut finder = Finder {
            root: &self.root,
            base,
            assets: &stack.assets,
            read: HashMap::new(),
            inside: vec![stack.template_path.clone()],
            found: Vec::new(),
        };
        finder.find(&stack.template.clone(), &mut Vec::new())?;
        Ok(finder.forget())
    }
}
