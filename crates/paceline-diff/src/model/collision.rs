//! Names that would collide.

use super::resource::Place;

/// A name that two resources would have at the same time, so that the deployment fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collision {
    /// The id of the stack that makes the resource with this name.
    pub stack: String,
    pub place: Place,
    /// The type of the resource, or `export`.
    pub kind: String,
    pub name: String,
    pub conflict: NameConflict,
}

/// The other resource with the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NameConflict {
    /// Another resource of the app has the name, too.
    Twice { stack: String, place: Place },
    /// The resource that has the name so far is deleted too late, or never.
    StillThere { stack: String, place: Place },
    /// The resource is replaced and keeps its name: CloudFormation creates the new one first, and refuses that.
    Replaced,
}
