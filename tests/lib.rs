//! The whole-program tests are in `it/`; this crate has no code of its own.
