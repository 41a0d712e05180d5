//! The machine of a build, and what it may do there.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::setting::{SettingError, one_of, text_setting};

/// The sizes of machines that can run Docker. CodeBuild's Lambda compute cannot, and is none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum ComputeType {
    #[serde(rename = "BUILD_GENERAL1_SMALL")]
    Small,
    #[serde(rename = "BUILD_GENERAL1_MEDIUM")]
    Medium,
    #[serde(rename = "BUILD_GENERAL1_LARGE")]
    Large,
    #[default]
    #[serde(rename = "BUILD_GENERAL1_XLARGE")]
    XLarge,
    #[serde(rename = "BUILD_GENERAL1_2XLARGE")]
    X2Large,
}

impl ComputeType {
    const ALL: [Self; 5] = [Self::Small, Self::Medium, Self::Large, Self::XLarge, Self::X2Large];

    /// The word for it in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Medium => "medium",
            Self::Large => "large",
            Self::XLarge => "x-large",
            Self::X2Large => "2x-large",
        }
    }

    /// CodeBuild's name for it.
    pub const fn api_name(self) -> &'static str {
        match self {
            Self::Small => "BUILD_GENERAL1_SMALL",
            Self::Medium => "BUILD_GENERAL1_MEDIUM",
            Self::Large => "BUILD_GENERAL1_LARGE",
            Self::XLarge => "BUILD_GENERAL1_XLARGE",
            Self::X2Large => "BUILD_GENERAL1_2XLARGE",
        }
    }
}

impl FromStr for ComputeType {
    type Err = SettingError;

    /// `x-large`, `xlarge`, `X_LARGE` and `BUILD_GENERAL1_XLARGE` are all the same one.
    fn from_str(text: &str) -> Result<Self, SettingError> {
        let plain = |text: &str| text.to_ascii_lowercase().replace(['-', '_'], "");
        let word = plain(text);
        let word = word.strip_prefix("buildgeneral1").unwrap_or(&word);
        if word == "x2large" {
            return Ok(Self::X2Large);
        }
        let found = Self::ALL.into_iter().find(|it| plain(it.as_str()) == word);
        found.ok_or_else(|| {
            let hint = one_of(text, Self::ALL.iter().map(|it| it.as_str()));
            SettingError::new(format!("`{text}` is not a compute type"), hint)
        })
    }
}

impl fmt::Display for ComputeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

text_setting!(ComputeType, json!({ "enum": Self::ALL.map(Self::as_str) }));

/// Whether a build can run Docker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Privileged {
    /// When the app has Docker images, or Docker layers are to be cached.
    #[default]
    Auto,
    Yes,
    No,
}

impl FromStr for Privileged {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, SettingError> {
        match text {
            "auto" => Ok(Self::Auto),
            "yes" | "true" => Ok(Self::Yes),
            "no" | "false" => Ok(Self::No),
            _ => Err(SettingError::new(format!("`{text}` is not a privileged mode"), "use auto, yes or no")),
        }
    }
}

impl fmt::Display for Privileged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Auto => "auto",
            Self::Yes => "yes",
            Self::No => "no",
        })
    }
}

// A reader of YAML 1.1 takes `yes` and `no` for booleans.
text_setting!(Privileged, json!({ "enum": ["auto", "yes", "no", true, false] }));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compute_types_are_read_as_people_write_them() {
        for (text, compute) in [
            ("small", "BUILD_GENERAL1_SMALL"),
            ("x-large", "BUILD_GENERAL1_XLARGE"),
            ("X_LARGE", "BUILD_GENERAL1_XLARGE"),
            ("2x-large", "BUILD_GENERAL1_2XLARGE"),
            ("x2large", "BUILD_GENERAL1_2XLARGE"),
            ("BUILD_GENERAL1_2XLARGE", "BUILD_GENERAL1_2XLARGE"),
        ] {
            assert_eq!(text.parse::<ComputeType>().unwrap().api_name(), compute);
        }
        assert!("huge".parse::<ComputeType>().unwrap_err().hint().contains("x-large"));
    }

    #[test]
    fn names_and_serialized_names_are_the_same() {
        for compute in ComputeType::ALL {
            assert_eq!(serde_json::to_value(compute).unwrap(), compute.api_name());
            assert_eq!(compute.as_str().parse(), Ok(compute));
        }
    }
}
