//! Why one stack waits for another.

use std::collections::BTreeMap;

use paceline_config::{Reason, Until};
use serde::{Deserialize, Serialize};

use super::template_place::TemplatePlace;

/// Why one stack waits for another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edge {
    /// The id of the stack that waits.
    pub from: String,
    /// The id of the stack it waits for.
    pub to: String,
    /// The kind of dependency.
    pub reason: Reason,
    /// How the two are tied.
    pub tie: Tie,
    /// The name that ties them, with `…` where only deployment knows it; empty where there is none.
    pub name: String,
    /// Where the stack that waits reads what ties them. Empty for what no template shows.
    pub read_at: Vec<TemplatePlace>,
    /// Where the other stack provides it, if its template shows that.
    pub provided_at: Option<TemplatePlace>,
    /// Whether a part of the name is only known at deployment, so that the two may not be meant for each other.
    pub guessed: bool,
    /// The parameter that is read, where it is one.
    pub stored: Option<StoredParameter>,
    /// Whether it waits for the whole of the other stack, or only for the resources that it needs.
    pub until: Until,
}

/// How two stacks are tied.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tie {
    /// The manifest of the assembly declares it.
    Manifest,
    /// Both write one parameter. The stack that overwrites it comes after the stack that creates it.
    Overwrites,
    /// The stack that waits reads what the other one provides.
    Reads {
        /// Whether it reads every name below this one, as in a path of Parameter Store.
        below: bool,
        /// Whether its template says in which region it reads.
        elsewhere: bool,
        /// The region that it reads in, if that is known before deployment.
        region: Option<String>,
    },
    /// It was synthesized without what the other one makes, and no template shows what that was for.
    SynthesizedWithout,
    /// The other stack makes the bucket or the repository that its assets go to.
    AssetPlace {
        /// The title of the asset, where it is one that another stack registers.
        asset: Option<String>,
    },
    /// The stacks of a phase are deployed one after another.
    Sequential {
        /// The phase.
        phase: String,
    },
    /// A phase waits for the end of an earlier one.
    Barrier {
        /// The phase that waits.
        phase: String,
        /// The phase that it waits for.
        earlier: String,
    },
    /// The rollout deploys the region of the other stack first.
    Rollout {
        /// The first region.
        first: String,
    },
    /// A command runs between the two.
    Command {
        /// The command.
        command: String,
    },
    /// The team declares it.
    Declared {
        /// Why, in the team's words.
        because: String,
    },
}

impl Tie {
    /// Single names come before whole paths of names.
    pub(crate) fn rank(&self) -> u8 {
        match self {
            Self::Reads { below: false, .. } => 1,
            Self::Reads { below: true, .. } => 2,
            Self::SynthesizedWithout => 3,
            _ => 0,
        }
    }
}

/// A parameter in Parameter Store. What is `None` is that of the stack which reads it, known at deployment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StoredParameter {
    /// The name, or the ARN if it is read by that.
    pub name: String,
    /// The account it is read from.
    pub account: Option<String>,
    /// The region it is read from.
    pub region: Option<String>,
}

impl Edge {
    /// An edge that no template shows.
    pub(crate) fn new(from: &str, to: &str, reason: Reason, tie: Tie) -> Self {
        Self {
            from: from.to_owned(),
            to: to.to_owned(),
            reason,
            tie,
            name: String::new(),
            read_at: Vec::new(),
            provided_at: None,
            guessed: false,
            stored: None,
            until: Until::Stack,
        }
    }

    /// Edges of a stack are listed in this order.
    pub(crate) fn place_in_lists(&self) -> (&str, Reason, u8, &str, &Tie) {
        (&self.to, self.reason, self.tie.rank(), &self.name, &self.tie)
    }

    /// Whether it orders two stacks that write the same parameter.
    pub(crate) fn overwrites(&self) -> bool {
        self.tie == Tie::Overwrites
    }

    /// Whether CloudFormation refuses to delete the stack that it leads to while the other one is there. It protects
    /// exports alone; everything else that the other stack uses can be deleted under it.
    pub fn holds(&self) -> bool {
        self.reason == Reason::Import && !self.guessed
    }
}

/// The stacks that edges lead to, each with how often every reason leads there.
pub(crate) fn folded(edges: &[Edge]) -> BTreeMap<&str, BTreeMap<Reason, usize>> {
    let mut folded: BTreeMap<&str, BTreeMap<Reason, usize>> = BTreeMap::new();
    for edge in edges {
        *folded.entry(&edge.to).or_default().entry(edge.reason).or_default() += 1;
    }
    folded
}
