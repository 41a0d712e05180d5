//! `batch`: several builds from one buildspec. A plain `StartBuild` ignores this section.

use std::collections::BTreeMap;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    pub fast_fail: bool,
    pub builds: Builds,
}

/// The builds of a batch, which has exactly one of these forms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Builds {
    Graph(Vec<Task>),
    List(Vec<Task>),
    Matrix(Matrix),
    Fanout(Fanout),
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Task {
    pub identifier: String,
    pub buildspec: Option<String>,
    pub debug_session: bool,
    pub ignore_failure: bool,
    /// The dependencies, which exist only in a graph.
    pub depend_on: Vec<String>,
    pub env: TaskEnvironment,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TaskEnvironment {
    /// The compute type, which excludes a fleet.
    pub compute_type: Option<String>,
    pub fleet: Option<String>,
    pub image: Option<String>,
    pub privileged_mode: bool,
    pub kind: Option<String>,
    pub variables: BTreeMap<String, String>,
}

/// One build for every combination of the lists.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Matrix {
    pub ignore_failure: bool,
    pub privileged_mode: bool,
    pub kind: Option<String>,
    pub buildspecs: Vec<String>,
    pub compute_types: Vec<String>,
    pub images: Vec<String>,
    pub variables: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fanout {
    pub parallelism: u32,
    pub ignore_failure: bool,
}
