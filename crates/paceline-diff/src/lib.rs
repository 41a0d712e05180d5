//! What a deployment would change, over all stacks of an app at once.
//!
//! [`compare`] takes two assemblies: the app, and a base. The base is another assembly of the same app, or the app with
//! the templates that are deployed. The result is an [`AppDiff`], a value. Everything here is pure: no network, no clock, no files.
//!
//! # Where to read first
//!
//! The folders come one after the other, and each uses only those before it:
//!
//! 1. `model/`: the values that a comparison gives.
//! 2. `rules/`: what is known about resource types: which properties force a replacement, which types hold data.
//! 3. `access/`: what IAM policies and security groups newly allow.
//! 4. `compare/`: from two assemblies to an [`AppDiff`].
//! 5. `policy`: what of that a policy refuses.
//! 6. `show/`: an [`AppDiff`] as text, Markdown and JSON. All sentences are made here.

mod access;
mod compare;
mod model;
mod policy;
mod rendered;
mod rules;
mod show;

pub use compare::{CompareOptions, RealChange, apply_change_sets, compare, edge_changes};
pub use model::{
    Access, AllBut, AppDiff, Because, Collision, DataLoss, EdgeChange, EdgeChanges, Effect, ElementDiff,
    Fate, NameConflict, Place, PropertyChange, ResourceDiff, StackChange, StackDiff, TimeChange, Widening,
};
pub use policy::{ChangedResource, Policy, Rule, StackChanges, Violation};
pub use show::{COMMENT_LIMIT, Shown, json, json_schema, markdown, text};
