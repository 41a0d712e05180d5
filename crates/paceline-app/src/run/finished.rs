//! How a run has ended, for the command that has started it.

use std::collections::BTreeMap;

use paceline_engine::{ExitCode, Finding, PreparedStack};
use paceline_report::Record;

/// A run that has ended.
pub(crate) struct Finished {
    /// The documented exit code.
    pub exit_code: ExitCode,
    pub record: Record,
    /// Whether this is the end of an earlier run, and this process did nothing.
    pub is_said_again: bool,
    /// Whether another build continues the run, or has done so. Then this process does not know how it ends.
    pub is_left_to_others: bool,
    /// What the run has prepared, by the ids of the stacks.
    pub prepared: BTreeMap<String, PreparedStack>,
    /// What CloudFormation found wrong with what the run has prepared, by the ids of the stacks.
    pub findings: BTreeMap<String, Vec<Finding>>,
}

impl Finished {
    /// The end of a command that had nothing to run.
    pub(super) fn nothing() -> Self {
        Self {
            exit_code: ExitCode::Done,
            record: Record::default(),
            is_said_again: false,
            is_left_to_others: false,
            prepared: BTreeMap::new(),
            findings: BTreeMap::new(),
        }
    }

    /// The end of a build that had nothing to continue.
    pub(super) fn left_to_others() -> Self {
        Self { is_left_to_others: true, ..Self::nothing() }
    }
}
