//! How long a plan takes, what it would take if, and what would make it shorter.

pub mod advice;
pub mod durations;
pub mod forecast;
pub mod history;
pub mod pace;
pub mod price;
pub mod stack_time;
pub mod what_if;
