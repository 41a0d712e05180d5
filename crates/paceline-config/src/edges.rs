//! Dependencies that a team declares, and why one stack waits for another.

use crate::patterns::Pattern;
use crate::setting::{choices, settings};

settings! {
    /// A dependency that no file shows, or a change to those that files show.
    pub struct DeclaredEdge {
        /// The stack that waits.
        pub from: Pattern,
        /// The stack that it waits for.
        pub to: Pattern,
        /// The reason, for the people who read the plan.
        pub because: String,
        /// With `relax` or `until`: the kind of dependency that is changed. Without it, every kind that templates
        /// show. A dependency that only the manifest asks for can be relaxed when it is named: `manifest`.
        pub reason: Option<Reason>,
        /// Drops the dependency when the parameters that are read exist before the run starts (with `reason:
        /// manifest`: when the stack exists). On a fresh account it stays, unless stacks would wait for each other in
        /// a circle.
        pub relax: Option<Relax>,
        /// When the dependency is met: `stack` (the default), when the whole stack is complete; `resource`, when the
        /// parameters or repositories that are read are complete.
        pub until: Option<Until>,
    }
}

impl DeclaredEdge {
    /// Whether it is about edges that templates show, and adds none.
    pub fn changes_others(&self) -> bool {
        self.relax.is_some() || self.until.is_some()
    }
}

choices! {
    /// When edges are dropped.
    pub enum Relax: "a way to relax a dependency" {
        /// When every parameter that is read exists before the run starts, or for an edge of the manifest the stack
        /// that is waited for.
        WhenPresent = "when-present",
    }
}

choices! {
    /// When an edge is met.
    pub enum Until: "what a dependency waits for" {
        /// When the whole stack is complete.
        Stack = "stack",
        /// When the parameters or repositories that are read are complete. If the stack fails later, they may be
        /// deleted again.
        Resource = "resource",
    }
    default Stack
}

choices! {
    /// Why one stack waits for another.
    pub enum Reason: "a kind of dependency" {
        /// The assembly's manifest says so.
        Manifest = "manifest",
        /// `Fn::ImportValue` of a name that the other stack exports.
        Import = "import",
        /// `Fn::GetStackOutput` of the other stack.
        Output = "output",
        /// A parameter in Parameter Store that the other stack writes, in the region it is read from.
        Ssm = "ssm",
        /// A secret in Secrets Manager that the other stack creates, read by its name or by its ARN.
        Secret = "secret",
        /// The custom resources of CDK's cross-region references.
        CrossRegion = "cross-region",
        /// An image URI that names a repository the other stack creates.
        Image = "image",
        /// The other stack creates the bucket or the repository that this one's assets are published to.
        Asset = "asset",
        /// The template holds a value that the other stack creates, so that the app is synthesized again in between.
        Synth = "synth",
        /// The phases put it there.
        Phase = "phase",
        /// The rollout deploys the other stack's region first.
        Rollout = "rollout",
        /// The team declared it.
        Config = "config",
    }
    computed Phase, Rollout, Config
}

impl Reason {
    /// Whether the configuration, and not the app, put it there.
    pub fn is_ordered_by_the_team(self) -> bool {
        matches!(self, Self::Config | Self::Phase | Self::Rollout)
    }

    /// Whether templates show it.
    pub fn is_in_templates(self) -> bool {
        matches!(
            self,
            Self::Import | Self::Output | Self::Ssm | Self::Secret | Self::CrossRegion | Self::Image
        )
    }
}
