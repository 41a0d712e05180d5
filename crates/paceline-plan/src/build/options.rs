//! What a plan is made with, besides the assembly and the configuration.

use std::num::NonZeroUsize;
use std::sync::Arc;

use camino::Utf8PathBuf;

use super::context::ContextLookup;
use super::relax::Present;
use crate::model::{Affected, DeployOptions, PlanArguments};
use crate::outlook::durations::Durations;
use crate::outlook::history::History;
use paceline_config::{FILE_NAME, Rollback, Strategy};

/// What a plan is made with, besides the assembly and the configuration.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub struct PlanOptions {
    /// The file that the configuration came from, for messages.
    pub config_path: Utf8PathBuf,
    /// The value of the environment variable that `multi-region.when` names.
    pub multi_region: Option<String>,
    /// Only these stacks and all that they need, if any are named; where stacks are deleted, these and all that need
    /// them. Ids, names or patterns.
    pub stacks: Vec<String>,
    /// Whether only the named stacks are meant, without the stacks that they need.
    pub exclusively: bool,
    /// Only these stacks, if any are named. Ids, names or patterns.
    pub only: Vec<String>,
    /// Not these stacks.
    pub exclude: Vec<String>,
    /// Only the stacks that differ from another assembly, if one was named.
    pub affected: Option<Affected>,
    /// Instead of the configuration's.
    pub strategy: Option<Strategy>,
    /// Instead of the configuration's number of stack operations at once.
    pub stacks_at_once: Option<NonZeroUsize>,
    /// Instead of what the configuration says about a stack that fails.
    pub rollback: Option<Rollback>,
    /// What the run asks of every stack operation.
    pub deploys: DeployOptions,
    /// Start no more stacks after the first failure, whatever the configuration says.
    pub fail_fast: bool,
    /// The pairs of stacks whose parameters exist already: see [`Relaxed`](crate::Relaxed).
    pub present: Present,
    /// What the apps keep in their context. What was missing from it, the assembly says.
    pub context: Vec<ContextLookup>,
    /// Whether the only app cannot be synthesized: it may not be the app that the configuration describes.
    pub made_elsewhere: bool,
    /// Whether the stacks are to be deleted: then their templates are of no interest.
    pub deletes: bool,
    /// Typical durations by resource type.
    pub durations: Durations,
    /// How long earlier runs took.
    pub history: Arc<History>,
}

impl PlanOptions {
    /// What the command line said, to be saved with the plan.
    pub fn arguments(&self) -> PlanArguments {
        PlanArguments {
            stacks: self.stacks.clone(),
            exclusively: self.exclusively,
            only: self.only.clone(),
            exclude: self.exclude.clone(),
            affected: self.affected.clone(),
            strategy: self.strategy,
            concurrency: self.stacks_at_once,
        }
    }

    /// The same options with the arguments of an earlier command line.
    #[must_use]
    pub fn with_arguments(self, arguments: PlanArguments) -> Self {
        let PlanArguments { stacks, exclusively, only, exclude, affected, strategy, concurrency } = arguments;
        Self { stacks, exclusively, only, exclude, affected, strategy, stacks_at_once: concurrency, ..self }
    }
}

impl Default for PlanOptions {
    fn default() -> Self {
        Self {
            config_path: FILE_NAME.into(),
            multi_region: None,
            stacks: Vec::new(),
            exclusively: false,
            only: Vec::new(),
            exclude: Vec::new(),
            affected: None,
            strategy: None,
            stacks_at_once: None,
            rollback: None,
            deploys: DeployOptions::default(),
            fail_fast: false,
            present: Present::new(),
            context: Vec::new(),
            made_elsewhere: false,
            deletes: false,
            durations: Durations::typical(),
            history: Arc::default(),
        }
    }
}
