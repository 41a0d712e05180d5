//! Reads whole assemblies from folders.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "helpers of tests fail and tell like tests")]

mod fixture;
mod fuzz;
mod keep;
mod loops;
mod nested;
mod reads;
mod real;
mod refuses;
