//! The crate from outside: assemblies and configurations go in, plans come out.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]
#![expect(clippy::needless_pass_by_value, reason = "templates are written where they are used")]

mod advice;
mod api_loads;
mod borrowed;
mod build;
mod by_name;
mod conditions;
mod declared;
mod destroy;
mod edges;
mod example;
mod history;
mod identity;
mod late;
mod loops;
mod ordering;
mod overwrites;
mod phases;
mod placeholders;
mod prewarm;
mod random;
mod real;
mod relax;
mod rollback;
mod rollouts;
mod saved;
mod secrets;
mod selection;
mod shown;
mod steps;
mod times;
mod what_if;
