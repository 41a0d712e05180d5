//! Models, renders and checks buildspecs and CodeBuild projects.
//!
//! [`grammar`] is the grammar of buildspec 0.2, and [`project`] is the CodeBuild project that runs a
//! buildspec. [`generate()`] renders both for a deployment. [`write_files()`] writes the files, or reports
//! the stale ones. [`lint()`](lint::lint) finds mistakes in any buildspec. Nothing here talks to AWS or runs
//! anything, and only `write_files` touches the disk.

pub mod generate;
pub mod grammar;
pub mod lint;
pub mod project;
mod shell;
pub mod understand;

pub use generate::{
    Apps, FileChanges, GenerateError, GeneratedFile, Generation, Mode, MultiRegion, OutputError,
    RunnerSource, StackNode, StaleFile, create_file, generate, replace_file, write_files,
};
pub use grammar::Buildspec;
pub use paceline_yaml as yaml;
pub use project::Project;
