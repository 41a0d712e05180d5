//! Plans in files: `plan --save FILE` writes the plan that somebody approves, and `deploy --plan FILE` deploys exactly
//! that plan or refuses.

use std::fmt::Write as _;

use camino::Utf8Path;
use paceline_engine::{ExitCode, private};
use paceline_plan::{Plan, PlanArguments, PlanChange, PlanOptions, SavedPlan};

use super::execution::script;
use crate::failure::Failure;

/// The most changes that the message lists.
const LISTED: usize = 20;

/// Writes a plan to a file. It may hold secrets of the team's commands, so only its owner may read it.
pub fn save(plan: &Plan, options: &PlanOptions, file: &Utf8Path) -> Result<(), Failure> {
    // The contents of scripts belong to the plan: a command with an edited script is another command.
    let plan = plan.clone().with_scripts(script);
    let text = SavedPlan::new(plan, options.arguments()).text();
    private::replace(file.as_std_path(), text.as_bytes()).map_err(|error| {
        Failure::usage(
            format!("cannot save the plan in {file}: {error}"),
            "name a file in a folder that exists and may be written to",
        )
    })
}

/// Reads an approved plan.
pub(crate) fn read(file: &Utf8Path) -> Result<SavedPlan, Failure> {
    let bytes = fs_err::read(file).map_err(|error| {
        Failure::usage(
            format!("cannot read the approved plan: {error}"),
            "give the file that `paceline plan --save FILE` wrote",
        )
    })?;
    SavedPlan::parse(&String::from_utf8_lossy(&bytes)).map_err(|error| Failure::from(error).at(Some(file)))
}

/// The options that make the approved plan. Arguments of the command line replace the saved ones.
pub(crate) fn options(options: PlanOptions, approved: &SavedPlan) -> PlanOptions {
    if options.arguments() == PlanArguments::default() {
        options.with_arguments(approved.arguments.clone())
    } else {
        options
    }
}

/// Refuses to deploy another plan than the approved one.
pub(crate) fn ensure_same(approved: &SavedPlan, now: &Plan, file: &Utf8Path) -> Result<(), Failure> {
    let changes = approved.plan.changes_to(&now.clone().with_scripts(script));
    if changes.is_empty() {
        return Ok(());
    }
    let mut message = format!("the app has changed since the plan in {file} was approved:");
    for change in changes.iter().take(LISTED) {
        // Writing to a string does not fail.
        let _ = write!(message, "\n  {change}");
    }
    if let Some(more @ 1..) = changes.len().checked_sub(LISTED) {
        let _ = write!(message, "\n  and {more} more changes");
    }
    let is_template = |change: &PlanChange| matches!(change, PlanChange::Template { .. });
    let synthesis = if changes.iter().any(is_template) {
        "; the synthesis may have changed the templates although nobody edited the app: `--no-synth` uses the templates \
         that are there"
    } else {
        ""
    };
    let hint = format!(
        "undo the changes, or approve them: `paceline plan --save {file}` saves the present plan{synthesis}"
    );
    Err(Failure::usage(message, hint).with_exit_code(ExitCode::Refused))
}
