//! The kernel of the host that a build runs on.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::setting::{SettingError, one_of, text_setting};

/// The kernel of the host. The image decides everything else about the operating system of a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum HostKernel {
    /// Of Amazon Linux 2, which is no longer supported. CodeBuild takes it for a project that names none.
    #[serde(rename = "LINUX_KERNEL_4")]
    LinuxKernel4,
    /// Of Amazon Linux 2023.
    #[default]
    #[serde(rename = "LINUX_KERNEL_6")]
    LinuxKernel6,
    /// The newest that CodeBuild has.
    #[serde(rename = "LINUX_KERNEL_LATEST")]
    LinuxKernelLatest,
}

impl HostKernel {
    const ALL: [Self; 3] = [Self::LinuxKernel4, Self::LinuxKernel6, Self::LinuxKernelLatest];

    /// The word for it in the configuration: CodeBuild's name in kebab case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LinuxKernel4 => "linux-kernel-4",
            Self::LinuxKernel6 => "linux-kernel-6",
            Self::LinuxKernelLatest => "linux-kernel-latest",
        }
    }
}

impl FromStr for HostKernel {
    type Err = SettingError;

    /// CodeBuild's own names, such as `LINUX_KERNEL_6`, are taken too.
    fn from_str(text: &str) -> Result<Self, SettingError> {
        let word = text.replace('_', "-");
        let found = Self::ALL.into_iter().find(|kernel| kernel.as_str().eq_ignore_ascii_case(&word));
        found.ok_or_else(|| {
            let hint = one_of(text, Self::ALL.iter().map(|kernel| kernel.as_str()));
            SettingError::new(format!("`{text}` is not a host kernel"), hint)
        })
    }
}

impl fmt::Display for HostKernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

text_setting!(HostKernel, json!({ "enum": Self::ALL.map(Self::as_str) }));
