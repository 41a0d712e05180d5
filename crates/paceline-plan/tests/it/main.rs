//! The crate from outside: assemblies and configurations go in, plans come out.

mod build;
mod config;
mod edges;
mod example;
mod ordering;
mod phases;
mod random;
mod real;
mod selection;
mod shown;
mod steps;
