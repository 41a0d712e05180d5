//! Where in a template something stands.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A place in a template.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TemplatePlace {
    /// The logical ids of the nested stacks that lead to the template, outermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nested: Vec<String>,
    /// The section of the template.
    pub section: Section,
    /// The id in that section: of a resource, a parameter, an output or a condition.
    pub logical_id: String,
    /// The properties below it, such as `Properties.Environment.Variables.URL`; list items as `[0]`.
    pub path: String,
    /// The path of the construct that made the resource, where the assembly says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub construct: Option<String>,
}

/// The sections of a template in which stacks are tied to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Section {
    /// `Parameters`.
    Parameters,
    /// `Conditions`.
    Conditions,
    /// `Resources`.
    Resources,
    /// `Outputs`.
    Outputs,
    /// `Rules`.
    Rules,
    /// `Hooks`.
    Hooks,
}

impl Section {
    /// Its name in a template.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Parameters => "Parameters",
            Self::Conditions => "Conditions",
            Self::Resources => "Resources",
            Self::Outputs => "Outputs",
            Self::Rules => "Rules",
            Self::Hooks => "Hooks",
        }
    }
}

impl fmt::Display for TemplatePlace {
    /// `Role.Properties.ManagedPolicyArns[0]`, `Outputs.Url.Value`, `Nested/Role.Properties.Path`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for id in &self.nested {
            write!(f, "{id}/")?;
        }
        // A logical id alone is a resource's, as in `Ref` and `Fn::GetAtt`.
        if self.section != Section::Resources {
            write!(f, "{}.", self.section.as_str())?;
        }
        f.write_str(&self.logical_id)?;
        let is_index = self.path.starts_with('[');
        if !(self.path.is_empty() || is_index) {
            f.write_str(".")?;
        }
        f.write_str(&self.path)
    }
}
