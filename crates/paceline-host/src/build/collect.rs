//! The reports and artifacts that a build leaves, found by their patterns.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use paceline_buildspec::grammar::{ArtifactSet, Buildspec, Report};

use super::{RunError, RunOptions};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CollectedKind {
    Report,
    Artifacts,
    SecondaryArtifacts,
}

/// The files of one report or artifact, and the place that they were copied to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collected {
    pub kind: CollectedKind,
    /// The report group or the artifact identifier; empty for the primary artifacts.
    pub name: String,
    pub patterns: Vec<String>,
    /// The paths of the files, relative to the folder of the patterns.
    pub files: Vec<Utf8PathBuf>,
    pub kept: Option<Utf8PathBuf>,
}

/// The patterns of a buildspec. They are read before anything runs.
pub(super) struct Patterns(Vec<Wanted>);

struct Wanted {
    kind: CollectedKind,
    name: String,
    patterns: Vec<String>,
    files: GlobSet,
    excluded: GlobSet,
    base: Option<String>,
    /// The patterns of `base`, if `base` is a pattern itself.
    bases: Option<GlobSet>,
    flat: bool,
}

impl Patterns {
    pub(super) fn of(buildspec: &Buildspec) -> Result<Self, RunError> {
        let reports = buildspec.reports.iter().map(|(name, report)| of_report(name, report));
        let mut wanted: Vec<_> = reports.collect::<Result<_, _>>()?;
        if let Some(artifacts) = &buildspec.artifacts {
            // If a buildspec has secondary artifacts, its project may keep no primary ones.
            if artifacts.secondary.is_empty() || !artifacts.set.files.is_empty() {
                wanted.push(of_artifacts(CollectedKind::Artifacts, "", &artifacts.set)?);
            }
            for (name, set) in &artifacts.secondary {
                wanted.push(of_artifacts(CollectedKind::SecondaryArtifacts, name, set)?);
            }
        }
        Ok(Self(wanted))
    }

    /// Finds all files first and copies them afterwards, so that no pattern matches a copy.
    pub(super) fn collect(&self, options: &RunOptions) -> Result<Vec<Collected>, RunError> {
        let keep = options.keep.as_deref();
        let mut found = Vec::new();
        for wanted in &self.0 {
            found.push((wanted, wanted.find(&options.source, keep).map_err(RunError::Collect)?));
        }
        let copied = found.into_iter().map(|(wanted, files)| {
            let kept = keep.map(|keep| wanted.place(keep));
            if let Some(kept) = &kept {
                for (from, to) in &files {
                    let to =
                        kept.join(if wanted.flat { to.file_name().unwrap_or("file") } else { to.as_str() });
                    fs_err::create_dir_all(to.parent().unwrap_or(kept))?;
                    fs_err::copy(from, to)?;
                }
            }
            Ok(Collected {
                kind: wanted.kind,
                name: wanted.name.clone(),
                patterns: wanted.patterns.clone(),
                files: files.into_iter().map(|(_, path)| path).collect(),
                kept,
            })
        });
        copied.collect::<Result<_, _>>().map_err(RunError::Collect)
    }
}

fn of_report(name: &str, report: &Report) -> Result<Wanted, RunError> {
    Wanted::new(
        CollectedKind::Report,
        name,
        &report.files,
        &[],
        report.base_directory.as_ref(),
        report.discard_paths,
    )
}

fn of_artifacts(kind: CollectedKind, name: &str, set: &ArtifactSet) -> Result<Wanted, RunError> {
    let base = set.base_directory.as_ref();
    Wanted::new(kind, name, &set.files, &set.exclude_paths, base, set.discard_paths)
}

impl Wanted {
    fn new(
        kind: CollectedKind,
        name: &str,
        files: &[String],
        excluded: &[String],
        base: Option<&String>,
        flat: bool,
    ) -> Result<Self, RunError> {
        let base_is_pattern = base.is_some_and(|base| base.contains(['*', '?', '[', '{']));
        Ok(Self {
            kind,
            name: name.to_owned(),
            patterns: files.to_vec(),
            files: globs(files)?,
            excluded: globs(excluded)?,
            base: base.filter(|_| !base_is_pattern).cloned(),
            bases: base
                .filter(|_| base_is_pattern)
                .map(|base| globs(std::slice::from_ref(base)))
                .transpose()?,
            flat,
        })
    }

    /// The folder that the files are copied to. If a group is named by an ARN, its name is the last part of
    /// the ARN.
    fn place(&self, keep: &Utf8Path) -> Utf8PathBuf {
        let plain = |c: char| if c.is_alphanumeric() || matches!(c, '-' | '_') { c } else { '_' };
        let name: String = self.name.rsplit('/').next().unwrap_or_default().chars().map(plain).collect();
        match self.kind {
            CollectedKind::Report => keep.join("reports").join(name),
            CollectedKind::Artifacts => keep.join("artifacts"),
            CollectedKind::SecondaryArtifacts => keep.join("secondary-artifacts").join(name),
        }
    }

    /// Finds the files. Each comes with its path relative to the folder that the patterns start from.
    fn find(
        &self,
        source: &Utf8Path,
        keep: Option<&Utf8Path>,
    ) -> std::io::Result<Vec<(Utf8PathBuf, Utf8PathBuf)>> {
        let mut found = BTreeSet::new();
        let start = self.base.as_ref().map_or_else(|| source.to_owned(), |base| source.join(base));
        let mut roots = vec![start.clone()];
        if let Some(bases) = &self.bases {
            let mut folders = Vec::new();
            walk(source, keep, &mut |path, is_folder| {
                if is_folder && path.strip_prefix(source).is_ok_and(|path| bases.is_match(path)) {
                    folders.push(path.to_owned());
                }
            })?;
            roots = folders;
        }
        for pattern in &self.patterns {
            // A path that is no pattern may be outside of the source: `/tmp/result.xml`.
            if Utf8Path::new(pattern).is_absolute() && Utf8Path::new(pattern).is_file() {
                found.insert((Utf8PathBuf::from(pattern), pattern.trim_start_matches('/').into()));
            }
        }
        for root in roots {
            walk(&root, keep, &mut |path, is_folder| {
                let Ok(inside) = path.strip_prefix(&root) else { return };
                if !is_folder && self.files.is_match(inside) && !self.excluded.is_match(inside) {
                    found.insert((path.to_owned(), inside.to_owned()));
                }
            })?;
        }
        Ok(found.into_iter().collect())
    }
}

fn globs(patterns: &[String]) -> Result<GlobSet, RunError> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let plain = pattern.strip_prefix("./").unwrap_or(pattern);
        let glob = GlobBuilder::new(plain).literal_separator(true).build();
        set.add(glob.map_err(|source| RunError::Glob { pattern: pattern.clone(), source })?);
    }
    set.build().map_err(|source| RunError::Glob { pattern: patterns.join(", "), source })
}

/// Every file and folder below a folder. Links to folders are not followed, and the folder of the copies is
/// left out.
fn walk(
    folder: &Utf8Path,
    keep: Option<&Utf8Path>,
    visit: &mut dyn FnMut(&Utf8Path, bool),
) -> std::io::Result<()> {
    if keep == Some(folder) || !folder.is_dir() {
        return Ok(());
    }
    for entry in fs_err::read_dir(folder)? {
        let entry = entry?;
        // A pattern is text, so it cannot match a name that is not.
        let Ok(path) = Utf8PathBuf::from_path_buf(entry.path()) else { continue };
        let is_folder = entry.file_type()?.is_dir();
        if is_folder || path.is_file() {
            visit(&path, is_folder);
        }
        if is_folder {
            walk(&path, keep, visit)?;
        }
    }
    Ok(())
}
