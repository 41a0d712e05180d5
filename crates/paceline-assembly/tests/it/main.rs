//! Reads whole assemblies from folders.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "helpers of tests fail and tell like tests")]
#![expect(clippy::needless_pass_by_value, reason = "templates are written where they are used")]
#![expect(clippy::disallowed_methods, reason = "what a test starts it ends itself")]

mod fixture;
mod fuzz;
mod loops;
mod nested;
mod reads;
mod real;
mod refuses;
mod snapshot;
