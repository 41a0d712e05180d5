//! Reads and writes `cdk.context.json`, in which the CDK keeps the values that it looked up during syntheses.

use std::fmt;
use std::io::{self, Write as _};

use camino::{Utf8Path, Utf8PathBuf};
use paceline_assembly::{LARGEST_MANIFEST, read_regular_text};
use paceline_plan::{ContextLookup, LookupState};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

const FILE: &str = "cdk.context.json";

/// The reason why the file could not be used.
#[derive(Debug, thiserror::Error)]
pub enum ContextFileError {
    /// The operating system refused.
    #[error("cannot use {path}: {source}")]
    Io {
        /// The file.
        path: Utf8PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The file is not JSON, or not a JSON object.
    #[error("{path}:{}:{}: {source}", .source.line(), .source.column())]
    Syntax {
        /// The file.
        path: Utf8PathBuf,
        /// The syntax error.
        source: serde_json::Error,
    },
}

/// The context of an app, in the order of its file.
#[derive(Debug)]
pub struct ContextFile {
    path: Utf8PathBuf,
    entries: Vec<(String, Box<RawValue>)>,
}

impl ContextFile {
    /// Reads the file in the folder of an app. A missing file counts as an empty one.
    pub fn read(dir: &Utf8Path) -> Result<Self, ContextFileError> {
        let path = dir.join(FILE);
        let text = match read_regular_text(&path, LARGEST_MANIFEST) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => "{}".to_owned(),
            Err(source) => return Err(ContextFileError::Io { path, source }),
        };
        match serde_json::from_str::<Entries>(text.trim_start_matches('\u{feff}')) {
            Ok(Entries(entries)) => Ok(Self { path, entries }),
            Err(source) => Err(ContextFileError::Syntax { path, source }),
        }
    }

    /// The values in the file that a stack can create. `again` takes the key and the name of a value, and
    /// returns whether it must be looked up again.
    pub(super) fn lookups(
        &self,
        app: Option<&str>,
        again: impl Fn(&str, &str) -> bool,
    ) -> Vec<ContextLookup> {
        let lookups = self.entries.iter().filter_map(|(key, value)| {
            let value: Value = serde_json::from_str(value.get()).ok()?;
            let mut lookup = ContextLookup::new(app, key, &value, LookupState::Kept)?;
            if again(key, &lookup.name) {
                lookup.state = LookupState::Again;
            }
            Some(lookup)
        });
        lookups.collect()
    }

    /// Removes keys from the file, and returns the removed keys. A file that has none of them is not written.
    pub fn forget(
        mut self,
        is_meant: impl Fn(&str, Option<&str>) -> bool,
    ) -> Result<Vec<String>, ContextFileError> {
        let name =
            |key: &str| ContextLookup::new(None, key, &Value::Null, LookupState::Kept).map(|it| it.name);
        let (gone, kept): (Vec<_>, Vec<_>) =
            self.entries.into_iter().partition(|(key, _)| is_meant(key, name(key).as_deref()));
        self.entries = kept;
        if !gone.is_empty() {
            let path = self.path.clone();
            self.write().map_err(|source| ContextFileError::Io { path, source })?;
        }
        Ok(gone.into_iter().map(|(key, _)| key).collect())
    }

    /// Writes the whole file atomically. The CDK indents by two.
    fn write(&self) -> io::Result<()> {
        let entries = self.entries.iter().map(|(key, value)| {
            let key = serde_json::to_string(key).unwrap_or_default();
            format!("\n  {key}: {}", value.get())
        });
        let entries = entries.collect::<Vec<_>>().join(",");
        let end = if entries.is_empty() { "" } else { "\n" };
        let folder = self.path.parent().filter(|it| !it.as_str().is_empty()).unwrap_or(Utf8Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        writeln!(file, "{{{entries}{end}}}")?;
        if let Ok(metadata) = fs_err::metadata(&self.path) {
            file.as_file().set_permissions(metadata.permissions())?;
        }
        file.persist(&self.path)?;
        Ok(())
    }
}

struct Entries(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntriesVisitor)
    }
}

struct EntriesVisitor;

impl<'de> Visitor<'de> for EntriesVisitor {
    type Value = Entries;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the keys of a context and their values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Entries(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "ssm:account=1:parameterName=/shop/url:region=r";

    fn written(text: &str) -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(folder.path()).unwrap().to_owned();
        fs_err::write(dir.join(FILE), text).unwrap();
        (folder, dir)
    }

    #[test]
    fn forgotten_keys_are_removed_and_the_rest_is_unchanged() {
        let text = format!(
            "{{\n  \"z\": {{\n    \"b\": 1,\n    \"a\": 1.50\n  }},\n  \"{URL}\": \"https://old\",\n  \"a\": [1]\n}}\n"
        );
        let (_folder, dir) = written(&text);
        let file = || ContextFile::read(&dir).unwrap();
        assert_eq!(file().forget(|key, _| key == "none").unwrap(), [""; 0]);
        assert_eq!(fs_err::read_to_string(dir.join(FILE)).unwrap(), text);
        assert_eq!(file().forget(|_, name| name == Some("/shop/url")).unwrap(), [URL]);
        let left = fs_err::read_to_string(dir.join(FILE)).unwrap();
        assert_eq!(left, "{\n  \"z\": {\n    \"b\": 1,\n    \"a\": 1.50\n  },\n  \"a\": [1]\n}\n");
        file().forget(|_, _| true).unwrap();
        assert_eq!(fs_err::read_to_string(dir.join(FILE)).unwrap(), "{}\n");
    }

    #[test]
    fn the_key_shows_whether_a_stack_can_create_the_value() {
        let (_folder, dir) = written(&format!(
            r#"{{"{URL}": "https://old", "availability-zones:account=1": ["a"], "ssm:x": "y"}}"#
        ));
        let file = ContextFile::read(&dir).unwrap();
        let [url] = file.lookups(Some("pets"), |_, name| name == "/shop/url").try_into().unwrap();
        assert_eq!(url.name, "/shop/url");
        assert_eq!((url.app.as_deref(), url.state), (Some("pets"), LookupState::Again));
    }

    #[test]
    fn a_missing_file_is_empty_and_a_broken_one_is_reported_with_its_position() {
        let (_folder, dir) = written("{\n  oops");
        let error = ContextFile::read(&dir).unwrap_err().to_string();
        assert!(error.contains("cdk.context.json:2:3: "), "{error}");
        fs_err::remove_file(dir.join(FILE)).unwrap();
        assert!(ContextFile::read(&dir).unwrap().entries.is_empty());
    }
}
