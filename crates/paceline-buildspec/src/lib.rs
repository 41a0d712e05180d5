//! Models, renders and checks buildspecs and CodeBuild projects.
//!
//! [`buildspec`] is the grammar of buildspec 0.2, [`project`] the CodeBuild project that runs one.
//! [`generate()`] renders both from what is known about a deployment, and [`reconcile()`] writes the files or
//! says which are stale. [`lint()`](lint::lint) finds mistakes in any buildspec.
//! Nothing here talks to AWS or runs anything, and only `reconcile` touches the disk.

pub mod buildspec;
pub mod generate;
pub mod lint;
pub mod project;
pub mod reconcile;
mod shell;
pub mod understand;
pub mod yaml;

pub use buildspec::Buildspec;
pub use generate::{
    Apps, GenerateError, GeneratedFile, Generation, MultiRegion, RunnerSource, StackNode, generate,
};
pub use project::{CodeBuildSettings, Project};
pub use reconcile::{Mode, ReconcileError, Reconciled, Stale, create_file, reconcile, replace_file};
