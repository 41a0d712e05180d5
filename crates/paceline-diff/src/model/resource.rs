//! A resource that changes.

use serde_json::Value;

/// What a deployment does with a resource. A later one outweighs the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// The template changes, and the resource does not: its `DependsOn`, its policies, its condition.
    TemplateOnly,
    /// It is changed in place.
    Update,
    /// It is replaced, or changed in place: that depends on the values, which only CloudFormation knows.
    MayReplace,
    /// A new one is created, and the old one is deleted.
    Replace,
    /// It is created.
    Add,
    /// It is deleted.
    Remove,
}

impl Effect {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TemplateOnly => "template-only",
            Self::Update => "update",
            Self::MayReplace => "may-replace",
            Self::Replace => "replace",
            Self::Add => "add",
            Self::Remove => "remove",
        }
    }
}

/// A resource or an output, and what people call it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The logical ids of the nested stacks that lead to the template, outermost first.
    pub nested: Vec<String>,
    pub logical_id: String,
    /// The path of the construct, where the assembly or the template says so.
    pub construct: Option<String>,
}

impl std::fmt::Display for Place {
    /// `Nested/Table`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for id in &self.nested {
            write!(f, "{id}/")?;
        }
        f.write_str(&self.logical_id)
    }
}

/// A resource that changes.
#[derive(Debug, Clone, PartialEq)]
pub struct ResourceDiff {
    pub place: Place,
    /// The type in the app, or the type of a resource that is deleted.
    pub resource_type: String,
    /// The type in the base, if it is another one. CloudFormation refuses to change the type under one logical id.
    pub type_before: Option<String>,
    /// The strongest effect of the changes.
    pub effect: Effect,
    /// Why it is replaced, if no change of its own does that.
    pub because: Option<Because>,
    /// The changes. Empty for a resource that is created or deleted.
    pub changes: Vec<PropertyChange>,
    /// What happens to the data of a resource that holds some.
    pub data: Option<DataLoss>,
}

impl ResourceDiff {
    /// Whether it may be replaced only because another resource is.
    pub fn is_only_caused(&self) -> bool {
        self.because.is_some() && self.changes.is_empty()
    }
}

/// Why a resource may be replaced although none of its own properties is changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Because {
    /// The property that refers to another resource, such as `Properties.VpcId`.
    pub property: String,
    /// The logical id of that resource, which is replaced.
    pub replaced: String,
}

/// A change at one place of a resource, an output or a setting.
#[derive(Debug, Clone, PartialEq)]
pub struct PropertyChange {
    /// The place, such as `Properties.KeySchema[0].AttributeName`. An item that is removed has its old index.
    pub path: String,
    /// The value in the base; `None` if it is new.
    pub before: Option<Value>,
    /// The value in the app; `None` if it is removed.
    pub after: Option<Value>,
    /// What this change alone does to the resource.
    pub effect: Effect,
}

/// What happens to a resource that holds data when it is replaced or deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataLoss {
    /// Whether that is certain: it is replaced or deleted, and not only maybe replaced.
    pub is_certain: bool,
    pub fate: Fate,
}

/// What happens to the old resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is deleted with its data.
    Deleted,
    /// Its service refuses to delete it while something is in it.
    DeletedIfEmpty,
    /// CloudFormation takes a snapshot, and deletes it.
    Snapshot,
    /// It stays in the account, and belongs to no stack any more.
    Retained,
}

impl Fate {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::DeletedIfEmpty => "deleted-if-empty",
            Self::Snapshot => "snapshot",
            Self::Retained => "retained",
        }
    }
}
