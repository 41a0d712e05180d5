//! Finds why stacks wait for each other: the true graph of an assembly.
//!
//! The manifest of an assembly declares only what the app's constructs told each other. Exports,
//! parameters in Parameter Store and CDK's cross-region readers tie stacks together in their
//! templates, whether or not the manifest says so.

mod borrowed;
mod calls;
mod find;
mod images;
mod looked_up;
mod named;
mod providers;
mod scan;
mod secrets;
mod uses;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::config::Until;

pub(crate) use crate::model::place::{Place, Section};
pub(crate) use borrowed::BorrowedAsset;
pub(crate) use find::find;
pub(crate) use named::{Name, Said, kind_of};
pub(crate) use scan::scan;
pub(crate) use uses::Uses;

/// Stands in names and places for a part that is not known.
pub(crate) const ELLIPSIS: &str = "…";

/// Why one stack waits for another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// The id of the stack that waits.
    pub from: String,
    /// The id of the stack it waits for.
    pub to: String,
    /// The kind of dependency.
    pub reason: Reason,
    /// What ties them, and where: the name and its place in the template, or the team's because.
    pub detail: String,
    /// The name that ties them, with `…` where only deployment knows it; empty where there is none.
    pub name: String,
    /// Where the stack that waits reads what ties them. Empty for what no template shows.
    pub read_at: Vec<Place>,
    /// Where the other stack provides it, if its template shows that.
    pub provided_at: Option<Place>,
    /// Whether a part of the name is only known at deployment, so that the two may not be meant for each other.
    pub guessed: bool,
    /// The parameter that is read, where it is one.
    pub stored: Option<Stored>,
    /// Whether it orders two that write the same: who overwrites comes after who creates.
    pub overwrites: bool,
    /// Until what of the other stack it waits.
    pub until: Until,
}

/// A parameter in Parameter Store. What is `None` is that of the stack which reads it, known at deployment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Stored {
    /// The name, or the ARN if it is read by that.
    pub name: String,
    /// The account it is read from.
    pub account: Option<String>,
    /// The region it is read from.
    pub region: Option<String>,
}

impl Edge {
    /// An edge that no template shows.
    pub(crate) fn new(from: &str, to: &str, reason: Reason, detail: impl Into<String>) -> Self {
        Self {
            from: from.to_owned(),
            to: to.to_owned(),
            reason,
            detail: detail.into(),
            name: String::new(),
            read_at: Vec::new(),
            provided_at: None,
            guessed: false,
            stored: None,
            overwrites: false,
            until: Until::Stack,
        }
    }
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

/// A name that a stack reads and that nothing in the assembly provides.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct External {
    /// The id of the stack that reads it.
    pub stack: String,
    /// How it is read.
    pub reason: Reason,
    /// The name, with `…` where only deployment knows it.
    pub name: String,
    /// Where it is read.
    pub place: String,
    /// Whether a part of the name is only known at deployment, so that it could not be looked for.
    pub unresolved: bool,
    /// The ids of the stacks that may provide it, if several may.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub may_be: Vec<String>,
}

impl External {
    /// What is left of an edge that is a guess and cannot be meant.
    pub(crate) fn doubted(edge: &Edge) -> Self {
        let place = edge.read_at.first().map_or_else(String::new, ToString::to_string);
        Self {
            stack: edge.from.clone(),
            reason: edge.reason,
            name: edge.name.clone(),
            place: format!("{}: {place}", edge.from),
            unresolved: true,
            may_be: vec![edge.to.clone()],
        }
    }
}

/// What [`find`] found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) edges: Vec<Edge>,
    pub(crate) external: Vec<External>,
    pub(crate) made_twice: Vec<MadeTwice>,
}

/// A parameter that two stacks create: CloudFormation makes it once, and refuses to make it again.
#[derive(Debug)]
pub(crate) struct MadeTwice {
    pub(crate) first: String,
    pub(crate) second: String,
    pub(crate) name: String,
}

impl MadeTwice {
    pub(crate) fn warning(&self) -> String {
        let Self { first, second, name } = self;
        format!("`{first}` and `{second}` both make the parameter {name}: whichever comes second fails")
    }
}
