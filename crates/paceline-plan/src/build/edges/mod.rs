//! Finds why stacks wait for each other: the true graph of an assembly.
//!
//! The manifest of an assembly declares only what the app's constructs told each other. Exports,
//! parameters in Parameter Store and CDK's cross-region readers tie stacks together in their
//! templates, whether or not the manifest says so.

pub(super) mod find;
mod providers;
pub(super) mod repositories;
