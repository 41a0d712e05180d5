//! Strings of which a part may only be known at deployment, and the parts of them that regions decide.

/// Stands in a [`Text`] where a part is only known at deployment.
pub(crate) const UNKNOWN: char = '\u{FFFC}';

/// A string of a template with its intrinsics resolved, as far as they can be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Text(String);

impl Text {
    /// The whole string, if every part of it is known.
    pub(crate) fn known(self) -> Option<String> {
        self.is_known().then_some(self.0)
    }

    /// Whether every part of the string is known.
    pub(crate) fn is_known(&self) -> bool {
        !self.0.contains(UNKNOWN)
    }

    /// The string with `…` for each part that is not known, for people.
    pub(crate) fn shown(&self) -> String {
        self.0.replace(UNKNOWN, "…")
    }

    /// The string with a placeholder for each part that is not known, to be parsed further.
    pub(crate) fn raw(&self) -> &str {
        &self.0
    }

    /// The part of a parsed [`raw`](Self::raw) string as a text again.
    pub(crate) fn from_raw(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// The partition of a region (AWS General Reference, "Regional endpoints").
pub fn partition(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        "aws-cn"
    } else if region.starts_with("us-gov-") {
        "aws-us-gov"
    } else {
        "aws"
    }
}

/// The domain of a region's endpoints.
pub fn url_suffix(region: &str) -> &'static str {
    if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" }
}
