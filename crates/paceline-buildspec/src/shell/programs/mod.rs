//! What the programs of a build do.
//!
//! [`table`] has one row for each program. [`cdk`] reads calls of the CDK CLI, which has many spellings, and
//! [`purpose`] decides what a call is for in a build that deploys.

pub(crate) mod cdk;
pub(crate) mod purpose;
mod table;

pub(crate) use table::{Fact, has, program_has};
