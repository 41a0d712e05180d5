//! What a person should know before deploying.

use std::collections::BTreeMap;
use std::time::Duration;

use paceline_config::Reason;
use serde::{Deserialize, Serialize};

use super::left_out::LeftOutReason;
use super::template_place::TemplatePlace;

/// Why a rollout has nothing to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoRollout {
    /// The other regions are off.
    OthersOff {
        /// The environment variable that switches them on.
        variable: String,
    },
    /// The first region is off.
    FirstOff {
        /// The environment variable that switches it on.
        variable: String,
    },
    /// Only stacks of the first region are deployed.
    OnlyFirst,
    /// No stack of the first region is deployed.
    NotFirst,
}

/// What a person should know before deploying. Its sentence is made in `show`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Warning {
    /// Reading the assembly gave this one.
    Assembly {
        /// Its sentence.
        text: String,
    },
    /// Stacks that are deployed need one that is not.
    LeftOutButNeeded {
        /// The id of the stack that is left out.
        stack: String,
        /// Why it is left out.
        why: Option<LeftOutReason>,
        /// The ids of the stacks that need it, each with one of its reasons.
        needed_by: Vec<(String, Reason)>,
    },
    /// Only CloudFormation knows what parts of a template become.
    Opaque {
        /// The id of the stack.
        stack: String,
        /// What about its first such part cannot be known.
        first: String,
        /// How many more there are.
        more: usize,
    },
    /// Functions in functions make texts that are too large to be followed.
    TooLarge {
        /// The id of the stack.
        stack: String,
        /// Where.
        places: Vec<String>,
    },
    /// Two stacks create one parameter. CloudFormation creates it once, and refuses to create it again.
    MadeTwice {
        /// The id of one stack.
        first: String,
        /// The id of the other.
        second: String,
        /// The name of the parameter.
        parameter: String,
    },
    /// A stack that overwrites a parameter has to come before the stack that creates it.
    OverwritesFirst {
        /// The id of the stack that overwrites it.
        from: String,
        /// The id of the stack that creates it.
        to: String,
        /// The name of the parameter.
        parameter: String,
    },
    /// A stack has errors in its metadata, so that it will not be deployed.
    StackErrors {
        /// The id of the stack.
        stack: String,
        /// How many.
        errors: usize,
    },
    /// A template holds a placeholder for what its synthesis did not find, and no synthesis of the run will find it.
    Placeholder {
        /// The id of the stack.
        stack: String,
        /// The parameter, or such as `hosted zone example.com`.
        name: String,
        /// Where it is.
        place: TemplatePlace,
        /// The id of the stack that makes it.
        maker: Option<String>,
    },
    /// A gate follows a stack that creates no role.
    GateWithoutRoles {
        /// Its position in the configuration.
        gate: usize,
        /// The id of the stack.
        stack: String,
    },
    /// A gate waits for a role that its stack does not create.
    GateOfUnknownRole {
        /// Its position in the configuration.
        gate: usize,
        /// The id of the stack.
        stack: String,
        /// The role.
        role: String,
    },
    /// No stack that a command follows is deployed.
    CommandLeftOut {
        /// The command.
        command: String,
    },
    /// The rollout has nothing to do in this run.
    RolloutWithoutEffect {
        /// The first region.
        first: String,
        /// Why.
        why: NoRollout,
    },
    /// Two stacks of a phase are deployed one after the other, and that takes long.
    InOnePhaseInOrder {
        /// The phase.
        phase: String,
        /// The id of the stack that waits.
        from: String,
        /// The id of the stack it waits for.
        to: String,
        /// How often each reason makes it wait.
        reasons: BTreeMap<Reason, usize>,
        /// How much longer that takes, at most.
        cost: Duration,
        /// Whether the team may relax all of the edges between the two.
        can_be_relaxed: bool,
    },
    /// The team eases edges between two stacks, and other edges tie the two all the same.
    EasedWithoutEffect {
        /// The id of the stack that waits.
        from: String,
        /// The id of the stack it waits for.
        to: String,
        /// How often each reason makes it wait.
        reasons: BTreeMap<Reason, usize>,
    },
    /// The stacks that stay when others are deleted could not be planned.
    KeptUnknown {
        /// Why not.
        error: String,
    },
}
