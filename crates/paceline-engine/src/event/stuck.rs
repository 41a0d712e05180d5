//! A resource that takes much longer than usual, and what its service says about a resource.

use paceline_assembly::ResourceStatus;
use paceline_text::vocabulary;
use serde::{Deserialize, Serialize};

vocabulary! {
    /// The source of the usual time of a resource.
    UsualSource {
        /// The resource itself, in earlier runs.
        Resource = "resource",
        /// Resources of its type, in earlier runs.
        Type = "type",
        /// The table of types.
        Table = "table",
    }
}

/// A resource that takes much longer than usual.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StuckResource {
    /// The logical ids of the nested stacks around it, the outermost first.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub within: Vec<String>,
    /// The logical id.
    pub logical_id: String,
    /// The type, such as `AWS::ECS::Service`.
    pub resource_type: String,
    /// The physical id, if the resource has one already.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub physical_id: Option<String>,
    /// The status, such as `CREATE_IN_PROGRESS`.
    pub status: ResourceStatus,
    /// The time that it has taken so far.
    pub taken_s: f64,
    /// The time that it usually takes.
    pub usual_s: f64,
    /// The source of the usual time.
    pub usual_from: UsualSource,
    /// The number of earlier times from which the usual time was taken. 0 for the table.
    #[serde(default)]
    pub samples: usize,
    /// What its service says, if Paceline can ask that service.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub service: Option<ServiceReport>,
}

/// What the service of a resource says about it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceReport {
    /// The name of the service, such as `Amazon ECS`.
    pub name: String,
    /// The state of the resource, such as `0 of 2 tasks run`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub state: Option<String>,
    /// The newest distinct reasons, the newest first.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub reasons: Vec<ServiceReason>,
    /// Why the service could not be asked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub not_asked: Option<String>,
}

/// A reason that a service gives, such as that of a stopped task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceReason {
    /// The reason.
    pub reason: String,
    /// How often the service gives it, such as the number of tasks that stopped for it.
    pub count: usize,
}
