//! The shape of the JSON that `paceline doctor` prints. `paceline schema doctor` prints its JSON Schema.

use paceline_text::{Problem, document_schema, documented};
use serde_json::Value;

use super::finding::{Diagnosis, Finding};

/// The version of the document. New fields do not raise it.
const SCHEMA: u32 = 1;

documented! {
    /// What `paceline doctor` found. A newer version may add fields.
    struct DoctorDocument {
        /// The version of this format.
        schema: u32,
        /// The findings, the worst first.
        findings: Vec<FindingDocument>,
        /// The checks that were not made.
        left_out: Vec<LeftOutDocument>,
    }

    /// Something that can stop a run.
    struct FindingDocument {
        /// error (a run is refused or fails), warning (it may fail) or note.
        severity: String,
        /// The subject of the check, such as templates, assets or aws.
        check: String,
        /// Where it is: a file with line and column, a folder, or a call of AWS.
        r#where: Option<String>,
        /// What is wrong.
        why: String,
        /// What to do about it.
        what_to_do: Option<String>,
    }

    /// A check that was not made.
    struct LeftOutDocument {
        /// The subject of the check.
        check: String,
        /// Why it was not made.
        why: String,
    }
}

impl DoctorDocument {
    pub(super) fn of(diagnosis: &Diagnosis) -> Self {
        let finding = |it: &Finding| {
            let Problem { place, message, hint } = it.problem.clone();
            FindingDocument {
                severity: it.severity.as_str().to_owned(),
                check: it.check.as_str().to_owned(),
                r#where: place,
                why: message,
                what_to_do: hint,
            }
        };
        let left_out = diagnosis
            .left_out
            .iter()
            .map(|(check, why)| LeftOutDocument { check: check.as_str().to_owned(), why: why.clone() });
        Self {
            schema: SCHEMA,
            findings: diagnosis.findings.iter().map(finding).collect(),
            left_out: left_out.collect(),
        }
    }
}

/// The JSON Schema of the document.
pub fn json_schema() -> Value {
    document_schema::<DoctorDocument>("Findings of paceline doctor", SCHEMA)
}
