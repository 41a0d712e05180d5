//! Why a configuration cannot be read.

use camino::Utf8PathBuf;
use paceline_text::Explained;

use crate::places::SettingPlace;

/// Why a configuration cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is not there, or not readable.
    #[error("cannot read the configuration {path}")]
    Read {
        /// The file.
        path: Utf8PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A setting is wrong.
    #[error("{message}")]
    Invalid {
        /// Where it stands.
        place: SettingPlace,
        /// What is wrong.
        message: String,
        /// What to write.
        hint: String,
    },
}

impl Explained for ConfigError {
    fn place(&self) -> Option<String> {
        match self {
            Self::Read { .. } => None,
            Self::Invalid { place, .. } => Some(place.to_string()),
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Read { .. } => "give the file with --config, or leave it out to plan from the assembly",
            Self::Invalid { hint, .. } => hint,
        };
        Some(hint.to_owned())
    }
}
