//! What a command says when it cannot do what it was asked: what is wrong, what to do, and the exit code.

use std::fmt;

use paceline_engine::{ExitCode, JournalError};
use paceline_host::SynthesisError;
use paceline_text::{Explained, Problem, with_sources};

/// Why a command could not do what it was asked.
#[derive(Debug)]
pub struct Failure {
    /// The documented exit code.
    pub exit_code: ExitCode,
    /// Whether another process is working on the same plan.
    pub is_elsewhere: bool,
    /// Whether it was interrupted: nothing is wrong then.
    is_interruption: bool,
    problems: Vec<Problem>,
}

impl<E: Explained> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::new(error.exit_code(), error.problems())
    }
}

impl Failure {
    fn new(exit_code: ExitCode, problems: Vec<Problem>) -> Self {
        Self { exit_code, is_elsewhere: false, is_interruption: false, problems }
    }

    /// Wrong usage, configuration or assembly.
    pub fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::of_all(vec![(message.into(), Some(hint.into()))])
    }

    /// Several things are wrong with what was given, each with what to do about it.
    pub fn of_all(problems: Vec<(String, Option<String>)>) -> Self {
        let problem = |(message, hint)| Problem { place: None, message, hint };
        Self::new(ExitCode::Usage, problems.into_iter().map(problem).collect())
    }

    /// It was interrupted, as the message says. The same command goes on.
    pub fn interrupted(message: impl Into<String>) -> Self {
        let problem = Problem { message: message.into(), ..Problem::default() };
        Self { is_interruption: true, ..Self::new(ExitCode::Interrupted, vec![problem]) }
    }

    /// Apps that could not be synthesized.
    pub fn synthesis(mut errors: Vec<SynthesisError>) -> Self {
        errors.sort_by(|a, b| a.app.cmp(&b.app));
        Self::new(ExitCode::Usage, errors.iter().flat_map(Explained::problems).collect())
    }

    /// The journal of a run cannot be used, maybe because another process uses it.
    pub fn journal(error: JournalError) -> Self {
        Self { is_elsewhere: matches!(error, JournalError::Busy { .. }), ..error.into() }
    }

    /// Wrong configuration, as an error says it that ends in what to do.
    pub fn with_own_hint(error: &dyn std::error::Error) -> Self {
        let text = error.to_string();
        let (message, hint) = match text.split_once("\nhint: ") {
            Some((message, hint)) => (message.to_owned(), Some(hint.to_owned())),
            None => (text, None),
        };
        Self::of_all(vec![(with_sources(message, error.source()), hint)])
    }

    /// What is wrong, or the first of it.
    pub fn first(&self) -> String {
        self.problems.first().map(Problem::what).unwrap_or_default()
    }

    /// The same with another exit code.
    #[must_use]
    pub fn with_exit_code(self, exit_code: ExitCode) -> Self {
        Self { exit_code, ..self }
    }

    /// Says where in a file it is, when that is known.
    #[must_use]
    pub fn at(mut self, place: Option<impl fmt::Display>) -> Self {
        if let (Some(place), Some(first)) = (place, self.problems.first_mut()) {
            first.place = Some(place.to_string());
        }
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, problem) in self.problems.iter().enumerate() {
            if number > 0 {
                writeln!(f)?;
            }
            let kind = if self.is_interruption { "" } else { "error: " };
            write!(f, "{kind}{}", indented(&problem.what()))?;
            if let Some(hint) = &problem.hint {
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
