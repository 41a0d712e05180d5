//! Tests of the public interface of the crate.

#![expect(clippy::unwrap_used, reason = "what a test cannot set up fails the test")]
#![expect(clippy::disallowed_methods, reason = "what a test starts it ends itself")]

mod build;
