//! Where the settings stand in the file.

use std::collections::BTreeMap;
use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};
use paceline_yaml::{At, Kind, Node};

/// Where each setting stands that the file has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SettingPlaces {
    file: Utf8PathBuf,
    /// By the keys that lead to the value, joined by dots: `codebuild.timeouts.stack`.
    by_path: BTreeMap<String, At>,
}

/// Where a setting stands: `paceline.yaml:12:5`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingPlace {
    /// The file.
    pub file: Utf8PathBuf,
    /// The line and the column, from 1. `None` for a problem of the whole file.
    pub at: Option<At>,
}

impl SettingPlaces {
    /// The places of the settings in a document. Entries of lists have none: they carry their own.
    pub(crate) fn of(file: &Utf8Path, root: &Node) -> Self {
        let mut by_path = BTreeMap::new();
        collect(root, "", &mut by_path);
        if by_path.is_empty() { Self::default() } else { Self { file: file.to_owned(), by_path } }
    }

    /// Where the value of a setting stands, such as that of `codebuild.image`. `None` when the file does not have it.
    pub fn get(&self, setting: &str) -> Option<SettingPlace> {
        let at = *self.by_path.get(setting)?;
        Some(SettingPlace { file: self.file.clone(), at: Some(at) })
    }
}

fn collect(node: &Node, path: &str, found: &mut BTreeMap<String, At>) {
    let Kind::Map(entries) = &node.kind else { return };
    for (key, value) in entries {
        let path = if path.is_empty() { key.text.clone() } else { format!("{path}.{}", key.text) };
        collect(value, &path, found);
        found.insert(path, value.at);
    }
}

impl fmt::Display for SettingPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            Some(At { line, column }) => write!(f, "{}:{line}:{column}", self.file),
            None => write!(f, "{}", self.file),
        }
    }
}
