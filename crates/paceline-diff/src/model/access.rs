//! What a change newly allows.

use super::resource::Place;

/// A policy or a security group that allows more than before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Widening {
    /// The resource that allows it.
    pub place: Place,
    pub resource_type: String,
    pub access: Access,
}

/// What is newly allowed. All texts are values of the template, with `${…}` for what only deployment knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// A statement allows actions.
    Allows {
        /// Who may do it: the principals of the statement, or the roles, users and groups that have the policy. Empty
        /// for the resource itself, and for a policy that no resource of the template has.
        to: Vec<String>,
        actions: Vec<String>,
        /// The resources. Empty where the policy belongs to one resource.
        resources: Vec<String>,
        /// Which of these lists say what is left out.
        all_but: AllBut,
        /// Whether the statement has a condition.
        is_conditional: bool,
    },
    /// The role can be assumed by these principals.
    AssumedBy {
        principals: Vec<String>,
        /// Whether these principals are the only ones that cannot.
        all_but: bool,
        is_conditional: bool,
    },
    /// The role, the user or the group has this managed policy.
    ManagedPolicy { policy: String },
    /// A statement that denied these actions is gone, or has changed.
    NoLongerDenies { actions: Vec<String> },
    /// The permissions boundary is gone.
    NoBoundary,
    /// The security group lets traffic in.
    Ingress {
        /// The group, if the rule is a resource of its own.
        group: Option<String>,
        /// Such as `port 22 (tcp)` in parts: the protocol, the first and the last port. `None` for all ports.
        protocol: String,
        ports: Option<(String, String)>,
        /// An address range, a security group or a prefix list.
        from: String,
    },
}

/// The lists of a statement that say what is left out: those of `NotPrincipal`, `NotAction` and `NotResource`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AllBut {
    pub principals: bool,
    pub actions: bool,
    pub resources: bool,
}

impl AllBut {
    /// Whether any list says what is left out.
    pub fn any(self) -> bool {
        self.principals || self.actions || self.resources
    }
}

impl Access {
    /// Whether it is open to everyone, or allows every action of a service or every resource.
    pub fn is_broad(&self) -> bool {
        let has_all = |all: &[String]| all.iter().any(|it| it == "*");
        match self {
            Self::Allows { to, actions, resources, all_but, .. } => {
                let is_service = |it: &String| it.ends_with(":*");
                all_but.any()
                    || has_all(to)
                    || has_all(actions)
                    || has_all(resources)
                    || actions.iter().any(is_service)
            }
            Self::AssumedBy { principals, all_but, .. } => *all_but || has_all(principals),
            Self::ManagedPolicy { policy } => {
                let name = policy.rsplit('/').next().unwrap_or_default();
                ["AdministratorAccess", "PowerUserAccess", "IAMFullAccess"].contains(&name)
            }
            Self::NoLongerDenies { .. } | Self::NoBoundary => true,
            Self::Ingress { from, .. } => is_everyone(from),
        }
    }
}

/// Whether an address range has every address.
pub(crate) fn is_everyone(from: &str) -> bool {
    matches!(from, "0.0.0.0/0" | "::/0")
}
