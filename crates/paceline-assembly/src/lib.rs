//! Reads AWS CDK cloud assemblies: the `cdk.out` folder that `cdk synth` writes.
//!
//! [`Assembly::read`] turns a folder into one value. It holds every stack of every stage, with the stack's
//! template, assets and declared dependencies. Only files are read: no network, no configuration and no
//! clock. The same folder therefore always gives the same value.
//!
//! Reading is lenient where the format may grow: unknown artifact types and properties are ignored, and a
//! newer schema is a warning. Reading is strict where an oversight would deploy something wrong: every error
//! names the file and the place in it.

mod apps;
mod assets;
mod bootstrap;
mod digest;
mod environment;
mod error;
mod files;
mod ids;
mod inputs;
mod loops;
mod manifest;
mod metadata;
mod model;
mod nested_parameters;
mod overrides;
mod parameter;
mod partitions;
mod placeholders;
mod read;
mod sections;
mod seen;
mod shape;
mod snapshot;
mod stateful;
mod status;
mod stored;
mod template;
mod transient;
mod values;
mod walk;
mod yaml;

pub use assets::{
    AssetManifest, Cache, FileAsset, FileDestination, FileSource, ImageAsset, ImageDestination, ImageSource,
    Packaging,
};
pub use bootstrap::{Bootstrap, Role};
pub use environment::{Environment, EnvironmentError};
pub use error::{AssemblyError, MissingContext, StackProblem};
pub use files::{
    LARGEST_BY_HAND, LARGEST_MANIFEST, LARGEST_TEMPLATE, LONGEST_BODY, open_regular, read_regular,
    read_regular_text,
};
pub use inputs::{Inputs, StackOutput};
pub use loops::{Expansion, LoopTrouble, LoopTroubleKind, LoopValues, expand};
pub use metadata::{LegacyAsset, LegacyPackaging, Message, Severity};
pub use model::{Assembly, NestedTemplate, Stack};
pub use overrides::{Overrides, RollbackTriggers};
pub use partitions::{is_host_of_aws, partition, url_suffix};
pub use placeholders::placeholders;
pub use seen::Unseen;
pub use stateful::{Precious, holds_data};
pub use status::{ResourceStatus, STACK_TYPE, StackOperation, StackStatus, is_cancellation};
pub use stored::is_stored_as;
pub use template::{CUSTOM_TYPE, Resource, Template, TemplateError, is_custom};
pub use transient::{FailureClass, failure_class, is_in_use, is_timeout, is_transient};
pub use values::{Given, Known, Resolver, Text, UNKNOWN};
pub use walk::{Intrinsic, Node, PropertyPath, Segment, sub_variables, walk};
