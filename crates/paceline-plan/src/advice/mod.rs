//! What would shorten a run most, from facts in the templates.

use std::time::Duration;

use paceline_assembly::Assembly;
use serde::Serialize;

use crate::plan::Plan;

/// A change that would shorten the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Advice {
    /// What kind of advice it is, such as `unused-edge`.
    pub code: &'static str,
    /// By how much the run would be shorter.
    #[serde(rename = "saves_s", serialize_with = "seconds")]
    pub saves: Duration,
    /// The stack to change.
    pub stack: String,
    /// The resource in its template, where it is about one.
    pub logical_id: Option<String>,
    /// What to do.
    pub what: String,
    /// What that costs or risks.
    pub cost: String,
}

fn seconds<S: serde::Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(time.as_secs())
}

/// The changes that would shorten the run most. `finish` says how long a plan takes.
pub fn advise<E>(
    plan: &Plan,
    assembly: &Assembly,
    finish: &dyn Fn(&Plan) -> Result<Duration, E>,
) -> Result<Vec<Advice>, E> {
    let _ = (plan, assembly, finish);
    Ok(Vec::new())
}
