//! What happens in a build, for programs: one JSON object a line. `paceline schema project-start` prints the JSON Schema.

use paceline_aws::{BuildEnd, BuildNews};
use paceline_engine::event::BuildPhase;
use paceline_text::{document_schema, documented};
use serde_json::Value;

use crate::terminal;

/// The version of a line. New kinds and new fields do not raise it.
const SCHEMA: u32 = 1;

documented! {
    /// Something that happened in a build that `paceline project start` has started: one line of its output. A newer version
    /// may add kinds and fields.
    struct BuildLine<'a> {
        /// The version of this format.
        schema: u32,
        /// The id of the build.
        build: &'a str,
        /// build.started, phase.started, phase.finished, log, problem (the build or its log cannot be read now) or
        /// build.finished.
        event: &'static str,
        /// The region, when the build has started.
        region: Option<&'a str>,
        /// The name of the phase that has started or finished, such as INSTALL.
        phase: Option<&'a str>,
        /// How the phase or the build has ended, such as SUCCEEDED.
        status: Option<&'a str>,
        /// How long the phase took, in seconds.
        duration_s: Option<f64>,
        /// What CodeBuild says about the phase.
        messages: Option<&'a [String]>,
        /// The line of the log, without its end.
        line: Option<&'a str>,
        /// What cannot be read.
        problem: Option<&'a str>,
        /// All phases of the build, when it has finished.
        phases: Option<Vec<PhaseDocument<'a>>>,
    }

    /// A phase of a build.
    struct PhaseDocument<'a> {
        /// Such as PROVISIONING.
        name: &'a str,
        /// Such as SUCCEEDED.
        status: Option<&'a str>,
        /// How long it took, in seconds.
        duration_s: f64,
    }
}

/// The JSON Schema of a line.
pub fn json_schema() -> Value {
    document_schema::<BuildLine<'_>>("What happens in a build of paceline project start", SCHEMA)
}

impl<'a> BuildLine<'a> {
    fn new(build: &'a str, event: &'static str) -> Self {
        Self {
            schema: SCHEMA,
            build,
            event,
            region: None,
            phase: None,
            status: None,
            duration_s: None,
            messages: None,
            line: None,
            problem: None,
            phases: None,
        }
    }

    pub(super) fn started(build: &'a str, region: &'a str) -> Self {
        Self { region: Some(region), ..Self::new(build, "build.started") }
    }

    pub(super) fn of(build: &'a str, news: &'a BuildNews) -> Self {
        match news {
            BuildNews::Line(line) => {
                Self { line: Some(line.trim_end_matches(['\r', '\n'])), ..Self::new(build, "log") }
            }
            BuildNews::Began(phase) => Self { phase: Some(phase), ..Self::new(build, "phase.started") },
            BuildNews::Ended(phase, messages) => Self {
                phase: Some(&phase.name),
                status: phase.status.as_deref(),
                duration_s: Some(phase.duration_s),
                messages: Some(messages.as_slice()).filter(|messages| !messages.is_empty()),
                ..Self::new(build, "phase.finished")
            },
            BuildNews::Problem(what) => Self { problem: Some(what), ..Self::new(build, "problem") },
        }
    }

    pub(super) fn finished(build: &'a str, end: &'a BuildEnd) -> Self {
        let phase = |BuildPhase { name, status, duration_s }: &'a BuildPhase| PhaseDocument {
            name,
            status: status.as_deref(),
            duration_s: *duration_s,
        };
        Self {
            status: Some(&end.status),
            phases: Some(end.phases.iter().map(phase).collect()),
            ..Self::new(build, "build.finished")
        }
    }

    pub(super) fn print(&self) {
        // A line has only texts, numbers and lists, so it can always be written.
        terminal::data(&format!("{}\n", serde_json::to_string(self).unwrap_or_default()));
    }
}
