//! Runs programs on this machine: the team's commands, synthesis, Docker, the CDK CLI, and a buildspec as
//! CodeBuild runs it.
//!
//! [`Program`] starts every program that Paceline starts. This crate does not use the AWS SDK.

mod archive;
pub mod build;
mod cdk;
mod command;
mod committed;
mod disk;
mod docker;
mod process;
mod sources;
mod synth;
mod tool;

pub use archive::{flaws, zip};
pub use cdk::{BootstrapCli, BootstrapStack};
pub use command::{Commands, run_command};
pub use committed::{CommittedError, committed};
pub use disk::free_space;
pub use docker::Docker;
pub use process::{GRACE, Output, Processes, Program, ProgramError, Script, Stream, find_program, processes};
pub use sources::{
    AssetDestination, AssetSource, SYNTHESIZE, Unpublishable, asset_sources, source_problems, unpublishable,
};
pub use synth::{ContextFile, ContextFileError, Synthesis, SynthesisError};
pub use tool::{ToolError, ToolErrorKind, run_tool};
