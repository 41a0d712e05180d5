//! Reads an assembly from its files.

mod nested;
mod paths;
mod stack;
mod stages;

use camino::Utf8Path;

use crate::error::AssemblyError;
use crate::model::Assembly;

use self::stages::Reader;

/// The handling of missing context.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum MissingIs {
    #[default]
    Refused,
    Kept,
}

impl Assembly {
    /// Reads the assembly in `dir`.
    ///
    /// Missing context is an error here, because templates that are synthesized without it contain made-up
    /// values. Error annotations are no error here: they forbid the deployment of their stack, but not
    /// reading the app. Call [`Assembly::ensure_deployable`] before a deployment.
    pub fn read(dir: impl AsRef<Utf8Path>) -> Result<Assembly, AssemblyError> {
        read(dir.as_ref(), MissingIs::Refused)
    }

    /// Reads the assembly in `dir`, even if context is [missing](Assembly::missing). The caller has to ensure
    /// that no made-up values are deployed.
    pub fn read_incomplete(dir: impl AsRef<Utf8Path>) -> Result<Assembly, AssemblyError> {
        read(dir.as_ref(), MissingIs::Kept)
    }
}

fn read(dir: &Utf8Path, missing_is: MissingIs) -> Result<Assembly, AssemblyError> {
    check_entrance(dir)?;
    let mut reader = Reader::new(dir, missing_is);
    reader.assembly(Utf8Path::new(""), None, 0)?;
    Ok(reader.finish())
}

/// Checks that the folder has a manifest. If not, the error says why the folder is not the right one.
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
