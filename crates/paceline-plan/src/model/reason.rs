//! The kinds of dependency.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The kinds of dependency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The assembly's manifest says so.
    Manifest,
    /// `Fn::ImportValue` of a name that the other stack exports.
    Import,
    /// `Fn::GetStackOutput` of the other stack.
    Output,
    /// A parameter in Parameter Store that the other stack writes, in the region it is read from.
    Ssm,
    /// A secret in Secrets Manager that the other stack makes, read by its name or by its ARN.
    Secret,
    /// CDK's export reader and writer custom resources.
    CrossRegion,
    /// An image URI that names a repository the other stack creates.
    Image,
    /// The other stack makes the bucket or the repository that this one's assets go to.
    Asset,
    /// Something that the other stack makes and that this one has from its synthesis, which is done again then.
    Synth,
    /// The phases put it there.
    Phase,
    /// The team declared it.
    Config,
}

impl Reason {
    /// Whether the configuration, and not the app, put it there.
    pub fn is_ordered_by_the_team(self) -> bool {
        matches!(self, Self::Config | Self::Phase)
    }

    /// Whether templates show it.
    pub fn is_in_templates(self) -> bool {
        matches!(
            self,
            Self::Import | Self::Output | Self::Ssm | Self::Secret | Self::CrossRegion | Self::Image
        )
    }

    /// The word used in plans.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Manifest => "manifest",
            Self::Import => "import",
            Self::Output => "output",
            Self::Ssm => "ssm",
            Self::Secret => "secret",
            Self::CrossRegion => "cross-region",
            Self::Image => "image",
            Self::Asset => "asset",
            Self::Synth => "synth",
            Self::Phase => "phase",
            Self::Config => "config",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
