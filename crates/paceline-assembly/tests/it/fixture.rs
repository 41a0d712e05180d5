//! Assemblies written for one test.

use camino::{Utf8Path, Utf8PathBuf};
use paceline_assembly::{Assembly, AssemblyError};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A folder that is removed at the end of the test.
pub(crate) struct Folder {
    dir: TempDir,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self { dir: TempDir::new().unwrap() }
    }

    /// A folder with a manifest of these artifacts, and with these files.
    pub(crate) fn with(artifacts: &Value, files: &[(&str, &str)]) -> Self {
        let folder = Self::new();
        folder.manifest("", artifacts);
        for (path, text) in files {
            folder.write(path, text);
        }
        folder
    }

    pub(crate) fn path(&self) -> &Utf8Path {
        Utf8Path::from_path(self.dir.path()).unwrap()
    }

    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) -> Utf8PathBuf {
        let path = self.path().join(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(&path, text).unwrap();
        path
    }

    pub(crate) fn manifest(&self, stage: &str, artifacts: &Value) {
        let text = json!({"version": "36.0.0", "artifacts": artifacts}).to_string();
        self.write(format!("{stage}/manifest.json").trim_start_matches('/'), text);
    }

    #[track_caller]
    pub(crate) fn read(&self) -> Assembly {
        Assembly::read(self.path()).unwrap_or_else(|error| panic!("{}", self.show(&error)))
    }

    /// The error and its causes, with `OUT` in the place of this folder.
    pub(crate) fn show(&self, error: &AssemblyError) -> String {
        let mut text = error.to_string();
        let mut cause = std::error::Error::source(error);
        while let Some(error) = cause {
            text.push_str(" / ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text.replace(self.path().as_str(), "OUT")
    }

    #[track_caller]
    pub(crate) fn check_refused(&self, expect: &str) -> AssemblyError {
        let error = Assembly::read(self.path()).expect_err("the assembly was read");
        assert_eq!(self.show(&error), expect);
        error
    }
}

/// A stack artifact with this template. The fields of `more` replace the standard ones.
pub(crate) fn stack(template: &str, more: &Value) -> Value {
    let mut artifact = json!({
        "type": "aws:cloudformation:stack",
        "environment": "aws://111111111111/eu-west-1",
        "properties": {"templateFile": template},
    });
    merge(&mut artifact, more);
    artifact
}

fn merge(into: &mut Value, more: &Value) {
    for (key, value) in more.as_object().unwrap() {
        match into.get_mut(key) {
            Some(known) if known.is_object() && value.is_object() => merge(known, value),
            _ => into[key] = value.clone(),
        }
    }
}
