//! The file that remembers the signal to a wait condition.

use std::io;

use camino::Utf8Path;
use serde::{Deserialize, Serialize};

/// The signal that a wait condition has got, or is getting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Marker {
    pub(super) success: bool,
    pub(super) reason: String,
    /// True if CloudFormation has certainly got the signal.
    pub(super) confirmed: bool,
}

impl Marker {
    /// Reads the file. `None` if it is missing or damaged. Then the signal is sent again.
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
