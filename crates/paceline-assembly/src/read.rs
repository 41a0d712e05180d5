//! Puts an assembly together from its files.

use std::collections::{BTreeSet, HashMap};

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use rayon::prelude::*;
use serde_json::Value;

use crate::assets::{self, AssetManifest};
use crate::error::{AssemblyError, MissingContext};
use crate::files::LARGEST_TEMPLATE;
use crate::ids::{self, Names};
use crate::manifest::Manifest;
use crate::metadata::Metadata;
use crate::model::{Assembly, Environment, EnvironmentError, NestedTemplate, Stack};
use crate::nested::{self, Finder};
use crate::shape::{Shape, read_bytes, read_json, without_bom};
use crate::template::{Template, TemplateError};
use crate::values::Known;

/// Stages are one or two deep in practice; this is what the call stack can take.
const MAX_STAGES: usize = 32;

/// What is done about context that is missing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum MissingIs {
    #[default]
    Refused,
    Kept,
}

pub(crate) fn read(dir: &Utf8Path, missing_is: MissingIs) -> Result<Assembly, AssemblyError> {
    check_entrance(dir)?;
    let mut reader = Reader { root: dir.to_owned(), missing_is, ..Reader::default() };
    if let Ok(real) = dir.canonicalize_utf8() {
        reader.seen.insert(real, None);
    }
    reader.assembly(Utf8Path::new(""), None, 0)?;
    Ok(reader.finish())
}

/// Tells apart the ways in which the folder is not the right one.
fn check_entrance(dir: &Utf8Path) -> Result<(), AssemblyError> {
    if dir.join("manifest.json").exists() {
        return Ok(());
    }
    let (problem, hint) = if !dir.exists() {
        ("there is no such folder", "run `cdk synth` first, or give the folder that it wrote".to_owned())
    } else if !dir.is_dir() {
        let parent = dir.parent().filter(|parent| !parent.as_str().is_empty());
        let folder = parent.unwrap_or(Utf8Path::new("."));
        ("it is a file, not a folder", format!("give the folder that holds `manifest.json`: `{folder}`?"))
    } else if dir.join("cdk.out/manifest.json").exists() {
        ("it has no `manifest.json`", format!("give `{}`, which is one", dir.join("cdk.out")))
    } else if dir.join("cdk.json").exists() {
        (
            "it has no `manifest.json`",
            "this folder holds a CDK app, not its output: give the cdk.out folder or run `cdk synth` first"
                .to_owned(),
        )
    } else {
        (
            "it has no `manifest.json`",
            "give the folder that `cdk synth` wrote, which is cdk.out if nothing else was asked for"
                .to_owned(),
        )
    };
    Err(AssemblyError::NotAnAssembly { dir: dir.to_owned(), problem, hint })
}

/// The path from the root to `named`, which stands in the folder `base`; `None` when that is outside of the
/// root. Only the text is looked at: symbolic links inside of an assembly are the user's business.
pub(crate) fn contained(base: &Utf8Path, named: &str) -> Option<Utf8PathBuf> {
    let mut path = base.to_owned();
    for component in Utf8Path::new(named).components() {
        match component {
            Utf8Component::Normal(part) => path.push(part),
            Utf8Component::CurDir => {}
            Utf8Component::ParentDir => {
                if !path.pop() {
                    return None;
                }
            }
            Utf8Component::RootDir | Utf8Component::Prefix(_) => return None,
        }
    }
    Some(path)
}

pub(crate) fn read_template(path: &Utf8Path, named_by: String) -> Result<Template, AssemblyError> {
    let bytes = read_bytes(path, LARGEST_TEMPLATE, Some(named_by.clone()))?;
    let bytes = without_bom(&bytes);
    str::from_utf8(bytes)
        .map_err(|error| TemplateError::not_text(bytes, error.valid_up_to()))
        .and_then(Template::keeping_text)
        .map_err(|source| AssemblyError::Template { path: path.to_owned(), named_by, source })
}

#[derive(Default)]
struct Reader {
    root: Utf8PathBuf,
    /// The version that the root manifest states.
    schema: String,
    stacks: Vec<Draft>,
    warnings: Vec<String>,
    missing_is: MissingIs,
    missing: Vec<MissingContext>,
    /// Assemblies by their real folder, so that one that is named twice is read once, and one that contains
    /// itself is noticed whatever links lead there. `None` while it is being read.
    seen: HashMap<Utf8PathBuf, Option<Vec<usize>>>,
}

/// A stack whose id, and those of what it depends on, are not known yet.
struct Draft {
    stack: Stack,
    names: Names,
    depends_on: BTreeSet<usize>,
    assets_depend_on: BTreeSet<usize>,
}

/// An artifact of a manifest, read.
enum Artifact {
    Stack(Box<Draft>),
    Assets(AssetManifest),
    /// Is read later: it needs to be known which assemblies have been read.
    Stage,
    Other,
}

/// What an artifact is to the stacks that depend on it.
enum Target<'m> {
    Stacks(Vec<usize>),
    /// With the artifact, which can have dependencies of its own.
    Assets(AssetManifest, Shape<'m>),
    Other,
}

impl Reader {
    /// Reads the assembly in the folder `base` and those nested in it; returns which stacks are inside.
    fn assembly(
        &mut self,
        base: &Utf8Path,
        named_by: Option<&Shape<'_>>,
        depth: usize,
    ) -> Result<Vec<usize>, AssemblyError> {
        let manifest_path = self.under_root(base).join("manifest.json");
        let manifest = Manifest::read(&manifest_path, named_by.map(Shape::named_by))?;
        // A warning for every stage of an app would say one thing many times.
        if self.schema != manifest.version {
            self.warnings.extend(manifest.schema_warning());
        }
        if named_by.is_none() {
            self.schema.clone_from(&manifest.version);
        }
        if self.missing_is == MissingIs::Refused && !manifest.missing.is_empty() {
            return Err(AssemblyError::MissingContext { path: manifest_path, missing: manifest.missing });
        }
        // What a stage misses, the assembly around it misses too.
        for missing in &manifest.missing {
            if !self.missing.contains(missing) {
                self.missing.push(missing.clone());
            }
        }

        let mut targets: HashMap<&str, Target<'_>> = HashMap::new();
        let mut inside = Vec::new();
        let mut stages = Vec::new();
        let artifacts: Vec<_> = manifest.artifacts.iter().collect();
        let read =
            artifacts.par_iter().map(|(id, value)| self.artifact(id, &manifest.artifact(id, value), base));
        // All are read, and of several errors the first in the manifest's order is reported.
        let read: Vec<Result<Artifact, AssemblyError>> = read.collect();
        for ((id, value), read) in artifacts.into_iter().zip(read) {
            let artifact = manifest.artifact(id, value);
            let target = match read? {
                Artifact::Stack(draft) => {
                    inside.push(self.stacks.len());
                    self.stacks.push(*draft);
                    Target::Stacks(vec![self.stacks.len() - 1])
                }
                Artifact::Assets(assets) => Target::Assets(assets, artifact),
                Artifact::Stage => {
                    stages.push((id.as_str(), artifact));
                    continue;
                }
                Artifact::Other => Target::Other,
            };
            targets.insert(id, target);
        }
        let own = inside.len();
        for (id, artifact) in &stages {
            let nested = self.stage(artifact, base, depth)?;
            inside.extend(&nested);
            targets.insert(id, Target::Stacks(nested));
        }
        for (id, value) in &manifest.artifacts {
            if let Some(Target::Stacks(dependents)) = targets.get(id.as_str()) {
                self.depend(dependents, &manifest.artifact(id, value), &targets)?;
            }
        }
        let nested = inside[..own].par_iter().map(|&index| self.find_nested(&self.stacks[index].stack, base));
        let nested: Vec<Result<Vec<NestedTemplate>, AssemblyError>> = nested.collect();
        for (&index, nested) in inside.iter().zip(nested) {
            self.stacks[index].stack.nested = nested?;
        }
        Ok(inside)
    }

    fn artifact(&self, id: &str, artifact: &Shape<'_>, base: &Utf8Path) -> Result<Artifact, AssemblyError> {
        Ok(match artifact.require("type")?.text()? {
            "aws:cloudformation:stack" => Artifact::Stack(Box::new(self.stack(id, artifact, base)?)),
            "cdk:asset-manifest" => Artifact::Assets(self.asset_manifest(artifact, base)?),
            "cdk:cloud-assembly" => Artifact::Stage,
            _ => Artifact::Other,
        })
    }

    fn stage(
        &mut self,
        artifact: &Shape<'_>,
        base: &Utf8Path,
        depth: usize,
    ) -> Result<Vec<usize>, AssemblyError> {
        let directory = artifact.require("properties")?.require("directoryName")?;
        let nested_base = named_file(&directory, base)?;
        let nesting = |problem: &str| AssemblyError::Nesting {
            path: directory.file.to_owned(),
            place: directory.place.clone(),
            problem: problem.to_owned(),
        };
        if depth >= MAX_STAGES {
            return Err(nesting("stages are inside of each other too deep to be meant"));
        }
        // A folder that cannot be resolved fails with a better message when its manifest is read.
        let folder = self.under_root(&nested_base);
        let real = folder.canonicalize_utf8().unwrap_or(folder);
        match self.seen.get(&real) {
            Some(Some(stacks)) => return Ok(stacks.clone()),
            Some(None) => return Err(nesting("the nested assembly is one that it is inside of")),
            None => {}
        }
        self.seen.insert(real.clone(), None);
        let stacks = self.assembly(&nested_base, Some(&directory), depth + 1)?;
        self.seen.insert(real, Some(stacks.clone()));
        Ok(stacks)
    }

    fn stack(&self, id: &str, artifact: &Shape<'_>, base: &Utf8Path) -> Result<Draft, AssemblyError> {
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
            // What the template says is exact, where it says it.
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
            lookup_role,
            template_url: properties.string("stackTemplateAssetObjectUrl")?,
            bootstrap: assets::bootstrap(&properties)?,
            construct_paths,
            nested: Vec::new(),
            messages: metadata.messages,
        };
        Ok(Draft { stack, names, depends_on: BTreeSet::new(), assets_depend_on: BTreeSet::new() })
    }

    fn asset_manifest(&self, artifact: &Shape<'_>, base: &Utf8Path) -> Result<AssetManifest, AssemblyError> {
        let properties = artifact.require("properties")?;
        let file = properties.require("file")?;
        let relative = named_file(&file, base)?;
        let path = self.root.join(&relative);
        let value: Value = read_json(&path, Some(file.named_by()))?;
        let folder = relative.parent().unwrap_or(Utf8Path::new(""));
        let dir = self.under_root(folder);
        // Sources may be anywhere: an app synthesized without staging names them where they are.
        let resolve = |named: &str| match contained(folder, named) {
            Some(inside) => self.under_root(&inside),
            None => dir.join(named),
        };
        let mut assets = AssetManifest::from_shape(&Shape::new(&value, &path, ""), &dir, &resolve)?;
        assets.bootstrap = assets::bootstrap(&properties)?;
        Ok(assets)
    }

    /// Notes what `artifact`, which stands for the stacks `dependents`, depends on.
    fn depend(
        &mut self,
        dependents: &[usize],
        artifact: &Shape<'_>,
        targets: &HashMap<&str, Target<'_>>,
    ) -> Result<(), AssemblyError> {
        let mut before = BTreeSet::new();
        let mut before_assets = BTreeSet::new();
        for target in dependencies(artifact, targets)? {
            match target {
                Target::Stacks(stacks) => before.extend(stacks),
                Target::Assets(assets, own) => {
                    for &index in dependents {
                        self.stacks[index].stack.assets.merge(assets);
                    }
                    for target in dependencies(own, targets)? {
                        if let Target::Stacks(stacks) = target {
                            before_assets.extend(stacks);
                        }
                    }
                }
                Target::Other => {}
            }
        }
        for &index in dependents {
            let other = |it: &&usize| **it != index;
            let draft = &mut self.stacks[index];
            draft.depends_on.extend(before.iter().filter(other));
            draft.assets_depend_on.extend(before_assets.iter().filter(other));
        }
        Ok(())
    }

    fn find_nested(&self, stack: &Stack, base: &Utf8Path) -> Result<Vec<NestedTemplate>, AssemblyError> {
        if !stack.template.may_hold(nested::STACK) {
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

    fn finish(self) -> Assembly {
        let Reader { root, schema, stacks: drafts, warnings, missing, .. } = self;
        let (names, rest): (Vec<Names>, Vec<_>) = drafts
            .into_iter()
            .map(|draft| (draft.names, (draft.stack, draft.depends_on, draft.assets_depend_on)))
            .unzip();
        let ids = ids::unique(&names);
        let named = |indices: BTreeSet<usize>| {
            let mut named: Vec<String> = indices.into_iter().map(|index| ids[index].clone()).collect();
            named.sort_unstable();
            named
        };
        let mut stacks = Vec::with_capacity(rest.len());
        for (id, (mut stack, depends_on, assets_depend_on)) in ids.iter().zip(rest) {
            stack.id.clone_from(id);
            stack.depends_on = named(depends_on);
            stack.assets.depends_on = named(assets_depend_on);
            stacks.push(stack);
        }
        Assembly { dir: root, schema, stacks, warnings, missing }
    }

    fn under_root(&self, path: &Utf8Path) -> Utf8PathBuf {
        // Joining an empty path would add a slash.
        if path.as_str().is_empty() { self.root.clone() } else { self.root.join(path) }
    }
}

/// The path from the root to the file or folder that is named at `named`, in an assembly at `base`.
fn named_file(named: &Shape<'_>, base: &Utf8Path) -> Result<Utf8PathBuf, AssemblyError> {
    let text = named.text()?;
    if text.is_empty() {
        return Err(named.error("the name is empty"));
    }
    contained(base, text).ok_or_else(|| named.outside(text))
}

/// What the artifact depends on.
fn dependencies<'t, 'm>(
    artifact: &Shape<'_>,
    targets: &'t HashMap<&str, Target<'m>>,
) -> Result<Vec<&'t Target<'m>>, AssemblyError> {
    let Some(list) = artifact.get("dependencies")? else { return Ok(Vec::new()) };
    list.items()?
        .map(|item| {
            let id = item.text()?;
            targets.get(id).ok_or_else(|| item.error(format!("`{id}` is not an artifact of this manifest")))
        })
        .collect()
}
