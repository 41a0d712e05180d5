//! Whole-program tests of `cargo xtask dist`: what it packs is installed and run as a user does.
//!
//! They pack the `paceline` that lies beside `xtask`, so they need no release build: its packages are as good, only
//! larger.

#![expect(clippy::unwrap_used, reason = "what fails here fails a test")]
#![expect(clippy::disallowed_methods, reason = "what a test starts it ends itself")]

mod deb;
mod npm;
mod packed;
mod release;
