//! Runs: a plan is executed, with a journal and reports. A signal or a deadline can stop it.

mod approval;
mod copies;
mod deploy;
mod destroy;
mod execution;
mod figures;
mod finished;
pub mod history;
mod lease;
mod listeners;
mod notices;
mod outer_stack;
mod policy;
mod prepared;
mod publish;
mod repeated;
mod resume;
mod rollback;
mod sleep;
mod traces;

pub use self::approval::save as save_plan;
pub use self::copies::CopiedJournal;
pub use self::deploy::{Deployment, MethodSetting, deploy};
pub use self::destroy::{Deletion, destroy};
pub use self::execution::RUNS;
pub use self::outer_stack::{OuterStack, this_build};
pub use self::publish::{Publishing, publish, publish_schema};
pub use self::rollback::{RunRollback, rollback};
