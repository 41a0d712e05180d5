//! What was found about an app while its plan was made, for people to look at. None of it changes what is done.

use std::time::Duration;

use paceline_config::Reason;
use serde::{Deserialize, Serialize};

use super::edge::StoredParameter;
use super::template_place::TemplatePlace;

/// A name that a stack reads and that nothing in the assembly provides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct External {
    /// The id of the stack that reads it.
    pub stack: String,
    /// How it is read.
    pub reason: Reason,
    /// The name, with `…` where only deployment knows it.
    pub name: String,
    /// Where it is read, where a template shows it.
    pub read_at: Option<TemplatePlace>,
    /// Whether a part of the name is only known at deployment, so that no stack could be found for it.
    pub unresolved: bool,
    /// The ids of the stacks that may provide it, if several may.
    pub may_be: Vec<String>,
}

/// An edge that the manifest declares and that no template uses: nothing of one stack is named in the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclaredOnly {
    /// The id of the stack that waits.
    pub from: String,
    /// The id of the stack it waits for.
    pub to: String,
    /// How much earlier the last stack would be complete without this edge, with room for every stack at once.
    pub saves: Duration,
}

/// An asset whose address stands in the template of a stack, and which only another stack's asset manifest names. The
/// stack waits until the asset is published, and not for the other stack.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Borrowed {
    /// The id of the stack that uses it.
    pub stack: String,
    /// The id of the stack whose asset manifest names it.
    pub manifest: String,
    /// What people call it.
    pub asset: String,
    /// Whether it is a container image and not a file.
    pub image: bool,
    /// The id of the step that publishes it.
    pub step: String,
    /// Where the template uses it.
    pub read_at: TemplatePlace,
}

/// One stack names what another makes under a literal name. Whether it has to be there first, only the team knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByName {
    /// The id of the stack that names it.
    pub from: String,
    /// The id of the stack that makes it.
    pub to: String,
    /// What it is, such as `role`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Where it is named.
    pub read_at: TemplatePlace,
}

/// Edges between two stacks that are dropped when what they are for exists before the run: every parameter that is
/// read, or for edges of the manifest the other stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relaxed {
    /// The id of the stack that waits.
    pub from: String,
    /// The id of the stack it waits for.
    pub to: String,
    /// Why that is right, in the team's words.
    pub because: String,
    /// The kind of edge, where the team names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The parameters; none where only the manifest orders the two.
    pub parameters: Vec<StoredParameter>,
    /// Whether this plan has dropped the edges.
    pub dropped: bool,
    /// Whether they had to be dropped: with them, stacks would wait for each other in a circle or against the phases.
    /// The parameters have to exist then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub forced: bool,
    /// Whether other edges tie the two all the same.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub without_effect: bool,
}

/// A cached lookup in `cdk.context.json` of something that a stack of the plan creates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptContext {
    /// The app, where there are several.
    pub app: Option<String>,
    /// The key of the context.
    pub key: String,
    /// The name of the parameter, or such as `hosted zone example.com`.
    pub name: String,
    /// The id of the stack that makes it.
    pub stack: String,
}

/// The places of a template that hold the time of its synthesis: the stack differs on every synthesis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SynthesisTimes {
    /// The id of the stack.
    pub stack: String,
    /// The places.
    pub places: Vec<TemplatePlace>,
}
