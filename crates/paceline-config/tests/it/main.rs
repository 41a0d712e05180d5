//! The configuration from outside: texts go in, settings or errors come out.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

mod config;
mod schema;
