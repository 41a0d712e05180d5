//! The settings of a run on AWS.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use camino::Utf8PathBuf;
use paceline_assembly::Overrides;
use paceline_config::Stuck;
use paceline_engine::PreparedRun;
use paceline_host::Commands;
use paceline_plan::history::History;

use super::LateSynthesis;
use crate::publish::{Images, MissingFiles};
use crate::sdk::Wire;
use crate::stack::{ChangeGuard, Method, TokenKey};

/// The settings of a run on AWS.
#[derive(Debug, Clone, Default)]
pub struct AwsOptions {
    /// The connection to AWS.
    pub wire: Wire,
    /// The operations that change stacks.
    pub method: Method,
    /// The way to build images.
    pub images: Images,
    /// The program that builds images. `None` means the program that `CDK_DOCKER` names, or `docker`.
    pub docker: Option<String>,
    /// The handling of files whose source does not exist.
    pub missing_files: MissingFiles,
    /// Decides whether the team's commands run.
    pub commands: Commands,
    /// Values for the parameters of stacks. The outer key is a stack id, a stack name, or `*` for all stacks.
    /// The inner key is the parameter.
    pub parameters: BTreeMap<String, BTreeMap<String, String>>,
    /// The key for secret values in client tokens.
    pub token_key: TokenKey,
    /// The time limit for the creation or the update of a stack.
    pub stack_limit: Option<Duration>,
    /// How many times a stack operation is tried again whose failure disappears by itself. `None` means
    /// that of [`OnFailure`](paceline_config::OnFailure).
    pub stack_retries: Option<u32>,
    /// What happens if a resource takes much longer than usual.
    pub stuck: Stuck,
    /// The durations of earlier runs, which tell how long resources usually take.
    pub history: Arc<History>,
    /// The settings for synthesizing apps again, for plans that need it.
    pub late: Option<Arc<LateSynthesis>>,
    /// Whether to read and write records of what was deployed, in the staging buckets.
    pub records: bool,
    /// The folder of the runs, where the run keeps what each stack was before the run changed it, and what it prepares.
    /// `None` keeps nothing, so that the run cannot be rolled back.
    pub captures: Option<Utf8PathBuf>,
    /// Whether a run that prepares deletes each change set as soon as it has been read.
    pub discards_change_sets: bool,
    /// The prepared run whose change sets are executed.
    pub prepared: Option<Arc<PreparedRun>>,
    /// Checks the change sets that were not prepared before they are executed.
    pub guard: Option<ChangeGuard>,
    /// What the run asks of every stack in place of what the assembly says. The assembly given to
    /// [`Aws::connect`](super::Aws::connect) has it; one that is synthesized in the run gets it.
    pub overrides: Overrides,
    /// The name of the bootstrap stacks, for apps that do not name their buckets. `None` means `CDKToolkit`.
    pub toolkit: Option<String>,
}
