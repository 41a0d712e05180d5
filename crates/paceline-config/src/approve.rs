//! The policy: what a deployment may change without a person.

use crate::patterns::Patterns;
use crate::setting::{choices, settings};

settings! {
    /// What a deployment may change without a person. It is held against all changes before the first stack is touched.
    pub struct Approve: Default {
        /// The most resources that a run may delete. Without it, any number.
        pub deletes: Option<u32>,
        /// The replacements that are refused: `stateful`, of resources that hold data; `all`, of any resource.
        pub replacements: Vec<RefusedReplacement>,
        /// What happens if an IAM policy or a security group newly allows something.
        pub iam_broadening: Broadening,
        /// The stacks that the policy is for, by id or name. `*` stands for any text, `?` for any character. Without it, all
        /// stacks.
        pub stacks: Patterns = Patterns::default(),
    }
}

choices! {
    /// A kind of replacement that is refused.
    pub enum RefusedReplacement: "a kind of replacement" {
        /// Of a resource that holds data.
        Stateful = "stateful",
        /// Of any resource.
        All = "all",
    }
}

choices! {
    /// What happens if more is allowed than before.
    pub enum Broadening: "what happens to broader rights" {
        /// They are deployed.
        Allow = "allow",
        /// They are refused.
        Refuse = "refuse",
    }
    default Allow
}
