//! Comparisons of small apps, what must hold for any app, and a rendered example.

#![expect(clippy::unwrap_used, reason = "what fails here fails a test")]
#![expect(clippy::needless_pass_by_value, reason = "`json!` makes values")]

mod access;
mod app;
mod collisions;
mod data;
mod edges;
mod equal;
mod policy;
mod random;
mod real;
mod resources;
mod shown;
