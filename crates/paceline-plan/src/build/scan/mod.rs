//! Reads the templates of one stack for what it provides to others and what it reads from them.

pub(super) mod borrowed;
mod calls;
mod images;
mod looked_up;
pub(super) mod named;
pub(super) mod place;
pub(super) mod scanner;
pub(super) mod secrets;
pub(super) mod uses;
