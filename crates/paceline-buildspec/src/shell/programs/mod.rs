//! Facts about the programs of a build.
//!
//! [`table`] has one row for each program. [`cdk`] reads calls of the CDK CLI, which has many spellings.
//! [`purpose`] decides the purpose of a call in a build that deploys.

pub(crate) mod cdk;
pub(crate) mod purpose;
mod table;

pub(crate) use table::{Fact, has, program_has};
