//! One run: a plan that is executed, with its journal, its reports, and what can stop it.

mod approval;
mod deploy;
mod destroy;
mod execution;
pub mod history;
mod listeners;
mod waiting;

pub use self::approval::save as save_plan;
pub use self::deploy::{Deployment, MethodSetting, deploy};
pub use self::destroy::{Deletion, destroy};
pub use self::execution::RUNS;
pub use self::waiting::{Waiting, this_build};
