//! What a command says when it cannot do what it was asked: what is wrong, what to do, and the exit code.

use std::fmt;

use paceline_assembly::AssemblyError;
use paceline_aws::{AwsError, PreflightError};
use paceline_engine::{JournalError, exit};
use paceline_host::SynthesisError;
use paceline_plan::what_if::WhatIfError;
use paceline_plan::{ConfigError, PlanError};
use paceline_text::one_line;

/// Why a command could not do what it was asked.
#[derive(Debug)]
pub struct Failure {
    /// The documented exit code.
    pub exit_code: u8,
    /// Whether another process is at it.
    pub is_elsewhere: bool,
    /// Whether it was interrupted: nothing is wrong then.
    is_interruption: bool,
    /// Each with what to do about it.
    problems: Vec<(String, Option<String>)>,
}

impl Failure {
    /// Wrong usage, configuration or assembly.
    pub fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            exit_code: exit::USAGE,
            is_elsewhere: false,
            is_interruption: false,
            problems: vec![(message.into(), Some(hint.into()))],
        }
    }

    /// It was interrupted, as the message says. The same command goes on.
    pub fn interrupted(message: impl Into<String>) -> Self {
        let problems = vec![(message.into(), None)];
        Self { exit_code: exit::INTERRUPTED, is_elsewhere: false, is_interruption: true, problems }
    }

    /// What is wrong, or the first of it.
    pub fn first(&self) -> &str {
        self.problems.first().map_or("", |(message, _)| message)
    }

    /// Several things are wrong with what was given.
    pub fn of_all(problems: Vec<(String, Option<String>)>) -> Self {
        Self { exit_code: exit::USAGE, is_elsewhere: false, is_interruption: false, problems }
    }

    #[must_use]
    pub fn with_exit_code(self, exit_code: u8) -> Self {
        Self { exit_code, ..self }
    }

    /// Apps that could not be synthesized.
    pub fn synthesis(mut errors: Vec<SynthesisError>) -> Self {
        errors.sort_by(|a, b| a.app.cmp(&b.app));
        let hint = "its whole output is above; `paceline synth` tries again";
        let problems = errors.iter().map(|error| (error.to_string(), Some(hint.to_owned())));
        Self {
            exit_code: exit::USAGE,
            is_elsewhere: false,
            is_interruption: false,
            problems: problems.collect(),
        }
    }

    /// Wrong configuration, as an error says it that ends in what to do.
    pub fn with_own_hint(error: &dyn std::error::Error) -> Self {
        let mut failure = Self::with_sources(exit::USAGE, error, None);
        for (message, hint) in &mut failure.problems {
            if let Some((what, todo)) = message.split_once("\nhint: ") {
                (*message, *hint) = (what.to_owned(), Some(todo.to_owned()));
            }
        }
        failure
    }

    /// Says where in a file it is, when that is known.
    #[must_use]
    pub fn at(mut self, place: Option<impl fmt::Display>) -> Self {
        if let (Some(place), Some((message, _))) = (place, self.problems.first_mut()) {
            *message = format!("{place}: {message}");
        }
        self
    }

    /// For errors that have one line, whatever the names in them hold.
    fn on_one_line(&mut self) {
        for (message, _) in &mut self.problems {
            *message = one_line(message);
        }
    }

    fn with_sources(exit_code: u8, error: &dyn std::error::Error, hint: Option<String>) -> Self {
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(error) = source {
            let part = error.to_string();
            if !message.contains(&part) {
                message.push_str(": ");
                message.push_str(&part);
            }
            source = error.source();
        }
        Self { exit_code, is_elsewhere: false, is_interruption: false, problems: vec![(message, hint)] }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (message, hint)) in self.problems.iter().enumerate() {
            if number > 0 {
                writeln!(f)?;
            }
            let kind = if self.is_interruption { "" } else { "error: " };
            write!(f, "{kind}{}", indented(message))?;
            if let Some(hint) = hint {
                write!(f, "\n hint: {}", indented(hint))?;
            }
        }
        Ok(())
    }
}

/// A message whose further lines are told from ours: what it quotes may hold anything.
fn indented(message: &str) -> String {
    let mut lines = message.lines();
    let mut text = lines.next().unwrap_or_default().to_owned();
    for line in lines {
        text.push_str(if line.starts_with("  ") { "\n" } else { "\n       " });
        text.push_str(line);
    }
    text
}

impl From<AssemblyError> for Failure {
    fn from(error: AssemblyError) -> Self {
        Self::with_sources(exit::USAGE, &error, error.hint())
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let hint = error.hint().to_owned();
        Self::with_sources(exit::USAGE, &error, Some(hint))
    }
}

impl From<PlanError> for Failure {
    fn from(error: PlanError) -> Self {
        let mut failure = Self::with_sources(exit::USAGE, &error, Some(error.hint()));
        if !matches!(error, PlanError::Cycle { .. }) {
            failure.on_one_line();
        }
        failure
    }
}

impl From<WhatIfError> for Failure {
    fn from(error: WhatIfError) -> Self {
        Self::usage(error.to_string(), error.hint())
    }
}

impl From<JournalError> for Failure {
    fn from(error: JournalError) -> Self {
        let (code, hint) = match &error {
            JournalError::Busy { .. } => (exit::PREFLIGHT, "wait until it has ended, or stop it first"),
            JournalError::Io { .. } => {
                (exit::PREFLIGHT, "the run keeps its journal below this folder: make it writable")
            }
            JournalError::Corrupt { .. } => (
                exit::USAGE,
                "give a journal or a file written by --events; a damaged journal of a run can be moved away",
            ),
        };
        let is_elsewhere = matches!(error, JournalError::Busy { .. });
        Self { is_elsewhere, ..Self::with_sources(code, &error, Some(hint.to_owned())) }
    }
}

impl From<PreflightError> for Failure {
    fn from(error: PreflightError) -> Self {
        let problem = |error: AwsError| {
            let hint = error.what_to_do();
            let message = match &error.place {
                Some(place) => format!("{place}: {error}"),
                None => error.to_string(),
            };
            (message, hint)
        };
        Self {
            exit_code: exit::PREFLIGHT,
            is_elsewhere: false,
            is_interruption: false,
            problems: error.0.into_iter().map(problem).collect(),
        }
    }
}
