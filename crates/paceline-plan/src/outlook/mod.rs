//! How long steps take, how long a plan takes, what it would take if, and what would make it shorter.
//!
//! Nothing here knows how a plan is made. Durations come from [`history`], else from the table in [`durations`], else
//! from a stated default. *When* everything happens is not worked out here: the engine does that, on virtual time.

pub mod advice;
pub(crate) mod api_load;
pub mod durations;
mod edit;
pub(crate) mod expect;
pub mod forecast;
pub mod history;
pub mod pace;
pub mod price;
pub mod stack_time;
pub mod what_if;
