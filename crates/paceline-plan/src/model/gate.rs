//! Gates: what is waited for after a stack, before the stacks that need it start.
//!
//! Everything that the plan knows of a kind of gate stands here. A new kind is a field in the configuration, a variant
//! here, and its wait in `paceline-aws`.

use std::collections::HashSet;

use paceline_assembly::{Stack, Template};
use serde::{Deserialize, Serialize};

use paceline_config::{GateConfig, IamRoles};

use super::bake::Bake;

/// What a gate waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gate {
    /// IAM roles and instance profiles that the stack creates are usable.
    IamRoles(IamRoles),
    /// No alarm of the first region goes off. It stands after the last stack of that region.
    Bake(Bake),
}

impl From<&GateConfig> for Gate {
    fn from(config: &GateConfig) -> Self {
        Self::IamRoles(config.iam_roles.clone())
    }
}

impl Gate {
    /// The kind, as the configuration and the ids of steps name it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::IamRoles(_) => "iam-roles",
            Self::Bake(_) => "bake",
        }
    }

    /// What the gate of a stack is called.
    pub fn title(&self, stack: &str) -> String {
        match self {
            Self::IamRoles(_) => format!("IAM roles of {stack}"),
            Self::Bake(bake) => format!("bake of {}", bake.region),
        }
    }

    /// What it waits for.
    pub(crate) fn subject(&self, stack: &str) -> String {
        match self {
            Self::IamRoles(IamRoles::All) => format!("all IAM roles of {stack}"),
            Self::IamRoles(IamRoles::Named(names)) => {
                format!("the IAM roles {} of {stack}", names.join(", "))
            }
            Self::Bake(bake) => format!("the bake of {}", bake.region),
        }
    }

    /// When it opens.
    pub(crate) fn condition(&self) -> &'static str {
        match self {
            Self::IamRoles(_) => "its IAM roles are usable",
            Self::Bake(_) => "the alarms of its region have been watched",
        }
    }

    /// Whether it belongs to one stack, and not to all stacks of a region.
    pub(crate) fn is_of_stack(&self) -> bool {
        !matches!(self, Self::Bake(_))
    }

    /// Whether it waits for everything of its kind in the stack, so that it could be narrowed.
    pub(crate) fn waits_for_all(&self) -> bool {
        match self {
            Self::IamRoles(roles) => *roles == IamRoles::All,
            Self::Bake(_) => false,
        }
    }

    /// Whether it waits for a resource of this logical id and type.
    pub(crate) fn waits_for(&self, id: &str, resource_type: &str) -> bool {
        match self {
            Self::IamRoles(roles) => {
                let is_meant = match roles {
                    IamRoles::All => true,
                    IamRoles::Named(names) => names.iter().any(|name| name == id),
                };
                is_meant && role_name_property(resource_type).is_some()
            }
            Self::Bake(_) => false,
        }
    }

    /// The logical ids of a stack that it can wait for, and the names as far as the templates say them.
    pub(crate) fn candidates<'a>(&self, stack: &'a Stack) -> HashSet<&'a str> {
        match self {
            Self::IamRoles(_) => roles(stack),
            Self::Bake(_) => HashSet::new(),
        }
    }

    /// The names that it waits for, unless it waits for all.
    pub(crate) fn names(&self) -> &[String] {
        match self {
            Self::IamRoles(IamRoles::Named(names)) => names,
            Self::IamRoles(IamRoles::All) | Self::Bake(_) => &[],
        }
    }

    /// Waits for what another gate of the same kind waits for too. Says no to one of another kind.
    pub(crate) fn merge(&mut self, other: &Self) -> bool {
        match (self, other) {
            (Self::IamRoles(IamRoles::Named(before)), Self::IamRoles(IamRoles::Named(more))) => {
                before.extend(more.iter().cloned());
            }
            (Self::IamRoles(IamRoles::All), Self::IamRoles(_)) => {}
            (Self::IamRoles(before), Self::IamRoles(IamRoles::All)) => *before = IamRoles::All,
            (Self::Bake(_), _) | (_, Self::Bake(_)) => return false,
        }
        true
    }
}

/// The logical ids of a stack's roles and instance profiles, and their names as far as the templates say them.
fn roles(stack: &Stack) -> HashSet<&str> {
    let templates = std::iter::once(&stack.template).chain(stack.nested.iter().map(|n| &n.template));
    let mut roles = HashSet::new();
    for (id, resource) in templates.flat_map(Template::resources) {
        let Some(name) = role_name_property(resource.resource_type) else { continue };
        roles.insert(id);
        roles.extend(resource.properties.and_then(|properties| properties.get(name)?.as_str()));
    }
    roles
}

/// The property that names a role or an instance profile; none for any other type.
fn role_name_property(resource_type: &str) -> Option<&'static str> {
    match resource_type {
        "AWS::IAM::Role" => Some("RoleName"),
        "AWS::IAM::InstanceProfile" => Some("InstanceProfileName"),
        _ => None,
    }
}
