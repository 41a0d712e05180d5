//! What a command says when it cannot do what it was asked: what is wrong, what to do, and the exit code.

use std::fmt;

use paceline_engine::ExitCode;
use paceline_text::{Explained, Problem};

/// Why a command could not do what it was asked.
#[derive(Debug)]
pub struct Failure {
    /// The documented exit code.
    pub exit_code: ExitCode,
    /// Whether another process is working on the same plan.
    pub is_busy: bool,
    /// Whether it was interrupted: nothing is wrong then.
    is_interruption: bool,
    problems: Vec<Problem>,
}

impl<E: Explained> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { is_busy: error.is_busy(), ..Self::new(error.exit_code(), error.problems()) }
    }
}

impl Failure {
    fn new(exit_code: ExitCode, problems: Vec<Problem>) -> Self {
        Self { exit_code, is_busy: false, is_interruption: false, problems }
    }

    /// Wrong usage, configuration or assembly.
    pub fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::of_all(vec![Problem { place: None, message: message.into(), hint: Some(hint.into()) }])
    }

    /// Several things are wrong with what was given, each with what to do about it.
    pub fn of_all(problems: Vec<Problem>) -> Self {
        Self::new(ExitCode::Usage, problems)
    }

    /// It was interrupted, as the message says. The same command continues.
    pub fn interrupted(message: impl Into<String>) -> Self {
        let problem = Problem { message: message.into(), ..Problem::default() };
        Self { is_interruption: true, ..Self::new(ExitCode::Interrupted, vec![problem]) }
    }

    /// What is wrong, one by one.
    pub(crate) fn into_problems(self) -> Vec<Problem> {
        self.problems
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

    /// Says for each problem in which file it is, or where in the file, when that is known.
    #[must_use]
    pub fn at(mut self, place: Option<impl fmt::Display>) -> Self {
        let place = place.map(|place| place.to_string());
        for problem in &mut self.problems {
            problem.place = problem.place.take().or_else(|| place.clone());
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
            let kind = if self.is_interruption || self.exit_code == ExitCode::Done { "" } else { "error: " };
            write!(f, "{kind}{}", indented(&problem.what()))?;
            if let Some(hint) = &problem.hint {
                write!(f, "\n hint: {}", indented(hint))?;
            }
        }
        Ok(())
    }
}

/// A message whose further lines are set apart from ours, since what it quotes may hold anything.
fn indented(message: &str) -> String {
    let mut lines = message.lines();
    let mut text = lines.next().unwrap_or_default().to_owned();
    for line in lines {
        text.push_str(if line.starts_with("  ") { "\n" } else { "\n       " });
        text.push_str(line);
    }
    text
}
