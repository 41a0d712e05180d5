//! What a wait condition was told, on disk.

use std::io;

use camino::Utf8Path;
use serde::{Deserialize, Serialize};

/// What a wait condition was told, or is being told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Marker {
    pub(super) success: bool,
    pub(super) reason: String,
    /// Whether it is certain that it arrived.
    pub(super) confirmed: bool,
}

impl Marker {
    /// What is remembered. A file that cannot be understood remembers nothing: then it is signalled once more.
    pub(super) fn read(path: &Utf8Path) -> Option<Self> {
        serde_json::from_slice(&fs_err::read(path).ok()?).ok()
    }

    pub(super) fn write(&self, path: &Utf8Path) -> io::Result<()> {
        fs_err::create_dir_all(path.parent().unwrap_or(Utf8Path::new("")))?;
        let partial = path.with_extension("partial");
        fs_err::write(&partial, serde_json::to_vec(self)?)?;
        fs_err::File::open(&partial)?.sync_all()?;
        fs_err::rename(&partial, path)
    }
}
