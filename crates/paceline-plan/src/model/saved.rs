//! A plan in a file: the plan that somebody looked at and approved.

use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};

use super::left_out::Affected;
use super::plan::Plan;
use paceline_config::Strategy;

/// The version of the file's format.
pub const SAVED_FORMAT: u32 = 1;

/// A plan in a file, with the arguments that it was made with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedPlan {
    /// [`SAVED_FORMAT`] of the program that wrote it. A file of another kind does not have this field.
    #[serde(rename = "paceline-plan")]
    format: u32,
    /// The digest of the plan. A file that was damaged or edited has another one.
    digest: String,
    /// What the command line said.
    pub arguments: PlanArguments,
    /// The plan.
    pub plan: Plan,
}

/// What the command line said when a plan was made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanArguments {
    /// The stacks that were named.
    pub stacks: Vec<String>,
    /// `--exclusively`.
    pub exclusively: bool,
    /// `--only`.
    pub only: Vec<String>,
    /// `--exclude`.
    pub exclude: Vec<String>,
    /// `--affected-by`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub affected: Option<Affected>,
    /// `--strategy`.
    pub strategy: Option<Strategy>,
    /// `--concurrency`.
    pub concurrency: Option<NonZeroUsize>,
}

/// Why a file is no saved plan. The sentences are made in `show`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SavedPlanError {
    /// It is something else.
    NoPlan,
    /// Another version of Paceline wrote it.
    OtherFormat {
        /// The version of its format.
        found: u64,
    },
    /// It began as a saved plan, and was damaged or edited.
    Damaged,
}

impl std::error::Error for SavedPlanError {}

/// The first thing that is read of a file: which version wrote the rest.
#[derive(Deserialize)]
struct Head {
    #[serde(rename = "paceline-plan")]
    format: u64,
}

/// How every such file begins.
const BEGINNING: &str = "{\n  \"paceline-plan\": ";

impl SavedPlan {
    /// What is saved of a plan.
    pub fn new(plan: Plan, arguments: PlanArguments) -> Self {
        Self { format: SAVED_FORMAT, digest: plan.digest(), arguments, plan }
    }

    /// The text of the file.
    pub fn text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("strings and numbers are always JSON");
        text.push('\n');
        text
    }

    /// Reads the text of a file.
    pub fn parse(text: &str) -> Result<Self, SavedPlanError> {
        let Ok(Head { format }) = serde_json::from_str(text) else {
            // What is cut off is no JSON any more.
            let began = text.starts_with(BEGINNING);
            return Err(if began { SavedPlanError::Damaged } else { SavedPlanError::NoPlan });
        };
        if format != u64::from(SAVED_FORMAT) {
            return Err(SavedPlanError::OtherFormat { found: format });
        }
        let saved: Self = serde_json::from_str(text).map_err(|_| SavedPlanError::Damaged)?;
        if saved.digest == saved.plan.digest() { Ok(saved) } else { Err(SavedPlanError::Damaged) }
    }
}
