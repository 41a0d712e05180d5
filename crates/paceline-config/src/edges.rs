//! What a team says about the graph that no file shows.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::patterns::Pattern;

/// A dependency that no file shows, or what is enough of one that files show.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeclaredEdge {
    /// The stack that waits.
    pub from: Pattern,
    /// The stack it waits for.
    pub to: Pattern,
    /// Why, for whoever reads the plan.
    pub because: String,
    /// With `relax` or `until`: the kind of edge that is meant; without it, all that templates show. What only the
    /// manifest asks for can be relaxed when it is named.
    #[serde(default)]
    pub reason: Option<Reason>,
    /// Drops the edges.
    #[serde(default)]
    pub relax: Option<Relax>,
    /// How long the edges that templates show wait.
    #[serde(default)]
    pub until: Option<Until>,
}

impl DeclaredEdge {
    /// Whether it is about edges that templates show, and adds none.
    pub fn changes_others(&self) -> bool {
        self.relax.is_some() || self.until.is_some()
    }
}

/// When edges are dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relax {
    /// When every parameter that is read is there before the run starts, or for an edge of the manifest the stack that is
    /// waited for: a redeployment. On a fresh account they stay, unless stacks would wait for each other in a circle.
    WhenPresent,
}

/// Until what of a stack an edge waits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Until {
    /// The whole stack.
    #[default]
    Stack,
    /// The parameters or repositories that are read. If the stack fails later, they may be gone again.
    Resource,
}

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
