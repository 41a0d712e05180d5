//! Reads AWS CDK cloud assemblies: the `cdk.out` folder that `cdk synth` writes.
//!
//! [`Assembly::read`] turns a folder into one value that holds every stack of every stage, with its template,
//! its assets and what it was told to depend on. It reads files and nothing else: no network, no
//! configuration, no clock, so the same folder always gives the same value.
//!
//! Reading is lenient where the format may grow (unknown artifact types and properties are ignored, a newer
//! schema is a warning) and strict where going on would deploy something wrong: every error names the file
//! and the place in it.

mod apps;
mod assets;
mod error;
mod ids;
mod keep;
mod manifest;
mod metadata;
mod model;
mod nested;
mod placeholders;
mod read;
mod shape;
mod template;
mod walk;
mod yaml;

pub use assets::{
    AssetManifest, Cache, FileAsset, FileDestination, FileSource, ImageAsset, ImageDestination, ImageSource,
    Packaging,
};
pub use error::{AssemblyError, MissingContext, StackProblem};
pub use metadata::{LegacyAsset, LegacyPackaging, Message, Severity};
pub use model::{Assembly, Bootstrap, Environment, EnvironmentError, NestedTemplate, Role, Stack};
pub use placeholders::placeholders;
pub use template::{Resource, Template, TemplateError};
pub use walk::{Intrinsic, Node, PropertyPath, Segment, sub_variables, walk};
