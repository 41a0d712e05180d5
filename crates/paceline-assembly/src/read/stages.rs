//! Reads the manifests of an assembly and of its nested stages, and resolves the dependencies of their
//! artifacts.

use std::collections::{BTreeSet, HashMap};

use camino::{Utf8Path, Utf8PathBuf};
use rayon::prelude::*;

use crate::assets::AssetManifest;
use crate::error::{AssemblyError, MissingContext};
use crate::ids::{self, Names};
use crate::manifest::Manifest;
use crate::model::{Assembly, NestedTemplate};
use crate::shape::Shape;

use super::MissingIs;
use super::paths::named_file;
use super::stack::Draft;

/// Stages are nested one or two deep in practice. This limit is safe for the call stack.
const MAX_STAGES: usize = 32;

/// The state of reading an assembly.
#[derive(Default)]
pub(super) struct Reader {
    pub(super) root: Utf8PathBuf,
    /// The schema version of the root manifest.
    schema: String,
    stacks: Vec<Draft>,
    warnings: Vec<String>,
    missing_is: MissingIs,
    missing: Vec<MissingContext>,
    /// The stacks of each assembly by its real folder. An assembly that is named twice is read once, and an
    /// assembly that contains itself is noticed, whatever links lead to it. `None` while it is being read.
    seen: HashMap<Utf8PathBuf, Option<Vec<usize>>>,
}

/// An artifact that has been read.
enum Artifact {
    Stack(Box<Draft>),
    Assets(AssetManifest),
    /// A stage is read later, when it is known which assemblies have been read.
    Stage,
    Other,
}

/// The meaning of an artifact for the stacks that depend on it.
enum Target<'m> {
    Stacks(Vec<usize>),
    /// Assets, and their artifact, which can have dependencies of its own.
    Assets(AssetManifest, Shape<'m>),
    Other,
}

impl Reader {
    pub(super) fn new(dir: &Utf8Path, missing_is: MissingIs) -> Self {
        let mut reader = Self { root: dir.to_owned(), missing_is, ..Self::default() };
        if let Ok(real) = dir.canonicalize_utf8() {
            reader.seen.insert(real, None);
        }
        reader
    }

    /// Reads the assembly in the folder `base` and its nested assemblies. Returns the indexes of their
    /// stacks.
    pub(super) fn assembly(
        &mut self,
        base: &Utf8Path,
        named_by: Option<&Shape<'_>>,
        depth: usize,
    ) -> Result<Vec<usize>, AssemblyError> {
        let manifest_path = self.under_root(base).join("manifest.json");
        let manifest = Manifest::read(&manifest_path, named_by.map(Shape::named_by))?;
        // The stages of an app usually have the same schema, and the warning should appear once.
        if self.schema != manifest.version {
            self.warnings.extend(manifest.schema_warning());
        }
        if named_by.is_none() {
            self.schema.clone_from(&manifest.version);
        }
        if self.missing_is == MissingIs::Refused && !manifest.missing.is_empty() {
            return Err(AssemblyError::MissingContext { path: manifest_path, missing: manifest.missing });
        }
        // The assembly around a stage repeats the missing context of the stage.
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
        // All artifacts are read first. If there are several errors, the first one in manifest order is
        // reported.
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
        // If the folder cannot be resolved, reading its manifest gives a better error.
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

    /// Adds the dependencies of `artifact` to the stacks `dependents`, which the artifact stands for.
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

    pub(super) fn finish(self) -> Assembly {
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

    pub(super) fn under_root(&self, path: &Utf8Path) -> Utf8PathBuf {
        // Joining an empty path would add a slash.
        if path.as_str().is_empty() { self.root.clone() } else { self.root.join(path) }
    }
}

/// The dependencies of the artifact.
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
