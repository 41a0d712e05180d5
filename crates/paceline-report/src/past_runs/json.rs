//! The list of earlier runs and the comparison of two of them as JSON. `paceline schema history` and
//! `paceline schema history-compare` print the JSON Schemas.

use std::collections::BTreeMap;
use std::time::Duration;

use paceline_text::{Nullable, document_schema, documented, json_document};
use serde_json::Value;

use super::compare::{LoneStep, RunComparison, StepChange, Usual};
use super::run::PastRun;
use crate::record::Status;

/// The version of both documents. New fields do not raise it.
const SCHEMA: u32 = 1;

documented! {
    /// The earlier runs of a folder, the newest first. A newer version may add fields.
    struct HistoryDocument<'a> {
        /// The version of this format.
        schema: u32,
        /// The runs.
        runs: Vec<RunDocument<'a>>,
    }

    /// A run, as far as it is known.
    struct RunDocument<'a> {
        /// Its name.
        run: &'a str,
        /// When it started: RFC 3339 in UTC. Without a journal, when its first measured step ended.
        started_at: Nullable<String>,
        /// The folder of its assembly, as it was given; empty if that is not known.
        app: &'a str,
        /// Whether it deleted stacks and deployed none.
        deletes: bool,
        /// The run that it rolled back.
        undoes: Nullable<&'a str>,
        /// unfinished, done, failed, refused or interrupted; null if that is not known.
        status: Nullable<&'static str>,
        /// How long it worked. Interruptions do not count.
        seconds: Nullable<f64>,
        /// How many stacks ended in which outcome.
        stacks: BTreeMap<String, usize>,
        /// Whether it was simulated, so that its durations are not real.
        simulated: bool,
    }
}

documented! {
    /// What two runs took, step by step. A newer version may add fields.
    struct ComparisonDocument<'a> {
        /// The version of this format.
        schema: u32,
        /// The names of the two runs, the earlier one first.
        runs: &'a [String],
        /// How long each of them worked; null where that is not known.
        seconds: Vec<Nullable<f64>>,
        /// The steps that both performed with the same operation, the largest difference first.
        steps: Vec<StepDocument<'a>>,
        /// The steps that only the first run performed, or that the other performed with another operation.
        only_in_first: Vec<LoneStepDocument<'a>>,
        /// The same for the second run.
        only_in_second: Vec<LoneStepDocument<'a>>,
    }

    /// A step that both runs performed.
    struct StepDocument<'a> {
        /// Its name, with the region.
        step: &'a str,
        /// What was done, such as update.
        operation: &'static str,
        /// What it took in the first run, in seconds.
        before_s: f64,
        /// What it took in the second run, in seconds.
        after_s: f64,
        /// What it usually takes; null with fewer than three earlier runs.
        usual: Nullable<UsualDocument>,
        /// Whether the second run took longer or shorter than usual.
        unusual: bool,
    }

    /// What a step took in the runs before the second one.
    struct UsualDocument {
        /// The shortest time, in seconds.
        from_s: f64,
        /// The longest time, in seconds.
        to_s: f64,
        /// The number of runs.
        runs: usize,
    }

    /// A step that only one of the runs performed.
    struct LoneStepDocument<'a> {
        /// Its name, with the region.
        step: &'a str,
        /// What was done, such as update.
        operation: &'static str,
    }
}

/// The runs as JSON: `{"schema":1,"runs":[…]}`.
pub fn list_json(runs: &[PastRun]) -> String {
    let runs = runs.iter().map(RunDocument::of).collect();
    json_document(&HistoryDocument { schema: SCHEMA, runs })
}

/// The JSON Schema of the list.
pub fn list_schema() -> Value {
    document_schema::<HistoryDocument<'_>>("Earlier runs of Paceline", SCHEMA)
}

/// The JSON Schema of a comparison.
pub fn comparison_schema() -> Value {
    document_schema::<ComparisonDocument<'_>>("Two runs of Paceline side by side", SCHEMA)
}

impl RunComparison {
    /// The comparison as JSON.
    pub fn json(&self) -> String {
        let [first, second] = &self.only;
        json_document(&ComparisonDocument {
            schema: SCHEMA,
            runs: &self.runs,
            seconds: self.took.iter().map(|took| Nullable(took.map(|it| it.as_secs_f64()))).collect(),
            steps: self.steps.iter().map(StepDocument::of).collect(),
            only_in_first: first.iter().map(LoneStepDocument::of).collect(),
            only_in_second: second.iter().map(LoneStepDocument::of).collect(),
        })
    }
}

impl<'a> RunDocument<'a> {
    fn of(run: &'a PastRun) -> Self {
        Self {
            run: &run.run,
            started_at: Nullable(run.at.map(|at| format!("{at:.3}"))),
            app: &run.app,
            deletes: run.deletes,
            undoes: Nullable(run.undoes.as_deref()),
            status: Nullable(run.status.map(Status::as_str)),
            seconds: Nullable(run.took.map(|took| took.as_secs_f64())),
            stacks: run.stacks.iter().map(|(outcome, n)| (outcome.to_string(), *n)).collect(),
            simulated: run.simulated,
        }
    }
}

impl<'a> StepDocument<'a> {
    fn of(step: &'a StepChange) -> Self {
        Self {
            step: &step.name,
            operation: step.operation,
            before_s: step.before.as_secs_f64(),
            after_s: step.after.as_secs_f64(),
            usual: Nullable(step.usual.map(UsualDocument::of)),
            unusual: step.differs() && step.is_unusual(),
        }
    }
}

impl UsualDocument {
    fn of(usual: Usual) -> Self {
        let [from_s, to_s] = [usual.from, usual.to].map(|it: Duration| it.as_secs_f64());
        Self { from_s, to_s, runs: usual.runs }
    }
}

impl<'a> LoneStepDocument<'a> {
    fn of(step: &'a LoneStep) -> Self {
        Self { step: &step.name, operation: step.operation }
    }
}
